package imbottest

import (
	"fmt"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/textstage"
)

// The objects of the second generation, as answers and events have them.

// noObject is an object without members, which PHP writes as a list in JSON.
type noObject struct{}

// MarshalJSON writes what the documentation shows.
func (noObject) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

func (p *world) botObject(b *bot, owner bool) *array {
	a := object("id", b.id, "code", b.code, "type", b.kindV2(), "isHidden", b.hidden, "isSupportOpenline", b.openLine.Bool(),
		"isReactionsEnabled", !b.noReactions, "backgroundId", nil, "language", language)
	if b.background != "" {
		a.set("backgroundId", b.background)
	}
	if owner {
		mode := b.mode
		if mode == "" { // of the first generation
			mode = modeWebhook
		}
		a.set("moduleId", "rest")
		a.set("eventMode", mode)
		for _, name := range []string{"countMessage", "countCommand", "countChat", "countUser"} {
			a.set(name, number(0))
		}
	}
	return a
}

// kindV2 is the type of a bot as this generation names it.
func (b *bot) kindV2() string {
	switch b.kind {
	case imbot.BotTypeSupervisor:
		return "supervisor"
	case imbot.BotTypeOpenLine:
		return "openline"
	case botTypePersonal:
		return "personal"
	}
	return "bot"
}

// botTypePersonal is a type that the first generation cannot register.
const botTypePersonal imbot.BotType = "P"

func (p *world) userObject(u *user, event bool) *array {
	if u == nil {
		return newArray()
	}
	kind, auth := "employee", "default"
	switch {
	case u.isBot:
		kind, auth = "bot", "bot"
	case u.extranet:
		kind = "extranet"
	}
	a := object("id", u.id, "active", !u.dismissed, "name", u.name(), "firstName", u.first, "lastName", u.last, "workPosition", u.position,
		"color", u.color.Hex(), "avatar", "", "gender", u.gender, "birthday", "", "extranet", u.extranet, "bot", u.isBot,
		"connector", u.isConnector, "externalAuthId", auth, "status", "online", "idle", false)
	if u.color.Hex() == "" {
		a.set("color", "#df532d")
	}
	if event {
		a.set("lastActivityDate", false)
		a.set("mobileLastDate", false)
		a.set("desktopLastDate", false)
	} else {
		a.set("lastActivityDate", time.Now().Format(time.RFC3339))
	}
	departments := newArray()
	departments.add(number(1))
	a.set("absent", false)
	a.set("departments", departments)
	a.set("phones", false)
	a.set("type", kind)
	return a
}

// chatObject is a chat as a bot sees it.
func (p *world) chatObject(c *chat, bot imbot.ID, answer bool) *array {
	name, owner, letter := c.title, c.owner, c.kind
	if c.kind == kindPrivate {
		name, owner = "", bot
		if u := p.users[c.other(bot)]; u != nil {
			name = u.name()
		}
	}
	a := object("id", c.id, "dialogId", string(p.dialogOf(c, bot)), "name", name, "description", c.description, "type", c.typeName(),
		"messageType", letter, "owner", owner, "color", c.color.Hex(), "avatar", c.avatar, "extranet", p.hasExtranet(c),
		"containsCollaber", false, "entityType", c.entityType, "entityId", c.entityID, "entityData1", c.entityData[0],
		"entityData2", c.entityData[1], "entityData3", c.entityData[2], "entityLink", noObject{}, "diskFolderId", nil)
	if answer {
		role := "guest"
		if m := c.member(bot); m != nil {
			switch {
			case owner == bot:
				role = "owner"
			case m.manager:
				role = "manager"
			default:
				role = "member"
			}
		}
		a.set("role", role)
	}
	a.set("permissions", noObject{})
	if answer {
		a.set("muteList", newArray())
		a.set("parentChatId", nil)
		a.set("parentMessageId", nil)
	} else {
		a.set("parentChatId", number(0))
		a.set("parentMessageId", number(0))
	}
	a.set("isNew", false)
	a.set("textFieldEnabled", yesNo(!c.textFieldOff))
	a.set("backgroundId", nil)
	if answer {
		last, managers := c.lastMessageID(), newArray()
		for _, m := range c.members {
			if m.manager {
				managers.add(number(m.user))
			}
		}
		for _, pair := range [][2]any{
			{"dateCreate", c.created.Format(time.RFC3339)}, {"lastMessageId", number(last)}, {"lastMessageViews", "{}"}, {"lastId", number(last)},
			{"managerList", managers}, {"markedId", nil}, {"messageCount", number(imbot.ID(len(c.messages)))}, {"public", ""}, {"unreadId", nil},
			{"userCounter", number(imbot.ID(len(c.members)))},
		} {
			a.set(pair[0].(string), pair[1])
		}
	}
	return a
}

// messageObject is a message after the server's text stage.
func messageObject(m *message) *array {
	a := object("id", m.ID, "chatId", m.ChatID, "authorId", m.AuthorID, "date", m.Time.Format(time.RFC3339), "text", textstage.Serve(m.Text, nil),
		"isSystem", m.System, "uuid", m.uuid, "forward", nil)
	params := newArray()
	if m.ReplyTo != 0 {
		params.set("REPLY_ID", number(m.ReplyTo))
	}
	attach, keyboard := m.parts[partAttach], m.parts[partKeyboard]
	if attach != nil {
		list := newArray()
		list.add(attach)
		params.set("ATTACH", list)
	}
	if keyboard != nil {
		params.set("KEYBOARD", keyboard)
	}
	a.set("params", params)
	a.set("viewedByOthers", false)
	return a
}

func (p *world) commandObject(cmd *command, listed bool) *array {
	a := object("id", cmd.id, "botId", cmd.bot.id, "command", "/"+cmd.name)
	if listed {
		lang := title(cmd.titles)
		a.set("title", lang.text("TITLE"))
		a.set("params", lang.text("PARAMS"))
	}
	a.set("common", cmd.common)
	a.set("hidden", cmd.hidden)
	a.set("extranetSupport", cmd.extranet)
	if listed {
		a.set("category", p.users[cmd.bot.id].name())
		a.set("context", "")
	}
	return a
}

// yes reads a flag of this generation: true, 1, "Y" and "true", in any case.
func yes(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case nil:
		return false
	default:
		switch strings.ToLower(fmt.Sprint(v)) {
		case "y", "true", "1":
			return true
		}
	}
	return false
}
