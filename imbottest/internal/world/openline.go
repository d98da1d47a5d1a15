package world

import (
	"errors"
	"fmt"
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

// Line is an open line.
type Line struct {
	ID        imbot.ID
	Name      string
	Active    bool
	Operators []imbot.ID
	Welcome   WelcomeBot
}

// WelcomeBot says which bot answers first in a line.
type WelcomeBot struct {
	Enable bool
	ID     imbot.ID
	Join   string
	Time   int64 // seconds
	Left   string
}

// NoWelcomeBot are the settings of a new line, and what the portal resets a line to.
var NoWelcomeBot = WelcomeBot{Join: "always", Time: 600, Left: "queue"}

// Session is a conversation. Who holds it is the owner of its chat.
type Session struct {
	ID     imbot.ID
	Chat   *Chat
	Line   *Line
	Holder imbot.ID // who held it at its end
	Began  time.Time
	Ended  time.Time // zero while it goes on
	after  imbot.ID  // its messages have higher ids
	timer  *time.Timer
}

// AddLine makes an open line.
func (w *World) AddLine(name string, operators []imbot.ID) *Line {
	w.lastLine++
	l := &Line{ID: w.lastLine, Name: name, Active: true, Operators: w.OnlyExisting(operators), Welcome: NoWelcomeBot}
	w.Lines[l.ID] = l
	return l
}

// ErrNotForLines is the error of a bot that does not serve open lines.
var ErrNotForLines = errors.New("does not serve open lines: it was not registered with OPENLINE Y")

// Visit lets a guest begin a conversation.
func (w *World) Visit(l *Line, name string) (*Chat, imbot.ID, error) {
	switch b := w.Bots[l.Welcome.ID]; {
	case w.Closed:
		return nil, 0, ErrClosed
	case l.Welcome.Enable && b != nil && !b.OpenLine.Bool():
		return nil, 0, fmt.Errorf("imbottest: bot %d %w", b.ID, ErrNotForLines)
	}
	u := w.AddUser(name, "")
	u.IsConnector = true
	chat := w.AddChat(KindLines, name, 0)
	chat.EntityType, chat.Line = EntityLines, l
	chat.EntityID = fmt.Sprintf("imbottest|%d|guest%d|%d", l.ID, u.ID, u.ID)
	chat.Members = []*Member{{User: u.ID}}
	w.beginSession(chat, u.ID)
	w.Notify()
	return chat, u.ID, nil
}

// Session is the last conversation of a chat, nil in chats that are of no open line.
func (c *Chat) Session() *Session {
	if len(c.Sessions) == 0 {
		return nil
	}
	return c.Sessions[len(c.Sessions)-1]
}

// Over reports whether the conversation is, so that the guest begins another one.
func (c *Chat) Over() bool { return c.Session() != nil && !c.Session().Ended.IsZero() }

// beginSession begins a conversation in the chat of an open line: its bot joins, or its operators.
func (w *World) beginSession(chat *Chat, guest imbot.ID) {
	first := len(chat.Sessions) == 0
	l := chat.Line
	w.lastSession++
	s := &Session{ID: w.lastSession, Chat: chat, Line: l, Began: time.Now(), after: chat.LastMessageID()}
	chat.Sessions = append(chat.Sessions, s)
	w.Sessions[s.ID] = s
	chat.EntityData = [3]string{
		"N|NONE|0|N|N|" + s.ID.String() + "|" + strconv.FormatInt(s.Began.Unix(), 10) + "|0|0|0",
		"LEAD|0|COMPANY|0|CONTACT|0|DEAL|0", "",
	}
	bot := l.Welcome
	if !bot.Enable || w.Bots[bot.ID] == nil || bot.Join == "first" && !first {
		w.Offer(chat)
		return
	}
	w.Join(chat, guest, true, bot.ID)
	chat.Owner = bot.ID
	if bot.Time > 0 {
		s.startTimer(w, time.Duration(bot.Time)*time.Second)
	}
}

// startTimer takes the conversation from the bot after a time.
func (s *Session) startTimer(w *World, d time.Duration) {
	w.Goroutines.Add(1)
	s.timer = time.AfterFunc(d, func() {
		defer w.Goroutines.Done()
		w.Lock()
		defer w.Unlock()
		if s.timer == nil { // stopped meanwhile
			return
		}
		s.timer = nil
		w.TakeFromBot(s.Chat)
		w.Notify()
	})
}

// StopTimer leaves the conversation with whoever holds it.
func (s *Session) StopTimer(w *World) {
	if s.timer != nil && s.timer.Stop() {
		w.Goroutines.Done()
	}
	s.timer = nil
}

// EndSession ends the conversation: only the guest is left.
func (w *World) EndSession(chat *Chat) {
	s := chat.Session()
	s.StopTimer(w)
	s.Holder, s.Ended = chat.Owner, time.Now()
	w.OnlyGuest(chat)
	chat.Owner = 0
}

// stopAllSessions stops all timers, so that Close need not wait for them; the lock is held.
func (w *World) stopAllSessions() {
	for _, s := range w.Sessions {
		s.StopTimer(w)
	}
}

// OnlyGuest removes everybody but the guest and those who stay.
func (w *World) OnlyGuest(chat *Chat, stay ...imbot.ID) {
	for _, m := range slices.Clone(chat.Members) {
		if !slices.Contains(stay, m.User) && !w.Users[m.User].IsConnector {
			w.Leave(chat, m.User)
		}
	}
}

// HeldByBot reports whether a bot holds the conversation of a chat.
func (w *World) HeldByBot(chat *Chat) bool {
	return chat != nil && chat.Kind == KindLines && !chat.Over() && w.Bots[chat.Owner] != nil
}

// TakeFromBot gives a conversation that a bot holds to the operators. The bot leaves the chat,
// unless its line says that it stays until the end.
func (w *World) TakeFromBot(chat *Chat) {
	if !w.HeldByBot(chat) {
		return
	}
	if chat.Session().Line.Welcome.Left != "close" {
		w.Leave(chat, chat.Owner)
	}
	w.Offer(chat)
}

// Offer lets the operators of the line join; nobody holds the conversation until one of them
// writes.
func (w *World) Offer(chat *Chat) {
	s := chat.Session()
	s.StopTimer(w)
	chat.Owner = 0
	w.Join(chat, 0, true, s.Line.Operators...)
}

// Messages are those of one conversation.
func (s *Session) Messages() []*Message {
	all := s.Chat.Messages
	from, to := IndexOf(all, s.after+1), len(all)
	if i := slices.Index(s.Chat.Sessions, s); i+1 < len(s.Chat.Sessions) {
		to = IndexOf(all, s.Chat.Sessions[i+1].after+1)
	}
	return all[from:to]
}
