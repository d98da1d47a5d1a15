package imbot

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"github.com/imbot-go/imbot/internal/secret"
)

// AppService groups the methods that manage chat applications: the icons of the
// text area and the context menu that insert or send a command, call a number,
// open an open line or show an iframe.
//
// Each method can also fail with [ErrAccessDenied] (a webhook call without a
// client id) and [ErrWrongAuthType].
type AppService service

// AppJSMethod is what a chat application without an iframe does.
type AppJSMethod string

// What a chat application can do.
const (
	AppJSMethodPut     AppJSMethod = "PUT"     // insert the command JSParam into the text area
	AppJSMethodSend    AppJSMethod = "SEND"    // send the command JSParam
	AppJSMethodCall    AppJSMethod = "CALL"    // call the phone number JSParam
	AppJSMethodSupport AppJSMethod = "SUPPORT" // open the open line whose 32 hexadecimal digits are JSParam
)

// AppContext says in which dialogs a chat application is offered.
type AppContext string

// Where a chat application is offered.
const (
	AppContextAll   AppContext = "ALL"   // everywhere (the portal's default)
	AppContextUser  AppContext = "USER"  // private dialogs
	AppContextChat  AppContext = "CHAT"  // group chats
	AppContextBot   AppContext = "BOT"   // the dialog with the bot
	AppContextLines AppContext = "LINES" // open lines
	AppContextCall  AppContext = "CALL"  // call chats
)

const adminOnly = "-admin"

// AdminOnly restricts the context to administrators.
func (c AppContext) AdminOnly() AppContext {
	if c == "" || strings.HasSuffix(string(c), adminOnly) {
		return c
	}
	return c + adminOnly
}

// AppLang is the title of a chat application in one language.
type AppLang struct {
	LanguageID  string `json:"LANGUAGE_ID"` // two letters
	Title       string `json:"TITLE"`
	Description string `json:"DESCRIPTION,omitempty"`
	Copyright   string `json:"COPYRIGHT,omitempty"`
}

// AppRegisterRequest are the parameters of imbot.app.register: either JSMethod
// and JSParam, or IFrame and Hash. With both the portal would use only the
// first, as happens to the vendor's own sample, so the SDK refuses that.
type AppRegisterRequest struct {
	Returns[ID]
	BotID           ID          `json:"BOT_ID,omitempty"` // required here; see [Client.WithBot]
	Code            string      `json:"CODE,omitempty"`   // unique for the bot
	JSMethod        AppJSMethod `json:"JS_METHOD,omitempty"`
	JSParam         string      `json:"JS_PARAM,omitempty"`         // PUT and SEND: "/help" or "/do this", of a-z 0-9 - + _ / and single blanks, two characters at least
	IFrame          string      `json:"IFRAME,omitempty"`           // https, at most 255 characters
	IFrameWidth     int         `json:"IFRAME_WIDTH,omitempty"`     // pixels, default 320, at least 250
	IFrameHeight    int         `json:"IFRAME_HEIGHT,omitempty"`    // pixels, default 250, at least 50
	IFramePopup     Flag        `json:"IFRAME_POPUP,omitempty"`     // default No; Yes: stays open while the user switches dialogs; ignored when opened from a message's context
	Hash            string      `json:"HASH,omitempty"`             // secret that signs the iframe's parameters, at most 32 characters; generated for an application without iframe
	IconFile        []byte      `json:"ICON_FILE,omitempty"`        // PNG, 108×66: left half inactive, right half active; an invalid one is dropped without an error
	Context         AppContext  `json:"CONTEXT,omitempty"`          // default AppContextAll
	Hidden          Flag        `json:"HIDDEN,omitempty"`           // default No
	ExtranetSupport Flag        `json:"EXTRANET_SUPPORT,omitempty"` // default No; Yes: offered to extranet users
	LivechatSupport Flag        `json:"LIVECHAT_SUPPORT,omitempty"` // default No; Yes: offered in live chats of sites
	Lang            []AppLang   `json:"LANG,omitempty"`             // at least one, for hidden applications, too
}

// Method returns the name of the REST method.
func (AppRegisterRequest) Method() string { return "imbot.app.register" }

// Repeatable is true: a repeat returns the same id.
func (AppRegisterRequest) Repeatable() bool { return true }

func (r AppRegisterRequest) botID() ID { return r.BotID }

// Secrets is the hash, because the portal quotes the parameters in [ErrWrongRequest].
func (r AppRegisterRequest) Secrets() []string { return []string{r.Hash} }

// Format implements [fmt.Formatter]; no verb prints the hash.
func (r AppRegisterRequest) Format(f fmt.State, verb rune) {
	type appRegisterRequest AppRegisterRequest
	r.Hash = secret.Mask(r.Hash)
	printPlain(f, verb, appRegisterRequest(r))
}

