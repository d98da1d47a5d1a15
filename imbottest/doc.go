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
// REST methods with the results, codes and statuses of a real portal, in whose order
// it makes its checks, and delivers events as real form posts to the handlers that
// bots have registered.
//
// # Reaching it
//
// [Portal.HTTPClient] reaches the portal without a socket, and [Portal.Serve]
// lets a handler receive its events without one; together they work inside a
// testing/synctest bubble, when the portal is made there. [Portal.Listen] serves
// it on a loopback address instead, and events for a handler on 127.0.0.1 are
// posted there. Without Listen each portal has a host name of its own, so limiters
// that are kept per host do not leak from test to test. A client's limiter counts
// here, too: a test of more than fifty calls wants [imbot.WithLimiter](nil).
//
// # OAuth applications
//
// [Portal.OAuth] returns the credentials of an application that is installed, and
// that is all most tests need. [Portal.Application] plays the rest: installation
// by event and by page, update and uninstallation, and an authorization server of
// its own, whose access tokens live an hour and whose refresh tokens work once.
// Tokens can be ended at will, and [Portal.Rename] moves the portal to another
// host. To test one application on several portals, let each [Portal.Listen] and
// name all their authorization servers: an HTTPClient reaches one portal only.
//
// # Looking at it
//
// [Portal.Users], [Portal.Dialogs], [Portal.History], [Portal.Commands] and
// [Portal.Apps] tell what one person sees, and [Portal.Changes] waits for what is
// new. [Portal.Exchanges] has the calls and events with their bodies, all secrets
// masked, and [Portal.Replay] sends an event once more, which is how to find out
// whether a bot does something twice. Package imbottest/messenger makes a web page
// of all that, and [Portal.Mount] serves it beside the REST endpoint.
//
// # What it does like a real portal
//
// Registering a code that exists changes nothing but the handlers and answers
// the old id as text. An application has one handler for each event: the last
// registration wins, for all its bots. An application has at most five bots. The
// client id of a webhook is appended to the handler's URL and comes back as
// application_token; only the events of OAuth applications carry tokens. Renaming
// is always true. A bot gets no event for what bots write, its own first message
// to a person opens the dialog (ONIMBOTJOINCHAT), and a first message from a
// person does so, too, before it arrives.
//
// Of keyboards, menus and attachments it keeps what a portal keeps: what is
// unusable vanishes without a word, and [Message] shows the rest. A command that
// a person types at the start of a line, or gives with [Portal.Press], is an
// event of its own, and for ten minutes the bot may answer it, member or not.
// Bots change their own messages for three days. [Portal.Edit] and
// [Portal.Delete] are what people do.
//
// # What makes right calls fail
//
// Most errors need nothing but a wrong call. For the others, [Portal.Restrict] and
// [Portal.MakeGeneral] close group chats, [Portal.Deny] takes the right to change
// them from people and with it from the bots behind whose webhook they are, and
// [Portal.MakeExtranet] and [Portal.Dismiss] say who is from outside and who has
// left. [Portal.MakeFetching] is for bots that were registered through imbot.v2,
// [Portal.Veto] for modules that refuse what a method does, and [WithScope] for
// webhooks with too few rights. [Portal.Session] calls as a browser does, and
// [Portal.WebhookOf] as another person. What is left, such as a portal that was
// deleted, is for [Portal.Fail].
//
// In a batch a command that fails gives its code to those that fail after it, when
// that code is one of the portal's core, such as CANCELED.
//
// # Bad days
//
// [Portal.Fail] lets calls and events go wrong, the next one, the n-th, or some at
// random with a seed, and [Portal.Chaos] all of that at once. [WithRateLimit] and
// [WithOperatingLimit] refuse what is too much.
//
// # What it does not do
//
// Without a [Fault] events of one dialog arrive in their order and none is lost; a
// real portal promises neither. Guests from outside come through open lines only
// ([Portal.AddGuest]), and everybody has read everything. People's joining and
// leaving leaves no system message. People change and delete only what they wrote.
// Rights are those of the bot, as long as nobody was denied his. All buttons are
// shown to everybody, wherever they belong. SKIP_CONNECTOR and URL_PREVIEW do
// nothing, and a bot that changes or deletes messages causes no event. Applications
// that need a call are not offered.
//
// A call of a method that is missing here is answered as unknown and shows up in
// [Portal.Err]; a test should end with a look at it.
package imbottest
