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
func (p *Portal) startTyping(c *chat, user imbot.ID, d time.Duration) {
	if p.closed {
		return
	}
	c.stopTyping(p, user)
	if c.typing == nil {
		c.typing = map[imbot.ID]*time.Timer{}
	}
	p.wg.Add(1)
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		defer p.wg.Done()
		p.mu.Lock()
		defer p.mu.Unlock()
		if c.typing[user] == timer {
			delete(c.typing, user)
			p.addToFeed(feedEntry{kind: ChangeTyping, chat: c.id, user: user})
		}
	})
	c.typing[user] = timer
	p.addToFeed(feedEntry{kind: ChangeTyping, chat: c.id, user: user})
}

// stopTyping no longer shows a user as writing; the lock is held.
func (c *chat) stopTyping(p *Portal, user imbot.ID) {
	timer := c.typing[user]
	if timer == nil {
		return
	}
	if timer.Stop() {
		p.wg.Done()
	}
	delete(c.typing, user)
	p.addToFeed(feedEntry{kind: ChangeTyping, chat: c.id, user: user})
}

// stopAllTyping stops all timers, so that Close need not wait for them; the lock is held.
func (p *Portal) stopAllTyping() {
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
