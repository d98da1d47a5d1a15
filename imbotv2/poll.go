package imbotv2

import "context"

// Poll fetches the events of bots and hands them to the callbacks of h until ctx ends, so
// the bots need no public address. Each client names one bot ([Client.WithBot]), which is in
// fetch mode; see [EnsureBot].
//
// What is promised:
//
//   - The callback of each event runs at least once while the portal keeps the event, which is
//     24 hours, also when the program is killed and started again.
//   - In this process it runs once, whatever is fetched again. After a crash it may run
//     again; what ev.Reply made appears once all the same.
//   - Callbacks of one dialog run one after another, in the order in which the portal shows
//     the events, different dialogs side by side.
//   - An event is acknowledged, so that the portal deletes it, only after its callback has
//     returned. An error, or a panic, goes to OnError and counts as handled: return nil and
//     keep the event yourself where it is to be tried again.
//
// With an [EventHandler.Inbox] events are acknowledged when that has stored them, and Poll ends without
// their callbacks: call Shutdown behind it. They run at least once, whatever is killed.
//
// In a conversation an event gets to its callback within 2 s, after half a minute of silence
// within 5.5 s. A request brings about a hundred events of all its bots, and each person's
// first message is two, so of a crowd that comes at once some wait 2 s longer. An idle portal
// costs one request in 5 s, for up to fifty bots. Polls go before other calls
// ([imbot.ClassAnswer]); [imbot.WithAutoBatch] keeps a bot that sends much from using up the
// rate of the portal.
//
// The portal does not tell its member id with a fetched event: ev.MemberID() is what
// [imbot.Client.Portal] returns, so with a webhook it is the host.
//
// A poll that fails is tried again, at least once a minute; the log says so once. When ctx
// ends, Poll waits up to 30 s for the callbacks, acknowledges what they have handled, and
// returns nil; the contexts of callbacks that hang are ended then, which is the error.
// A callback should use its own context: with one that ends with ctx its last answers get lost.
//
// Poll also ends with the last bot, for the reason why that can never be polled again: it is
// gone ([ErrBotNotFound]; OnBotDelete is called), is somebody else's, the credentials are dead,
// the scope imbot is missing, the portal is too old or has moved. [imbot.ErrConflict] means
// that this process polls the bot already. Between processes see [Poller]: two that poll one
// bot lose nothing, but run its callbacks twice.
//
// REST method: imbot.v2.Event.get.
func Poll(ctx context.Context, h *EventHandler, clients ...*Client) error {
	if len(clients) == 0 {
		return invalid("Poll: no clients")
	}
	return (&Poller{Handler: h, Clients: clients}).Run(ctx)
}
