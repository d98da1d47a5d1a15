package world

import (
	"slices"
	"strconv"
	"time"

	"github.com/imbot-go/imbot"
)

// The kind and the ENTITY_TYPE of chats of open lines.
const (
	KindLines   = "L"
	EntityLines = "LINES"
)

// BeginSession begins a conversation in the chat of an open line: the bot joins.
func (w *World) BeginSession(chat *Chat, guest imbot.ID) {
	w.lineSessions++
	chat.Over = false
	chat.EntityData = [3]string{
		"N|NONE|0|N|N|" + w.lineSessions.String() + "|" + strconv.FormatInt(time.Now().Unix(), 10) + "|0|0|0",
		"LEAD|0|COMPANY|0|CONTACT|0|DEAL|0", "",
	}
	w.Join(chat, guest, true, chat.WelcomeBot)
}

// TakeFromBot gives a conversation to the operators: the bot leaves the chat and they join.
func (w *World) TakeFromBot(chat *Chat, bot imbot.ID) {
	w.Leave(chat, bot)
	for _, user := range w.OnlyExisting(chat.Operators) {
		if chat.Member(user) == nil {
			chat.Members = append(chat.Members, &Member{User: user})
		}
	}
	w.NoteDialog(chat)
}

// takeFromBots does that with all bots of the chat.
func (w *World) takeFromBots(chat *Chat) {
	for _, m := range slices.Clone(chat.Members) {
		if w.Bots[m.User] != nil {
			w.TakeFromBot(chat, m.User)
		}
	}
}
