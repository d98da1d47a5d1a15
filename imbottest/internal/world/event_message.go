package world

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// fireMessageAdd tells bots about a person's message.
func (w *World) fireMessageAdd(chat *Chat, m *Message, before imbot.ID) {
	w.fireMessageAddV2(chat, m)
	mentioned := Mentions(m.Text)
	for _, bots := range w.BotsToTell(chat, mentioned) {
		app := bots[0].App
		e := w.newEvent(EventMessageAdd, app, bots...)
		if chat.Kind == KindPrivate {
			w.setPrivateMessage(e, chat, m, bots[0])
		} else {
			w.setGroupMessage(e, chat, m, before, mentioned)
		}
		w.setParams(e, m)
		w.setUser(e, m.AuthorID, true)
		for _, b := range bots {
			if chat.Kind != KindLines && b.Kind != imbot.BotTypeSupervisor { // a real portal, too, shows the bot as writing by itself
				w.StartTyping(chat, b.ID, TypingTime)
			}
		}
		w.QueueEvent(EventMessageAdd, app, chatQueue(chat), w.EncodeWithAuth(e, app, m.AuthorID, true))
	}
}

func (w *World) setPrivateMessage(e *Event, chat *Chat, m *Message, b *Bot) {
	author := m.AuthorID.String()
	set := e.At("data", "PARAMS")
	set("MESSAGE", m.Text, "TEMPLATE_ID", newUUID(), "MESSAGE_TYPE", KindPrivate, "FROM_USER_ID", author,
		"DIALOG_ID", author, "TO_CHAT_ID", chat.ID.String(), "AUTHOR_ID", author, "SYSTEM", "N", "TO_USER_ID", b.ID.String())
	set(sendFlags...)
	set("COMMAND_CONTEXT", "TEXTAREA", "CHAT_USER_COUNT", strconv.Itoa(len(chat.Members)),
		"PLATFORM_CONTEXT", "web", "MESSAGE_ID", m.ID.String(), "CHAT_TYPE", KindPrivate, "LANGUAGE", Language)
}

func (w *World) setGroupMessage(e *Event, chat *Chat, m *Message, before imbot.ID, mentioned []imbot.ID) {
	w.setGroup(e, chat, m, w.withoutMentions(m.Text), before)
	set := e.At("data", "PARAMS")
	set(sendFlags...)
	set("COMMAND_CONTEXT", "TEXTAREA", "CHAT_USER_COUNT", strconv.Itoa(len(chat.Members)))
	for _, id := range mentioned {
		e.At("data", "PARAMS", "MENTIONED_LIST")(id.String(), id.String())
	}
	set("PLATFORM_CONTEXT", "web")
	w.setOriginal(set, m)
	set("TO_USER_ID", firstOf(mentioned).String(),
		"MESSAGE_ID", m.ID.String(), "LANGUAGE", Language)
}

// setOriginal writes the text with its mentions.
func (w *World) setOriginal(set func(pairs ...string), m *Message) {
	if !w.Differs(DoubtMessageOriginal) {
		set("MESSAGE_ORIGINAL", m.Text)
	}
}

// setGroup writes the keys with which the PARAMS of messages and commands in a group
// chat begin.
func (w *World) setGroup(e *Event, chat *Chat, m *Message, text string, before imbot.ID, more ...string) {
	author, id := m.AuthorID.String(), chat.ID.String()
	set := e.At("data", "PARAMS")
	set("MESSAGE", text, "TEMPLATE_ID", newUUID(), "MESSAGE_TYPE", chat.Kind, "FROM_USER_ID", author,
		"DIALOG_ID", "chat"+id, "TO_CHAT_ID", id, "AUTHOR_ID", author, "SYSTEM", "N", "CHAT_ID", id)
	set(more...)
	set("CHAT_TITLE", chat.Title, "CHAT_AUTHOR_ID", chat.Owner.String(), "CHAT_TYPE", chat.Kind, "CHAT_AVATAR", "0",
		"CHAT_COLOR", string(chat.Color))
	set(chat.entity()...)
	set("CHAT_EXTRANET", php.YesNo(w.HasExtranet(chat)), "CHAT_PREV_MESSAGE_ID", before.String(), "CHAT_CAN_POST", "MEMBER", "RID", author,
		"IS_MANAGER", php.YesNo(chat.Member(m.AuthorID).Manager))
}

// sendFlags are keys and values of PARAMS that are the same in every event.
var sendFlags = []string{
	"PUSH", "Y", "PUSH_IMPORTANT", "N", "RECENT_SKIP_AUTHOR", "N", "CONVERT", "N", "SKIP_COMMAND", "N",
	"SKIP_COUNTER_INCREMENTS", "N", "SILENT_CONNECTOR", "N", "SKIP_CONNECTOR", "N", "IMPORTANT_CONNECTOR", "N",
	"NO_SESSION_OL", "N", "FAKE_RELATION", "0", "SKIP_URL_INDEX", "N",
}

