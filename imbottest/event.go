package imbottest

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/phpform"
)

// The events of a bot that this portal fires.
const (
	eventMessageAdd    = "ONIMBOTMESSAGEADD"
	eventMessageUpdate = "ONIMBOTMESSAGEUPDATE"
	eventMessageDelete = "ONIMBOTMESSAGEDELETE"
	eventJoinChat      = "ONIMBOTJOINCHAT"
	eventBotDelete     = "ONIMBOTDELETE"
	eventCommandAdd    = "ONIMCOMMANDADD"
)

const language = "en"

// event is a form under construction; its keys keep the order of real events.
type event struct{ phpform.Node }

func (e *event) set(path ...string) func(pairs ...string) {
	return func(pairs ...string) {
		for i := 0; i+1 < len(pairs); i += 2 {
			e.Set(pairs[i+1], append(path[:len(path):len(path)], pairs[i])...)
		}
	}
}

// newEvent begins an event with its name and the bots it is for.
func (p *Portal) newEvent(name string, app *application, bots ...*bot) *event {
	e := &event{}
	e.set()("event", name, "event_handler_id", app.handlers[name].id.String())
	for _, b := range bots {
		p.setBot(e, b, "data", "BOT", b.id.String())
	}
	return e
}

// setBot writes who a bot is, with its authorization.
func (p *Portal) setBot(e *event, b *bot, path ...string) {
	if b.app.oauth {
		p.setBotAuth(e, b.app, b, path...)
		p.setBotAuth(e, b.app, b, append(path[:len(path):len(path)], "AUTH")...)
	}
	e.set(path...)("BOT_ID", b.id.String(), "BOT_CODE", b.code)
}

// setBotAuth writes the thirteen authorization keys of a bot.
func (p *Portal) setBotAuth(e *event, app *application, b *bot, path ...string) {
	g := p.grant(app, b.id)
	e.set(path...)(
		"access_token", g.access, "expires", unix(g.expires), "expires_in", expiresIn, "scope", "imbot",
		"domain", p.domain(), "server_endpoint", p.authRoot(), "status", "L", "client_endpoint", p.endpoint(),
		"member_id", p.memberID, "refresh_token", g.refresh, "user_id", b.id.String(), "client_id", app.clientID,
		"application_token", app.token)
}

// finish writes the envelope's end: the time and the acting user's grant. Events
// of a webhook's bots carry no tokens.
func (p *Portal) finish(e *event, app *application, user imbot.ID, refresh bool) string {
	e.set()("ts", unix(time.Now()))
	set := e.set("auth")
	if !app.oauth {
		set("domain", p.domain(), "server_endpoint", p.authRoot(), "client_endpoint", p.endpoint(),
			"member_id", p.memberID, "application_token", app.token)
		return e.Encode()
	}
	g := p.grant(app, user)
	set("access_token", g.access, "expires", unix(g.expires), "expires_in", expiresIn, "scope", "imbot",
		"domain", p.domain(), "server_endpoint", p.authRoot(), "status", "L", "client_endpoint", p.endpoint(),
		"member_id", p.memberID, "user_id", user.String())
	if refresh {
		set("refresh_token", g.refresh)
	}
	set("application_token", app.token)
	return e.Encode()
}

const expiresIn = "3600"

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func (p *Portal) domain() string {
	if p.listen != "" {
		return p.listen
	}
	return p.host
}

// authRoot is the REST root of the authorization server, an address of its own,
// so that no test reaches a real one.
func (p *Portal) authRoot() string { return p.authOrigin() + "/rest/" }

// setUser writes data[USER].
func (p *Portal) setUser(e *event, id imbot.ID, flags bool) {
	u := p.users[id]
	if u == nil {
		return
	}
	set := e.set("data", "USER")
	set("ID", id.String(), "NAME", u.name(), "FIRST_NAME", u.first, "LAST_NAME", u.last,
		"WORK_POSITION", u.position, "GENDER", u.gender)
	if flags {
		set("IS_BOT", yesNo(u.isBot), "IS_CONNECTOR", yesNo(u.isConnector), "IS_NETWORK", "N", "IS_EXTRANET", yesNo(u.extranet))
	}
}

func yesNo(b bool) string {
	if b {
		return "Y"
	}
	return "N"
}

