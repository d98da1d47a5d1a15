package v2

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func botMethods(name string) world.Method {
	switch name {
	case "imbot.v2.bot.register":
		return botRegister
	case "imbot.v2.bot.update":
		return botUpdate
	case "imbot.v2.bot.get":
		return botGet
	case "imbot.v2.bot.list":
		return botList
	case "imbot.v2.bot.unregister":
		return botUnregister
	}
	return nil
}

// How many bots of this generation an application may have, and how long a new token may be.
const (
	maxBots     = 100
	maxBotToken = 40
)

func botRegister(c *world.Call) (any, *world.Refusal) {
	w, fields := c.World, c.Params.Array("FIELDS")
	app, fail := owner(c)
	if fail != nil {
		token := cmp.Or(fields.Text("botToken"), fields.Text("BOT_TOKEN"), fields.Text("clientId"), fields.Text("CLIENT_ID"))
		if token == "" {
			return nil, fail
		}
		app = w.Application("custom"+token, token, false)
	}
	properties, code, mode := fields.Array("properties"), fields.Text("code"), cmp.Or(fields.Text("eventMode"), world.ModeFetch)
	address := fields.Text("webhookUrl")
	switch {
	case !app.OAuth && len(app.ClientID) > maxBotToken:
		return nil, world.BadRequest("BOT_TOKEN_INVALID_LENGTH", "Bot token is too long")
	case code == "":
		return nil, world.BadRequest("BOT_CODE_REQUIRED", "Bot code is required")
	case properties.Text("name") == "":
		return nil, world.BadRequest("BOT_PROPERTIES_REQUIRED", "Bot properties are required")
	case mode != world.ModeFetch && mode != world.ModeWebhook:
		return nil, world.BadRequest("BOT_INVALID_EVENT_MODE", "Invalid event mode")
	case mode == world.ModeWebhook && address == "":
		return nil, world.BadRequest("BOT_WEBHOOK_URL_REQUIRED", "Webhook URL is required")
	}
	if existing := w.BotByCode(code); existing != nil {
		if existing.App != app {
			return nil, world.BadRequest("BOT_CODE_ALREADY_TAKEN", "Bot code is already taken")
		}
		if w.Differs(world.DoubtRegisterAgain) {
			w.Users[existing.ID].First = properties.Text("name")
			w.NoteUser(existing.ID)
		}
		return botResult(w, existing), nil
	}
	kind, known := kinds[fields.Text("type")]
	switch {
	case w.CountBots(app) >= maxBots:
		return nil, world.BadRequest("BOT_LIMIT_EXCEEDED", "Too many bots")
	case !known:
		return nil, world.BadRequest("BOT_INVALID_TYPE", "Invalid bot type")
	case mode == world.ModeWebhook && !goodWebhook(address):
		return nil, world.BadRequest("BOT_INVALID_CALLBACK", "Invalid webhook URL")
	}
	if fail := badAvatar(properties); fail != nil {
		return nil, fail
	}
	if fail := vetoedAs(c, "BOT_REGISTER_FAILED", "Bot can't be registered"); fail != nil {
		return nil, fail
	}
	u := w.AddUser(properties.Text("name"), properties.Text("lastName"))
	u.IsBot, u.Position = true, "Chat bot"
	setProfile(w, u, properties)
	b := &world.Bot{ID: u.ID, App: app, Code: code, Kind: kind, OpenLine: imbot.No}
	if kind == imbot.BotTypeOpenLine {
		b.OpenLine = imbot.Yes
	}
	w.Bots[b.ID] = b
	setFlags(w, b, fields)
	setMode(w, b, mode, address)
	w.NoteUser(u.ID)
	return botResult(w, b), nil
}

// kinds are the types of bots by their names.
var kinds = map[string]imbot.BotType{
	"": imbot.BotTypeBot, "bot": imbot.BotTypeBot, "network": imbot.BotTypeBot, "supervisor": imbot.BotTypeSupervisor,
	"openline": imbot.BotTypeOpenLine, "personal": world.BotTypePersonal,
}

