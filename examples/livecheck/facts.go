package main

import (
	"context"
	"slices"
)

// A tier is what a fact costs to ask.
type tier string

const (
	tierRead   tier = "read"   // looks, and makes nothing
	tierWrite  tier = "write"  // makes a hidden bot with a chat of its own
	tierPerson tier = "person" // sends ten messages to whoever runs it, and asks what they look like
	tierListen tier = "listen" // has events posted to an address
	tierNone   tier = ""       // nothing asks it; why says why
)

// A fact is something about portals that the library or the portal in memory takes for true although
// no document settles it. The id is what the comments at the guesses name.
type fact struct {
	id      string
	tier    tier
	assumed string
	ask     func(context.Context, *check) (seen, error)
	why     string // no program of this kind can ask, because
}

// seen is what a portal does.
type seen struct {
	assumed bool
	note    note
}

// A note is made of our own words, of numbers and of error codes, so that it can be shown to everybody.
type note string

// facts are all of them, in the order in which they are asked: what settles most for the library comes
// first, in case the calls are used up.
func facts() []fact {
	return slices.Concat([]fact{
		{id: "revision", tier: tierRead, assumed: "REST revision 33 or later, which reads JSON booleans", ask: askRevision},
		{id: "v2-in-batch", tier: tierRead, assumed: "imbot.v2 methods work in a batch", ask: askBatch},
		{id: "time-numbers", tier: tierRead, assumed: "time.start and time.processing have decimals", ask: askTimes},
		{id: "operating", tier: tierRead, assumed: "time.operating and operating_reset_at are told", ask: askOperating},
		{id: "limit-headers", tier: tierRead, assumed: "no header tells how many calls are left", ask: askHeaders},
		{id: "status-auth", tier: tierRead, assumed: "a wrong webhook secret is refused with HTTP 401", ask: askStatusAuth},
		{id: "status-scope", tier: tierRead, assumed: "a method outside the scope is refused with HTTP 401", ask: askStatusScope},
		{id: "status-method", tier: tierRead, assumed: "an error of an imbot.v2 method has HTTP 400", ask: askStatusMethod},
		{id: "error-text", tier: tierRead, assumed: "an error has a description beside its code", ask: askErrorText},
		{id: "empty-list", tier: tierRead, assumed: "a list without entries is []", ask: askEmptyList},

		{id: "templateid", tier: tierWrite, assumed: "a lower-case templateId that is sent twice is one message", ask: askTemplateID},
		{id: "flag-text", tier: tierWrite, assumed: `the text "N" is read as no`, ask: askFlagText},
		{id: "flag-bool", tier: tierWrite, assumed: "JSON true and false are read as flags", ask: askFlagBool},
		{id: "v1-to-fetch", tier: tierWrite, assumed: "Bot.update makes a bot of the first generation one that fetches", ask: askV1ToFetch},
		{id: "colour-spelling", tier: tierWrite, assumed: `Chat.add reads "lightBlue" as "LIGHT_BLUE"`, ask: askColour},
		{id: "properties-partial", tier: tierWrite, assumed: "Bot.update with some properties empties the others", ask: askProperties},
		{id: "shared-owner", tier: tierWrite, assumed: "methods of the first generation act for a bot of the second with the same secret", ask: askSharedOwner},
		{id: "sql-words", tier: tierWrite, assumed: "imbot.message.add stores words of SQL as they are", ask: askSQLWords},
		{id: "text-cut", tier: tierWrite, assumed: "a text of 20,001 characters stays whole, one of 20,007 is cut", ask: askTextCut},
		{id: "entities-decoded", tier: tierWrite, assumed: "Message.get gives entities decoded", ask: askEntities},
		{id: "links-wrapped", tier: tierWrite, assumed: "Message.get gives a bare address as [URL]", ask: askLinks},
		{id: "me-kept", tier: tierWrite, assumed: "Message.get gives /me at the beginning", ask: askMe},
		{id: "batch-references", tier: tierWrite, assumed: "$result works between imbot.v2 calls of a batch", ask: askReferences},
		{id: "batch-operating", tier: tierWrite, assumed: "each call of a batch tells its operating time", ask: askBatchOperating},
		{id: "own-join", tier: tierWrite, assumed: "a bot that makes a chat gets ONIMBOTV2JOINCHAT about itself", ask: askOwnJoin},
		{id: "queue-offset", tier: tierWrite, assumed: "Event.get on an empty queue answers the offset it was sent", ask: askQueueOffset},
		{id: "register-again", tier: tierWrite, assumed: "Bot.register of a bot that is there changes nothing", ask: askRegisterAgain},
		{id: "chat-first-message", tier: tierWrite, assumed: "Chat.add posts fields.message", ask: askFirstMessage},
		{id: "text-field-enabled", tier: tierWrite, assumed: `textFieldEnabled is "Y" or "N"`, ask: askTextField},
		{id: "last-message-views", tier: tierWrite, assumed: "lastMessageViews is JSON in a text", ask: askViews},
		{id: "user-list", tier: tierWrite, assumed: "Chat.User.list answers a bare list", ask: askUserList},
		{id: "uuidmap-empty", tier: tierWrite, assumed: "an empty uuidMap is []", ask: askUUIDMap},
		{id: "unknown-bot-type", tier: tierWrite, assumed: "Bot.list finds no bot of an unknown type", ask: askUnknownType},
		{id: "background-null", tier: tierWrite, assumed: "backgroundId null changes nothing", ask: askBackground},
		{id: "built-in-commands", tier: tierWrite, assumed: "Command.list has built-in commands, too", ask: askBuiltIn},
		{id: "keyboard-of-update", tier: tierWrite, assumed: "Message.update takes an unusable keyboard for none", ask: askKeyboard},
		{id: "file-object", tier: tierWrite, assumed: "File.upload answers the file in its long form", ask: askFileObject},
		{id: "file-name-unique", tier: tierWrite, assumed: "a second file of the same name gets another", ask: askFileName},
		{id: "file-down", tier: tierWrite, assumed: "the link of File.download gives the bytes that were uploaded", ask: askFileDown},
		{id: "templateid-upper", tier: tierWrite, assumed: "an upper-case templateId that is sent twice is two messages", ask: askTemplateIDUpper},
		{id: "empty-deletes", tier: tierWrite, assumed: "Message.update with an empty text deletes the message", ask: askEmptyDeletes},
	}, personFacts(), []fact{
		{id: "post-form", tier: tierListen, assumed: "events are posted as forms", ask: askPostForm},
		{id: "post-headers", tier: tierListen, assumed: "no header of a post proves who sent it", ask: askPostHeaders},
		{id: "v2-posts", tier: tierListen, assumed: "events are posted to a webhookUrl without CLIENT_ID", ask: askPosts},
		{id: "application-token", tier: tierListen, assumed: `application_token is "custom" and the bot token`, ask: askApplicationToken},
		{id: "posts-per-bot", tier: tierListen, assumed: "each of two bots in a chat gets a post of its own", ask: askPostsPerBot},
		{id: "mention-cut", tier: tierListen, assumed: "MESSAGE of the first generation has no mention in a group chat", ask: askMentionCut},
		{id: "message-original", tier: tierListen, assumed: "MESSAGE_ORIGINAL has the mention", ask: askMessageOriginal},

		{id: "oauth-rotation", assumed: "a refresh token that was used is dead", why: "a webhook has no refresh token, and a lost one costs an application its portal"},
		{id: "oauth-info-post", assumed: "oauth.bitrix.info takes POST as oauth.bitrix24.tech does", why: "it needs the secret of an application"},
		{id: "bearer", assumed: "REST takes Authorization: Bearer, spelled so", why: "it needs an access token, which a webhook does not have"},
		{id: "rate-refusal", assumed: "too many calls are refused with 503 or 429", why: "it would slow the other programs of this portal down"},
		{id: "operating-limit", assumed: "a method may work 480 s in ten minutes", why: "it would stop the other programs of this portal for ten minutes"},
		{id: "portal-deleted", assumed: "a portal that is gone answers 403, 410 or 500", why: "a portal cannot be taken away for a test"},
		{id: "body-limit", assumed: "bodies of 140 MB are taken", why: "it would load the portal with hundreds of megabytes"},
		{id: "handler-time", assumed: "a handler has about 5 s, and 202 and 204 are success", why: "the portal does not tell how it took an answer, and shows a repeat only after hours"},
		{id: "queue-day", assumed: "events wait 24 hours to be fetched, known UUIDs a month", why: "it takes a day or a month"},
		{id: "cloud-names", assumed: "names in events are HTML-escaped, once", why: "it takes a person whose name has such characters"},
		{id: "context-user", assumed: "user.id of a posted CONTEXTGET is a number or a text", why: "it takes a page that opens a bot's dialog with a context"},
		{id: "line-edits", assumed: "in open lines any message can be edited", why: "it takes an open line, and a client who would read it"},
		{id: "client-freeze", assumed: "some texts of people keep the web client busy for ever", why: "it would freeze the page of everybody in the chat"},
		{id: "vendor-go-sdk", assumed: "the vendor's Go SDK has a limiter and hides secrets", why: "it is no matter of a portal"},
		{id: "filter-in-cloud", assumed: "the methods of texts are read before the filter of a box", why: "sql-words tells whether there is one; what it spares differs by method and administrator"},
		{id: "bot-auth-of-posts", assumed: "auth of a webhook's bot in an event has no tokens", why: "asking would mean to hold tokens of somebody, which this program never does"},
		{id: "lengths", assumed: "code, title and webhookUrl fit into 255 characters", why: "one too long may leave half a bot behind that nothing can find"},
		{id: "action-time", assumed: "the sign that a bot is writing goes after about ten seconds", why: "nothing in an answer tells; -person would have to watch a clock"},
		{id: "file-codes", assumed: "im.v2.File.* fail with the codes of imbot.v2.File.*; either is understood", why: "an upload has to fail, on a portal without a drive or without room"},
		{id: "chat-nulls", assumed: "markedId, unreadId and lastId of a chat are null or 0", why: "both are read as none, so nothing depends on it"},
		{id: "chat-add-users", assumed: "users beside a chat are the bot", why: "the library does not read them"},
		{id: "user-shapes", assumed: "phones, idle and absent are false, a text or an object", why: "a bot has none of them, and a person's are nobody's business"},
		{id: "message-params", assumed: "params of a message has the keys that were seen", why: "it is open: what a portal adds is passed on as it is"},
		{id: "client-blocks", assumed: "grids and users of attachments look as documented", why: "nothing of a program depends on their looks"},
		{id: "edit-time", assumed: "imbot.v2 changes and deletes messages of any age", why: "it takes three days"},
		{id: "late-ids", assumed: "an event may become visible after one with a higher id", why: "it takes a busy portal and luck"},
		{id: "second-reaction", assumed: "a second reaction of a person takes the place of the first", why: "a bot may not see what people react"},
		{id: "reaction-absent", assumed: "deleting a reaction that is not there succeeds", why: "the library takes either answer"},
	})
}
