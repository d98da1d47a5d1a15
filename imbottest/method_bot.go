package imbottest

import (
	"time"

	"github.com/imbot-go/imbot"
)

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
	if !truthy(code) {
		return nil, badRequest("CODE_ERROR", "Bot code isn't specified")
	}
	existing := p.botByCode(code)
	if existing == nil && p.countBots(app) >= maxBots {
		return nil, badRequest("MAX_COUNT_ERROR", "Has reached the maximum number of bots for application (max: 5)")
	}
	properties := c.params.array("PROPERTIES")
	if !properties.given("NAME") && !properties.given("LAST_NAME") {
		return nil, badRequest("NAME_ERROR", "Bot name isn't specified")
	}
	if existing != nil { // only the handlers change, and the id is answered as text
		p.bind(app, urls)
		return existing.id.String(), nil
	}
	if birthday := properties.text("PERSONAL_BIRTHDAY"); birthday != "" {
		if _, err := time.Parse(time.DateOnly, birthday); err != nil {
			return nil, badRequest("0", "Incorrect date")
		}
	}
	email := properties.text("EMAIL")
	if email != "" && p.emailTaken(email) {
		return nil, badRequest("WRONG_REQUEST", "Bot can't be created")
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
	u.picture = picture(properties.get("PERSONAL_PHOTO")) // imbot.update does not change it
	p.bots[b.id] = b
	p.bind(app, urls)
	return b.id, nil
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
		return nil, badRequest("NAME_ERROR", "Bot name isn't specified")
	}
	code, openLine, kind := fields.text("CODE"), fields.text("OPENLINE"), c.newKind(fields)
	if len(urls) == 0 && code == "" && openLine == "" && kind == "" && properties.len() == 0 {
		return nil, badRequest("WRONG_REQUEST", "Update fields can't be empty")
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

// newKind is the type to which imbot.update changes a bot, "" for none. The portal reads
// FIELDS.TYPE only when a parameter TYPE stands beside FIELDS.
func (c *call) newKind(fields *array) imbot.BotType {
	switch imbot.BotType(c.params.text("TYPE")) {
	case imbot.BotTypeOpenLine, imbot.BotTypeHuman, imbot.BotTypeBot:
	default:
		return ""
	}
	switch kind := imbot.BotType(fields.text("TYPE")); kind {
	case imbot.BotTypeOpenLine:
		return kind
	case imbot.BotTypeHuman, imbot.BotTypeBot: // the portal stores both as B
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
		list.set(id.String(), listedBot{ID: id, Name: escapeName(c.p.users[id].name()), Code: b.code, OpenLine: b.openLine})
	}
	return list, nil
}
