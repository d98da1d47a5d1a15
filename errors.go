package imbot

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/inbox"
	"github.com/imbot-go/imbot/internal/rest"
)

// ErrorCode is an error code as the portal or the token server sends it. It is
// an error itself, meant as a target of [errors.Is]:
//
//	if errors.Is(err, imbot.ErrMaxCount) { … }
//
// Matching ignores case, because the portal itself mixes it. The set is open:
// the portal's core may put a code of its own in the place of a documented one,
// so a program should have an answer for codes that it does not know. Where a
// method uses one code for several reasons, only the description tells which.
type ErrorCode string

// Error returns the code.
func (c ErrorCode) Error() string { return string(c) }

// Bots.
const (
	ErrBotID               ErrorCode = "BOT_ID_ERROR"                // no such bot; or BOT_ID was left out and the application has none. See imbotv2.ErrBotNotFound
	ErrAppID               ErrorCode = "APP_ID_ERROR"                // the bot, command or chat application belongs to another application or CLIENT_ID. See imbotv2.ErrBotOwnership
	ErrCode                ErrorCode = "CODE_ERROR"                  // CODE is missing or empty, for a bot as for a chat application
	ErrName                ErrorCode = "NAME_ERROR"                  // a bot needs a NAME or a LAST_NAME
	ErrMaxCount            ErrorCode = "MAX_COUNT_ERROR"             // too many bots for one application (5 by default); unregister one first
	ErrFetchNotSupported   ErrorCode = "FETCH_NOT_SUPPORTED"         // the bot was registered for polling through API version 2
	ErrEventMessageAdd     ErrorCode = "EVENT_MESSAGE_ADD_ERROR"     // no handler URL for messages, or one that the portal refuses
	ErrEventMessageUpdate  ErrorCode = "EVENT_MESSAGE_UPDATE_ERROR"  // the portal refuses the handler URL for edited messages
	ErrEventMessageDelete  ErrorCode = "EVENT_MESSAGE_DELETE_ERROR"  // the portal refuses the handler URL for deleted messages
	ErrEventWelcomeMessage ErrorCode = "EVENT_WELCOME_MESSAGE_ERROR" // no handler URL for joining a chat, or one that the portal refuses
	ErrEventBotDelete      ErrorCode = "EVENT_BOT_DELETE_ERROR"      // no handler URL for the end of the bot, or one that the portal refuses
	ErrEventContextGet     ErrorCode = "EVENT_CONTEXT_GET_ERROR"     // the portal refuses the handler URL for context requests
)

// Chats.
const (
	ErrChatIDEmpty           ErrorCode = "CHAT_ID_EMPTY"            // CHAT_ID is missing or not a positive number
	ErrDialogIDEmpty         ErrorCode = "DIALOG_ID_EMPTY"          // DIALOG_ID is missing or malformed, or a private dialog where a chat is needed
	ErrUserIDEmpty           ErrorCode = "USER_ID_EMPTY"            // USER_ID is missing or not a positive number
	ErrUsersEmpty            ErrorCode = "USERS_EMPTY"              // no users given; named by old documentation, not seen from a portal
	ErrInvalidFormat         ErrorCode = "INVALID_FORMAT"           // an element of USERS is neither a number nor a string
	ErrTitleEmpty            ErrorCode = "TITLE_EMPTY"              // the title is blank; the portal takes "0" for blank, too
	ErrWrongColor            ErrorCode = "WRONG_COLOR"              // not a colour that the portal knows; see Colors
	ErrAvatar                ErrorCode = "AVATAR_ERROR"             // the picture is not an image, or larger than 5000×5000 pixels
	ErrTextFieldEnabledEmpty ErrorCode = "TEXT_FIELD_ENABLED_EMPTY" // TEXT_FIELD_ENABLED is missing
	ErrAccess                ErrorCode = "ACCESS_ERROR"             // no access to the chat, no such chat, or a chat of a kind that forbids this
	ErrAuthorize             ErrorCode = "AUTHORIZE_ERROR"          // the call was made for a guest, not for a user of the portal
)

