package world

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/internal/phpform"
)

// The events that this portal sends to bots.
const (
	EventMessageAdd    = "ONIMBOTMESSAGEADD"
	EventMessageUpdate = "ONIMBOTMESSAGEUPDATE"
	EventMessageDelete = "ONIMBOTMESSAGEDELETE"
	EventJoinChat      = "ONIMBOTJOINCHAT"
	EventBotDelete     = "ONIMBOTDELETE"
	EventCommandAdd    = "ONIMCOMMANDADD"
	EventContextGet    = "ONIMBOTCONTEXTGET"
)

// Language is that of the portal and of all its users.
const Language = "en"

// ExpiresIn is how many seconds a token lives, as events say it.
const ExpiresIn = "3600"

// Event is the form of an event. Its keys are set in the order of a real portal.
type Event struct{ phpform.Form }

// At returns a function that sets keys and values under a path.
func (e *Event) At(path ...string) func(pairs ...string) {
	return func(pairs ...string) {
		for i := 0; i+1 < len(pairs); i += 2 {
			e.Set(pairs[i+1], append(path[:len(path):len(path)], pairs[i])...)
		}
	}
}

// SetValue writes a nested value as PHP writes forms: null and empty lists are left
// out.
func (e *Event) SetValue(v any, path ...string) {
	switch v := v.(type) {
	case *php.Array:
		for i := range v.Len() {
			e.SetValue(v.Values[v.Keys[i]], append(path[:len(path):len(path)], v.Keys[i])...)
		}
	case bool:
		e.Set(map[bool]string{true: "1", false: "0"}[v], path...)
	case string:
		e.Set(v, path...)
	case json.Number:
		e.Set(v.String(), path...)
	}
}

// newEvent begins an event with its name and the bots it is for.
func (w *World) newEvent(name string, app *Application, bots ...*Bot) *Event {
	e := &Event{}
	e.At()("event", name, "event_handler_id", app.Handlers[name].ID.String())
	for _, b := range bots {
		w.setBot(e, b, "data", "BOT", b.ID.String())
	}
	return e
}

// setBot writes the id and code of a bot, and its tokens when it belongs to an OAuth
// application.
func (w *World) setBot(e *Event, b *Bot, path ...string) {
	if b.App.OAuth {
		w.setBotAuth(e, b.App, b, path...)
		w.setBotAuth(e, b.App, b, append(path[:len(path):len(path)], "AUTH")...)
	}
	e.At(path...)("BOT_ID", b.ID.String(), "BOT_CODE", b.Code)
}

// setBotAuth writes the authorization of a bot.
func (w *World) setBotAuth(e *Event, app *Application, b *Bot, path ...string) {
	g := w.Hooks.Authorize(app, b.ID)
	e.At(path...)(
		"access_token", g.Access, "expires", Unix(g.Expires), "expires_in", ExpiresIn, "scope", w.ScopeList(),
		"domain", g.Domain, "server_endpoint", g.AuthRoot, "status", "L", "client_endpoint", g.Endpoint,
		"member_id", g.MemberID, "refresh_token", g.Refresh, "user_id", b.ID.String(), "client_id", app.ClientID,
		"application_token", app.Token)
}

// setUser writes data[USER].
func (w *World) setUser(e *Event, id imbot.ID, flags bool) {
	u := w.Users[id]
	if u == nil {
		return
	}
	set := e.At("data", "USER")
	set("ID", id.String(), "NAME", EscapeName(u.Name()), "FIRST_NAME", EscapeName(u.First), "LAST_NAME", EscapeName(u.Last),
		"WORK_POSITION", EscapeName(u.Position), "GENDER", u.Gender)
	if flags {
		set("IS_BOT", php.YesNo(u.IsBot), "IS_CONNECTOR", php.YesNo(u.IsConnector), "IS_NETWORK", "N", "IS_EXTRANET", php.YesNo(u.Extranet))
	}
}

// EscapeName is a name as the portal hands it out: escaped for HTML, but with its bare
// ampersands and its apostrophes as they are.
func EscapeName(name string) string {
	return nameBrackets.Replace(nameEntities.ReplaceAllString(name, "&amp;$1"))
}

var (
	nameEntities = regexp.MustCompile(`&(amp;|lt;|gt;|quot;|#34;|#39;|#x22;|#x27;)`)
	nameBrackets = strings.NewReplacer("<", "&lt;", ">", "&gt;", `"`, "&quot;")
)

// EncodeWithAuth writes what every event ends with, the time and the tokens of the
// acting user, and encodes it. Events for bots of a webhook carry no tokens.
func (w *World) EncodeWithAuth(e *Event, app *Application, user imbot.ID, refresh bool) string {
	e.At()("ts", Unix(time.Now()))
	set, g := e.At("auth"), w.Hooks.Authorize(app, user)
	if !app.OAuth {
		set("domain", g.Domain, "server_endpoint", g.AuthRoot, "client_endpoint", g.Endpoint,
			"member_id", g.MemberID, "application_token", app.Token)
		return e.Encode()
	}
	set("access_token", g.Access, "expires", Unix(g.Expires), "expires_in", ExpiresIn, "scope", w.ScopeList(),
		"domain", g.Domain, "server_endpoint", g.AuthRoot, "status", "L", "client_endpoint", g.Endpoint,
		"member_id", g.MemberID, "user_id", user.String())
	if refresh {
		set("refresh_token", g.Refresh)
	}
	set("application_token", app.Token)
	return e.Encode()
}

// Unix is a time as events have it.
func Unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// chatQueue names the queue of a chat: within one, events keep their order.
func chatQueue(c *Chat) string { return "chat" + c.ID.String() }

// AppQueue names the queue for the life of an application and its bots. They share one,
// so that ONIMBOTDELETE comes before ONAPPUNINSTALL.
func AppQueue(app *Application) string { return "application" + app.ID }

// QueueEvent sends an event to the handler that the application has for it, if it has one.
func (w *World) QueueEvent(event string, app *Application, queue, body string) {
	if to, ok := app.Handlers[event]; ok {
		w.Hooks.Deliver(event, to, app, queue, body)
	}
}
