package imbottest

import (
	"slices"
	"time"

	"github.com/imbot-go/imbot"
)

// typingTime is how long people see that somebody writes.
const typingTime = 10 * time.Second

// startTyping shows that somebody writes, for a while or until a message comes;
// the lock is held.
func (p *Portal) startTyping(c *chat, user imbot.ID) {
	if p.closed {
		return
	}
	c.stopTyping(p, user)
	if c.typing == nil {
		c.typing = map[imbot.ID]*time.Timer{}
	}
	p.wg.Add(1)
	var timer *time.Timer
	timer = time.AfterFunc(typingTime, func() {
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

// stopTyping ends what startTyping began; the lock is held.
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

// stopAllTyping is for Close; the lock is held.
func (p *Portal) stopAllTyping() {
	for _, c := range p.chats {
		for _, user := range sortedIDs(c.typing) {
			c.stopTyping(p, user)
		}
	}
}

// writers are who writes in a chat, in the order of the members.
func (c *chat) writers(but imbot.ID) []imbot.ID {
	ids := slices.DeleteFunc(sortedIDs(c.typing), func(id imbot.ID) bool { return id == but })
	return ids
}
