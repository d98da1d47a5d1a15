package imbottest

import (
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// A Message is one message of a chat.
type Message struct {
	ID       imbot.ID
	ChatID   imbot.ID // private dialogs have a chat id, too
	AuthorID imbot.ID // 0 for the system
	Text     string   // with BB codes; [Message.Plain] is what a person reads
	System   bool
	Time     time.Time
}

// maxText is the length in characters to which the portal cuts messages.
const maxText = 20000

// cut shortens a text like the portal does: without an error.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	if runes := []rune(text); len(runes) > maxText {
		return string(runes[:maxText]) + " (...)"
	}
	return text
}

// store adds a message to a chat; the lock is held.
func (p *Portal) store(chat *chat, author imbot.ID, text string, system bool) Message {
	p.lastMsg++
	m := Message{ID: p.lastMsg, ChatID: chat.id, AuthorID: author, Text: text, System: system, Time: time.Now()}
	chat.messages = append(chat.messages, m)
	p.notify()
	return m
}

// newPrivate makes the private dialog of two users; the lock is held.
func (p *Portal) newPrivate(a, b imbot.ID) *chat {
	p.lastChat++
	chat := &chat{id: p.lastChat, kind: kindPrivate, created: time.Now()}
	chat.members = []*member{{user: a}, {user: b}}
	p.chats[chat.id] = chat
	p.private[pairOf(a, b)] = chat
	return chat
}

func messageMethods(name string) method {
	if name == "imbot.message.add" {
		return messageAdd
	}
	return nil
}

func messageAdd(c *call) (any, *restError) {
	p := c.p
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	from, to := c.params.id("FROM_USER_ID"), c.params.id("TO_USER_ID")
	inPair := from > 0 && to > 0
	dialog := imbot.DialogID(strings.ToLower(c.params.text("DIALOG_ID")))
	if !inPair && !isDialog(string(dialog)) {
		return nil, wrong("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
	}
	sent, _ := c.params.get("MESSAGE").(string) // a number counts as empty
	sent = strings.TrimSpace(sent)
	if sent == "" {
		return nil, wrong("MESSAGE_EMPTY", "Message can't be empty")
	}
	sent = cut(sent)
	if inPair {
		chat, fail := p.openPrivate(from, to)
		if fail != nil {
			return nil, fail
		}
		return p.store(chat, 0, sent, true).ID, nil
	}
	system := c.params.text("SYSTEM") == "Y"
	author := b.id
	if system {
		author = 0
	}
	if user, ok := dialog.UserID(); ok {
		chat, fail := p.openPrivate(b.id, user)
		if fail != nil {
			return nil, fail
		}
		return p.store(chat, author, sent, system).ID, nil
	}
	id, _ := dialog.ChatID()
	chat := p.group(id)
	switch {
	case chat == nil:
		return nil, wrong("CHAT_ID", "Chat not found")
	case chat.member(b.id) == nil:
		return nil, wrong("CANCELED", "You can't send messages to this chat")
	}
	if system {
		sent = "[b]" + p.users[b.id].name() + "[/b]\n" + sent
	}
	return p.store(chat, author, sent, system).ID, nil
}

// openPrivate finds or makes the private dialog in which one user writes to
// another. A bot learns of a new one.
func (p *Portal) openPrivate(by, other imbot.ID) (*chat, *restError) {
	if by == other || !p.present(by) || !p.present(other) {
		return nil, wrong("ERROR_NO_ACCESS", "You can't send messages to this user")
	}
	if chat := p.private[pairOf(by, other)]; chat != nil {
		return chat, nil
	}
	chat := p.newPrivate(by, other)
	writer, reader := p.bots[by], p.bots[other]
	switch {
	case writer != nil && reader == nil:
		p.fireJoinPrivate(chat, writer, other, by, other)
	case writer == nil && reader != nil:
		p.fireJoinPrivate(chat, reader, by, by, other)
	}
	return chat, nil
}
