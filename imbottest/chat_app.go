package imbottest

import (
	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
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

// Apps returns the chat applications that the portal offers to somebody in a dialog,
// as their CONTEXT says. A private dialog need not be opened before. Guests are
// offered none.
func (p *Portal) Apps(user imbot.ID, dialog imbot.DialogID) []App {
	p.w.Lock()
	defer p.w.Unlock()
	c := p.w.ExistingOrNewChat(user, dialog)
	if c == nil || p.w.Users[user].IsConnector {
		return nil
	}
	var list []App
	for _, id := range world.SortedIDs(p.w.ChatApps) {
		app := p.w.ChatApps[id]
		if app.Hidden || !app.Offered(c, user) {
			continue
		}
		lang := world.Title(app.Titles)
		list = append(list, App{
			ID: id, Bot: app.Bot, Code: app.Code, Title: lang.Text("TITLE"), Description: lang.Text("DESCRIPTION"),
			JSMethod: imbot.AppJSMethod(app.JSMethod), JSParam: app.JSParam, Frame: app.IFrame != "",
			Width: app.Width, Height: app.Height,
		})
	}
	return list
}

// Icon returns the icon of a chat application, a PNG, nil when it has none.
func (p *Portal) Icon(app imbot.ID) []byte {
	p.w.Lock()
	defer p.w.Unlock()
	if a := p.w.ChatApps[app]; a != nil {
		return a.Icon
	}
	return nil
}