func botUpdate(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, fail := botOf(c, "fields")
	if fail != nil {
		return nil, fail
	}
	fields := c.Params.Array("FIELDS")
	mode, address := fields.Text("eventMode"), fields.Text("webhookUrl")
	if mode != "" && mode != world.ModeFetch && mode != world.ModeWebhook {
		return nil, world.BadRequest("BOT_INVALID_EVENT_MODE", "Invalid event mode")
	}
	if properties := fields.Array("properties"); properties.Len() > 0 {
		if fail := badAvatar(properties); fail != nil {
			return nil, fail
		}
		u := w.Users[b.ID] // what is left out counts as empty, but a name stays
		u.First = cmp.Or(properties.Text("name"), u.First)
		if properties.Given("lastName") || !w.Differs(world.DoubtPropertiesPartial) {
			u.Last = properties.Text("lastName")
		}
		if !w.Differs(world.DoubtPropertiesPartial) {
			u.Gender, u.Position = "", "Chat bot"
		}
		setProfile(w, u, properties)
		w.NoteUser(u.ID)
	}
	if next := strings.TrimSpace(fields.Text("botToken")); next != "" && !b.App.OAuth {
		if fail := rotate(w, b, next); fail != nil {
			return nil, fail
		}
	}
	setFlags(w, b, fields)
	if mode == world.ModeWebhook || mode == "" && b.Mode == world.ModeWebhook && address != "" { // the other fields are stored by then
		if !goodWebhook(cmp.Or(address, b.Webhook)) {
			return nil, world.BadRequest("BOT_INVALID_CALLBACK", "Invalid webhook URL")
		}
	}
	if mode == world.ModeFetch && b.Mode == "" && w.Differs(world.DoubtV1ToFetch) {
		answer := botResult(w, b)
		answer.Array("bot").Set("eventMode", mode)
		return answer, nil
	}
	if mode != "" || address != "" {
		setMode(w, b, cmp.Or(mode, b.Mode), cmp.Or(address, b.Webhook))
	}
	return botResult(w, b), nil
}

// rotate gives a bot another token, that is another owner.
func rotate(w *world.World, b *world.Bot, next string) *world.Refusal {
	owner := w.Application("custom"+next, next, false)
	if len(next) > maxBotToken || owner != b.App && w.CountBots(owner) > 0 {
		return world.BadRequest("BOT_TOKEN_ROTATION_FAILED", "The token can't be changed")
	}
	address := b.Webhook
	if address != "" {
		w.Unhook(b)
	}
	b.App = owner
	if address != "" {
		b.Webhook = address
		w.HookTo(owner, address)
	}
	return nil
}

func botGet(c *world.Call) (any, *world.Refusal) {
	app, fail := owner(c)
	if fail != nil {
		return nil, fail
	}
	id, code := c.Params.ID("BOTID"), c.Params.Text("CODE")
	if id == 0 && code == "" {
		return nil, world.BadRequest("PARAMS_REQUIRED", "Bot ID or code is required")
	}
	b := c.World.Bots[id]
	if id == 0 {
		b = c.World.BotByCode(code)
	}
	if b == nil {
		return nil, world.BadRequest("BOT_NOT_FOUND", "Bot not found")
	}
	if b.App == app {
		return botResult(c.World, b), nil
	}
	return botResultFor(c.World, b, false), nil
}

func botList(c *world.Call) (any, *world.Refusal) {
	app, fail := owner(c)
	if fail != nil {
		return nil, fail
	}
	kind := c.Params.Array("FILTER").Text("type")
	if _, known := kinds[kind]; !known && c.World.Differs(world.DoubtUnknownBotType) {
		kind = ""
	}
	limit, offset := int(c.Params.ID("LIMIT")), int(c.Params.ID("OFFSET"))
	if limit <= 0 {
		limit = 50
	}
	var own []*world.Bot
	for _, id := range world.SortedIDs(c.World.Bots) {
		if b := c.World.Bots[id]; b.App == app && (kind == "" || b.KindV2() == kind) {
			own = append(own, b)
		}
	}
	own = own[min(max(offset, 0), len(own)):]
	full := len(own) >= limit
	bots, users := php.NewArray(), php.NewArray()
	for _, b := range own[:min(limit, len(own))] {
		bots.Add(c.World.BotObject(b, true))
		users.Add(c.World.UserObject(c.World.Users[b.ID], false))
	}
	if bots.Len() == 0 && c.World.Differs(world.DoubtEmptyList) {
		return php.Object("bots", nil, "users", nil, "hasNextPage", false), nil
	}
	return php.Object("bots", bots, "users", users, "hasNextPage", full && bots.Len() > 0), nil
}

