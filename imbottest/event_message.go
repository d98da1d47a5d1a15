package imbottest

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/imbot-go/imbot"
)

// fireMessageAdd tells bots about a person's message.
func (p *world) fireMessageAdd(chat *chat, m *message, before imbot.ID) {
	p.fireMessageAddV2(chat, m)
	mentioned := mentions(m.Text)
	for _, bots := range p.botsToTell(chat, mentioned) {
		app := bots[0].app
		e := p.newEvent(eventMessageAdd, app, bots...)
		if chat.kind == kindPrivate {
			p.setPrivateMessage(e, chat, m, bots[0])
		} else {
			p.setGroupMessage(e, chat, m, before, mentioned)
		}
		p.setUser(e, m.AuthorID, true)
		for _, b := range bots {
			if chat.kind != kindLines && b.kind != imbot.BotTypeSupervisor { // a real portal, too, shows the bot as writing by itself
				p.startTyping(chat, b.id, typingTime)
			}
		}
		p.queueEvent(eventMessageAdd, app, chatQueue(chat), p.encodeWithAuth(e, app, m.AuthorID, true))
	}
}

func (p *world) setPrivateMessage(e *event, chat *chat, m *message, b *bot) {
	author := m.AuthorID.String()
	set := e.set("data", "PARAMS")
	set("MESSAGE", m.Text, "TEMPLATE_ID", newUUID(), "MESSAGE_TYPE", kindPrivate, "FROM_USER_ID", author,
		"DIALOG_ID", author, "TO_CHAT_ID", chat.id.String(), "AUTHOR_ID", author, "SYSTEM", "N", "TO_USER_ID", b.id.String())
	set(sendFlags...)
	set("COMMAND_CONTEXT", "TEXTAREA", "CHAT_USER_COUNT", strconv.Itoa(len(chat.members)),
		"PLATFORM_CONTEXT", "web", "MESSAGE_ID", m.ID.String(), "CHAT_TYPE", kindPrivate, "LANGUAGE", language)
}

func (p *world) setGroupMessage(e *event, chat *chat, m *message, before imbot.ID, mentioned []imbot.ID) {
	p.setGroup(e, chat, m, withoutMentions(m.Text), before)
	set := e.set("data", "PARAMS")
	set(sendFlags...)
	set("COMMAND_CONTEXT", "TEXTAREA", "CHAT_USER_COUNT", strconv.Itoa(len(chat.members)))
	for _, id := range mentioned {
		e.set("data", "PARAMS", "MENTIONED_LIST")(id.String(), id.String())
	}
	set("PLATFORM_CONTEXT", "web", "MESSAGE_ORIGINAL", m.Text, "TO_USER_ID", firstOf(mentioned).String(),
		"MESSAGE_ID", m.ID.String(), "LANGUAGE", language)
}

// setGroup writes the keys with which the PARAMS of messages and commands in a group
// chat begin.
func (p *world) setGroup(e *event, chat *chat, m *message, text string, before imbot.ID, more ...string) {
	author, id := m.AuthorID.String(), chat.id.String()
	set := e.set("data", "PARAMS")
	set("MESSAGE", text, "TEMPLATE_ID", newUUID(), "MESSAGE_TYPE", chat.kind, "FROM_USER_ID", author,
		"DIALOG_ID", "chat"+id, "TO_CHAT_ID", id, "AUTHOR_ID", author, "SYSTEM", "N", "CHAT_ID", id)
	set(more...)
	set("CHAT_TITLE", chat.title, "CHAT_AUTHOR_ID", chat.owner.String(), "CHAT_TYPE", chat.kind, "CHAT_AVATAR", "0",
		"CHAT_COLOR", string(chat.color))
	set(chat.entity()...)
	set("CHAT_EXTRANET", yesNo(p.hasExtranet(chat)), "CHAT_PREV_MESSAGE_ID", before.String(), "CHAT_CAN_POST", "MEMBER", "RID", author,
		"IS_MANAGER", yesNo(chat.member(m.AuthorID).manager))
}

// sendFlags are keys and values of PARAMS that are the same in every event.
var sendFlags = []string{
	"PUSH", "Y", "PUSH_IMPORTANT", "N", "RECENT_SKIP_AUTHOR", "N", "CONVERT", "N", "SKIP_COMMAND", "N",
	"SKIP_COUNTER_INCREMENTS", "N", "SILENT_CONNECTOR", "N", "SKIP_CONNECTOR", "N", "IMPORTANT_CONNECTOR", "N",
	"NO_SESSION_OL", "N", "FAKE_RELATION", "0", "SKIP_URL_INDEX", "N",
}

