package imbottest

import (
	"maps"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// user is a person or a bot.
type user struct {
	id       imbot.ID
	first    string
	last     string
	gender   string
	position string
	isBot    bool

	isConnector bool // a guest of an open line
	color       imbot.Color
	picture     []byte
	extranet    bool
	denied      bool // may not change chats
	dismissed   bool
}

func (u *user) name() string { return strings.TrimSpace(u.first + " " + u.last) }

// bot is what a bot has beyond a user.
type bot struct {
	id       imbot.ID
	app      *application
	code     string
	kind     imbot.BotType
	openLine imbot.Flag
	email    string
	fetch    bool // registered through imbot.v2, without handlers
}

// maxBots is the limit for one application.
const maxBots = 5

func botMethods(name string) method {
	switch name {
	case "imbot.register":
		return botRegister
	case "imbot.update":
		return botUpdate
	case "imbot.unregister":
		return botUnregister
	case "imbot.bot.list":
		return botList
	}
	return nil
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
	return wrong(param+"_ERROR", description)
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

func botRegister(c *call) (any, *restError) {
	p := c.p
	app, fail := c.application()
	if fail != nil {
		return nil, fail
	}
	urls, fail := handlerURLs(c.params, true)
	if fail != nil {
		return nil, fail
	}
	code := c.params.text("CODE")
	if code == "" {
		return nil, wrong("CODE_ERROR", "Bot code isn't specified")
	}
	existing := p.botByCode(code)
	if existing == nil && p.countBots(app) >= maxBots {
		return nil, wrong("MAX_COUNT_ERROR", "Has reached the maximum number of bots for application (max: 5)")
	}
	properties := c.params.array("PROPERTIES")
	if !properties.given("NAME") && !properties.given("LAST_NAME") {
		return nil, wrong("NAME_ERROR", "Bot name isn't specified")
	}
	if existing != nil { // nothing but the handlers changes, and the id comes from the database as text
		p.bind(app, urls)
		return existing.id.String(), nil
	}
	if birthday := properties.text("PERSONAL_BIRTHDAY"); birthday != "" {
		if _, err := time.Parse(time.DateOnly, birthday); err != nil {
			return nil, wrong("0", "Incorrect date")
		}
	}
	email := properties.text("EMAIL")
	if email != "" && p.emailTaken(email) {
		return nil, wrong("WRONG_REQUEST", "Bot can't be created")
	}
	u := p.addUser(properties.text("NAME"), properties.text("LAST_NAME"))
	u.isBot = true
	u.setProfile(properties)
	if u.position == "" {
		u.position = "Chat bot"
	}
	b := &bot{id: u.id, app: app, code: code, kind: imbot.BotTypeBot, openLine: imbot.No, email: email}
	switch kind := imbot.BotType(c.params.text("TYPE")); kind {
	case imbot.BotTypeOpenLine, imbot.BotTypeSupervisor:
		b.kind = kind
	}
	if c.params.text("OPENLINE") == "Y" || b.kind == imbot.BotTypeOpenLine {
		b.openLine = imbot.Yes
	}
	u.picture = picture(properties.get("PERSONAL_PHOTO")) // an update does not change it
	p.bots[b.id] = b
	p.bind(app, urls)
	return b.id, nil
}

func (u *user) setProfile(properties *array) {
	if gender := properties.text("PERSONAL_GENDER"); gender == "M" || gender == "F" {
		u.gender = gender
	}
	if position := properties.text("WORK_POSITION"); position != "" {
		u.position = position
	}
	if color := properties.text("COLOR"); color != "" {
		u.color = imbot.Color(color)
	}
}

func botUpdate(c *call) (any, *restError) {
	p := c.p
	app, fail := c.application()
	if fail != nil {
		return nil, fail
	}
	b, fail := c.ownBot(app)
	if fail != nil {
		return nil, fail
	}
	if fail := b.noHandlers(); fail != nil {
		return nil, fail
	}
	fields := c.params.array("FIELDS")
	urls, fail := handlerURLs(fields, false)
	if fail != nil {
		return nil, fail
	}
	properties := fields.array("PROPERTIES")
	first, last := properties.text("NAME"), properties.text("LAST_NAME")
	if properties.given("NAME") && properties.given("LAST_NAME") && first == "" && last == "" {
		return nil, wrong("NAME_ERROR", "Bot name isn't specified")
	}
	code, openLine, kind := fields.text("CODE"), fields.text("OPENLINE"), c.newKind(fields)
	if len(urls) == 0 && code == "" && openLine == "" && kind == "" && properties.len() == 0 {
		return nil, wrong("WRONG_REQUEST", "Update fields can't be empty")
	}
	p.bind(app, urls)
	if code != "" {
		b.code = code
	}
	if openLine == "Y" || openLine == "N" {
		b.openLine = imbot.Flag(openLine)
	}
	if kind != "" {
		b.kind = kind
	}
	u := p.users[b.id]
	if first != "" {
		u.first = first
	}
	if last != "" || properties.given("LAST_NAME") && first != "" {
		u.last = last
	}
	u.setProfile(properties)
	p.noteUser(u.id)
	if email := properties.text("EMAIL"); email != "" && !p.emailTaken(email) { // a taken address is dropped silently
		b.email = email
	}
	return true, nil
}

// newKind is FIELDS.TYPE, which counts only when TYPE stands beside FIELDS, too.
func (c *call) newKind(fields *array) imbot.BotType {
	switch imbot.BotType(c.params.text("TYPE")) {
	case imbot.BotTypeOpenLine, imbot.BotTypeHuman, imbot.BotTypeBot:
	default:
		return ""
	}
	switch kind := imbot.BotType(fields.text("TYPE")); kind {
	case imbot.BotTypeOpenLine:
		return kind
	case imbot.BotTypeHuman, imbot.BotTypeBot: // people cannot tell them apart, nor can the portal
		return imbot.BotTypeBot
	}
	return ""
}

func botUnregister(c *call) (any, *restError) {
	app, fail := c.application()
	if fail != nil {
		return nil, fail
	}
	b, fail := c.ownBot(app)
	if fail != nil {
		return nil, fail
	}
	if fail := c.vetoed("Bot can't be deleted"); fail != nil {
		return nil, fail
	}
	c.p.dropBot(b, c.user)
	return true, nil
}

// dropBot deletes a bot, its chat applications, commands and memberships.
func (p *Portal) dropBot(b *bot, by imbot.ID) {
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
	p.fireBotDelete(b, by)
}

// listedBot is a bot in the answer of imbot.bot.list.
type listedBot struct {
	ID       imbot.ID   `json:"ID"`
	Name     string     `json:"NAME"`
	Code     string     `json:"CODE"`
	OpenLine imbot.Flag `json:"OPENLINE"`
}

func botList(c *call) (any, *restError) {
	list := newArray()
	for _, id := range sortedIDs(c.p.bots) {
		b := c.p.bots[id]
		list.set(id.String(), listedBot{ID: id, Name: c.p.users[id].name(), Code: b.code, OpenLine: b.openLine})
	}
	return list, nil
}

func (p *Portal) botByCode(code string) *bot {
	for _, b := range p.bots {
		if b.code == code {
			return b
		}
	}
	return nil
}

func (p *Portal) countBots(app *application) (n int) {
	for _, b := range p.bots {
		if b.app == app {
			n++
		}
	}
	return n
}

func (p *Portal) emailTaken(email string) bool {
	for _, b := range p.bots {
		if strings.EqualFold(b.email, email) {
			return true
		}
	}
	return false
}
