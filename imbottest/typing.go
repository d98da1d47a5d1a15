package imbottest

import (
	"slices"
	"time"

	"github.com/imbot-go/imbot"
)

// typingTime is how long a user is shown as writing.
const typingTime = 10 * time.Second

// startTyping shows a user as writing, for a time or until a message of that user
// comes; the lock is held.
func (p *world) startTyping(c *chat, user imbot.ID, d time.Duration) {
	if p.closed {
		return
	}
	c.stopTyping(p, user)
	if c.typing == nil {
		c.typing = map[imbot.ID]*time.Timer{}
	}
	p.goroutines.Add(1)
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		defer p.goroutines.Done()
		p.Lock()
		defer p.Unlock()
		if c.typing[user] == timer {
			delete(c.typing, user)
			p.note(change{kind: changedTyping, chat: c.id, user: user})
		}
	})
	c.typing[user] = timer
	p.note(change{kind: changedTyping, chat: c.id, user: user})
}

// stopTyping no longer shows a user as writing; the lock is held.
func (c *chat) stopTyping(p *world, user imbot.ID) {
	timer := c.typing[user]
	if timer == nil {
		return
	}
	if timer.Stop() {
		p.goroutines.Done()
	}
	delete(c.typing, user)
	p.note(change{kind: changedTyping, chat: c.id, user: user})
}

// stopAllTyping stops all timers, so that Close need not wait for them; the lock is held.
func (p *world) stopAllTyping() {
	for _, c := range p.chats {
		for _, user := range sortedIDs(c.typing) {
			c.stopTyping(p, user)
		}
	}
}

// writers are the users who are shown as writing in a chat, without one of them, in the
// order of their ids.
func (c *chat) writers(but imbot.ID) []imbot.ID {
	ids := slices.DeleteFunc(sortedIDs(c.typing), func(id imbot.ID) bool { return id == but })
	return ids
}