// Messages.
const (
	ErrMessageEmpty     ErrorCode = "MESSAGE_EMPTY"     // the text is missing or blank. See imbotv2.ErrEmptyMessage
	ErrMessageID        ErrorCode = "MESSAGE_ID_ERROR"  // MESSAGE_ID is missing or not a positive number (change, delete, like)
	ErrMessageIDEmpty   ErrorCode = "MESSAGE_ID_EMPTY"  // the same where a command is answered or a dialog is rated
	ErrCantEditMessage  ErrorCode = "CANT_EDIT_MESSAGE" // not the bot's message, gone, out of reach, or too old to change (three days)
	ErrWithoutChanges   ErrorCode = "WITHOUT_CHANGES"   // nothing to change: liked (or rated) already, or no access to the message
	ErrAttach           ErrorCode = "ATTACH_ERROR"      // ATTACH has no block that the portal can use
	ErrAttachOversize   ErrorCode = "ATTACH_OVERSIZE"   // ATTACH is too large
	ErrKeyboard         ErrorCode = "KEYBOARD_ERROR"    // KEYBOARD has no button that the portal can use
	ErrKeyboardOversize ErrorCode = "KEYBOARD_OVERSIZE" // KEYBOARD is too large; when a message is added, expect ErrParamKeyboard instead
	ErrMenu             ErrorCode = "MENU_ERROR"        // MENU has no item that the portal can use; also sent as menu_ERROR
	ErrMenuOversize     ErrorCode = "MENU_OVERSIZE"     // MENU is too large; when a message is added, expect ErrParamMenu instead
)

// Commands.
const (
	ErrCommandID       ErrorCode = "COMMAND_ID_ERROR"        // no such command, or its id is missing
	ErrCommand         ErrorCode = "COMMAND_ERROR"           // the name of the command is missing or empty
	ErrEventCommandAdd ErrorCode = "EVENT_COMMAND_ADD_ERROR" // no handler URL for the command, or one that the portal refuses
	ErrLang            ErrorCode = "LANG_ERROR"              // LANG is missing or empty, for a command as for a chat application
)

// Chat applications.
const (
	ErrChatAppID   ErrorCode = "CHAT_APP_ID_ERROR" // no such chat application, or its id is missing
	ErrIFrameHTTPS ErrorCode = "IFRAME_HTTPS"      // IFRAME is not an https address
	ErrHash        ErrorCode = "HASH_ERROR"        // an IFRAME needs a HASH
	ErrParams      ErrorCode = "PARAMS_ERROR"      // neither IFRAME nor a usable pair of JS_METHOD and JS_PARAM
)

// The core's own codes, which take the place of a method's code.
const (
	ErrAccessDeniedExtend       ErrorCode = "ACCESS_DENIED_EXTEND"        // no right to add members to this chat
	ErrAccessDeniedKick         ErrorCode = "ACCESS_DENIED_KICK"          // no right to remove this member
	ErrIMErrorKick              ErrorCode = "IM_ERROR_KICK"               // the messenger refused to remove this member
	ErrLeaveOwnerForbidden      ErrorCode = "LEAVE_OWNER_FORBIDDEN"       // the owner may not leave this chat; hand it over first
	ErrEmptyUserID              ErrorCode = "EMPTY_USER_ID"               // no usable user among those to add
	ErrUserNotFound             ErrorCode = "USER_NOT_FOUND"              // the user is not a member of the chat
	ErrUserInvitedFromStructure ErrorCode = "USER_INVITED_FROM_STRUCTURE" // the member came with a department and cannot be removed alone
	ErrChatID                   ErrorCode = "CHAT_ID"                     // the message was not stored: no such chat
	ErrCanceled                 ErrorCode = "CANCELED"                    // the message was not stored: the bot may not write in this chat
	ErrNoAccess                 ErrorCode = "ERROR_NO_ACCESS"             // the message was not stored: no private dialog with this user is allowed
	ErrWrongSender              ErrorCode = "WRONG_SENDER"                // the message was not stored: the portal does not accept the sender
	ErrFromOtherModule          ErrorCode = "ERROR_FROM_OTHER_MODULE"     // the message was not stored: another module of the portal reported an error
	ErrParamKeyboard            ErrorCode = "PARAM_KEYBOARD_ERROR"        // the message was not stored: its KEYBOARD is too large
	ErrParamMenu                ErrorCode = "PARAM_MENU_ERROR"            // the message was not stored: its MENU is too large
)

