package v1

import (
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// eventMethods are the methods by which an OAuth application asks for the events of its
// installation, update and removal. For the events of bots imbot.register is used.
func eventMethods(name string) world.Method {
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

// boundEvents are those that event.bind accepts.
var boundEvents = append([]string{eventOfTest}, world.AppEvents...)

// eventOfTest is what event.test sends.
const eventOfTest = "ONAPPTEST"

// eventOf reads EVENT and HANDLER. Only OAuth applications may bind events.
func eventOf(c *world.Call) (event, handler string, fail *world.Refusal) {
	event, handler = strings.ToUpper(c.Params.Text("EVENT")), c.Params.Text("HANDLER")
	switch {
	case c.App == nil:
		return "", "", errWebhook
	case !slices.Contains(boundEvents, event):
		return "", "", world.BadRequest("ERROR_EVENT_NOT_FOUND", "Event not found")
	}
	return event, handler, nil
}

// eventBind sets the handler of an event. This portal keeps one for each event, a real
// one several.
func eventBind(c *world.Call) (any, *world.Refusal) {
	event, handler, fail := eventOf(c)
	switch {
	case fail != nil:
		return nil, fail
	case !world.Acceptable(handler):
		return nil, world.BadRequest("ERROR_CORE", "Unable to set event handler: wrong handler URL")
	case c.App.Handlers[event].URL == handler:
		return nil, world.BadRequest("ERROR_CORE", "Unable to set event handler: already bound")
	}
	c.World.BindEvent(c.App, event, handler)
	b := c.App.Handlers[event]
	b.ByEventBind = true
	c.App.Handlers[event] = b
	return true, nil
}

func eventUnbind(c *world.Call) (any, *world.Refusal) {
	event, handler, fail := eventOf(c)
	if fail != nil {
		return nil, fail
	}
	count := 0
	if b := c.App.Handlers[event]; b.ByEventBind && (handler == "" || b.URL == handler) {
		delete(c.App.Handlers, event)
		count = 1
	}
	return map[string]int{"count": count}, nil
}

func eventGet(c *world.Call) (any, *world.Refusal) {
	if c.App == nil {
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
		if b := c.App.Handlers[event]; b.ByEventBind {
			list = append(list, bound{Event: event, Handler: b.URL})
		}
	}
	return list, nil
}

// eventTest sends ONAPPTEST with the parameters of the call to the application, when it
// has bound that event.
func eventTest(c *world.Call) (any, *world.Refusal) {
	if c.App == nil {
		return nil, errWebhook
	}
	e := &world.Event{}
	e.At()("event", eventOfTest, "event_handler_id", c.App.Handlers[eventOfTest].ID.String())
	e.SetValue(c.AsSent(), "data", "QUERY")
	e.At("data")("LANGUAGE_ID", world.Language)
	c.World.QueueEvent(eventOfTest, c.App, world.AppQueue(c.App), c.World.EncodeWithAuth(e, c.App, c.User, true))
	return 1, nil
}

// eventList lists the events of SCOPE, else those of applications and of the caller's
// scopes.
func eventList(c *world.Call) (any, *world.Refusal) {
	if c.App == nil {
		return nil, errWebhook
	}
	bots := []string{world.EventMessageAdd, world.EventMessageUpdate, world.EventMessageDelete, world.EventJoinChat, world.EventBotDelete, world.EventContextGet, world.EventCommandAdd}
	switch scope := c.Params.Text("SCOPE"); {
	case !c.Params.Given("SCOPE") && (php.Truthy(c.Params.Get("FULL")) || slices.Contains(c.World.Scopes(), "imbot")):
		return append([]string{world.EventUninstall, world.EventInstall, world.EventUpdate, eventOfTest}, bots...), nil
	case !c.Params.Given("SCOPE"):
		return []string{world.EventUninstall, world.EventInstall, world.EventUpdate, eventOfTest}, nil
	case scope == "imbot":
		return bots, nil
	}
	return []string{}, nil
}

var errWebhook = world.Forbidden("WRONG_AUTH_TYPE", "Current authorization type is denied for this method")
