package imbottest

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot"
)

// binding is the handler of an application for an event. There is one for each event.
type binding struct {
	id   imbot.ID
	url  string // as registered
	full string // with CLIENT_ID behind it

	byEventBind bool // set by the method event.bind
}

// botEvents are the handler parameters in the order in which they are checked.
var botEvents = [...]struct {
	param, event string
	required     bool
}{
	{"EVENT_MESSAGE_ADD", eventMessageAdd, true},
	{"EVENT_MESSAGE_UPDATE", eventMessageUpdate, false},
	{"EVENT_MESSAGE_DELETE", eventMessageDelete, false},
	{"EVENT_CONTEXT_GET", eventContextGet, false},
	{"EVENT_WELCOME_MESSAGE", eventJoinChat, true},
	{"EVENT_BOT_DELETE", eventBotDelete, true},
}

// handlerURLs reads the handlers of a register or update call, by event.
func handlerURLs(from *array, register bool) (map[string]string, *restError) {
	urls := map[string]string{}
	for _, e := range botEvents {
		address := from.text(e.param)
		if all := from.text("EVENT_HANDLER"); all != "" {
			address = all
		}
		if address == "" && (!register || !e.required) {
			continue
		}
		if !acceptable(address) {
			return nil, wrongHandler(e.param, address)
		}
		urls[e.event] = address
	}
	return urls, nil
}

// acceptable checks a handler's URL as the portal does, by its form alone: it does not
// connect to it.
func acceptable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
		return false // it refuses a scheme in capital letters, too
	}
	if port := u.Port(); port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
	}
	return strings.Index(u.Hostname(), ".") > 0 && !strings.Contains(u.Hostname(), ":")
}

// wrongHandler refuses a handler's URL. A real portal says no more than "Wrong handler
// URL"; the hint is added because localhost is what everybody tries first.
func wrongHandler(param, address string) *restError {
	description := "Wrong handler URL"
	if u, err := url.Parse(address); err == nil && u.Host != "" && !strings.Contains(u.Hostname(), ".") {
		description += ": a portal refuses a host without a dot; for a bot on this machine write http://127.0.0.1 in place of http://localhost"
	}
	return badRequest(param+"_ERROR", description)
}

// bind sets the handlers of an application, by event. They are those of all its bots.
func (p *world) bind(app *application, urls map[string]string) {
	for _, e := range botEvents {
		if address, ok := urls[e.event]; ok {
			p.bindEvent(app, e.event, address)
		}
	}
}

func (p *world) bindEvent(app *application, event, address string) {
	full := address
	if !app.oauth { // the portal does not escape the client id
		separator := "?"
		if strings.Contains(address, "?") {
			separator = "&"
		}
		full += separator + "CLIENT_ID=" + app.clientID
	}
	p.lastBind++
	app.handlers[event] = binding{id: p.lastBind, url: address, full: full}
}

// forgetBindings removes the handlers that event.bind has set, as the portal does when
// an application is updated.
func (a *application) forgetBindings() {
	for event, b := range a.handlers {
		if b.byEventBind {
			delete(a.handlers, event)
		}
	}
}
