package imbottest

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
)

func v2BotMethods(name string) method {
	switch name {
	case "imbot.v2.bot.register":
		return v2BotRegister
	case "imbot.v2.bot.update":
		return v2BotUpdate
	case "imbot.v2.bot.get":
		return v2BotGet
	case "imbot.v2.bot.list":
		return v2BotList
	case "imbot.v2.bot.unregister":
		return v2BotUnregister
	}
	return nil
}

// How many bots of this generation an application may have, and how long a new token may be.
const (
	maxBotsV2   = 100
	maxBotToken = 40
)

func v2BotRegister(c *call) (any, *restError) {
	p, fields := c.p, c.params.array("FIELDS")
	app, fail := c.owner()
	if fail != nil {
		token := cmp.Or(fields.text("botToken"), fields.text("BOT_TOKEN"), fields.text("clientId"), fields.text("CLIENT_ID"))
		if token == "" {
			return nil, fail
		}
		app = p.application("custom"+token, token, false)
	}
	properties, code, mode := fields.array("properties"), fields.text("code"), cmp.Or(fields.text("eventMode"), modeFetch)
	address := fields.text("webhookUrl")
	switch {
	case !app.oauth && len(app.clientID) > maxBotToken:
		return nil, badRequest("BOT_TOKEN_INVALID_LENGTH", "Bot token is too long")
	case code == "":
		return nil, badRequest("BOT_CODE_REQUIRED", "Bot code is required")
	case properties.text("name") == "":
		return nil, badRequest("BOT_PROPERTIES_REQUIRED", "Bot properties are required")
	case mode != modeFetch && mode != modeWebhook:
		return nil, badRequest("BOT_INVALID_EVENT_MODE", "Invalid event mode")
	case mode == modeWebhook && address == "":
		return nil, badRequest("BOT_WEBHOOK_URL_REQUIRED", "Webhook URL is required")
	}
	if existing := p.botByCode(code); existing != nil {
		if existing.app != app {
			return nil, badRequest("BOT_CODE_ALREADY_TAKEN", "Bot code is already taken")
		}
		return p.botResult(existing), nil
	}
	kind, known := map[string]imbot.BotType{
		"": imbot.BotTypeBot, "bot": imbot.BotTypeBot, "network": imbot.BotTypeBot, "supervisor": imbot.BotTypeSupervisor,
		"openline": imbot.BotTypeOpenLine, "personal": botTypePersonal,
	}[fields.text("type")]
	switch {
	case p.countBots(app) >= maxBotsV2:
		return nil, badRequest("BOT_LIMIT_EXCEEDED", "Too many bots")
	case !known:
		return nil, badRequest("BOT_INVALID_TYPE", "Invalid bot type")
	case mode == modeWebhook && !goodWebhook(address):
		return nil, badRequest("BOT_INVALID_CALLBACK", "Invalid webhook URL")
	}
	if fail := badAvatar(properties); fail != nil {
		return nil, fail
	}
	if fail := c.vetoedAs("BOT_REGISTER_FAILED", "Bot can't be registered"); fail != nil {
		return nil, fail
	}
	u := p.addUser(properties.text("name"), properties.text("lastName"))
	u.isBot, u.position = true, "Chat bot"
	p.setProfileV2(u, properties)
	b := &bot{id: u.id, app: app, code: code, kind: kind, openLine: imbot.No}
	if kind == imbot.BotTypeOpenLine {
		b.openLine = imbot.Yes
	}
	p.bots[b.id] = b
	b.setFlags(fields)
	p.setMode(b, mode, address)
	p.noteUser(u.id)
	return p.botResult(b), nil
}

func v2BotUpdate(c *call) (any, *restError) {
	p := c.p
	b, fail := c.botV2("fields")
	if fail != nil {
		return nil, fail
	}
	fields := c.params.array("FIELDS")
	mode, address := fields.text("eventMode"), fields.text("webhookUrl")
	if mode != "" && mode != modeFetch && mode != modeWebhook {
		return nil, badRequest("BOT_INVALID_EVENT_MODE", "Invalid event mode")
	}
	if properties := fields.array("properties"); properties.len() > 0 {
		if fail := badAvatar(properties); fail != nil {
			return nil, fail
		}
		u := p.users[b.id] // what is left out counts as empty, but a name stays
		u.first, u.last = cmp.Or(properties.text("name"), u.first), properties.text("lastName")
		u.gender, u.position = "", "Chat bot"
		p.setProfileV2(u, properties)
		p.noteUser(u.id)
	}
	if next := strings.TrimSpace(fields.text("botToken")); next != "" && !b.app.oauth {
		if fail := p.rotate(b, next); fail != nil {
			return nil, fail
		}
	}
	b.setFlags(fields)
	if mode == modeWebhook || mode == "" && b.mode == modeWebhook && address != "" { // the other fields are stored by then
		if !goodWebhook(cmp.Or(address, b.webhook)) {
			return nil, badRequest("BOT_INVALID_CALLBACK", "Invalid webhook URL")
		}
	}
	if mode != "" || address != "" {
		p.setMode(b, cmp.Or(mode, b.mode), cmp.Or(address, b.webhook))
	}
	return p.botResult(b), nil
}

// rotate gives a bot another token, that is another owner.
func (p *world) rotate(b *bot, next string) *restError {
	owner := p.application("custom"+next, next, false)
	if len(next) > maxBotToken || owner != b.app && p.countBots(owner) > 0 {
		return badRequest("BOT_TOKEN_ROTATION_FAILED", "The token can't be changed")
	}
	address := b.webhook
	if address != "" {
		p.unhook(b)
	}
	b.app = owner
	if address != "" {
		b.webhook = address
		p.hookTo(owner, address)
	}
	return nil
}