// System: pace, faults and the portal's set-up.
const (
	ErrQueryLimitExceeded        ErrorCode = "QUERY_LIMIT_EXCEEDED"            // too many calls; did not run: repeat after a second or more
	ErrOperationTimeLimit        ErrorCode = "OPERATION_TIME_LIMIT"            // this method used up its seconds; did not run: repeat in some minutes
	ErrOverloadLimit             ErrorCode = "OVERLOAD_LIMIT"                  // blocked by the vendor for overload; only its support can help
	ErrInternalServer            ErrorCode = "INTERNAL_SERVER_ERROR"           // the server failed; may have run: repeat only what is safe to repeat
	ErrUnexpectedAnswer          ErrorCode = "ERROR_UNEXPECTED_ANSWER"         // an answer got lost inside the portal; may have run
	ErrCore                      ErrorCode = "ERROR_CORE"                      // unclassified failure; may have run when the status is 500
	Err0                         ErrorCode = "0"                               // the portal's code crashed; may have run in part
	ErrWrongEncoding             ErrorCode = "WRONG_ENCODING"                  // old portals: the call has run, its answer could not be encoded
	ErrMethodNotFound            ErrorCode = "ERROR_METHOD_NOT_FOUND"          // this portal has no such method: too old, or the module is off
	ErrMethodConfirmWaiting      ErrorCode = "METHOD_CONFIRM_WAITING"          // an administrator has to allow this method first; repeat after that
	ErrMethodConfirmDenied       ErrorCode = "METHOD_CONFIRM_DENIED"           // an administrator has forbidden this method
	ErrBatchLengthExceeded       ErrorCode = "ERROR_BATCH_LENGTH_EXCEEDED"     // a command beyond the 50th; did not run: send it in another batch
	ErrBatchMethodNotAllowed     ErrorCode = "ERROR_BATCH_METHOD_NOT_ALLOWED"  // this method cannot be called inside a batch
	ErrPortalDeleted             ErrorCode = "PORTAL_DELETED"                  // the portal is gone, closed or in maintenance; look again in some hours (livecheck: portal-deleted)
	ErrWrongLicense              ErrorCode = "WRONG_LICENSE"                   // the portal's plan does not include this feature
	ErrManifestIsNotAvailable    ErrorCode = "ERROR_MANIFEST_IS_NOT_AVAILABLE" // import of a configuration that is not there; no concern of bots
	ErrInternalWrongTransport    ErrorCode = "INTERNAL_WRONG_TRANSPORT"        // the portal's server is set up wrongly (transport)
	ErrInternalWrongHandlerClass ErrorCode = "INTERNAL_WRONG_HANDLER_CLASS"    // the portal's server is set up wrongly (method handler)
	ErrInternalWrongFileHandler  ErrorCode = "INTERNAL_WRONG_FILE_HANDLER"     // the portal's server is set up wrongly (file handler)
	ErrEventNotFound             ErrorCode = "ERROR_EVENT_NOT_FOUND"           // no such event within the scopes of the application
	ErrUnsupportedProtocol       ErrorCode = "ERROR_UNSUPPORTED_PROTOCOL"      // the handler URL is neither http nor https
	ErrWrongHandlerURL           ErrorCode = "ERROR_WRONG_HANDLER_URL"         // the handler URL is malformed
	ErrHandlerURLMatch           ErrorCode = "ERROR_HANDLER_URL_MATCH"         // the handler URL does not fit the application's own address
)

