package imbottest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// changeTime is how long a message can be changed; deleting has no limit.
const changeTime = 3 * 24 * time.Hour

// deletedText is what stays of a deleted message.
const deletedText = "This message was deleted."

// messageID reads MESSAGE_ID behind the bot.
func (c *call) messageID() (*bot, imbot.ID, *restError) {
	b, fail := c.bot()
	if fail != nil {
		return nil, 0, fail
	}
	id := c.params.id("MESSAGE_ID")
	if id <= 0 {
		return nil, 0, wrong("MESSAGE_ID_ERROR", "Message ID can't be empty")
	}
	return b, id, nil
}

// own finds a message that its author may still reach: not deleted, in a chat of
// which he is a member.
func (p *Portal) own(user, id imbot.ID) *message {
	m := p.messages[id]
	if m == nil || m.Deleted || m.AuthorID != user || p.chats[m.ChatID].member(user) == nil {
		return nil
	}
	return m
}

// changeable is own within the time for changes.
func (p *Portal) changeable(user, id imbot.ID) *message {
	if m := p.own(user, id); m != nil && time.Since(m.Time) <= changeTime {
		return m
	}
	return nil
}

var errCantEdit = &restError{http.StatusForbidden, "CANT_EDIT_MESSAGE", "Time has expired for modification or you don't have access"}

// messageUpdate applies one part after the other: what was done before an error
// stays. Without a part nobody looks for the message.
func messageUpdate(c *call) (any, *restError) {
	p := c.p
	b, id, fail := c.messageID()
	if fail != nil {
		return nil, fail
	}
	defer p.notify()
	for kind, name := range partNames {
		if !c.params.given(name) {
			continue
		}
		m := p.changeable(b.id, id)
		if m == nil {
			return nil, errCantEdit
		}
		v := c.params.get(name)
		if !truthy(v) || v == "N" {
			m.parts[kind] = nil
			p.noteMessage(m)
			continue
		}
		part := p.readPart(kind, v, b.id)
		switch {
		case part == nil && kind == partMenu:
			return nil, wrong("menu_ERROR", "Incorrect menu params") // spelled like that
		case part == nil:
			return nil, wrong(name+"_ERROR", "Incorrect "+strings.ToLower(name)+" params")
		case oversize(part):
			return nil, wrong(name+"_OVERSIZE", "You have exceeded the maximum allowable size of "+strings.ToLower(name))
		}
		m.parts[kind] = part
		p.noteMessage(m)
	}
	if !c.params.given("MESSAGE") {
		return true, nil
	}
	m := p.changeable(b.id, id)
	if m == nil {
		return nil, errCantEdit
	}
	if text := strings.TrimSpace(c.params.text("MESSAGE")); text != "" {
		m.Text = p.finished(text)
		p.noteMessage(m)
	} else {
		p.drop(m, false)
	}
	return true, nil
}

func messageDelete(c *call) (any, *restError) {
	b, id, fail := c.messageID()
	if fail != nil {
		return nil, fail
	}
	m := c.p.own(b.id, id)
	if m == nil {
		return nil, errCantEdit
	}
	c.p.drop(m, c.params.get("COMPLETE") == "Y")
	return true, nil
}

// drop deletes a message: with a notice in its place, or without a trace.
func (p *Portal) drop(m *message, complete bool) {
	defer p.noteMessage(m)
	if complete {
		chat := p.chats[m.ChatID]
		chat.messages = slices.DeleteFunc(chat.messages, func(other *message) bool { return other == m })
		delete(p.messages, m.ID)
		return
	}
	m.Deleted, m.Text, m.parts, m.Likes = true, deletedText, parts{}, nil
}

func messageLike(c *call) (any, *restError) {
	b, id, fail := c.messageID()
	if fail != nil {
		return nil, fail
	}
	m := c.p.messages[id]
	if m == nil || m.Deleted || c.p.chats[m.ChatID].member(b.id) == nil {
		return nil, errWithoutChanges
	}
	liked := slices.Contains(m.Likes, b.id)
	switch action := strings.ToLower(c.params.text("ACTION")); {
	case action == "plus" && liked, action == "minus" && !liked:
		return nil, errWithoutChanges
	}
	m.like(b.id)
	c.p.noteMessage(m)
	return true, nil
}

var errWithoutChanges = wrong("WITHOUT_CHANGES", "Action completed without changes")

// like sets a like, or takes it away when there is one.
func (m *message) like(user imbot.ID) {
	if i := slices.Index(m.Likes, user); i >= 0 {
		m.Likes = slices.Delete(m.Likes, i, i+1)
	} else {
		m.Likes = append(m.Likes, user)
	}
}
