package world

import (
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/textstage"
)

// BotObject is a bot; its owner sees more of it.
func (w *World) BotObject(b *Bot, owner bool) *php.Array {
	a := php.Object("id", b.ID, "code", b.Code, "type", b.KindV2(), "isHidden", b.Hidden, "isSupportOpenline", b.OpenLine.Bool(),
		"isReactionsEnabled", !b.NoReactions, "backgroundId", nil, "language", Language)
	if b.Background != "" {
		a.Set("backgroundId", b.Background)
	}
	if owner {
		mode := b.Mode
		if mode == "" { // of the first generation
			mode = ModeWebhook
		}
		a.Set("moduleId", "rest")
		a.Set("eventMode", mode)
		for _, name := range []string{"countMessage", "countCommand", "countChat", "countUser"} {
			a.Set(name, php.Number(0))
		}
	}
	return a
}

// KindV2 is the type of a bot as this generation names it.
func (b *Bot) KindV2() string {
	switch b.Kind {
	case imbot.BotTypeSupervisor:
		return "supervisor"
	case imbot.BotTypeOpenLine:
		return "openline"
	case BotTypePersonal:
		return "personal"
	}
	return "bot"
}

// BotTypePersonal is a type that the first generation cannot register.
const BotTypePersonal imbot.BotType = "P"

// UserObject is a user in an event or an answer; u may be nil.
func (w *World) UserObject(u *User, event bool) *php.Array {
	if u == nil {
		return php.NewArray()
	}
	kind, auth := "employee", "default"
	switch {
	case u.IsBot:
		kind, auth = "bot", "bot"
	case u.Extranet:
		kind = "extranet"
	}
	a := php.Object("id", u.ID, "active", !u.Dismissed, "name", u.Name(), "firstName", u.First, "lastName", u.Last, "workPosition", u.Position,
		"color", u.Color.Hex(), "avatar", "", "gender", u.Gender, "birthday", "", "extranet", u.Extranet, "bot", u.IsBot,
		"connector", u.IsConnector, "externalAuthId", auth, "status", "online", "idle", false)
	if u.Color.Hex() == "" {
		a.Set("color", "#df532d")
	}
	if event {
		a.Set("lastActivityDate", false)
		a.Set("mobileLastDate", false)
		a.Set("desktopLastDate", false)
	} else {
		a.Set("lastActivityDate", time.Now().Format(time.RFC3339))
	}
	departments := php.NewArray()
	departments.Add(php.Number(1))
	a.Set("absent", false)
	a.Set("departments", departments)
	a.Set("phones", false)
	a.Set("type", kind)
	a.Set("website", "")
	a.Set("email", "")
	return a
}

// ChatObject is a chat as a bot sees it.
func (w *World) ChatObject(c *Chat, bot imbot.ID, answer bool) *php.Array {
	name, owner, letter := c.Title, c.Owner, c.Kind
	if c.Kind == KindPrivate {
		name, owner = "", bot
		if u := w.Users[c.Other(bot)]; u != nil {
			name = u.Name()
		}
	}
	a := php.Object("id", c.ID, "dialogId", string(w.DialogOf(c, bot)), "name", name, "description", c.Description, "type", c.TypeName(),
		"messageType", letter, "owner", owner, "color", c.Color.Hex(), "avatar", c.Avatar, "extranet", w.HasExtranet(c),
		"containsCollaber", false, "entityType", c.EntityType, "entityId", c.EntityID, "entityData1", c.EntityData[0],
		"entityData2", c.EntityData[1], "entityData3", c.EntityData[2], "entityLink", php.NoObject{}, "diskFolderId", nil)
	if answer {
		role := "guest"
		if m := c.Member(bot); m != nil {
			switch {
			case owner == bot:
				role = "owner"
			case m.Manager:
				role = "manager"
			default:
				role = "member"
			}
		}
		a.Set("role", role)
	}
	a.Set("permissions", php.NoObject{})
	if answer {
		a.Set("muteList", php.NewArray())
		a.Set("parentChatId", nil)
		a.Set("parentMessageId", nil)
	} else {
		a.Set("parentChatId", php.Number(0))
		a.Set("parentMessageId", php.Number(0))
	}
	a.Set("isNew", false)
	a.Set("textFieldEnabled", php.YesNo(!c.TextFieldOff))
	if w.Differs(DoubtTextFieldEnabled) {
		a.Set("textFieldEnabled", !c.TextFieldOff)
	}
	a.Set("backgroundId", nil)
	if answer {
		last, managers, views := c.LastMessageID(), php.NewArray(), any("{}")
		if w.Differs(DoubtLastMessageViews) {
			views = php.Object("messageId", last, "firstViewers", php.NewArray(), "countOfViewers", 0)
		}
		for _, m := range c.Members {
			if m.Manager {
				managers.Add(php.Number(m.User))
			}
		}
		for _, pair := range [][2]any{
			{"dateCreate", c.Created.Format(time.RFC3339)}, {"lastMessageId", php.Number(last)}, {"lastMessageViews", views}, {"lastId", php.Number(last)},
			{"managerList", managers}, {"markedId", nil}, {"messageCount", php.Number(imbot.ID(len(c.Messages)))}, {"public", ""}, {"unreadId", nil},
			{"userCounter", php.Number(imbot.ID(len(c.Members)))},
		} {
			a.Set(pair[0].(string), pair[1])
		}
	}
	return a
}

// served is a text after the server's text stage.
func (w *World) served(text string) string {
	if w.Differs(DoubtMeKept) {
		text = strings.TrimPrefix(text, "/me ")
	}
	return textstage.Stage{KeepEntities: w.Differs(DoubtEntitiesDecoded), KeepAddresses: w.Differs(DoubtLinksWrapped)}.Serve(text, nil)
}

// MessageObject is a message after the server's text stage.
func (w *World) MessageObject(m *Message) *php.Array {
	a := php.Object("id", m.ID, "chatId", m.ChatID, "authorId", m.AuthorID, "date", m.Time.Format(time.RFC3339), "text", w.served(m.Text),
		"isSystem", m.System, "uuid", m.UUID, "forward", nil)
	if from := m.Forward; from.Message != 0 {
		a.Set("forward", php.Object("id", from.Chat.String()+"/"+from.Message.String(), "userId", from.Author, "chatId", from.Chat,
			"date", from.Time.Format(time.RFC3339)))
	}
	params := php.NewArray()
	if len(m.Files) > 0 {
		params.Set("FILE_ID", fileIDs(m))
	}
	if m.Whisper {
		params.Set("COMPONENT_ID", ComponentWhisper)
	}
	if m.ReplyTo != 0 {
		params.Set("REPLY_ID", php.Number(m.ReplyTo))
	}
	attach, keyboard := m.Parts[PartAttach], m.Parts[PartKeyboard]
	if attach != nil {
		list := php.NewArray()
		list.Add(attach)
		params.Set("ATTACH", list)
	}
	if keyboard != nil {
		params.Set("KEYBOARD", keyboard)
	}
	a.Set("params", params)
	a.Set("viewedByOthers", false)
	return a
}
