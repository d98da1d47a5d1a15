package imbottest

import (
	"slices"
	"time"

	"github.com/imbot-go/imbot"
)

// fireTypedCommands tells bots about commands in a person's message.
func (p *world) fireTypedCommands(chat *chat, m *message, before imbot.ID, list []invocation) {
	p.fireCommands(chat, m, m.AuthorID, "TEXTAREA", list, func(e *event) {
		set := e.set("data", "PARAMS")
		if chat.kind == kindPrivate {
			author := m.AuthorID.String()
			set("MESSAGE", m.Text, "TEMPLATE_ID", newUUID(), "MESSAGE_TYPE", kindPrivate, "FROM_USER_ID", author,
				"DIALOG_ID", author, "TO_CHAT_ID", chat.id.String(), "AUTHOR_ID", author, "SYSTEM", "N",
				"TO_USER_ID", chat.other(m.AuthorID).String())
		} else {
			p.setGroup(e, chat, m, m.Text, before, "CHAT_PARENT_ID", "0", "CHAT_PARENT_MID", "0")
			for _, member := range chat.members {
				if id := member.user.String(); p.bots[member.user] != nil {
					e.set("data", "PARAMS", "BOT_IN_CHAT")(id, id)
				}
			}
			if first := firstOf(mentions(m.Text)); first != 0 {
				set("TO_USER_ID", first.String())
			}
		}
		set("SKIP_USER_CHECK", "Y", "PUSH", "Y", "PUSH_IMPORTANT", "N", "RECENT_ADD", "Y")
		set(sendFlags...) // PUSH and PUSH_IMPORTANT are set already and keep their place
		set("MESSAGE_ID", m.ID.String())
		if chat.kind == kindPrivate {
			set("CHAT_TYPE", kindPrivate)
		}
		set("LANGUAGE", language)
	})
}

// firePressedCommand tells a bot about a command from a button or menu item of a
// message. Its PARAMS have fewer keys than those of a typed command.
func (p *world) firePressedCommand(chat *chat, m *message, user imbot.ID, context string, inv invocation) {
	p.fireCommands(chat, m, user, context, []invocation{inv}, func(e *event) {
		set := e.set("data", "PARAMS")
		text := "/" + inv.command.name
		if inv.params != "" {
			text += " " + inv.params
		}
		set("FROM_USER_ID", user.String())
		dialog := imbot.ChatDialog(chat.id)
		if chat.kind == kindPrivate {
			dialog = imbot.UserDialog(user)
			set("TO_USER_ID", chat.other(user).String())
		} else {
			set("TO_CHAT_ID", chat.id.String())
		}
		set("MESSAGE", text, "MESSAGE_TYPE", chat.kind)
		if chat.entityType != "" {
			set("CHAT_ENTITY_TYPE", chat.entityType)
		}
		set("CHAT_ENTITY_ID", chat.entityID, "AUTHOR_ID", user.String(), "DIALOG_ID", string(dialog),
			"MESSAGE_ID", m.ID.String(), "CHAT_TYPE", chat.kind, "LANGUAGE", language)
	})
}

// fireCommands sends one event to each application whose commands were given, and lets
// their bots answer in the dialog for answerTime.
func (p *world) fireCommands(chat *chat, m *message, user imbot.ID, context string, list []invocation, setParams func(*event)) {
	for _, inv := range list {
		if inv.command.bot.mode != "" {
			p.fireCommandV2(chat, m, user, context, inv)
		}
	}
	list = slices.DeleteFunc(slices.Clone(list), func(inv invocation) bool { return inv.command.bot.mode != "" })
	for len(list) > 0 {
		app := list[0].command.bot.app
		e := p.newEvent(eventCommandAdd, app)
		for _, inv := range list {
			cmd := inv.command
			if cmd.bot.app != app {
				continue
			}
			if chat.answers == nil {
				chat.answers = map[imbot.ID]time.Time{}
			}
			chat.answers[cmd.bot.id] = time.Now().Add(answerTime)
			p.setBot(e, cmd.bot, "data", "COMMAND", cmd.id.String())
			e.set("data", "COMMAND", cmd.id.String())("COMMAND", cmd.name, "COMMAND_ID", cmd.id.String(),
				"COMMAND_PARAMS", inv.params, "COMMAND_CONTEXT", context, "MESSAGE_ID", m.ID.String())
		}
		setParams(e)
		u := p.users[user]
		set := e.set("data", "USER")
		set("ID", user.String(), "NAME", escapeName(u.name()), "FIRST_NAME", escapeName(u.first), "LAST_NAME", escapeName(u.last))
		if u.position != "" {
			set("WORK_POSITION", escapeName(u.position))
		}
		set("GENDER", u.gender)
		p.queueEvent(eventCommandAdd, app, chatQueue(chat), p.encodeWithAuth(e, app, user, true))
		list = slices.DeleteFunc(slices.Clone(list), func(inv invocation) bool { return inv.command.bot.app == app })
	}
}