// Authorization.
const (
	ErrExpiredToken            ErrorCode = "expired_token"              // the access token is too old; renew it and repeat once
	ErrInvalidToken            ErrorCode = "invalid_token"              // the access token is unknown; renew it and repeat once
	ErrNoAuthFound             ErrorCode = "NO_AUTH_FOUND"              // no readable credentials, also when the whole body got lost on the way
	ErrInvalidCredentials      ErrorCode = "INVALID_CREDENTIALS"        // the webhook is deleted, or its user or secret is wrong
	ErrAuthorization           ErrorCode = "authorization_error"        // the credentials' user is dismissed or blocked; use those of another
	ErrInsufficientScope       ErrorCode = "insufficient_scope"         // the token or webhook lacks a scope; bots need imbot
	ErrUserAccess              ErrorCode = "user_access_error"          // the application is not opened for this user; an administrator can do it
	ErrAccessDenied            ErrorCode = "ACCESS_DENIED"              // no rights, no paid plan, no CLIENT_ID: only the description tells which
	ErrAllowedOnlyIntranetUser ErrorCode = "ALLOWED_ONLY_INTRANET_USER" // closed to guests of the company
	ErrWrongAuthType           ErrorCode = "WRONG_AUTH_TYPE"            // the method does not take this kind of credentials
	ErrApplicationNotFound     ErrorCode = "APPLICATION_NOT_FOUND"      // the application is not on this portal or switched off; stop calling it
	ErrNotInstalled            ErrorCode = "NOT_INSTALLED"              // the application was uninstalled; stop calling this portal
	ErrOAuth                   ErrorCode = "ERROR_OAUTH"                // the application is not installed, or similar; stop calling this portal
	ErrPaymentRequired         ErrorCode = "PAYMENT_REQUIRED"           // the application's paid time is over; keep the tokens, repeat when it is paid
	ErrConnection              ErrorCode = "CONNECTION_ERROR"           // token not checked; did not run: repeat in some seconds, do not renew
	ErrSessionFailed           ErrorCode = "session_failed"             // a reserved parameter turned the call into one of a browser session
)

// Token server. [ErrExpiredToken] (here as final as [ErrInvalidGrant]),
// [ErrInsufficientScope], [ErrAccessDenied], [ErrApplicationNotFound],
// [ErrNotInstalled], [ErrOAuth], [ErrPaymentRequired], [ErrNoAuthFound] and
// [ErrInvalidRequest] come from there, too.
const (
	ErrInvalidGrant         ErrorCode = "invalid_grant"          // the code or refresh token is used up, expired or wrong; ask for a new installation
	ErrInvalidClient        ErrorCode = "invalid_client"         // client id or secret is wrong, or the application is not installed
	ErrWrongClient          ErrorCode = "wrong_client"           // client id is unknown here; is it the right token server?
	ErrInvalidScope         ErrorCode = "invalid_scope"          // more scopes asked for than the application has
	ErrUnauthorizedClient   ErrorCode = "unauthorized_client"    // the application may not use this way of authorization
	ErrUnsupportedGrantType ErrorCode = "unsupported_grant_type" // the token server does not know this way of authorization
	ErrRedirectURIMismatch  ErrorCode = "redirect_uri_mismatch"  // the redirect address is not the registered one
	ErrBadVerificationCode  ErrorCode = "bad_verification_code"  // the authorization code is wrong or out of time
)

// Parameters.
const (
	ErrWrongRequest        ErrorCode = "WRONG_REQUEST"         // the catch-all of most methods: the portal could not or would not do it
	ErrInvalidRequest      ErrorCode = "INVALID_REQUEST"       // from a portal: https is required; from the token server: bad parameters
	ErrArgument            ErrorCode = "ERROR_ARGUMENT"        // a parameter is missing or wrong; the answer names it
	ErrInvalidArgValue     ErrorCode = "INVALID_ARG_VALUE"     // a parameter has a value that the method does not take
	ErrCodeEmpty           ErrorCode = "CODE_EMPTY"            // a code is missing or empty
	Err100                 ErrorCode = "100"                   // a parameter is missing or of the wrong type
	Err160                 ErrorCode = "160"                   // a parameter has a wrong value
	ErrMainController22001 ErrorCode = "MAIN_CONTROLLER_22001" // a parameter is missing or of the wrong type
)

