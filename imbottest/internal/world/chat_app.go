package world

import (
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// ChatApp is a chat application as the portal keeps it.
type ChatApp struct {
	ID   imbot.ID
	Bot  imbot.ID
	App  *Application
	Code string

	IFrame string // address of the frame; "" for one with a JS command
	Hash   string // the key that signs the frame's address

	// What people see. No method of the portal returns it.
	JSMethod, JSParam string
	Titles            *php.Array // LANG
	Context           string
	Hidden            bool
	Width, Height     int
	Icon              []byte
}

// Offered reports whether CONTEXT lets an application be shown to a user in a chat.
func (a *ChatApp) Offered(c *Chat, user imbot.ID) bool {
	context, adminOnly := strings.CutSuffix(a.Context, "-admin")
	if adminOnly && user != Admin {
		return false
	}
	switch imbot.AppContext(context) {
	case imbot.AppContextUser:
		return c.Kind == KindPrivate
	case imbot.AppContextChat:
		return c.Kind == KindChat || c.Kind == KindOpen
	case imbot.AppContextBot:
		return c.Kind == KindPrivate && c.Other(user) == a.Bot
	case imbot.AppContextLines:
		return c.Kind == KindLines
	case imbot.AppContextCall:
		return false // there are no calls
	}
	return true
}
