package v1

import (
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func botMethods(name string) world.Method {
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

// maxBots is how many bots an application may have.
const maxBots = 5

func botRegister(c *world.Call) (any, *world.Refusal) {
	w := c.World
	app, fail := application(c)
	if fail != nil {
		return nil, fail
	}
	urls, fail := handlerURLs(c.Params, true)
	if fail != nil {
		return nil, fail
	}
	code := c.Params.Text("CODE")
	if !php.Truthy(code) {
		return nil, world.BadRequest("CODE_ERROR", "Bot code isn't specified")
	}
	existing := w.BotByCode(code)
	if existing == nil && w.CountBots(app) >= maxBots {
		return nil, world.BadRequest("MAX_COUNT_ERROR", "Has reached the maximum number of bots for application (max: 5)")
	}
	properties := c.Params.Array("PROPERTIES")
	if !properties.Given("NAME") && !properties.Given("LAST_NAME") {
		return nil, world.BadRequest("NAME_ERROR", "Bot name isn't specified")
	}
	if existing != nil { // only the handlers change, and the id is answered as text
		bind(w, app, urls)
		return existing.ID.String(), nil
	}
	if birthday := properties.Text("PERSONAL_BIRTHDAY"); birthday != "" {
		if _, err := time.Parse(time.DateOnly, birthday); err != nil {
			return nil, world.BadRequest("0", "Incorrect date")
		}
	}
	email := properties.Text("EMAIL")
	if email != "" && w.EmailTaken(email) {
		return nil, world.BadRequest("WRONG_REQUEST", "Bot can't be created")
	}
	u := w.AddUser(properties.Text("NAME"), properties.Text("LAST_NAME"))
	u.IsBot = true
	setProfile(u, properties)
	if u.Position == "" {
		u.Position = "Chat bot"
	}
	b := &world.Bot{ID: u.ID, App: app, Code: code, Kind: imbot.BotTypeBot, OpenLine: imbot.No, Email: email}
	switch kind := imbot.BotType(c.Params.Text("TYPE")); kind {
	case imbot.BotTypeOpenLine, imbot.BotTypeSupervisor:
		b.Kind = kind
	}
	if c.Params.Text("OPENLINE") == "Y" || b.Kind == imbot.BotTypeOpenLine {
		b.OpenLine = imbot.Yes
	}
	u.Picture = world.Picture(properties.Get("PERSONAL_PHOTO")) // imbot.update does not change it
	w.Bots[b.ID] = b
	bind(w, app, urls)
	return b.ID, nil
}

func botUpdate(c *world.Call) (any, *world.Refusal) {
	w := c.World
	app, fail := application(c)
	if fail != nil {
		return nil, fail
	}
	b, fail := ownBot(c, app)
	if fail != nil {
		return nil, fail
	}
	if fail := noHandlers(b); fail != nil {
		return nil, fail
	}
	fields := c.Params.Array("FIELDS")
	urls, fail := handlerURLs(fields, false)
	if fail != nil {
		return nil, fail
	}
	properties := fields.Array("PROPERTIES")
	first, last := properties.Text("NAME"), properties.Text("LAST_NAME")
	if properties.Given("NAME") && properties.Given("LAST_NAME") && first == "" && last == "" {
		return nil, world.BadRequest("NAME_ERROR", "Bot name isn't specified")
	}
	code, openLine, kind := fields.Text("CODE"), fields.Text("OPENLINE"), newKind(c, fields)
	if len(urls) == 0 && code == "" && openLine == "" && kind == "" && properties.Len() == 0 {
		return nil, world.BadRequest("WRONG_REQUEST", "Update fields can't be empty")
	}
	bind(w, app, urls)
	if code != "" {
		b.Code = code
	}
	if openLine == "Y" || openLine == "N" {
		b.OpenLine = imbot.Flag(openLine)
	}
	if kind != "" {
		b.Kind = kind
	}
	u := w.Users[b.ID]
	if first != "" {
		u.First = first
	}
	if last != "" || properties.Given("LAST_NAME") && first != "" {
		u.Last = last
	}
	setProfile(u, properties)
	w.NoteUser(u.ID)
	if email := properties.Text("EMAIL"); email != "" && !w.EmailTaken(email) { // a taken address is dropped silently
		b.Email = email
	}
	return true, nil
}

// newKind is the type to which imbot.update changes a bot, "" for none. The portal reads
// FIELDS.TYPE only when a parameter TYPE stands beside FIELDS.
func newKind(c *world.Call, fields *php.Array) imbot.BotType {
	switch imbot.BotType(c.Params.Text("TYPE")) {
	case imbot.BotTypeOpenLine, imbot.BotTypeHuman, imbot.BotTypeBot:
	default:
		return ""
	}
	switch kind := imbot.BotType(fields.Text("TYPE")); kind {
	case imbot.BotTypeOpenLine:
		return kind
	case imbot.BotTypeHuman, imbot.BotTypeBot: // the portal stores both as B
		return imbot.BotTypeBot
	}
	return ""
}

func botUnregister(c *world.Call) (any, *world.Refusal) {
	app, fail := application(c)
	if fail != nil {
		return nil, fail
	}
	b, fail := ownBot(c, app)
	if fail != nil {
		return nil, fail
	}
	if fail := c.Vetoed("Bot can't be deleted"); fail != nil {
		return nil, fail
	}
	c.World.DropBot(b, c.User)
	return true, nil
}

// listedBot is a bot in the answer of imbot.bot.list.
type listedBot struct {
	ID       imbot.ID   `json:"ID"`
	Name     string     `json:"NAME"`
	Code     string     `json:"CODE"`
	OpenLine imbot.Flag `json:"OPENLINE"`
}

func botList(c *world.Call) (any, *world.Refusal) {
	list := php.NewArray()
	for _, id := range world.SortedIDs(c.World.Bots) {
		b := c.World.Bots[id]
		list.Set(id.String(), listedBot{ID: id, Name: world.EscapeName(c.World.Users[id].Name()), Code: b.Code, OpenLine: b.OpenLine})
	}
	return list, nil
}

func noHandlers(b *world.Bot) *world.Refusal {
	if b.Mode == world.ModeFetch {
		return world.BadRequest("FETCH_NOT_SUPPORTED", "The bot fetches its events")
	}
	return nil
}

func setProfile(u *world.User, properties *php.Array) {
	if gender := properties.Text("PERSONAL_GENDER"); gender == "M" || gender == "F" {
		u.Gender = gender
	}
	if position := properties.Text("WORK_POSITION"); position != "" {
		u.Position = position
	}
	if color := properties.Text("COLOR"); color != "" {
		u.Color = imbot.Color(color)
	}
}