// fireJoinPrivate tells a bot that a private dialog with it was opened, by the
// user or by the bot itself.
func (p *Portal) fireJoinPrivate(chat *chat, b *bot, user, from, to imbot.ID) {
	e := p.newEvent(eventJoinChat, b.app, b)
	e.set("data", "PARAMS")("CHAT_TYPE", kindPrivate, "MESSAGE_TYPE", kindPrivate, "BOT_ID", b.id.String(),
		"USER_ID", user.String(), "TO_USER_ID", to.String(), "FROM_USER_ID", from.String(),
		"DIALOG_ID", user.String(), "LANGUAGE", language)
	p.setUser(e, user, false)
	p.post(eventJoinChat, b.app, chatQueue(chat), p.finish(e, b.app, user, false))
}

// fireJoinGroup tells a bot that it was added to a group chat.
func (p *Portal) fireJoinGroup(chat *chat, b *bot, by imbot.ID, history bool) {
	e := p.newEvent(eventJoinChat, b.app, b)
	set := e.set("data", "PARAMS")
	set("CHAT_TYPE", chat.kind, "MESSAGE_TYPE", chat.kind, "BOT_ID", b.id.String(), "USER_ID", by.String(),
		"CHAT_ID", chat.id.String(), "CHAT_AUTHOR_ID", chat.owner.String())
	if chat.entityType != "" {
		set("CHAT_ENTITY_TYPE", chat.entityType)
	}
	access := "0"
	if history {
		access = "1"
	}
	set("CHAT_ENTITY_ID", chat.entityID, "ACCESS_HISTORY", access,
		"DIALOG_ID", string(imbot.ChatDialog(chat.id)), "LANGUAGE", language)
	p.setUser(e, by, false)
	p.post(eventJoinChat, b.app, chatQueue(chat), p.finish(e, b.app, by, false))
}

func (p *Portal) fireBotDelete(b *bot, by imbot.ID) {
	e := p.newEvent(eventBotDelete, b.app)
	e.set("data")("BOT_ID", b.id.String(), "BOT_CODE", b.code)
	p.post(eventBotDelete, b.app, appQueue(b.app), p.finish(e, b.app, by, false))
}

// mention is a mention with the name in it.
var mention = regexp.MustCompile(`(?is)\[user=([0-9]+)[^\]]*\](.*?)\[/user\]`)

// hearers are the bots that learn of a message: all of them in a private dialog,
// in a group chat the mentioned ones and supervisors. The bots of one application
// share an event. Operators of an open line are people like its guest.
func (p *Portal) hearers(chat *chat, mentioned []imbot.ID) (groups [][]*bot) {
	at := map[*application]int{}
	for _, member := range chat.members {
		b := p.bots[member.user]
		if b == nil || !b.hears(chat) && !slices.Contains(mentioned, b.id) {
			continue
		}
		i, ok := at[b.app]
		if !ok {
			i = len(groups)
			at[b.app] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], b)
	}
	return groups
}

// fireMessageAdd tells bots about a person's message.
func (p *Portal) fireMessageAdd(chat *chat, m *message, before imbot.ID) {
	mentioned := mentions(m.Text)
	for _, bots := range p.hearers(chat, mentioned) {
		app := bots[0].app
		e := p.newEvent(eventMessageAdd, app, bots...)
		if chat.kind == kindPrivate {
			p.setPrivateMessage(e, chat, m, bots[0])
		} else {
			p.setGroupMessage(e, chat, m, before, mentioned)
		}
		p.setUser(e, m.AuthorID, true)
		for _, b := range bots {
			if chat.kind != kindLines && b.kind != imbot.BotTypeSupervisor { // a real portal shows it by itself, too
				p.startTyping(chat, b.id)
			}
		}
		p.post(eventMessageAdd, app, chatQueue(chat), p.finish(e, app, m.AuthorID, true))
	}
}

// hears reports whether a bot gets all messages of its chat.
func (b *bot) hears(chat *chat) bool {
	switch chat.kind {
	case kindPrivate:
		return true
	case kindLines:
		return b.openLine.Bool()
	}
	return b.kind == imbot.BotTypeSupervisor
}

// sendFlags are the keys that say how a message was sent, the same every time.
var sendFlags = []string{
	"PUSH", "Y", "PUSH_IMPORTANT", "N", "RECENT_SKIP_AUTHOR", "N", "CONVERT", "N", "SKIP_COMMAND", "N",
	"SKIP_COUNTER_INCREMENTS", "N", "SILENT_CONNECTOR", "N", "SKIP_CONNECTOR", "N", "IMPORTANT_CONNECTOR", "N",
	"NO_SESSION_OL", "N", "FAKE_RELATION", "0", "SKIP_URL_INDEX", "N",
}

