// Package imbotv2 is the second generation of the bot API, imbot.v2.*, which the vendor
// recommends for new bots. Its bots can fetch their events: they need no public address, and
// lose nothing while they are away for less than a day.
//
//	client, err := imbotv2.NewClient(imbot.Webhook{URL: …, BotToken: …})
//	bot, err := imbotv2.EnsureBot(ctx, client, imbotv2.BotRegisterRequest{Code: "echo", Properties: imbotv2.BotProperties{Name: "Echo"}})
//	client = client.WithBot(bot.ID)
//	err = imbotv2.Poll(ctx, &imbotv2.EventHandler{
//		OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
//			_, err := client.Message.Send(ctx, ev.Reply("You said: "+ev.Text()))
//			return err
//		},
//	}, client)
//
// What both generations share is in package imbot: credentials and options, ids, flags,
// colours, keyboards, attachments, errors, batches, streams, classes, limits and middleware. Requests of
// this package are [imbot.Request]s, so they travel in batches and streams by
// [Client.Base] as well.
//
// # The bot and its token
//
// A webhook names the owner of a bot by a token that you make up; its ClientID in the first
// generation is the same secret, so both generations own each other's bots. Calls take the
// token from the credentials and the bot from [Client.WithBot].
//
// # The person
//
// The methods im.v2.* need no bot: they hear and act as the person whose webhook or authorization the
// client has, see [PollUser], [UserEventService] and [UserFileService].
//
// # Sending that cannot double
//
// A portal that has a message with the same TemplateID, a UUID, answers with that message's id.
// [MessageService.Send] makes one up when there is none, so a message whose answer got lost is
// sent again, and appears once. The Reply of an event derives it from the event, so
// an event that is handled twice, after a crash or by two processes, is answered once.
// The documentation promises none of it; the server's source does it (livecheck: templateid, queue-day).
//
// # Events that outlive their process
//
// With an Inbox an [EventHandler] stores what it gets, posted or fetched, and handles it at least once:
// in this process, in its next life, or in another that shares the inbox. So a callback that takes
// long holds no queue up, and replicas behind one URL handle each event once, unless one is killed
// in the middle: see [imbot.Redelivered].
package imbotv2