// The SDK's own errors. They are no codes, so no portal can send one.
var (
	// ErrNotFound means that what was asked for does not exist. It matches the
	// codes NOT_FOUND and ERROR_NOT_FOUND and answers that are empty for this
	// reason; a token store returns it for a portal that it does not know.
	ErrNotFound = errors.New("imbot: not found")

	// ErrInvalid means that the SDK refused the call before sending it. Where
	// the portal has a code for the same mistake, the error matches that, too.
	ErrInvalid = errors.New("imbot: refused before sending")

	// ErrOutcomeUnknown means that the call may have run: it was sent, no
	// definite answer came, and repeating could do it twice. Look before trying again.
	ErrOutcomeUnknown = errors.New("imbot: outcome unknown")

	// ErrNotRun means that a command of a batch was not executed.
	ErrNotRun = errors.New("imbot: not run")

	// ErrNotAnswered means that the portal said yes to the answer of a command
	// and sent nothing.
	ErrNotAnswered = errors.New("imbot: command not answered")

	// ErrPortalMoved means that the portal has a new host, which the error
	// names. Nothing was sent there; a webhook needs its new URL. An OAuth
	// application follows by itself, unless it cannot tell whose host that is.
	ErrPortalMoved = errors.New("imbot: portal moved")

	// ErrReinstall means that the grant of the portal is dead. Only a new
	// installation of the application, or a new authorization, helps.
	ErrReinstall = errors.New("imbot: application must be installed again")

	// ErrConflict means that somebody else was faster: a token store holds another grant
	// than the one to be replaced, or the bot is polled already.
	ErrConflict = errors.New("imbot: somebody else was faster")

	// ErrInterrupted is the cause of a context that [EventHandler.Interrupt] has ended.
	ErrInterrupted = inbox.ErrInterrupted

	// ErrTakenOver is the cause of a callback's context when another process handles the event, too,
	// because this one has lost its [EventHandler.Inbox].
	ErrTakenOver = driver.ErrTakenOver

	// ErrFull means that as much runs already as [EventHandler.Go] lets.
	ErrFull = inbox.ErrFull

	// ErrClosed means that the handler is shut down.
	ErrClosed = inbox.ErrClosed

	// ErrTooLarge means that the answer is larger than is read: 16 MiB, or what
	// [Client.Download] was told.
	ErrTooLarge = errors.New("imbot: too large")
)

// Error is the failure of one call; every failure of a call is an *Error.
//
// It matches its Code and the sentinels of this package with [errors.Is]:
//
//	if errors.Is(err, imbot.ErrMaxCount) { … }
//
// Texts from the portal are cleaned of our secrets before they get here.
type Error struct {
	Method      string    // REST method; empty when a client could not be made
	Code        ErrorCode // the portal's code; empty when it gave none
	Description string    // the portal's text, sometimes localized, or the SDK's own
	Argument    string    // the parameter that the portal names in ERROR_ARGUMENT
	StatusCode  int       // HTTP status; 0 when nothing was sent or no answer came, and in a batch
	Attempts    int       // how often the call was sent
	InBatch     bool      // the call travelled inside a batch

	kind     error // one of the sentinels, or nil
	cause    error // cleaned
	tooLarge bool  // what came is larger than may be read
	envelope bool  // the answer was an error of the portal, not a page of somebody else
}

