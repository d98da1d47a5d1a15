package world

import (
	"slices"
	"time"

	"github.com/imbot-go/imbot"
)

// TypingTime is how long a user is shown as writing.
const TypingTime = 10 * time.Second

// StartTyping shows a user as writing, for a time or until a message of that user
// comes; the lock is held.
func (w *World) StartTyping(c *Chat, user imbot.ID, d time.Duration) {
	if w.Closed {
		return
	}
	c.stopTyping(w, user)
	if c.Typing == nil {
		c.Typing = map[imbot.ID]*time.Timer{}
	}
	w.Goroutines.Add(1)
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		defer w.Goroutines.Done()
		w.Lock()
		defer w.Unlock()
		if c.Typing[user] == timer {
			delete(c.Typing, user)
			w.note(Change{Kind: ChangedTyping, Chat: c.ID, User: user})
		}
	})
	c.Typing[user] = timer
	w.note(Change{Kind: ChangedTyping, Chat: c.ID, User: user})
}

// stopTyping no longer shows a user as writing; the lock is held.
func (c *Chat) stopTyping(w *World, user imbot.ID) {
	timer := c.Typing[user]
	if timer == nil {
		return
	}
	if timer.Stop() {
		w.Goroutines.Done()
	}
	delete(c.Typing, user)
	w.note(Change{Kind: ChangedTyping, Chat: c.ID, User: user})
}

// stopAllTyping stops all timers, so that Close need not wait for them; the lock is held.
func (w *World) stopAllTyping() {
	for _, c := range w.Chats {
		for _, user := range SortedIDs(c.Typing) {
			c.stopTyping(w, user)
		}
	}
}

// Writers are the users who are shown as writing in a chat, without one of them, in the
// order of their ids.
func (c *Chat) Writers(but imbot.ID) []imbot.ID {
	ids := slices.DeleteFunc(SortedIDs(c.Typing), func(id imbot.ID) bool { return id == but })
	return ids
}