// LogValue implements [slog.LogValuer] without the hash.
func (r AppRegisterRequest) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", r)) }

// Check refuses what the portal would lose without a word.
func (r AppRegisterRequest) Check() error {
	if e := checkText("CODE", r.Code, 0); e != nil {
		return e
	}
	return AppUpdateFields{
		JSMethod: r.JSMethod, JSParam: r.JSParam, IFrame: r.IFrame, IFrameWidth: r.IFrameWidth, IFrameHeight: r.IFrameHeight,
		IFramePopup: r.IFramePopup, Hash: r.Hash, Context: r.Context, Hidden: r.Hidden,
		ExtranetSupport: r.ExtranetSupport, LivechatSupport: r.LivechatSupport, Lang: r.Lang,
	}.check()
}

// AppUpdateRequest are the parameters of imbot.app.update.
type AppUpdateRequest struct {
	Returns[OK]
	AppID  ID              `json:"APP_ID,omitempty"`
	Fields AppUpdateFields `json:"FIELDS"`
}

// AppUpdateFields are what imbot.app.update changes; zero fields are left as
// they are. At least one is needed. For their limits see [AppRegisterRequest].
type AppUpdateFields struct {
	JSMethod        AppJSMethod `json:"JS_METHOD,omitempty"` // with JSParam
	JSParam         string      `json:"JS_PARAM,omitempty"`  // with JSMethod
	IFrame          string      `json:"IFRAME,omitempty"`
	IFrameWidth     int         `json:"IFRAME_WIDTH,omitempty"`
	IFrameHeight    int         `json:"IFRAME_HEIGHT,omitempty"`
	IFramePopup     Flag        `json:"IFRAME_POPUP,omitempty"`
	Hash            string      `json:"HASH,omitempty"`
	IconFile        []byte      `json:"ICON_FILE,omitempty"` // accepted, but the portal never replaces the icon
	Context         AppContext  `json:"CONTEXT,omitempty"`
	Hidden          Flag        `json:"HIDDEN,omitempty"`
	ExtranetSupport Flag        `json:"EXTRANET_SUPPORT,omitempty"`
	LivechatSupport Flag        `json:"LIVECHAT_SUPPORT,omitempty"`
	Lang            []AppLang   `json:"LANG,omitempty"` // replaces all titles
}

// Format implements [fmt.Formatter]; no verb prints the hash.
func (f AppUpdateFields) Format(s fmt.State, verb rune) {
	type appUpdateFields AppUpdateFields
	f.Hash = secret.Mask(f.Hash)
	printPlain(s, verb, appUpdateFields(f))
}

// LogValue implements [slog.LogValuer] without the hash.
func (f AppUpdateFields) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", f)) }

// Format implements [fmt.Formatter]; no verb prints the hash.
func (r AppUpdateRequest) Format(f fmt.State, verb rune) {
	type appUpdateRequest AppUpdateRequest
	printPlain(f, verb, appUpdateRequest(r))
}

// LogValue implements [slog.LogValuer] without the hash.
func (r AppUpdateRequest) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", r)) }

// Method returns the name of the REST method.
func (AppUpdateRequest) Method() string { return "imbot.app.update" }

// Repeatable is true.
func (AppUpdateRequest) Repeatable() bool { return true }

// Secrets is the hash, because the portal quotes the parameters in [ErrWrongRequest].
func (r AppUpdateRequest) Secrets() []string { return []string{r.Fields.Hash} }

// Check refuses what the portal would lose without a word.
func (r AppUpdateRequest) Check() error {
	f := r.Fields
	if f.empty() {
		return invalid("", "FIELDS is empty: the portal would answer true and change nothing")
	}
	if f.JSMethod == "" && f.JSParam != "" || f.JSMethod != "" && f.JSParam == "" {
		return invalid(ErrParams, "JS_METHOD and JS_PARAM need each other: the portal would answer true and change nothing")
	}
	return f.check()
}

// empty reports whether nothing would change: the portal never replaces an icon.
func (f AppUpdateFields) empty() bool {
	return f.JSMethod == "" && f.JSParam == "" && f.IFrame == "" && f.IFrameWidth == 0 && f.IFrameHeight == 0 &&
		f.IFramePopup == "" && f.Hash == "" && f.Context == "" && f.Hidden == "" &&
		f.ExtranetSupport == "" && f.LivechatSupport == "" && len(f.Lang) == 0
}

// Columns and least sizes of the portal; it cuts what is longer and raises what
// is smaller.
const (
	maxIFrame       = 255
	maxHash         = 32
	minIFrameWidth  = 250
	minIFrameHeight = 50
)

