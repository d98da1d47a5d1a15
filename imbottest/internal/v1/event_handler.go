package v1

import (
	"net/url"
	"strings"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// botEvents are the handler parameters in the order in which they are checked.
var botEvents = [...]struct {
	param, event string
	required     bool
}{
	{"EVENT_MESSAGE_ADD", world.EventMessageAdd, true},
	{"EVENT_MESSAGE_UPDATE", world.EventMessageUpdate, false},
	{"EVENT_MESSAGE_DELETE", world.EventMessageDelete, false},
	{"EVENT_CONTEXT_GET", world.EventContextGet, false},
	{"EVENT_WELCOME_MESSAGE", world.EventJoinChat, true},
	{"EVENT_BOT_DELETE", world.EventBotDelete, true},
}

// handlerURLs reads the handlers of a register or update call, by event.
func handlerURLs(from *php.Array, register bool) (map[string]string, *world.Refusal) {
	urls := map[string]string{}
	for _, e := range botEvents {
		address := from.Text(e.param)
		if all := from.Text("EVENT_HANDLER"); all != "" {
			address = all
		}
		if address == "" && (!register || !e.required) {
			continue
		}
		if !world.Acceptable(address) {
			return nil, wrongHandler(e.param, address)
		}
		urls[e.event] = address
	}
	return urls, nil
}

// wrongHandler refuses a handler's URL. A real portal says no more than "Wrong handler
// URL"; the hint is added because localhost is what everybody tries first.
func wrongHandler(param, address string) *world.Refusal {
	description := "Wrong handler URL"
	if u, err := url.Parse(address); err == nil && u.Host != "" && !strings.Contains(u.Hostname(), ".") {
		description += ": a portal refuses a host without a dot; for a bot on this machine write http://127.0.0.1 in place of http://localhost"
	}
	return world.BadRequest(param+"_ERROR", description)
}

// bind sets the handlers of an application, by event. They are those of all its bots.
func bind(w *world.World, app *world.Application, urls map[string]string) {
	for _, e := range botEvents {
		if address, ok := urls[e.event]; ok {
			w.BindEvent(app, e.event, address)
		}
	}
}