func (p *Portal) setPrivateMessage(e *event, chat *chat, m *message, b *bot) {
	author := m.AuthorID.String()
	set := e.set("data", "PARAMS")
	set("MESSAGE", m.Text, "TEMPLATE_ID", newUUID(), "MESSAGE_TYPE", kindPrivate, "FROM_USER_ID", author,
		"DIALOG_ID", author, "TO_CHAT_ID", chat.id.String(), "AUTHOR_ID", author, "SYSTEM", "N", "TO_USER_ID", b.id.String())
	set(sendFlags...)
	set("COMMAND_CONTEXT", "TEXTAREA", "CHAT_USER_COUNT", strconv.Itoa(len(chat.members)),
		"PLATFORM_CONTEXT", "web", "MESSAGE_ID", m.ID.String(), "CHAT_TYPE", kindPrivate, "LANGUAGE", language)
}

func (p *Portal) setGroupMessage(e *event, chat *chat, m *message, before imbot.ID, mentioned []imbot.ID) {
	text, first := p.addressed(m.Text, mentioned)
	p.setGroup(e, chat, m, text, before)
	set := e.set("data", "PARAMS")
	set(sendFlags...)
	set("COMMAND_CONTEXT", "TEXTAREA", "CHAT_USER_COUNT", strconv.Itoa(len(chat.members)))
	for _, id := range mentioned {
		e.set("data", "PARAMS", "MENTIONED_LIST")(id.String(), id.String())
	}
	set("PLATFORM_CONTEXT", "web")
	if first != 0 {
		set("MESSAGE_ORIGINAL", m.Text)
	}
	set("TO_USER_ID", first.String(), "MESSAGE_ID", m.ID.String(), "LANGUAGE", language)
}

// setGroup writes what messages and commands in a group chat begin with.
func (p *Portal) setGroup(e *event, chat *chat, m *message, text string, before imbot.ID, more ...string) {
	author, id := m.AuthorID.String(), chat.id.String()
	set := e.set("data", "PARAMS")
	set("MESSAGE", text, "TEMPLATE_ID", newUUID(), "MESSAGE_TYPE", chat.kind, "FROM_USER_ID", author,
		"DIALOG_ID", "chat"+id, "TO_CHAT_ID", id, "AUTHOR_ID", author, "SYSTEM", "N", "CHAT_ID", id)
	set(more...)
	set("CHAT_TITLE", chat.title, "CHAT_AUTHOR_ID", chat.owner.String(), "CHAT_TYPE", chat.kind, "CHAT_AVATAR", "0",
		"CHAT_COLOR", string(chat.color))
	set(chat.entity()...)
	set("CHAT_EXTRANET", yesNo(p.hasExtranet(chat)), "CHAT_PREV_MESSAGE_ID", before.String(), "CHAT_CAN_POST", "MEMBER", "RID", author,
		"IS_MANAGER", yesNo(chat.member(m.AuthorID).manager))
}

// entity are the tags of a chat; a type that is null is left out.
func (c *chat) entity() (pairs []string) {
	if c.entityType != "" {
		pairs = append(pairs, "CHAT_ENTITY_TYPE", c.entityType)
	}
	return append(pairs, "CHAT_ENTITY_ID", c.entityID, "CHAT_ENTITY_DATA_1", c.entityData[0],
		"CHAT_ENTITY_DATA_2", c.entityData[1], "CHAT_ENTITY_DATA_3", c.entityData[2])
}

// addressed takes the mentions of bots out of a text and returns the first of
// those bots.
func (p *Portal) addressed(text string, mentioned []imbot.ID) (string, imbot.ID) {
	first := slices.IndexFunc(mentioned, func(id imbot.ID) bool { return p.bots[id] != nil })
	if first < 0 {
		return text, 0
	}
	text = mention.ReplaceAllStringFunc(text, func(code string) string {
		if p.bots[toID(mention.FindStringSubmatch(code)[1])] != nil {
			return ""
		}
		return code
	})
	return strings.TrimSpace(text), mentioned[first]
}

// mentions are the users that a text mentions, in its order.
func mentions(text string) []imbot.ID {
	var ids []imbot.ID
	for _, found := range mention.FindAllStringSubmatch(text, -1) {
		if id := toID(found[1]); id > 0 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
