package imbottest

import (
	"slices"

	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// A Doubt is a fact about portals that no document settles, by the id with which
// examples/livecheck reports what a real portal does. The portal in memory does what is more
// likely, unless [WithOther] says otherwise.
type Doubt string

// The doubts: what the portal in memory does; or what it does with [WithOther].
const (
	// imbot.v2 methods run in a batch; or are refused there, each command by itself.
	DoubtV2InBatch = Doubt(world.DoubtV2InBatch)
	// $result[…] works between imbot.v2 commands of a batch; or stays text.
	DoubtBatchReferences = Doubt(world.DoubtBatchReferences)
	// The numbers in time have fractions of seconds; or are whole.
	DoubtTimeNumbers = Doubt(world.DoubtTimeNumbers)
	// time has operating and operating_reset_at; or not, in calls outside a batch.
	DoubtOperating = Doubt(world.DoubtOperating)
	// Each result_time of a batch has operating and operating_reset_at; or neither.
	DoubtBatchOperating = Doubt(world.DoubtBatchOperating)
	// No header tells the budget; or X-RateLimit-Limit and X-RateLimit-Remaining do.
	DoubtLimitHeaders = Doubt(world.DoubtLimitHeaders)
	// A wrong secret of a webhook is status 401; or 403.
	DoubtStatusAuth = Doubt(world.DoubtStatusAuth)
	// A method outside the scope is status 401; or 403.
	DoubtStatusScope = Doubt(world.DoubtStatusScope)
	// An error of an imbot.v2 method is status 400; or 403.
	DoubtStatusMethod = Doubt(world.DoubtStatusMethod)
	// A UUID in lower case that is sent twice is one message; or two.
	DoubtTemplateID = Doubt(world.DoubtTemplateID)
	// A UUID in upper case that is sent twice is two messages; or one.
	DoubtTemplateIDUpper = Doubt(world.DoubtTemplateIDUpper)
	// A uuidMap without members is []; or {}.
	DoubtUUIDMapEmpty = Doubt(world.DoubtUUIDMapEmpty)
	// A flag in a text is yes when that is "Y", "1" or "true"; or when it is not empty.
	DoubtFlagText = Doubt(world.DoubtFlagText)
	// JSON booleans are read as flags; or true counts as no.
	DoubtFlagBool = Doubt(world.DoubtFlagBool)
	// A colour may be lightBlue or LIGHT_BLUE; or LIGHT_BLUE only.
	DoubtColourSpelling = Doubt(world.DoubtColourSpelling)
	// textFieldEnabled of a chat is "Y" or "N"; or true or false.
	DoubtTextFieldEnabled = Doubt(world.DoubtTextFieldEnabled)
	// lastMessageViews of a chat is JSON in a text; or an object.
	DoubtLastMessageViews = Doubt(world.DoubtLastMessageViews)
	// Bot.update empties the properties that are not sent, but the name; or keeps them.
	DoubtPropertiesPartial = Doubt(world.DoubtPropertiesPartial)
	// backgroundId null keeps a bot's background; or takes it away.
	DoubtBackgroundNull = Doubt(world.DoubtBackgroundNull)
	// Bot.register of an own code changes nothing; or sets the new name.
	DoubtRegisterAgain = Doubt(world.DoubtRegisterAgain)
	// Bot.list finds no bot of a type that does not exist; or does not look at it.
	DoubtUnknownBotType = Doubt(world.DoubtUnknownBotType)
	// A text longer than 20,006 characters is cut to 20,000 and " (...)"; or one longer than 20,000.
	DoubtTextCut = Doubt(world.DoubtTextCut)
	// imbot.v2 hands out &lt; as <; or as it was typed.
	DoubtEntitiesDecoded = Doubt(world.DoubtEntitiesDecoded)
	// imbot.v2 hands out "/me waves" whole; or as "waves".
	DoubtMeKept = Doubt(world.DoubtMeKept)
	// imbot.v2 hands out a bare address in [URL]; or as it was typed.
	DoubtLinksWrapped = Doubt(world.DoubtLinksWrapped)
	// imbot.message.add and update store a text as it is; or "select … from" as "sel ect … fr om".
	DoubtSQLWords = Doubt(world.DoubtSQLWords)
	// Message.update with an empty text deletes; or is refused with EMPTY_MESSAGE.
	DoubtEmptyDeletes = Doubt(world.DoubtEmptyDeletes)
	// Message.update takes an unusable keyboard for none; or refuses it with KEYBOARD_ERROR.
	DoubtKeyboardOfUpdate = Doubt(world.DoubtKeyboardOfUpdate)
	// Chat.add posts fields.message; or drops it.
	DoubtChatFirstMessage = Doubt(world.DoubtChatFirstMessage)
	// A file whose name is taken in its chat gets another; or keeps it.
	DoubtFileNameUnique = Doubt(world.DoubtFileNameUnique)
	// im.v2.File.* fail with the codes of imbot.v2.File.*; or with those that are documented for them.
	DoubtFileCodes = Doubt(world.DoubtFileCodes)
	// File.upload answers all of the file; or null in its place.
	DoubtFileObject = Doubt(world.DoubtFileObject)
	// Command.list has commands of the messenger, too; or only those of the bot.
	DoubtBuiltInCommands = Doubt(world.DoubtBuiltInCommands)
	// Bot.list answers [] when there is no bot; or null.
	DoubtEmptyList = Doubt(world.DoubtEmptyList)
	// Chat.User.list answers a list; or an object that has it as users.
	DoubtUserList = Doubt(world.DoubtUserList)
	// Event.get answers an offset for an empty queue with it as nextOffset; or with 0.
	DoubtQueueOffset = Doubt(world.DoubtQueueOffset)
	// A bot gets ONIMBOTV2JOINCHAT for the chat that it makes; or not.
	DoubtOwnJoin = Doubt(world.DoubtOwnJoin)
	// Bot.update with eventMode lets a bot of the first generation fetch its events; or only says so.
	DoubtV1ToFetch = Doubt(world.DoubtV1ToFetch)
	// Methods of the first generation act for bots of the second; or refuse them as those of others.
	DoubtSharedOwner = Doubt(world.DoubtSharedOwner)
	// Posts to bots of webhooks have "custom" and the token as application_token; or 32 letters that do not hold it.
	DoubtApplicationToken = Doubt(world.DoubtApplicationToken)
	// Events are posted to every webhookUrl; or to none without a CLIENT_ID in it, except by OAuth applications.
	DoubtV2Posts = Doubt(world.DoubtV2Posts)
	// Each bot of an owner in a chat has a post of its own; or only the first has one.
	DoubtPostsPerBot = Doubt(world.DoubtPostsPerBot)
	// No header of a post proves who sent it; or one has a signature.
	DoubtPostHeaders = Doubt(world.DoubtPostHeaders)
	// Posts of the second generation are forms; or JSON.
	DoubtPostForm = Doubt(world.DoubtPostForm)
	// MESSAGE of the first generation has no mentions in group chats; or all.
	DoubtMentionCut = Doubt(world.DoubtMentionCut)
	// MESSAGE_ORIGINAL is there in group chats; or not.
	DoubtMessageOriginal = Doubt(world.DoubtMessageOriginal)
)

// Doubts returns all of them.
func Doubts() []Doubt {
	return []Doubt{
		DoubtV2InBatch, DoubtBatchReferences, DoubtTimeNumbers, DoubtOperating, DoubtBatchOperating,
		DoubtLimitHeaders, DoubtStatusAuth, DoubtStatusScope, DoubtStatusMethod, DoubtTemplateID,
		DoubtTemplateIDUpper, DoubtUUIDMapEmpty, DoubtFlagText, DoubtFlagBool, DoubtColourSpelling, DoubtTextFieldEnabled,
		DoubtLastMessageViews, DoubtPropertiesPartial, DoubtBackgroundNull, DoubtRegisterAgain,
		DoubtUnknownBotType, DoubtTextCut, DoubtEntitiesDecoded, DoubtMeKept, DoubtLinksWrapped, DoubtSQLWords,
		DoubtEmptyDeletes, DoubtKeyboardOfUpdate, DoubtChatFirstMessage, DoubtFileNameUnique, DoubtFileCodes, DoubtFileObject,
		DoubtBuiltInCommands, DoubtEmptyList, DoubtUserList, DoubtQueueOffset, DoubtOwnJoin, DoubtV1ToFetch, DoubtSharedOwner,
		DoubtApplicationToken, DoubtV2Posts, DoubtPostsPerBot, DoubtPostHeaders, DoubtPostForm, DoubtMentionCut,
		DoubtMessageOriginal,
	}
}

// WithOther lets the portal behave in the other way about these facts, for programs that have to
// live with either. A Doubt that does not exist shows up in [Portal.Err].
func WithOther(about ...Doubt) Option {
	return func(p *Portal) {
		for _, d := range about {
			if !slices.Contains(Doubts(), d) {
				p.problem("there is no doubt %.80q", string(d))
			}
			p.w.Other[world.Doubt(d)] = true
		}
	}
}
