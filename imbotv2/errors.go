package imbotv2

import (
	"errors"
	"fmt"

	"github.com/imbot-go/imbot"
)

// The codes that methods of the second generation list. Those of the portal's core, such as
// imbot.ErrQueryLimitExceeded, are constants of package imbot. The set is open, and some of these
// differ by little from codes of the first generation.

// Both generations have these.
const (
	ErrAccessDenied     = imbot.ErrAccessDenied
	ErrCantEditMessage  = imbot.ErrCantEditMessage
	ErrAttach           = imbot.ErrAttach
	ErrAttachOversize   = imbot.ErrAttachOversize
	ErrKeyboard         = imbot.ErrKeyboard
	ErrKeyboardOversize = imbot.ErrKeyboardOversize
)

// Bots.
const (
	ErrBotTokenNotSpecified   imbot.ErrorCode = "BOT_TOKEN_NOT_SPECIFIED"   // a webhook's call without a botToken; [ErrClientIDNotSpecified] before revision 34
	ErrBotTokenInvalidLength  imbot.ErrorCode = "BOT_TOKEN_INVALID_LENGTH"  // a new token of more than 40 characters
	ErrBotTokenRotationFailed imbot.ErrorCode = "BOT_TOKEN_ROTATION_FAILED" // the new token is refused, because another bot has it for example; the portal does not say why
	ErrBotIDRequired          imbot.ErrorCode = "BOT_ID_REQUIRED"           // botId is missing
	ErrBotNotFound            imbot.ErrorCode = "BOT_NOT_FOUND"             // no such bot; of the first generation imbot.ErrBotID
	ErrBotOwnership           imbot.ErrorCode = "BOT_OWNERSHIP_ERROR"       // the bot belongs to another application or token, also to its own old one; of the first generation imbot.ErrAppID
	ErrBotCodeRequired        imbot.ErrorCode = "BOT_CODE_REQUIRED"         // code is missing
	ErrBotCodeAlreadyTaken    imbot.ErrorCode = "BOT_CODE_ALREADY_TAKEN"    // another application or token has a bot of this code
	ErrBotPropertiesRequired  imbot.ErrorCode = "BOT_PROPERTIES_REQUIRED"   // properties.name is missing
	ErrBotInvalidType         imbot.ErrorCode = "BOT_INVALID_TYPE"          // not one of the types
	ErrBotInvalidEventMode    imbot.ErrorCode = "BOT_INVALID_EVENT_MODE"    // neither fetch nor webhook
	ErrBotWebhookURLRequired  imbot.ErrorCode = "BOT_WEBHOOK_URL_REQUIRED"  // webhook without a URL
	ErrBotInvalidCallback     imbot.ErrorCode = "BOT_INVALID_CALLBACK"      // the portal does not take the URL; of an update the other fields are stored by then
	ErrBotLimitExceeded       imbot.ErrorCode = "BOT_LIMIT_EXCEEDED"        // the application has 100 bots already, in the cloud
	ErrBotAvatarIncorrectType imbot.ErrorCode = "BOT_AVATAR_INCORRECT_TYPE" // the avatar is no picture
	ErrBotAvatarIncorrectSize imbot.ErrorCode = "BOT_AVATAR_INCORRECT_SIZE" // the avatar is larger than 5000×5000 pixels
	ErrBotRegisterFailed      imbot.ErrorCode = "BOT_REGISTER_FAILED"       // the portal could not register it, and does not say why
	ErrBotUnregisterFailed    imbot.ErrorCode = "BOT_UNREGISTER_FAILED"     // the portal could not remove it
	ErrBotTypeNotAllowed      imbot.ErrorCode = "BOT_TYPE_NOT_ALLOWED"      // only for bots of the types supervisor and personal
	ErrBotContext             imbot.ErrorCode = "BOT_CONTEXT_ERROR"         // the context could not be delivered
	ErrParamsRequired         imbot.ErrorCode = "PARAMS_REQUIRED"           // neither botId nor code
	ErrRESTServerNotFound     imbot.ErrorCode = "REST_SERVER_NOT_FOUND"     // the method was called from inside the portal
	ErrClientIDNotSpecified   imbot.ErrorCode = "CLIENT_ID_NOT_SPECIFIED"   // [ErrBotTokenNotSpecified] before revision 34
)

// Chats.
const (
	ErrChatNotFound     imbot.ErrorCode = "CHAT_NOT_FOUND"     // the dialog is no chat
	ErrCreation         imbot.ErrorCode = "CREATION_ERROR"     // the chat could not be made
	ErrWrongMessageType imbot.ErrorCode = "WRONG_MESSAGE_TYPE" // the dialog is no group chat
	ErrEmptyUserIDs     imbot.ErrorCode = "EMPTY_USER_IDS"     // no users given
)

