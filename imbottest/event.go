package imbottest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/phpform"
)

// The events that this portal sends to bots.
const (
	eventMessageAdd    = "ONIMBOTMESSAGEADD"
	eventMessageUpdate = "ONIMBOTMESSAGEUPDATE"
	eventMessageDelete = "ONIMBOTMESSAGEDELETE"
	eventJoinChat      = "ONIMBOTJOINCHAT"
	eventBotDelete     = "ONIMBOTDELETE"
	eventCommandAdd    = "ONIMCOMMANDADD"
)

const language = "en"

const expiresIn = "3600"

// event is the form of an event. Its keys are set in the order of a real portal.
type event struct{ phpform.Form }

func (e *event) set(path ...string) func(pairs ...string) {
	return func(pairs ...string) {
		for i := 0; i+1 < len(pairs); i += 2 {
			e.Set(pairs[i+1], append(path[:len(path):len(path)], pairs[i])...)
		}
	}
}

// setValue writes a nested value as PHP writes forms: null and empty lists are left
// out.
func (e *event) setValue(v any, path ...string) {
	switch v := v.(type) {
	case *array:
		for i := range v.len() {
			e.setValue(v.values[v.keys[i]], append(path[:len(path):len(path)], v.keys[i])...)
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
func (p *world) newEvent(name string, app *application, bots ...*bot) *event {
	e := &event{}
	e.set()("event", name, "event_handler_id", app.handlers[name].id.String())
	for _, b := range bots {
		p.setBot(e, b, "data", "BOT", b.id.String())
	}
	return e
}

// setBot writes the id and code of a bot, and its tokens when it belongs to an OAuth
// application.
func (p *world) setBot(e *event, b *bot, path ...string) {
	if b.app.oauth {
		p.setBotAuth(e, b.app, b, path...)
		p.setBotAuth(e, b.app, b, append(path[:len(path):len(path)], "AUTH")...)
	}
	e.set(path...)("BOT_ID", b.id.String(), "BOT_CODE", b.code)
}

// setBotAuth writes the authorization of a bot.
func (p *world) setBotAuth(e *event, app *application, b *bot, path ...string) {
	g := p.hooks.Authorize(app, b.id)
	e.set(path...)(
		"access_token", g.access, "expires", unix(g.expires), "expires_in", expiresIn, "scope", p.scopeList(),
		"domain", g.domain, "server_endpoint", g.authRoot, "status", "L", "client_endpoint", g.endpoint,
		"member_id", g.memberID, "refresh_token", g.refresh, "user_id", b.id.String(), "client_id", app.clientID,
		"application_token", app.token)
}

// setUser writes data[USER].
func (p *world) setUser(e *event, id imbot.ID, flags bool) {
	u := p.users[id]
	if u == nil {
		return
	}
	set := e.set("data", "USER")
	set("ID", id.String(), "NAME", escapeName(u.name()), "FIRST_NAME", escapeName(u.first), "LAST_NAME", escapeName(u.last),
		"WORK_POSITION", escapeName(u.position), "GENDER", u.gender)
	if flags {
		set("IS_BOT", yesNo(u.isBot), "IS_CONNECTOR", yesNo(u.isConnector), "IS_NETWORK", "N", "IS_EXTRANET", yesNo(u.extranet))
	}
}

// escapeName is a name as the portal hands it out: escaped for HTML, but with its bare
// ampersands and its apostrophes as they are.
func escapeName(name string) string {
	return nameBrackets.Replace(nameEntities.ReplaceAllString(name, "&amp;$1"))
}

var (
	nameEntities = regexp.MustCompile(`&(amp;|lt;|gt;|quot;|#34;|#39;|#x22;|#x27;)`)
	nameBrackets = strings.NewReplacer("<", "&lt;", ">", "&gt;", `"`, "&quot;")
)

// encodeWithAuth writes what every event ends with, the time and the tokens of the
// acting user, and encodes it. Events for bots of a webhook carry no tokens.
func (p *world) encodeWithAuth(e *event, app *application, user imbot.ID, refresh bool) string {
	e.set()("ts", unix(time.Now()))
	set, g := e.set("auth"), p.hooks.Authorize(app, user)
	if !app.oauth {
		set("domain", g.domain, "server_endpoint", g.authRoot, "client_endpoint", g.endpoint,
			"member_id", g.memberID, "application_token", app.token)
		return e.Encode()
	}
	set("access_token", g.access, "expires", unix(g.expires), "expires_in", expiresIn, "scope", p.scopeList(),
		"domain", g.domain, "server_endpoint", g.authRoot, "status", "L", "client_endpoint", g.endpoint,
		"member_id", g.memberID, "user_id", user.String())
	if refresh {
		set("refresh_token", g.refresh)
	}
	set("application_token", app.token)
	return e.Encode()
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func yesNo(b bool) string {
	if b {
		return "Y"
	}
	return "N"
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
