package world

import (
	"github.com/imbot-go/imbot"
)

// OpenContext tells all bots in a dialog with which data somebody has opened it.
func (w *World) OpenContext(chat *Chat, user imbot.ID, value any) {
	var everybody []imbot.ID
	for _, m := range chat.Members {
		everybody = append(everybody, m.User)
	}
	w.fireContextV2(chat, w.HearersV2(chat, everybody), user, value)
	for _, bots := range w.BotsToTell(chat, everybody) {
		w.fireContext(chat, bots, user, value)
	}
}

// fireContext tells bots of one application with which data a dialog was opened.
func (w *World) fireContext(chat *Chat, bots []*Bot, user imbot.ID, value any) {
	app := bots[0].App
	e := w.newEvent(EventContextGet, app, bots...)
	set := e.At("data", "PARAMS")
	owner, dialog := chat.Owner, imbot.ChatDialog(chat.ID)
	if chat.Kind == KindPrivate {
		owner, dialog = chat.Members[0].User, imbot.UserDialog(user)
	}
	set("CHAT_TYPE", chat.Kind, "MESSAGE_TYPE", chat.Kind, "USER_ID", user.String(), "CHAT_AUTHOR_ID", owner.String())
	if chat.EntityType != "" {
		set("CHAT_ENTITY_TYPE", chat.EntityType)
	}
	set("CHAT_ENTITY_ID", chat.EntityID)
	e.SetValue(value, "data", "PARAMS", "CONTEXT")
	set("DIALOG_ID", string(dialog), "LANGUAGE", Language)
	w.setUser(e, user, false)
	w.QueueEvent(EventContextGet, app, chatQueue(chat), w.EncodeWithAuth(e, app, user, true))
}