// Messages.
const (
	ErrEmptyMessage            imbot.ErrorCode = "EMPTY_MESSAGE"              // no text, attachment or forwarded message; of the first generation imbot.ErrMessageEmpty
	ErrSendingFailed           imbot.ErrorCode = "SENDING_FAILED"             // the portal could not send it; after an attempt of unknown outcome this may be the message of that attempt
	ErrMessageDuplicatedByUUID imbot.ErrorCode = "MESSAGE_DUPLICATED_BY_UUID" // a message with this templateId is just being sent
	ErrParamAttach             imbot.ErrorCode = "PARAM_ATTACH_ERROR"         // the attachment has no usable block, or 60,000 characters and more
	ErrTooManyMessages         imbot.ErrorCode = "TOO_MANY_MESSAGES"          // more than 100 messages to forward
	ErrWrongUUID               imbot.ErrorCode = "WRONG_UUID"                 // the key of a message to forward is no UUID
	ErrReply                   imbot.ErrorCode = "REPLY_ERROR"                // the message to reply to is of another chat
	ErrMessageNotFound         imbot.ErrorCode = "MESSAGE_NOT_FOUND"          // no such message for the bot
	ErrMessageAccessDenied     imbot.ErrorCode = "MESSAGE_ACCESS_DENIED"      // the bot may not read the message
	ErrReactionAlreadySet      imbot.ErrorCode = "REACTION_ALREADY_SET"       // the bot has this reaction there
	ErrReactionNotFound        imbot.ErrorCode = "REACTION_NOT_FOUND"         // no such reaction, or not there
)

// Commands.
const (
	ErrCommandRequired       imbot.ErrorCode = "COMMAND_REQUIRED"        // command is missing
	ErrCommandNameEmpty      imbot.ErrorCode = "COMMAND_NAME_EMPTY"      // the name is blank
	ErrCommandNameInvalid    imbot.ErrorCode = "COMMAND_NAME_INVALID"    // the name is no text, or has a blank
	ErrCommandTitleRequired  imbot.ErrorCode = "COMMAND_TITLE_REQUIRED"  // a visible command needs a title
	ErrCommandTitleInvalid   imbot.ErrorCode = "COMMAND_TITLE_INVALID"   // the titles are no map
	ErrCommandAlreadyExists  imbot.ErrorCode = "COMMAND_ALREADY_EXISTS"  // the bot has another command of this name
	ErrCommandNotFound       imbot.ErrorCode = "COMMAND_NOT_FOUND"       // no such command of the bot
	ErrCommandRegisterFailed imbot.ErrorCode = "COMMAND_REGISTER_FAILED" // the portal could not register it
	ErrCommandAnswerFailed   imbot.ErrorCode = "COMMAND_ANSWER_FAILED"   // the answer could not be posted
)

// Events.
const (
	ErrScope             imbot.ErrorCode = "SCOPE_ERROR"         // user events need the scope im
	ErrAuth              imbot.ErrorCode = "AUTH_ERROR"          // it is not known who the user is
	ErrUserNotSubscribed imbot.ErrorCode = "USER_NOT_SUBSCRIBED" // the user is not subscribed to events
)

// Files.
const (
	ErrFileEmpty          imbot.ErrorCode = "FILE_EMPTY"           // name or content is missing, or the name is 0
	ErrFileInvalidContent imbot.ErrorCode = "FILE_INVALID_CONTENT" // the content is not Base64
	ErrFileTooLarge       imbot.ErrorCode = "FILE_TOO_LARGE"       // more than 104,857,599 bytes
	ErrFileFolder         imbot.ErrorCode = "FILE_FOLDER_ERROR"    // the chat's folder cannot be used
	ErrFileUploadFailed   imbot.ErrorCode = "FILE_UPLOAD_FAILED"   // the file could not be stored
	ErrFileSendFailed     imbot.ErrorCode = "FILE_SEND_FAILED"     // the message with the file could not be posted; the file is in the folder of the chat
	ErrFileNotFound       imbot.ErrorCode = "FILE_NOT_FOUND"       // no such file
	ErrFileAccess         imbot.ErrorCode = "FILE_ACCESS_ERROR"    // the bot may not read the file
	ErrFolder             imbot.ErrorCode = "FOLDER_ERROR"         // [ErrFileFolder] of im.v2 (livecheck: file-codes)
	ErrUploadFailed       imbot.ErrorCode = "UPLOAD_FAILED"        // [ErrFileUploadFailed] of im.v2
	ErrSendFailed         imbot.ErrorCode = "SEND_FAILED"          // [ErrFileSendFailed] of im.v2
	ErrDiskNotInstalled   imbot.ErrorCode = "DISK_NOT_INSTALLED"   // the portal has no module disk
)

// ErrStillV1 is the error of [EnsureBot] for a bot of the first generation that the portal has
// not switched to the second: it keeps its id and its old delivery of events. Register a
// bot with another code, or unregister that one first; its dialogs go with it.
var ErrStillV1 = errors.New("imbotv2: the bot is one of the first generation and stays it")

// refuse is an error of a Check.
func refuse(code imbot.ErrorCode, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if code == "" {
		return errors.New(text)
	}
	return fmt.Errorf("%w: %s", code, text)
}

// invalid is the error of a function that was called in a way that cannot work.
func invalid(format string, args ...any) error {
	return fmt.Errorf("imbotv2: "+format+": %w", append(args, imbot.ErrInvalid)...)
}
