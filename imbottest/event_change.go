package imbottest

import (
	"strconv"

	"github.com/imbot-go/imbot"
)

// fireMessageUpdate tells bots about a message that its author changed.
func (p *Portal) fireMessageUpdate(chat *chat, m *message) {
	mentioned := mentions(m.Text)
	for _, bots := range p.hearers(chat, mentioned) {
		app := bots[0].app
		e := p.newEvent(eventMessageUpdate, app, bots...)
		text, first := m.Text, bots[0].id
		if chat.kind != kindPrivate {
			text, first = p.addressed(text, mentioned)
		}
		set := p.setChanged(e, chat, m, text)
		if chat.kind == kindPrivate {
			set("FROM_USER_ID", m.AuthorID.String(), "TO_USER_ID", first.String())
		}
		set("CHAT_USER_COUNT", strconv.Itoa(len(chat.members)))
		if chat.kind != kindPrivate {
			for _, id := range mentioned {
				e.set("data", "PARAMS", "MENTIONED_LIST")(id.String(), id.String())
			}
		}
		set("PLATFORM_CONTEXT", "web")
		if chat.kind != kindPrivate {
			if first != 0 {
				set("MESSAGE_ORIGINAL", m.Text)
			}
			set("TO_USER_ID", first.String())
		}
		p.postChanged(e, eventMessageUpdate, chat, m, app)
	}
}

// fireMessageDelete tells bots about a message that its author deleted; who heard
// it is decided by what it mentioned.
func (p *Portal) fireMessageDelete(chat *chat, m *message, mentioned []imbot.ID) {
	notice := "Message from " + m.Time.Format("01/02/2006 15:04:05") + " has been deleted"
	for _, bots := range p.hearers(chat, mentioned) {
		app := bots[0].app
		e := p.newEvent(eventMessageDelete, app, bots...)
		set := p.setChanged(e, chat, m, notice)
		if chat.kind == kindPrivate {
			set("FROM_USER_ID", m.AuthorID.String(), "TO_USER_ID", bots[0].id.String())
		}
		p.postChanged(e, eventMessageDelete, chat, m, app)
	}
}

// setChanged writes what both events begin with.
func (p *Portal) setChanged(e *event, chat *chat, m *message, text string) func(pairs ...string) {
	owner := chat.owner
	if chat.kind == kindPrivate {
		owner = chat.members[0].user
	}
	set := e.set("data", "PARAMS")
	set("ID", m.ID.String(), "CHAT_ID", chat.id.String(), "AUTHOR_ID", m.AuthorID.String(), "MESSAGE", text,
		"MESSAGE_TYPE", chat.kind, "CHAT_AUTHOR_ID", owner.String())
	set(chat.entity()...)
	return set
}

// postChanged writes what both events end with. Only private dialogs tell who
// acted.
func (p *Portal) postChanged(e *event, name string, chat *chat, m *message, app *application) {
	dialog := imbot.UserDialog(m.AuthorID)
	if chat.kind != kindPrivate {
		dialog = imbot.ChatDialog(chat.id)
	}
	e.set("data", "PARAMS")("DIALOG_ID", string(dialog), "MESSAGE_ID", m.ID.String(), "CHAT_TYPE", chat.kind, "LANGUAGE", language)
	if chat.kind == kindPrivate {
		p.setUser(e, m.AuthorID, true)
	}
	p.post(name, app, chatQueue(chat), p.finish(e, app, m.AuthorID, true))
}
