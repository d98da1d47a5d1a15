package imbottest

import (
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
)

// eventMethods are the methods by which an OAuth application asks for the events of its
// installation, update and removal. For the events of bots imbot.register is used.
func eventMethods(name string) method {
	switch name {
	case "event.bind":
		return eventBind
	case "event.unbind":
		return eventUnbind
	case "event.get":
		return eventGet
	case "event.test":
		return eventTest
	case "events":
		return eventList
	}
	return nil
}

var appEvents = []string{eventInstall, eventUpdate, eventUninstall}

// boundEvents are those that event.bind accepts.
var boundEvents = append([]string{eventOfTest}, appEvents...)

// eventOfTest is what event.test sends.
const eventOfTest = "ONAPPTEST"

// eventOf reads EVENT and HANDLER. Only OAuth applications may bind events.
func (c *call) eventOf() (event, handler string, fail *restError) {
	event, handler = strings.ToUpper(c.params.text("EVENT")), c.params.text("HANDLER")
	switch {
	case c.app == nil:
		return "", "", errWebhook
	case !slices.Contains(boundEvents, event):
		return "", "", badRequest("ERROR_EVENT_NOT_FOUND", "Event not found")
	}
	return event, handler, nil
}

// eventBind sets the handler of an event. This portal keeps one for each event, a real
// one several.
func eventBind(c *call) (any, *restError) {
	event, handler, fail := c.eventOf()
	switch {
	case fail != nil:
		return nil, fail
	case !acceptable(handler):
		return nil, badRequest("ERROR_CORE", "Unable to set event handler: wrong handler URL")
	case c.app.handlers[event].url == handler:
		return nil, badRequest("ERROR_CORE", "Unable to set event handler: already bound")
	}
	c.p.bindEvent(c.app, event, handler)
	b := c.app.handlers[event]
	b.byEventBind = true
	c.app.handlers[event] = b
	return true, nil
}

func eventUnbind(c *call) (any, *restError) {
	event, handler, fail := c.eventOf()
	if fail != nil {
		return nil, fail
	}
	count := 0
	if b := c.app.handlers[event]; b.byEventBind && (handler == "" || b.url == handler) {
		delete(c.app.handlers, event)
		count = 1
	}
	return map[string]int{"count": count}, nil
}

func eventGet(c *call) (any, *restError) {
	if c.app == nil {
		return nil, errWebhook
	}
	type bound struct {
		Event    string   `json:"event"`
		Handler  string   `json:"handler"`
		AuthType imbot.ID `json:"auth_type"`
		Offline  int      `json:"offline"`
	}
	list := []bound{}
	for _, event := range boundEvents {
		if b := c.app.handlers[event]; b.byEventBind {
			list = append(list, bound{Event: event, Handler: b.url})
		}
	}
	return list, nil
}

// eventTest sends ONAPPTEST with the parameters of the call to the application, when it
// has bound that event.
func eventTest(c *call) (any, *restError) {
	if c.app == nil {
		return nil, errWebhook
	}
	e := &event{}
	e.set()("event", eventOfTest, "event_handler_id", c.app.handlers[eventOfTest].id.String())
	e.setValue(c.asSent(), "data", "QUERY")
	e.set("data")("LANGUAGE_ID", language)
	c.p.queueEvent(eventOfTest, c.app, appQueue(c.app), c.p.encodeWithAuth(e, c.app, c.user, true))
	return 1, nil
}

// eventList lists the events of SCOPE, else those of applications and of the caller's
// scopes.
func eventList(c *call) (any, *restError) {
	if c.app == nil {
		return nil, errWebhook
	}
	bots := []string{eventMessageAdd, eventMessageUpdate, eventMessageDelete, eventJoinChat, eventBotDelete, eventContextGet, eventCommandAdd}
	switch scope := c.params.text("SCOPE"); {
	case !c.params.given("SCOPE") && (truthy(c.params.get("FULL")) || slices.Contains(c.p.scopes(), "imbot")):
		return append([]string{eventUninstall, eventInstall, eventUpdate, eventOfTest}, bots...), nil
	case !c.params.given("SCOPE"):
		return []string{eventUninstall, eventInstall, eventUpdate, eventOfTest}, nil
	case scope == "imbot":
		return bots, nil
	}
	return []string{}, nil
}

var errWebhook = forbidden("WRONG_AUTH_TYPE", "Current authorization type is denied for this method")