func botUnregister(c *world.Call) (any, *world.Refusal) {
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	if fail := vetoedAs(c, "BOT_UNREGISTER_FAILED", "Bot can't be deleted"); fail != nil {
		return nil, fail
	}
	c.World.DropBot(b, c.User)
	return isTrue(), nil
}

// vetoedAs is vetoed with the code that this generation has for it.
func vetoedAs(c *world.Call, code, description string) *world.Refusal {
	if c.Vetoed(description) != nil {
		return world.BadRequest(code, description)
	}
	return nil
}

func botResult(w *world.World, b *world.Bot) *php.Array { return botResultFor(w, b, true) }

func botResultFor(w *world.World, b *world.Bot, owner bool) *php.Array {
	users := php.NewArray()
	users.Add(w.UserObject(w.Users[b.ID], false))
	return php.Object("bot", w.BotObject(b, owner), "users", users)
}

// setProfile stores what was sent of a profile.
func setProfile(w *world.World, u *world.User, properties *php.Array) {
	if gender := properties.Text("gender"); gender == "M" || gender == "F" {
		u.Gender = gender
	}
	u.Position = cmp.Or(properties.Text("workPosition"), u.Position)
	if color := colorOf(w, properties.Text("color")); color.Hex() != "" {
		u.Color = color
	}
	if image := world.Picture(properties.Get("avatar")); image != nil {
		u.Picture = image
	}
}

// colorOf reads the name of a colour in either spelling.
func colorOf(w *world.World, name string) imbot.Color {
	for _, c := range imbot.Colors() {
		if string(c) != name && w.Differs(world.DoubtColourSpelling) {
			continue
		}
		if strings.EqualFold(strings.ReplaceAll(string(c), "_", ""), strings.ReplaceAll(name, "_", "")) {
			return c
		}
	}
	return ""
}

func badAvatar(properties *php.Array) *world.Refusal {
	avatar := properties.Text("avatar")
	if avatar == "" || world.IsImage(avatar) {
		return nil
	}
	if data, err := base64.StdEncoding.DecodeString(avatar); err == nil && world.IsLarge(data) {
		return world.BadRequest("BOT_AVATAR_INCORRECT_SIZE", "Avatar is too large")
	}
	return world.BadRequest("BOT_AVATAR_INCORRECT_TYPE", "Avatar has an incorrect type")
}

var backgrounds = []string{"azure", "mint", "steel", "slate", "teal", "cornflower", "sky", "peach", "frost"}

// setFlags stores what was sent of the flags.
func setFlags(w *world.World, b *world.Bot, fields *php.Array) {
	if fields.Given("isHidden") {
		b.Hidden = yes(w, fields.Get("isHidden"))
	}
	if fields.Given("isReactionsEnabled") {
		b.NoReactions = !yes(w, fields.Get("isReactionsEnabled"))
	}
	if fields.Given("isSupportOpenline") {
		b.OpenLine = imbot.Flag(php.YesNo(yes(w, fields.Get("isSupportOpenline"))))
	}
	if background := fields.Text("backgroundId"); slices.Contains(backgrounds, background) {
		b.Background = background
	} else if fields.Has("backgroundId") && !fields.Given("backgroundId") && w.Differs(world.DoubtBackgroundNull) {
		b.Background = ""
	}
}

// setMode lets a bot fetch its events, or have them posted, which deletes its queue.
func setMode(w *world.World, b *world.Bot, mode, address string) {
	if b.Webhook != "" && (mode != world.ModeWebhook || address != b.Webhook) {
		w.Unhook(b)
	}
	if mode == world.ModeWebhook {
		b.Queue.Clear()
		b.Webhook = address
		w.HookTo(b.App, address)
	}
	b.Mode = mode
}

// goodWebhook checks a handler's URL by its form.
func goodWebhook(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && world.IsLoopback(u.Hostname()))
}