func v2BotGet(c *call) (any, *restError) {
	app, fail := c.owner()
	if fail != nil {
		return nil, fail
	}
	id, code := c.params.id("BOTID"), c.params.text("CODE")
	if id == 0 && code == "" {
		return nil, badRequest("PARAMS_REQUIRED", "Bot ID or code is required")
	}
	b := c.p.bots[id]
	if id == 0 {
		b = c.p.botByCode(code)
	}
	if b == nil {
		return nil, badRequest("BOT_NOT_FOUND", "Bot not found")
	}
	if b.app == app {
		return c.p.botResult(b), nil
	}
	return c.p.botResultFor(b, false), nil
}

func v2BotList(c *call) (any, *restError) {
	app, fail := c.owner()
	if fail != nil {
		return nil, fail
	}
	kind := c.params.array("FILTER").text("type")
	limit, offset := int(c.params.id("LIMIT")), int(c.params.id("OFFSET"))
	if limit <= 0 {
		limit = 50
	}
	var own []*bot
	for _, id := range sortedIDs(c.p.bots) {
		if b := c.p.bots[id]; b.app == app && (kind == "" || b.kindV2() == kind) {
			own = append(own, b)
		}
	}
	own = own[min(max(offset, 0), len(own)):]
	full := len(own) >= limit
	bots, users := newArray(), newArray()
	for _, b := range own[:min(limit, len(own))] {
		bots.add(c.p.botObject(b, true))
		users.add(c.p.userObject(c.p.users[b.id], false))
	}
	return object("bots", bots, "users", users, "hasNextPage", full && bots.len() > 0), nil
}

func v2BotUnregister(c *call) (any, *restError) {
	b, fail := c.botV2()
	if fail != nil {
		return nil, fail
	}
	if fail := c.vetoedAs("BOT_UNREGISTER_FAILED", "Bot can't be deleted"); fail != nil {
		return nil, fail
	}
	c.p.dropBot(b, c.user)
	return isTrue(), nil
}

// vetoedAs is vetoed with the code that this generation has for it.
func (c *call) vetoedAs(code, description string) *restError {
	if c.vetoed(description) != nil {
		return badRequest(code, description)
	}
	return nil
}

func (p *world) botResult(b *bot) *array { return p.botResultFor(b, true) }

func (p *world) botResultFor(b *bot, owner bool) *array {
	users := newArray()
	users.add(p.userObject(p.users[b.id], false))
	return object("bot", p.botObject(b, owner), "users", users)
}

// setProfileV2 stores what was sent of a profile.
func (p *world) setProfileV2(u *user, properties *array) {
	if gender := properties.text("gender"); gender == "M" || gender == "F" {
		u.gender = gender
	}
	u.position = cmp.Or(properties.text("workPosition"), u.position)
	if color := colorV2(properties.text("color")); color.Hex() != "" {
		u.color = color
	}
	if image := picture(properties.get("avatar")); image != nil {
		u.picture = image
	}
}

// colorV2 reads the name of a colour in either spelling.
func colorV2(name string) imbot.Color {
	for _, c := range imbot.Colors() {
		if strings.EqualFold(strings.ReplaceAll(string(c), "_", ""), strings.ReplaceAll(name, "_", "")) {
			return c
		}
	}
	return ""
}

func badAvatar(properties *array) *restError {
	avatar := properties.text("avatar")
	if avatar == "" || isImage(avatar) {
		return nil
	}
	if data, err := base64.StdEncoding.DecodeString(avatar); err == nil && isLarge(data) {
		return badRequest("BOT_AVATAR_INCORRECT_SIZE", "Avatar is too large")
	}
	return badRequest("BOT_AVATAR_INCORRECT_TYPE", "Avatar has an incorrect type")
}

var backgrounds = []string{"azure", "mint", "steel", "slate", "teal", "cornflower", "sky", "peach", "frost"}

// setFlags stores what was sent of the flags.
func (b *bot) setFlags(fields *array) {
	if fields.given("isHidden") {
		b.hidden = yes(fields.get("isHidden"))
	}
	if fields.given("isReactionsEnabled") {
		b.noReactions = !yes(fields.get("isReactionsEnabled"))
	}
	if fields.given("isSupportOpenline") {
		b.openLine = imbot.Flag(yesNo(yes(fields.get("isSupportOpenline"))))
	}
	if background := fields.text("backgroundId"); slices.Contains(backgrounds, background) {
		b.background = background
	}
}

// setMode lets a bot fetch its events, or have them posted, which deletes its queue.
func (p *world) setMode(b *bot, mode, address string) {
	if b.webhook != "" && (mode != modeWebhook || address != b.webhook) {
		p.unhook(b)
	}
	if mode == modeWebhook {
		for b.mode != modeWebhook && len(b.queue) > 0 {
			p.dropFirst(b, "the queue is deleted")
		}
		b.webhook = address
		p.hookTo(b.app, address)
	}
	b.mode = mode
}

// WaitBot waits until a bot with this code is registered, and returns its id.
func (p *Portal) WaitBot(ctx context.Context, code string) (imbot.ID, error) {
	var id imbot.ID
	err := p.await(ctx, func() bool {
		b := p.botByCode(code)
		if b == nil {
			return false
		}
		id = b.id
		return true
	})
	return id, err
}
