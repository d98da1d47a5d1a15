package world

import (
	"slices"
	"time"

	"github.com/imbot-go/imbot"
)

// fireTypedCommands tells bots about commands in a person's message.
func (w *World) fireTypedCommands(chat *Chat, m *Message, before imbot.ID, list []invocation) {
	w.fireCommands(chat, m, m.AuthorID, "TEXTAREA", list, func(e *Event) {
		set := e.At("data", "PARAMS")
		if chat.Kind == KindPrivate {
			author := m.AuthorID.String()
			set("MESSAGE", m.Text, "TEMPLATE_ID", newUUID(), "MESSAGE_TYPE", KindPrivate, "FROM_USER_ID", author,
				"DIALOG_ID", author, "TO_CHAT_ID", chat.ID.String(), "AUTHOR_ID", author, "SYSTEM", "N",
				"TO_USER_ID", chat.Other(m.AuthorID).String())
		} else {
			w.setGroup(e, chat, m, m.Text, before, "CHAT_PARENT_ID", "0", "CHAT_PARENT_MID", "0")
			for _, member := range chat.Members {
				if id := member.User.String(); w.Bots[member.User] != nil {
					e.At("data", "PARAMS", "BOT_IN_CHAT")(id, id)
				}
			}
			if first := firstOf(Mentions(m.Text)); first != 0 {
				set("TO_USER_ID", first.String())
			}
		}
		set("SKIP_USER_CHECK", "Y", "PUSH", "Y", "PUSH_IMPORTANT", "N", "RECENT_ADD", "Y")
		set(sendFlags...) // PUSH and PUSH_IMPORTANT are set already and keep their place
		set("MESSAGE_ID", m.ID.String())
		if chat.Kind == KindPrivate {
			set("CHAT_TYPE", KindPrivate)
		}
		set("LANGUAGE", Language)
		w.setParams(e, m)
	})
}

// firePressedCommand tells a bot about a command from a button or menu item of a
// message. Its PARAMS have fewer keys than those of a typed command.
func (w *World) firePressedCommand(chat *Chat, m *Message, user imbot.ID, context string, inv invocation) {
	w.fireCommands(chat, m, user, context, []invocation{inv}, func(e *Event) {
		set := e.At("data", "PARAMS")
		text := "/" + inv.command.Name
		if inv.params != "" {
			text += " " + inv.params
		}
		set("FROM_USER_ID", user.String())
		dialog := imbot.ChatDialog(chat.ID)
		if chat.Kind == KindPrivate {
			dialog = imbot.UserDialog(user)
			set("TO_USER_ID", chat.Other(user).String())
		} else {
			set("TO_CHAT_ID", chat.ID.String())
		}
		set("MESSAGE", text, "MESSAGE_TYPE", chat.Kind)
		if chat.EntityType != "" {
			set("CHAT_ENTITY_TYPE", chat.EntityType)
		}
		set("CHAT_ENTITY_ID", chat.EntityID, "AUTHOR_ID", user.String(), "DIALOG_ID", string(dialog),
			"MESSAGE_ID", m.ID.String(), "CHAT_TYPE", chat.Kind, "LANGUAGE", Language)
	})
}

// fireCommands sends one event to each application whose commands were given, and lets
// their bots answer in the dialog for answerTime.
func (w *World) fireCommands(chat *Chat, m *Message, user imbot.ID, context string, list []invocation, setParams func(*Event)) {
	for _, inv := range list {
		if inv.command.Bot.Mode != "" {
			w.fireCommandV2(chat, m, user, context, inv)
		}
	}
	list = slices.DeleteFunc(slices.Clone(list), func(inv invocation) bool { return inv.command.Bot.Mode != "" })
	for len(list) > 0 {
		app := list[0].command.Bot.App
		e := w.newEvent(EventCommandAdd, app)
		for _, inv := range list {
			cmd := inv.command
			if cmd.Bot.App != app {
				continue
			}
			if chat.Answers == nil {
				chat.Answers = map[imbot.ID]time.Time{}
			}
			chat.Answers[cmd.Bot.ID] = time.Now().Add(answerTime)
			w.setBot(e, cmd.Bot, "data", "COMMAND", cmd.ID.String())
			e.At("data", "COMMAND", cmd.ID.String())("COMMAND", cmd.Name, "COMMAND_ID", cmd.ID.String(),
				"COMMAND_PARAMS", inv.params, "COMMAND_CONTEXT", context, "MESSAGE_ID", m.ID.String())
		}
		setParams(e)
		u := w.Users[user]
		set := e.At("data", "USER")
		set("ID", user.String(), "NAME", EscapeName(u.Name()), "FIRST_NAME", EscapeName(u.First), "LAST_NAME", EscapeName(u.Last))
		if u.Position != "" {
			set("WORK_POSITION", EscapeName(u.Position))
		}
		set("GENDER", u.Gender)
		w.QueueEvent(EventCommandAdd, app, chatQueue(chat), w.EncodeWithAuth(e, app, user, true))
		list = slices.DeleteFunc(slices.Clone(list), func(inv invocation) bool { return inv.command.Bot.App == app })
	}
}
