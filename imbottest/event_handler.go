package imbottest

import (
	"net"
	"net/url"
	"strings"

	"github.com/imbot-go/imbot"
)

// binding is the one handler that an application has for an event.
type binding struct {
	id   imbot.ID
	url  string // as registered
	full string // with CLIENT_ID behind it

	byEventBind bool // for, with event.bind
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

// acceptable is the portal's own test of handler URLs: nothing is dialled.
func acceptable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https") {
		return false
	}
	return strings.Index(u.Hostname(), ".") > 0 || strings.Contains(u.Hostname(), ":") && net.ParseIP(u.Hostname()) != nil
}

// wrongHandler refuses a handler's URL. A real portal says no more than the first
// three words; localhost is what everybody tries first.
func wrongHandler(param, address string) *restError {
	description := "Wrong handler URL"
	if u, err := url.Parse(address); err == nil && u.Host != "" && !strings.Contains(u.Hostname(), ".") {
		description += ": a portal refuses a host without a dot; for a bot on this machine write http://127.0.0.1 in place of http://localhost"
	}
	return badRequest(param+"_ERROR", description)
}

// bind makes handlers those of the whole application.
func (p *Portal) bind(app *application, urls map[string]string) {
	for _, e := range botEvents {
		if address, ok := urls[e.event]; ok {
			p.bindEvent(app, e.event, address)
		}
	}
}

func (p *Portal) bindEvent(app *application, event, address string) {
	full := address
	if !app.oauth { // un-escaped, as the portal does it
		separator := "?"
		if strings.Contains(address, "?") {
			separator = "&"
		}
		full += separator + "CLIENT_ID=" + app.clientID
	}
	p.lastBind++
	app.handlers[event] = binding{id: p.lastBind, url: address, full: full}
}

// forgetBindings is what an update and an uninstallation do.
func (a *application) forgetBindings() {
	for event, b := range a.handlers {
		if b.byEventBind {
			delete(a.handlers, event)
		}
	}
}