// fireMessageUpdate tells bots about a message that its author changed.
func (p *world) fireMessageUpdate(chat *chat, m *message) {
	p.fireMessageUpdateV2(chat, m)
	mentioned := mentions(m.Text)
	for _, bots := range p.botsToTell(chat, mentioned) {
		app := bots[0].app
		e := p.newEvent(eventMessageUpdate, app, bots...)
		text, first := m.Text, bots[0].id
		if chat.kind != kindPrivate {
			text, first = withoutMentions(text), firstOf(mentioned)
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
			set("MESSAGE_ORIGINAL", m.Text, "TO_USER_ID", first.String())
		}
		p.postChanged(e, eventMessageUpdate, chat, m, app)
	}
}

// fireMessageDelete tells bots about a message that its author deleted. mentioned are
// the users that the deleted text mentioned, because the text is gone by now.
func (p *world) fireMessageDelete(chat *chat, m *message, mentioned []imbot.ID) {
	p.fireMessageDeleteV2(chat, m, mentioned)
	notice := "Message from " + m.Time.Format("01/02/2006 15:04:05") + " has been deleted"
	for _, bots := range p.botsToTell(chat, mentioned) {
		app := bots[0].app
		e := p.newEvent(eventMessageDelete, app, bots...)
		set := p.setChanged(e, chat, m, notice)
		if chat.kind == kindPrivate {
			set("FROM_USER_ID", m.AuthorID.String(), "TO_USER_ID", bots[0].id.String())
		}
		p.postChanged(e, eventMessageDelete, chat, m, app)
	}
}

// setChanged writes the keys with which the PARAMS of an update and a deletion begin.
func (p *world) setChanged(e *event, chat *chat, m *message, text string) func(pairs ...string) {
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

// postChanged writes the keys with which an update and a deletion end, and queues the
// event. Only in private dialogs does it say who acted.
func (p *world) postChanged(e *event, name string, chat *chat, m *message, app *application) {
	dialog := imbot.UserDialog(m.AuthorID)
	if chat.kind != kindPrivate {
		dialog = imbot.ChatDialog(chat.id)
	}
	e.set("data", "PARAMS")("DIALOG_ID", string(dialog), "MESSAGE_ID", m.ID.String(), "CHAT_TYPE", chat.kind, "LANGUAGE", language)
	if chat.kind == kindPrivate {
		p.setUser(e, m.AuthorID, true)
	}
	p.queueEvent(name, app, chatQueue(chat), p.encodeWithAuth(e, app, m.AuthorID, true))
}

// botsToTell returns the bots that get an event for a message: in a private dialog all
// of them, in a group chat those that are mentioned and supervisors. The bots of one
// application are a group and share an event. In an open line it does not matter
// whether the guest or an operator wrote.
func (p *world) botsToTell(chat *chat, mentioned []imbot.ID) (groups [][]*bot) {
	at := map[*application]int{}
	for _, member := range chat.members {
		b := p.bots[member.user]
		if b == nil || b.mode != "" || !b.hearsAll(chat) && !slices.Contains(mentioned, b.id) {
			continue
		}
		i, ok := at[b.app]
		if !ok {
			i = len(groups)
			at[b.app] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], b)
	}
	return groups
}

// hearsAll reports whether a bot gets all messages of its chat.
func (b *bot) hearsAll(chat *chat) bool {
	switch chat.kind {
	case kindPrivate:
		return true
	case kindLines:
		return b.openLine.Bool()
	}
	return b.kind == imbot.BotTypeSupervisor || b.kind == botTypePersonal
}

// mention matches a mention of a user, in any spelling, and what stands between its
// codes, the name.
var mention = regexp.MustCompile(`(?is)\[user=([0-9]+)[^\]]*\](.*?)\[/user\]`)

// mentions returns the users that a text mentions, in the order of the text.
func mentions(text string) []imbot.ID {
	var ids []imbot.ID
	for _, found := range mention.FindAllStringSubmatch(text, -1) {
		if id := toID(found[1]); id > 0 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// withoutMentions returns a text as MESSAGE has it outside private dialogs: the mentions
// that are spelled in this one way are cut out, whoever is mentioned, each with one comma
// behind it.
func withoutMentions(text string) string { return trim(cutMention.ReplaceAllString(text, "")) }

var cutMention = regexp.MustCompile(`\[USER=[0-9]+\].+?\[/USER\],?`)

// firstOf returns who is mentioned first, bot or not, 0 when there is nobody.
func firstOf(mentioned []imbot.ID) imbot.ID {
	if len(mentioned) == 0 {
		return 0
	}
	return mentioned[0]
}