// FireMessageUpdate tells bots about a message that its author changed.
func (w *World) FireMessageUpdate(chat *Chat, m *Message) {
	w.FireMessageUpdateV2(chat, m)
	mentioned := Mentions(m.Text)
	for _, bots := range w.BotsToTell(chat, mentioned) {
		app := bots[0].App
		e := w.newEvent(EventMessageUpdate, app, bots...)
		text, first := m.Text, bots[0].ID
		if chat.Kind != KindPrivate {
			text, first = w.withoutMentions(text), firstOf(mentioned)
		}
		set := w.setChanged(e, chat, m, text)
		if chat.Kind == KindPrivate {
			set("FROM_USER_ID", m.AuthorID.String(), "TO_USER_ID", first.String())
		}
		set("CHAT_USER_COUNT", strconv.Itoa(len(chat.Members)))
		if chat.Kind != KindPrivate {
			for _, id := range mentioned {
				e.At("data", "PARAMS", "MENTIONED_LIST")(id.String(), id.String())
			}
		}
		set("PLATFORM_CONTEXT", "web")
		if chat.Kind != KindPrivate {
			w.setOriginal(set, m)
			set("TO_USER_ID", first.String())
		}
		w.setParams(e, m)
		w.postChanged(e, EventMessageUpdate, chat, m, app)
	}
}

// FireMessageDelete tells bots about a message that its author deleted. mentioned are
// the users that the deleted text mentioned, because the text is gone by now.
func (w *World) FireMessageDelete(chat *Chat, m *Message, mentioned []imbot.ID) {
	w.FireMessageDeleteV2(chat, m, mentioned)
	notice := "Message from " + m.Time.Format("01/02/2006 15:04:05") + " has been deleted"
	for _, bots := range w.BotsToTell(chat, mentioned) {
		app := bots[0].App
		e := w.newEvent(EventMessageDelete, app, bots...)
		set := w.setChanged(e, chat, m, notice)
		if chat.Kind == KindPrivate {
			set("FROM_USER_ID", m.AuthorID.String(), "TO_USER_ID", bots[0].ID.String())
		}
		w.postChanged(e, EventMessageDelete, chat, m, app)
	}
}

// setChanged writes the keys with which the PARAMS of an update and a deletion begin.
func (w *World) setChanged(e *Event, chat *Chat, m *Message, text string) func(pairs ...string) {
	owner := chat.Owner
	if chat.Kind == KindPrivate {
		owner = chat.Members[0].User
	}
	set := e.At("data", "PARAMS")
	set("ID", m.ID.String(), "CHAT_ID", chat.ID.String(), "AUTHOR_ID", m.AuthorID.String(), "MESSAGE", text,
		"MESSAGE_TYPE", chat.Kind, "CHAT_AUTHOR_ID", owner.String())
	set(chat.entity()...)
	return set
}

// postChanged writes the keys with which an update and a deletion end, and queues the
// event. Only in private dialogs does it say who acted.
func (w *World) postChanged(e *Event, name string, chat *Chat, m *Message, app *Application) {
	dialog := imbot.UserDialog(m.AuthorID)
	if chat.Kind != KindPrivate {
		dialog = imbot.ChatDialog(chat.ID)
	}
	e.At("data", "PARAMS")("DIALOG_ID", string(dialog), "MESSAGE_ID", m.ID.String(), "CHAT_TYPE", chat.Kind, "LANGUAGE", Language)
	if chat.Kind == KindPrivate {
		w.setUser(e, m.AuthorID, true)
	}
	w.QueueEvent(name, app, chatQueue(chat), w.EncodeWithAuth(e, app, m.AuthorID, true))
}

// BotsToTell returns the bots that get an event for a message: in a private dialog all
// of them, in a group chat those that are mentioned and supervisors. The bots of one
// application are a group and share an event. In an open line it does not matter
// whether the guest or an operator wrote.
func (w *World) BotsToTell(chat *Chat, mentioned []imbot.ID) (groups [][]*Bot) {
	at := map[*Application]int{}
	for _, member := range chat.Members {
		b := w.Bots[member.User]
		if b == nil || b.Mode != "" || !b.hearsAll(chat) && !slices.Contains(mentioned, b.ID) {
			continue
		}
		i, ok := at[b.App]
		if !ok {
			i = len(groups)
			at[b.App] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], b)
	}
	return groups
}

// hearsAll reports whether a bot gets all messages of its chat.
func (b *Bot) hearsAll(chat *Chat) bool {
	switch chat.Kind {
	case KindPrivate:
		return true
	case KindLines:
		return b.OpenLine.Bool()
	}
	return b.Kind == imbot.BotTypeSupervisor || b.Kind == BotTypePersonal
}

// mention matches a mention of a user, in any spelling, and what stands between its
// codes, the name.
var mention = regexp.MustCompile(`(?is)\[user=([0-9]+)[^\]]*\](.*?)\[/user\]`)

// Mentions returns the users that a text mentions, in the order of the text.
func Mentions(text string) []imbot.ID {
	var ids []imbot.ID
	for _, found := range mention.FindAllStringSubmatch(text, -1) {
		if id := php.ToID(found[1]); id > 0 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// withoutMentions returns a text as MESSAGE has it outside private dialogs: the mentions
// that are spelled in this one way are cut out, whoever is mentioned, each with one comma
// behind it.
func (w *World) withoutMentions(text string) string {
	if w.Differs(DoubtMentionCut) {
		return text
	}
	return php.Trim(cutMention.ReplaceAllString(text, ""))
}

var cutMention = regexp.MustCompile(`\[USER=[0-9]+\].+?\[/USER\],?`)

// firstOf returns who is mentioned first, bot or not, 0 when there is nobody.
func firstOf(mentioned []imbot.ID) imbot.ID {
	if len(mentioned) == 0 {
		return 0
	}
	return mentioned[0]
}
