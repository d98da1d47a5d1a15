package imbottest

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// bot is what the portal keeps of a bot beside its user.
type bot struct {
	id       imbot.ID
	app      *application
	code     string
	kind     imbot.BotType
	openLine imbot.Flag
	email    string

	// Of the second generation.
	mode        string // modeFetch or modeWebhook; empty: a bot of the first generation
	webhook     string
	hidden      bool
	noReactions bool
	background  string
	queue       []queued  // by id
	emptyUntil  time.Time // until when the portal remembers that the queue was empty
}

// maxBots is how many bots an application may have.
const maxBots = 5

func (p *world) botByCode(code string) *bot {
	for _, b := range p.bots {
		if b.code == code {
			return b
		}
	}
	return nil
}

func (p *world) countBots(app *application) (n int) {
	for _, b := range p.bots {
		if b.app == app {
			n++
		}
	}
	return n
}

func (p *world) emailTaken(email string) bool {
	for _, b := range p.bots {
		if strings.EqualFold(b.email, email) {
			return true
		}
	}
	return false
}

// dropBot deletes a bot, its chat applications, commands and memberships.
func (p *world) dropBot(b *bot, by imbot.ID) {
	maps.DeleteFunc(p.commands, func(_ imbot.ID, cmd *command) bool { return cmd.bot == b })
	for id, app := range p.chatApps {
		if app.bot == b.id {
			delete(p.chatApps, id)
		}
	}
	for _, chat := range p.chats {
		if chat.kind != kindPrivate {
			p.leave(chat, b.id)
		}
	}
	delete(p.bots, b.id)
	p.noteUser(b.id)
	p.noteHelp()
	if b.mode == "" {
		p.fireBotDelete(b, by)
		return
	}
	p.fireV2(v2BotDelete, nil, by, []*bot{b}, func(*bot, *array) {}) // nobody can read it from a queue any more
	for len(b.queue) > 0 {
		p.dropFirst(b, "the queue is deleted")
	}
	if b.webhook != "" {
		p.unhook(b)
	}
}

// MakeFetching makes a bot one that was registered through imbot.v2 and fetches
// its events: it can have no handlers.
func (p *Portal) MakeFetching(bot imbot.ID) error {
	p.Lock()
	defer p.Unlock()
	b := p.bots[bot]
	if b == nil {
		return fmt.Errorf("imbottest: there is no bot %d", bot)
	}
	b.mode = modeFetch
	return nil
}

func (b *bot) noHandlers() *restError {
	if b.mode == modeFetch {
		return badRequest("FETCH_NOT_SUPPORTED", "The bot fetches its events")
	}
	return nil
}