// failure is f as the callers of this package get it.
func failure(f *rest.Failure) *Error {
	e := &Error{Method: f.Method, Code: ErrorCode(f.Code), Description: f.Description, Argument: f.Argument,
		StatusCode: f.StatusCode, Attempts: f.Attempts, InBatch: f.InBatch, cause: f.Cause, tooLarge: f.TooLarge, envelope: f.FromPortal}
	switch f.Kind {
	case rest.Invalid:
		e.kind = ErrInvalid
	case rest.OutcomeUnknown:
		e.kind = ErrOutcomeUnknown
	case rest.NotRun:
		e.kind = ErrNotRun
	case rest.Moved:
		e.kind = ErrPortalMoved
	}
	if below, ok := f.Cause.(*rest.Failure); ok {
		e.cause = failure(below)
	}
	return e
}

// Error returns "imbot: METHOD: CODE: description".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("imbot")
	for _, part := range []string{e.Method, string(e.Code), e.Description} {
		if part != "" {
			b.WriteString(": ")
			b.WriteString(part)
		}
	}
	if e.envelope && e.Code == "" && e.Description == "" {
		b.WriteString(": an error without a code")
	}
	if e.StatusCode >= 400 && e.Code == "" {
		fmt.Fprintf(&b, " (HTTP %d)", e.StatusCode)
	}
	if e.cause != nil && e.cause.Error() != "" { // empty: the description says it
		b.WriteString(": ")
		b.WriteString(strings.TrimPrefix(e.cause.Error(), "imbot: "))
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	if hint := e.hint(); hint != "" {
		b.WriteString(" (" + hint + ")")
	}
	return b.String()
}

// hint says what to do about an error whose text does not tell.
func (e *Error) hint() string {
	switch {
	case e.kind == ErrOutcomeUnknown:
		return "it is unknown whether the call ran"
	case e.kind == ErrReinstall:
		return "the application must be installed again"
	case e.Is(ErrInsufficientScope):
		if scope, _, ok := strings.Cut(strings.ToLower(e.Method), "."); ok {
			return "the webhook or application needs the scope " + scope
		}
	case e.Is(ErrBotID):
		return "name a bot of this application: BotID, or Client.WithBot for all calls"
	case e.Is(ErrDialogIDEmpty):
		return "a dialog is a user's id, as in 27, or chat and its id, as in chat5"
	case e.Is(ErrEventMessageAdd), e.Is(ErrEventMessageUpdate), e.Is(ErrEventMessageDelete), e.Is(ErrEventWelcomeMessage),
		e.Is(ErrEventBotDelete), e.Is(ErrEventContextGet), e.Is(ErrEventCommandAdd), e.Is(ErrWrongHandlerURL), e.Is(ErrUnsupportedProtocol):
		return "a handler URL begins with https:// and a host name with a dot"
	}
	return ""
}

// Is reports whether target is this error's code (in any case) or the sentinel
// that describes it.
func (e *Error) Is(target error) bool {
	if code, ok := target.(ErrorCode); ok {
		return code != "" && strings.EqualFold(string(code), string(e.Code))
	}
	if target == ErrNotFound && (strings.EqualFold(string(e.Code), "NOT_FOUND") || strings.EqualFold(string(e.Code), "ERROR_NOT_FOUND")) {
		return true
	}
	return e.kind != nil && e.kind == target || e.tooLarge && target == ErrTooLarge
}

// Unwrap returns what caused a failure below the portal: a context's end, a
// broken connection, an answer that does not decode.
func (e *Error) Unwrap() error { return e.cause }

// GoString keeps %#v from printing the fields of a cause.
func (e *Error) GoString() string { return fmt.Sprintf("&imbot.Error{%q}", e.Error()) }

// LogValue implements [slog.LogValuer].
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("method", e.Method), slog.String("text", e.Error())}
	if e.Code != "" {
		attrs = append(attrs, slog.String("code", string(e.Code)))
	}
	return slog.GroupValue(append(attrs,
		slog.Int("status", e.StatusCode),
		slog.Int("attempts", e.Attempts),
		slog.Bool("outcome_unknown", e.kind == ErrOutcomeUnknown))...)
}

// invalid is an error about something that was refused before sending.
func invalid(code ErrorCode, format string, args ...any) *Error {
	return &Error{Code: code, Description: fmt.Sprintf(format, args...), kind: ErrInvalid}
}