var (
	jsCommand = regexp.MustCompile(`^/[a-z0-9\-+_/]( ?[a-z0-9\-+_/])+$`)
	jsSupport = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)
)

// check refuses what registration loses, and an update likewise (but for the
// length of HASH, which an update stores as it is and a registration cuts).
func (f AppUpdateFields) check() error {
	if f.IFrame != "" && (f.JSMethod != "" || f.JSParam != "") {
		return invalid(ErrParams, "JS_METHOD and IFRAME together: the portal would use only JS_METHOD")
	}
	if e := checkOneOf("JS_METHOD", f.JSMethod, AppJSMethodPut, AppJSMethodSend, AppJSMethodCall, AppJSMethodSupport); e != nil {
		return e
	}
	if f.JSParam != "" {
		switch f.JSMethod {
		case AppJSMethodPut, AppJSMethodSend:
			if !jsCommand.MatchString(f.JSParam) {
				return invalid(ErrParams, "JS_PARAM must be a slash and two or more of a-z 0-9 - + _ / with single blanks")
			}
		case AppJSMethodSupport:
			if !jsSupport.MatchString(f.JSParam) {
				return invalid(ErrParams, "JS_PARAM must be 32 hexadecimal digits")
			}
		}
	}
	if f.IFrameWidth != 0 && f.IFrameWidth < minIFrameWidth || f.IFrameHeight != 0 && f.IFrameHeight < minIFrameHeight {
		return invalid("", "IFRAME_WIDTH × IFRAME_HEIGHT is less than %d × %d", minIFrameWidth, minIFrameHeight)
	}
	contexts := []AppContext{AppContextAll, AppContextUser, AppContextChat, AppContextBot, AppContextLines, AppContextCall}
	if c := AppContext(strings.TrimSuffix(string(f.Context), adminOnly)); f.Context != "" && !slices.Contains(contexts, c) {
		return invalid("", "CONTEXT %.20q is not known to the portal", string(f.Context))
	}
	for _, l := range f.Lang {
		if e := checkAll(checkLanguage(l.LanguageID, l.Title), checkTexts("LANG: DESCRIPTION", l.Description, "LANG: COPYRIGHT", l.Copyright)); e != nil {
			return e
		}
	}
	return checkAll(
		checkText("JS_PARAM", f.JSParam, 0),
		checkText("IFRAME", f.IFrame, maxIFrame),
		checkText("HASH", f.Hash, maxHash),
		checkFlag("IFRAME_POPUP", f.IFramePopup),
		checkFlag("HIDDEN", f.Hidden),
		checkFlag("EXTRANET_SUPPORT", f.ExtranetSupport),
		checkFlag("LIVECHAT_SUPPORT", f.LivechatSupport),
	)
}

// AppUnregisterRequest are the parameters of imbot.app.unregister.
type AppUnregisterRequest struct {
	Returns[OK]
	AppID ID `json:"APP_ID,omitempty"`
}

// Method returns the name of the REST method.
func (AppUnregisterRequest) Method() string { return "imbot.app.unregister" }

// Register registers a chat application of a bot and returns its id.
//
// An application with the same bot and code is returned as it is; nothing is
// changed. It appears to people after they reload the page, or after 15 to 26
// minutes, and only in the old messenger. Without an icon it stands in the list
// of applications only.
//
// Repeatable. REST method: imbot.app.register. Errors, in the order of the
// portal's checks: [ErrCode], [ErrIFrameHTTPS], [ErrHash], [ErrParams],
// [ErrBotID], [ErrAppID], [ErrLang], [ErrWrongRequest].
// Page: api-reference/chats/outdated/create-app/imbot-app-register.html
func (s *AppService) Register(ctx context.Context, req AppRegisterRequest) (ID, error) {
	return Do(ctx, s.client, req)
}

// Update changes a chat application. Code and bot stay. The icon is never
// replaced, and changing between a command and an iframe leaves the other in
// place; register the application anew for that.
//
// Repeatable. REST method: imbot.app.update. Errors: [ErrChatAppID], [ErrAppID]
// (the application belongs to somebody else), [ErrIFrameHTTPS],
// [ErrWrongRequest].
// Page: api-reference/chats/outdated/create-app/imbot-app-update.html
func (s *AppService) Update(ctx context.Context, req AppUpdateRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// Unregister deletes a chat application. A repeat fails with [ErrChatAppID].
//
// REST method: imbot.app.unregister. Errors: [ErrChatAppID], [ErrAppID] (the
// application belongs to somebody else), [ErrWrongRequest].
// Page: api-reference/chats/outdated/create-app/imbot-app-unregister.html
func (s *AppService) Unregister(ctx context.Context, req AppUnregisterRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}
