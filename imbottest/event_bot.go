package imbottest

import (
	"github.com/imbot-go/imbot"
)

// fireJoinPrivate tells a bot that its private dialog with a user was opened. from is
// who opened it, the user or the bot itself.
func (p *world) fireJoinPrivate(chat *chat, b *bot, user, from, to imbot.ID) {
	if b.mode != "" {
		p.fireJoinV2(chat, b, from)
		return
	}
	e := p.newEvent(eventJoinChat, b.app, b)
	e.set("data", "PARAMS")("CHAT_TYPE", kindPrivate, "MESSAGE_TYPE", kindPrivate, "BOT_ID", b.id.String(),
		"USER_ID", user.String(), "TO_USER_ID", to.String(), "FROM_USER_ID", from.String(),
		"DIALOG_ID", user.String(), "LANGUAGE", language)
	p.setUser(e, user, false)
	p.queueEvent(eventJoinChat, b.app, chatQueue(chat), p.encodeWithAuth(e, b.app, user, false))
}

// fireJoinGroup tells a bot that it was added to a group chat.
func (p *world) fireJoinGroup(chat *chat, b *bot, by imbot.ID, history bool) {
	if b.mode != "" {
		p.fireJoinV2(chat, b, by)
		return
	}
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
	p.queueEvent(eventJoinChat, b.app, chatQueue(chat), p.encodeWithAuth(e, b.app, by, false))
}

func (p *world) fireBotDelete(b *bot, by imbot.ID) {
	e := p.newEvent(eventBotDelete, b.app)
	e.set("data")("BOT_ID", b.id.String(), "BOT_CODE", b.code)
	p.queueEvent(eventBotDelete, b.app, appQueue(b.app), p.encodeWithAuth(e, b.app, by, false))
}
