package world

import (
	"github.com/imbot-go/imbot"
)

// fireJoinPrivate tells a bot that its private dialog with a user was opened. from is
// who opened it, the user or the bot itself.
func (w *World) fireJoinPrivate(chat *Chat, b *Bot, user, from, to imbot.ID) {
	if b.Mode != "" {
		w.fireJoinV2(chat, b, from)
		return
	}
	e := w.newEvent(EventJoinChat, b.App, b)
	e.At("data", "PARAMS")("CHAT_TYPE", KindPrivate, "MESSAGE_TYPE", KindPrivate, "BOT_ID", b.ID.String(),
		"USER_ID", user.String(), "TO_USER_ID", to.String(), "FROM_USER_ID", from.String(),
		"DIALOG_ID", user.String(), "LANGUAGE", Language)
	w.setUser(e, user, false)
	w.QueueEvent(EventJoinChat, b.App, chatQueue(chat), w.EncodeWithAuth(e, b.App, user, false))
}

// JoinOwn tells a bot of the second generation that it is in the chat which it has made.
func (w *World) JoinOwn(chat *Chat, b *Bot) { w.fireJoinV2(chat, b, b.ID) }

// fireJoinGroup tells a bot that it was added to a group chat.
func (w *World) fireJoinGroup(chat *Chat, b *Bot, by imbot.ID, history bool) {
	if b.Mode != "" {
		w.fireJoinV2(chat, b, by)
		return
	}
	e := w.newEvent(EventJoinChat, b.App, b)
	set := e.At("data", "PARAMS")
	set("CHAT_TYPE", chat.Kind, "MESSAGE_TYPE", chat.Kind, "BOT_ID", b.ID.String(), "USER_ID", by.String(),
		"CHAT_ID", chat.ID.String(), "CHAT_AUTHOR_ID", chat.Owner.String())
	if chat.EntityType != "" {
		set("CHAT_ENTITY_TYPE", chat.EntityType)
	}
	access := "0"
	if history {
		access = "1"
	}
	set("CHAT_ENTITY_ID", chat.EntityID, "ACCESS_HISTORY", access,
		"DIALOG_ID", string(imbot.ChatDialog(chat.ID)), "LANGUAGE", Language)
	w.setUser(e, by, false)
	w.QueueEvent(EventJoinChat, b.App, chatQueue(chat), w.EncodeWithAuth(e, b.App, by, false))
}

func (w *World) fireBotDelete(b *Bot, by imbot.ID) {
	e := w.newEvent(EventBotDelete, b.App)
	e.At("data")("BOT_ID", b.ID.String(), "BOT_CODE", b.Code)
	w.QueueEvent(EventBotDelete, b.App, AppQueue(b.App), w.EncodeWithAuth(e, b.App, by, false))
}
