// Package imbottest is a Bitrix24 portal in memory, for the tests of chat bots:
// what net/http/httptest is to net/http.
//
//	portal := imbottest.NewPortal()
//	defer portal.Close()
//	hook := portal.Webhook("a-long-random-client-id")
//	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
//	…
//	bot, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{EventHandler: "https://bot.example.com/events", …})
//	portal.Serve("https://bot.example.com/events", handler)
//	anna := portal.AddUser("Anna", "Ivanova")
//	answer, err := portal.Ask(ctx, anna, imbot.UserDialog(bot), "hello")
//
// The portal keeps bots, people, private dialogs, group chats, messages with their
// keyboards, menus and attachments, commands and chat applications. It answers the
// REST methods with the results, codes and statuses of a real portal, makes its checks in
// the same order, and delivers events as form posts to the handlers that bots have
// registered.
//
// # Open lines
//
// [Portal.AddLine] makes an open line, openlines.EnsureBot connects a bot to it, and guests come with
// [Portal.Visit], or with [Portal.AddGuest] without all that. The methods imopenlines.bot.session.*,
// dialog.get, session.history.get and config.list.get, get and update are there with their
// oddities: finish and message.send answer true for chats that do not exist, operator looks at no
// bot, and a change of a line resets those of the five WELCOME_BOT fields that it leaves out.
// [Portal.Sessions] tells who holds a conversation and when it was over. Operators write with
// [Portal.Say] and [Portal.Whisper], and [Portal.Quote] quotes a message, of any dialog.
//
// The portal in memory lets all operators of a line join at once. It tells guests neither who
// joins nor that a conversation is over, and asks them for no vote.
//
// # Both generations
//
// Bots of package imbotv2 live on the same portal, which has all methods of imbot.v2.* and
// im.v2.*. [Portal.Webhook] serves both, because botToken and CLIENT_ID are one
// secret with two names, and so each generation sees and owns the bots of the other. How a
// bot gets its events is a matter of the bot: in a queue, posted as ONIMBOTV2… to its
// webhookUrl, or as the first generation has them. [Portal.WaitBot] waits until a program
// has registered its bot, and [Portal.Queued] shows what the bot has not acknowledged.
//
// A queue is what the server's source makes of it. It keeps events for a day by time.Now, so
// in a synctest bubble by the clock of the bubble; an offset deletes all below it, also what
// nobody has seen; without one the portal remembers for a minute that the queue was empty;
// a full page says that there is more, even when there is not. [WithLateEvents] lets events
// become visible after others with higher ids. A UUID is known for 31 days, on the whole
// portal. Bots hear of their own changes of messages, and that they are in the chats they make.
// [WithRevision] is for older portals, and [WithOther] for portals that behave differently where
// nothing tells how real ones do: it names the facts that are in [Doubts].
//
// People react with [Portal.React] and forward with [Portal.Forward]. The webhook's user gets the
// events of im.v2.Event.get after im.v2.Event.subscribe; those of bots and of people have one
// sequence of ids.
//
// # Files
//
// [Portal.SayFile] sends a file as a person does, and [Message] has the Files of people and bots.
// The portal keeps files in memory until their message is deleted. It takes 104,857,599 bytes, and
// makes a name unique in its chat. A link of File.download holds the credential of the caller and
// works until that ends, with [Portal.HTTPClient] and with [Portal.Listen]; a [Fault] of the method
// "download" befalls who follows it. The log keeps no content above 64 KiB. [Portal.RemoveDrive]
// is for portals without a drive.
//
// # Reaching it
//
// [Portal.HTTPClient] reaches the portal without a socket, and [Portal.Serve]
// lets a handler receive its events without one; together they work inside a
// testing/synctest bubble, when the portal is made there. [Portal.Listen] serves
// it on a loopback address instead, and events for a handler on 127.0.0.1 are
// posted there. Without Listen each portal has a host name of its own, so that tests do
// not share the limiters that are kept for each host. A client's limiter limits calls
// here, too: for more than fifty calls a test should use [imbot.WithLimiter](nil).
//
// The ids of each portal begin anew. An Inbox or Claims of a file or server that knew an earlier portal takes
// posted events with the same ids for handled, and says nothing: give each portal an empty one.
//
// Clients in other languages find what they expect: several slashes in a path count as
// one, bodies may be JSON, forms or multipart/form-data, pages of every origin may call,
// and the methods that need no scope (server.time, scope, methods, profile, app.option.get
// …) are there.
//
// # OAuth applications
//
// [Portal.OAuth] returns the credentials of an application that is installed, and
// that is all most tests need. [Portal.Application] does the rest: installation by event
// and by page, update and uninstallation, and an authorization server whose access tokens
// live an hour and whose refresh tokens work once. [Application.ExpireTokens] and
// [Application.RevokeTokens] end tokens before their time, and [Portal.Rename] moves the
// portal to another host. To test one application on several portals, call
// [Portal.Listen] on each and give the application the addresses of all their
// authorization servers: an HTTPClient reaches one portal only.
//
// # What people see, and the log
//
// [Portal.Users], [Portal.Dialogs], [Portal.History], [Portal.Commands] and
// [Portal.Apps] return what one person sees, and [Portal.Changes] waits for what is
// new. [Portal.Exchanges] returns the calls and events with their bodies, all secrets
// masked, and [Portal.Replay] sends an event once more, to find out whether a bot does
// something twice. Package imbottest/messenger makes a web page of all that, and
// [Portal.Mount] serves it beside the REST endpoint.
//
// # What it does like a real portal
//
// Registering a code that exists changes nothing but the handlers and answers the old id
// as text. An application has one handler for each event: the last one that was
// registered gets the events of all its bots. An application has at most five bots. The
// client id of a webhook is appended to the handler's URL and comes back as
// application_token; only the events of OAuth applications carry tokens. Changing a
// chat's title always answers true. A bot gets no event for what bots write. The first
// message between a bot and a person opens their dialog, for which the bot gets
// ONIMBOTJOINCHAT, before the message.
//
// Outside private dialogs the mentions of bots and people are cut out of the text of an
// event, and the names in it are escaped for HTML; the SDK undoes both.
//
// Of keyboards, menus and attachments it keeps what a real portal keeps: it drops what is
// unusable without an error, and [Message] has the rest. A command that a person types at
// the start of a line, or gives with [Portal.Press], is an event of its own. For ten
// minutes the bot may answer it, even when it is no member of the chat. Bots can change
// their own messages for three days. People do that with [Portal.Edit] and
// [Portal.Delete].
//
// # How to get each error
//
// For most errors a wrong call is enough. For the others, [Portal.Restrict] and
// [Portal.MakeGeneral] close group chats, [Portal.Deny] takes the right to change them
// from people, and from bots that are called with their webhooks,
// [Portal.MakeExtranet] makes users from outside the company and [Portal.Dismiss] lets
// people leave it. [Portal.MakeFetching] is for bots that have moved to
// imbot.v2, [Portal.Veto] for modules that refuse what a method does, and [WithScope] for
// webhooks with too few rights, and [WithoutDescriptions] for errors that have a code and
// no text. [Portal.Session] is for calls of a browser, and
// [Portal.WebhookOf] for those of another person. All other errors, such as that of a
// portal that was deleted, can be made with [Portal.Fail].
//
// As on a real portal, a command of a batch that fails with a code of the portal's core,
// such as CANCELED, gives that code to the commands that fail after it.
//
// # Faults and limits
//
// [Portal.Fail] lets calls and events go wrong: the next one, the n-th, or some at random
// with a seed. [Portal.Chaos] lets a share of them go wrong, in all ways. [WithRateLimit]
// and [WithOperatingLimit] refuse too many calls, and calls that take too long.
//
// # What it does not do
//
// Without a [Fault] events of one dialog arrive in their order and none is lost; a
// real portal promises neither. Guests from outside come through open lines only
// ([Portal.AddGuest], [Portal.Visit]), and all messages count as read. There is no system message when
// people join or leave. People change and delete only what they wrote. A bot's rights are
// its own, unless [Portal.Deny] has taken those of the person whose webhook or token it
// uses. All buttons are shown to everybody, whatever their CONTEXT. SKIP_CONNECTOR and
// URL_PREVIEW have no effect, and bots of the first generation get no event when a bot
// changes or deletes messages. Chat applications for calls are not offered. A forwarded message
// shows bots of the first generation no sign of that. What happens to the first reaction of a
// person who sets a second one is not documented; here the second takes its place
// (livecheck: second-reaction).
// MESSAGE_DUPLICATED_BY_UUID, which real portals answer while the
// first attempt is under way, needs a [Fault].
//
// [Portal.Handle] answers methods that it does not have, such as those of the CRM, and replaces
// its own. A call of any other method that this portal does not have is answered as unknown, or with
// insufficient_scope when portals have it for another scope (crm.deal.list), and shows up
// in [Portal.Err]; a test should check that at its end.
package imbottest
