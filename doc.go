// Package imbot is a typed client for the chat bots of Bitrix24: every imbot.*
// method of its REST API as a request and a result, every error code as
// something [errors.Is] understands, and the portal's events parsed, verified
// and dispatched.
//
// # Quick start
//
// A bot needs an incoming webhook with the scope imbot, a client id that you
// make up (long, random, secret), and a public https address for its events:
//
//	hook := imbot.Webhook{URL: os.Getenv("BITRIX24_WEBHOOK_URL"), ClientID: os.Getenv("BITRIX24_CLIENT_ID")}
//	client, err := imbot.NewClient(hook)
//	…
//	id, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
//		Code:         "echo",
//		EventHandler: "https://bot.example.com/events",
//		Properties:   imbot.BotProperties{Name: "Echo", Color: imbot.ColorMint},
//	})
//	…
//	err = imbot.Serve(ctx, ":8080", &imbot.EventHandler{
//		Verifier: hook.Verifier(),
//		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
//			_, err := client.Message.Add(ctx, ev.Reply("You said: "+ev.Params.Message))
//			return err
//		},
//	})
//
// The names are those of the vendor's documentation in Go spelling: the method
// imbot.chat.updateTitle is client.Chat.UpdateTitle with a [ChatUpdateTitleRequest],
// and its parameter CHAT_ID is the field ChatID. A field left zero is not sent.
// The comment of each method ends with its page, a path below
// https://apidocs.bitrix24.com/. For a method that has no type, use
// [Client.Call], or give it one with [Returns] and [Do]; such a request may be a
// [Repeater], a [Checker] and [Secretive], as those of this package are.
//
// # Errors
//
// Every failure of a call is an [*Error]. It matches the portal's code, in any
// case, and the sentinels of this package:
//
//	switch {
//	case errors.Is(err, imbot.ErrChatIDEmpty): // a code of the portal
//	case errors.Is(err, imbot.ErrInvalid): // refused by this package, nothing was sent
//	case errors.Is(err, imbot.ErrOutcomeUnknown): // it may have run
//	case errors.Is(err, imbot.ErrorCode("SOMETHING_NEW")): // a code without a name here
//	}
//
// What the portal would lose without a word (a text that it would cut, a flag
// that it would ignore) is refused with [ErrInvalid]. What it does without a
// word all the same stands in the comment of the method. "Not found" is always
// an error.
//
// No error, log record or printed value holds a secret.
//
// A comment that names "livecheck" rests on what no document settles: LIVE.md tells, by the names
// behind that word, what portals were seen to do.
//
// # Repetition
//
// A call that failed is sent again when that is safe, after 1 s to 30 s, until it
// was sent 4 times. What decides is whether it ran:
//
//   - It did not run (the rate limit, a connection that was never made): any
//     call is repeated.
//   - Nobody can tell (the answer was lost, a gateway's error page, HTTP 500): a
//     call that does no harm twice is repeated; for another, such as sending a
//     message, the error is [ErrOutcomeUnknown].
//   - The portal gave a definite answer: the error has its code, and nothing is
//     repeated.
//
// Calls are paced below the portal's rate limit by a limiter that all clients
// of the process share; see [WithLimiter] and [WithRetry]. Whose call goes next
// is a matter of its [Class]: answers of a callback before ordinary calls,
// these before those of [DoAll]. Every wait obeys the context. A method that
// has used up its operating time on the portal is held back until the portal
// lets it run again, for ten minutes at most; other methods go on.
//
// # Text
//
// The text of a message is BB code. Package [github.com/imbot-go/imbot/bbcode]
// builds it, escapes what people typed, turns Markdown into it, and splits what
// is too long for one message.
//
// The proactive filter of a box (an installation of one's own) rewrites some
// words in JSON bodies, those of SQL and of scripts above all: "select an item
// from the list" can arrive as "sel ect an item fr om the list". No error
// tells; [Diagnose] names it (livecheck: sql-words, filter-in-cloud).
//
// # Many calls
//
// The portal counts a batch of fifty calls as one. [Client.DoBatch] sends what
// was gathered with [Queue], [DoAll] a stream of any length, never more than one
// batch ahead of what was consumed, and [WithAutoBatch] lets concurrent calls
// travel together without a change to the code that makes them.
//
// # Events
//
// [EventHandler] is a [net/http.Handler] for the handler URL; [Serve] listens
// with one until its context ends, and drains; a [Server] does so with several, and
// tells a load balancer. Every event is verified by its application token before
// anything else is done with it. The portal sends an event once and ignores the
// answer, so the handler answers at once and calls back from a bounded pool, in
// order within a dialog. [ParseEvent] does the same for one request, without a pool.
//
// What a process has accepted ends with it, unless the handler has an Inbox: an engine of the
// modules imbotbolt (a file) and imbotpg (PostgreSQL) stores an event before the portal gets
// its answer, and it is handled at least once, by this process, its next life, or another
// one. What ran when a process was killed runs again: see [Redelivered]. Processes that
// share imbotpg or imbotredis also have one limiter, grants, states and a leader.
//
// A [Middleware], such as [LogEvents], runs around every event. Commands are a table,
// [SlashCommands]; a Stop button is one that Interrupts. What outlives its callback is for
// [EventHandler.Go]. [Client.Reply] answers any event.
//
// # Applications
//
// An [OAuthApp] is one program on many portals. Its Verifier and InstallPage take
// installations, which count when the authorization server has confirmed them; a
// [TokenStore] keeps one [Grant] for each portal; [OAuthApp.ForEvent] and
// [OAuthApp.Client] give clients that renew their tokens by themselves.
//
// When events do not arrive, [Diagnose] says why. [EnsureBot] at each start keeps
// the bot as the program wants it.
//
// # Testing
//
// Package [github.com/imbot-go/imbot/imbottest] is a portal in memory: people
// write to the bot, the bot gets real form posts and answers over real HTTP or
// without a socket. No account and no network are needed. Its package messenger
// shows that portal as a web page.
package imbot
