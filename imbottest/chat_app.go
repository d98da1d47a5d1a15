package imbottest

import (
	"cmp"
	"strings"

	"github.com/imbot-go/imbot"
)

// An App is a chat application of a bot: above the text field it inserts or
// sends a command, calls somebody, or opens a frame, see [Portal.IFrame].
type App struct {
	ID          imbot.ID
	Bot         imbot.ID
	Code        string
	Title       string // in the portal's language, else in the first one
	Description string
	JSMethod    imbot.AppJSMethod // "" for one with a frame
	JSParam     string
	Frame       bool
	Width       int // of the frame, in pixels
	Height      int
}

// chatApp is a chat application as the portal keeps it.
type chatApp struct {
	id   imbot.ID
	bot  imbot.ID
	app  *application
	code string

	iframe string // address of the frame; "" for one with a JS command
	hash   string // the key that signs the frame's address

	// What people see. No method of the portal returns it.
	jsMethod, jsParam string
	titles            *array // LANG
	context           string
	hidden            bool
	width, height     int
	icon              []byte
}

// Apps returns the chat applications that the portal offers to somebody in a dialog,
// as their CONTEXT says. A private dialog need not be opened before. Guests are
// offered none.
func (p *Portal) Apps(user imbot.ID, dialog imbot.DialogID) []App {
	p.Lock()
	defer p.Unlock()
	c := p.existingOrNewChat(user, dialog)
	if c == nil || p.users[user].isConnector {
		return nil
	}
	var list []App
	for _, id := range sortedIDs(p.chatApps) {
		app := p.chatApps[id]
		if app.hidden || !app.offered(c, user) {
			continue
		}
		lang := title(app.titles)
		list = append(list, App{
			ID: id, Bot: app.bot, Code: app.code, Title: lang.text("TITLE"), Description: lang.text("DESCRIPTION"),
			JSMethod: imbot.AppJSMethod(app.jsMethod), JSParam: app.jsParam, Frame: app.iframe != "",
			Width: app.width, Height: app.height,
		})
	}
	return list
}

// offered reports whether CONTEXT lets an application be shown to a user in a chat.
func (a *chatApp) offered(c *chat, user imbot.ID) bool {
	context, adminOnly := strings.CutSuffix(a.context, "-admin")
	if adminOnly && user != admin {
		return false
	}
	switch imbot.AppContext(context) {
	case imbot.AppContextUser:
		return c.kind == kindPrivate
	case imbot.AppContextChat:
		return c.kind == kindChat || c.kind == kindOpen
	case imbot.AppContextBot:
		return c.kind == kindPrivate && c.other(user) == a.bot
	case imbot.AppContextLines:
		return c.kind == kindLines
	case imbot.AppContextCall:
		return false // there are no calls
	}
	return true
}

// Icon returns the icon of a chat application, a PNG, nil when it has none.
func (p *Portal) Icon(app imbot.ID) []byte {
	p.Lock()
	defer p.Unlock()
	if a := p.chatApps[app]; a != nil {
		return a.icon
	}
	return nil
}

// The default size of frames, and the smallest one.
const (
	frameWidth, frameHeight       = 320, 250
	minFrameWidth, minFrameHeight = 250, 50
)

// describe stores what people see of an application. What was not sent stays as it
// was.
func (a *chatApp) describe(from *array) {
	if from.array("LANG").len() > 0 {
		a.titles = from.array("LANG")
	}
	if method, param := from.text("JS_METHOD"), from.text("JS_PARAM"); isUsableJS(method, param) {
		a.jsMethod, a.jsParam = method, param
	}
	if context := from.text("CONTEXT"); context != "" {
		a.context = context
	}
	if hidden := from.text("HIDDEN"); hidden != "" {
		a.hidden = hidden == "Y"
	}
	a.width = max(minFrameWidth, int(cmp.Or(from.id("IFRAME_WIDTH"), imbot.ID(a.width), frameWidth)))
	a.height = max(minFrameHeight, int(cmp.Or(from.id("IFRAME_HEIGHT"), imbot.ID(a.height), frameHeight)))
}
