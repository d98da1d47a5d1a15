package world

import (
	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// tellPeople tells the people in a chat who have subscribed to events. user is who acted, or who
// joined; m may be nil.
func (w *World) tellPeople(event string, chat *Chat, m *Message, user imbot.ID, set func(to *php.Array)) {
	if len(w.Inboxes) == 0 {
		return
	}
	for _, member := range chat.Members {
		to := w.Inboxes[member.User]
		if to == nil || !to.Subscribed || m != nil && (m.ID <= member.Since || !w.Shows(m, member.User)) {
			continue
		}
		data := php.NewArray()
		if set != nil {
			set(data)
		} else {
			data.Set("dialogId", string(w.DialogOf(chat, member.User)))
		}
		w.setWhereV2(data, chat, member.User, user)
		w.enqueue(&to.Queue, "ONIMV2"+event, data)
	}
}

// withMessage writes a message into an event.
func (w *World) withMessage(m *Message) func(to *php.Array) {
	return func(to *php.Array) { to.Set("message", w.MessageObject(m)) }
}
