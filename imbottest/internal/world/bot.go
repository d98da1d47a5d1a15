package world

import (
	"maps"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// Bot is what the portal keeps of a bot beside its user.
type Bot struct {
	ID       imbot.ID
	App      *Application
	Code     string
	Kind     imbot.BotType
	OpenLine imbot.Flag
	Email    string

	// Of the second generation.
	Mode        string // ModeFetch or ModeWebhook; empty: a bot of the first generation
	Webhook     string
	Hidden      bool
	NoReactions bool
	Background  string
	Queue       Queue
}

// BotByCode finds a bot of any application, nil when there is none.
func (w *World) BotByCode(code string) *Bot {
	for _, b := range w.Bots {
		if b.Code == code {
			return b
		}
	}
	return nil
}

// CountBots counts the bots of an application.
func (w *World) CountBots(app *Application) (n int) {
	for _, b := range w.Bots {
		if b.App == app {
			n++
		}
	}
	return n
}

// EmailTaken reports whether a bot has this address.
func (w *World) EmailTaken(email string) bool {
	for _, b := range w.Bots {
		if strings.EqualFold(b.Email, email) {
			return true
		}
	}
	return false
}

// DropBot deletes a bot, its chat applications, commands and memberships.
func (w *World) DropBot(b *Bot, by imbot.ID) {
	maps.DeleteFunc(w.Commands, func(_ imbot.ID, cmd *Command) bool { return cmd.Bot == b })
	for id, app := range w.ChatApps {
		if app.Bot == b.ID {
			delete(w.ChatApps, id)
		}
	}
	for _, chat := range w.Chats {
		if chat.Kind != KindPrivate {
			w.Leave(chat, b.ID)
		}
	}
	delete(w.Bots, b.ID)
	w.NoteUser(b.ID)
	w.NoteHelp()
	if b.Mode == "" {
		w.fireBotDelete(b, by)
		return
	}
	w.fireV2(v2BotDelete, nil, by, []*Bot{b}, func(*Bot, *php.Array) {}) // nobody can read it from a queue any more
	b.Queue.Clear()
	if b.Webhook != "" {
		w.Unhook(b)
	}
}
