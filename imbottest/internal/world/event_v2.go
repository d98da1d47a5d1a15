package world

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// The events of the second generation.
const (
	v2MessageAdd    = "ONIMBOTV2MESSAGEADD"
	v2MessageUpdate = "ONIMBOTV2MESSAGEUPDATE"
	v2MessageDelete = "ONIMBOTV2MESSAGEDELETE"
	v2JoinChat      = "ONIMBOTV2JOINCHAT"
	v2CommandAdd    = "ONIMBOTV2COMMANDADD"
	v2ContextGet    = "ONIMBOTV2CONTEXTGET"
	v2BotDelete     = "ONIMBOTV2DELETE"

	v2ReactionChange = "ONIMBOTV2REACTIONCHANGE"
)

// fireV2 tells bots of the second generation about something, each by itself. data makes what
// stands behind the bot.
func (w *World) fireV2(name string, chat *Chat, user imbot.ID, bots []*Bot, data func(b *Bot, to *php.Array)) {
	posted := map[*Application]bool{}
	for _, b := range bots {
		to := php.NewArray()
		switch b.Mode {
		case ModeFetch:
			to.Set("bot", w.BotObject(b, true))
			data(b, to)
			w.enqueue(&b.Queue, name, to)
		case ModeWebhook:
			if posted[b.App] && w.Differs(DoubtPostsPerBot) {
				continue
			}
			posted[b.App] = true
			short := php.NewArray()
			short.Set("id", php.Number(b.ID))
			short.Set("code", b.Code)
			to.Set("bot", short)
			data(b, to)
			w.postV2(b, name, chat, user, to)
		}
	}
}

// postV2 posts an event to every URL of the application, as the portal does: its bots share
// them.
func (w *World) postV2(b *Bot, name string, chat *Chat, user imbot.ID, data *php.Array) {
	queue := AppQueue(b.App)
	if chat != nil {
		queue = chatQueue(chat)
	}
	for _, to := range b.App.hooks {
		if !b.App.OAuth && !strings.Contains(to.URL, "CLIENT_ID=") && w.Differs(DoubtV2Posts) {
			continue
		}
		e := &Event{}
		e.At()("event", name, "event_handler_id", to.ID.String())
		e.SetValue(data, "data")
		if b.App.OAuth {
			w.setBotAuth(e, b.App, b, "data", "bot", "auth")
		}
		w.Hooks.Deliver(name, to, b.App, queue, w.encodeWithOwner(e, b.App, user))
	}
}

// encodeWithOwner is EncodeWithAuth with the token by which events of this generation are
// known: of a webhook's bot its owner, in the width of the portal's column.
func (w *World) encodeWithOwner(e *Event, app *Application, user imbot.ID) string {
	if app.OAuth {
		return w.EncodeWithAuth(e, app, user, true)
	}
	owner := "custom" + app.ClientID
	as := *app
	as.Token = owner[:min(len(owner), 50)]
	if w.Differs(DoubtApplicationToken) {
		as.Token = fmt.Sprintf("%.16x", sha256.Sum256([]byte(owner)))
	}
	return w.EncodeWithAuth(e, &as, user, false)
}

// HookTo adds the URL of a bot to those of its application.
func (w *World) HookTo(app *Application, address string) {
	if slices.ContainsFunc(app.hooks, func(b Binding) bool { return b.URL == address }) {
		return
	}
	w.lastBind++
	app.hooks = append(app.hooks, Binding{ID: w.lastBind, URL: address, Full: address})
}

// Unhook removes the URL of a bot unless another one has it.
func (w *World) Unhook(b *Bot) {
	address := b.Webhook
	b.Webhook = ""
	for _, other := range w.Bots {
		if other != b && other.App == b.App && other.Webhook == address {
			return
		}
	}
	b.App.hooks = slices.DeleteFunc(b.App.hooks, func(to Binding) bool { return to.URL == address })
}

// v2Only returns those of the bots that are of the second generation.
func v2Only(bots []*Bot) []*Bot {
	return slices.DeleteFunc(slices.Clone(bots), func(b *Bot) bool { return b.Mode == "" })
}

// HearersV2 are the bots of the second generation that get an event for a message.
func (w *World) HearersV2(chat *Chat, mentioned []imbot.ID) (bots []*Bot) {
	for _, member := range chat.Members {
		b := w.Bots[member.User]
		if b != nil && b.Mode != "" && (b.hearsAll(chat) || slices.Contains(mentioned, b.ID)) {
			bots = append(bots, b)
		}
	}
	return bots
}

func (w *World) fireMessageAddV2(chat *Chat, m *Message) {
	w.fireMessageV2(v2MessageAdd, chat, m, w.HearersV2(chat, Mentions(m.Text)))
}

// FireMessageUpdateV2 tells bots of the second generation, and people who fetch their events, about
// a message that was changed.
func (w *World) FireMessageUpdateV2(chat *Chat, m *Message) {
	w.fireMessageV2(v2MessageUpdate, chat, m, w.HearersV2(chat, append(Mentions(m.Text), m.AuthorID))) // a bot hears of its own change
	w.tellPeople("MESSAGEUPDATE", chat, m, m.AuthorID, w.withMessage(m))
}

func (w *World) fireMessageV2(name string, chat *Chat, m *Message, bots []*Bot) {
	w.fireV2(name, chat, m.AuthorID, bots, func(b *Bot, to *php.Array) {
		to.Set("message", w.MessageObject(m))
		w.setWhereV2(to, chat, b.ID, m.AuthorID)
	})
}

// FireMessageDeleteV2 is FireMessageUpdateV2 for a message that was deleted.
func (w *World) FireMessageDeleteV2(chat *Chat, m *Message, mentioned []imbot.ID) {
	w.fireV2(v2MessageDelete, chat, m.AuthorID, w.HearersV2(chat, mentioned), func(b *Bot, to *php.Array) {
		to.Set("messageId", php.Number(m.ID))
		w.setWhereV2(to, chat, b.ID, m.AuthorID)
	})
	w.tellPeople("MESSAGEDELETE", chat, m, m.AuthorID, func(to *php.Array) { to.Set("messageId", php.Number(m.ID)) })
}

func (w *World) fireJoinV2(chat *Chat, b *Bot, by imbot.ID) {
	w.fireV2(v2JoinChat, chat, by, v2Only([]*Bot{b}), func(b *Bot, to *php.Array) {
		to.Set("dialogId", string(w.DialogOf(chat, b.ID)))
		w.setWhereV2(to, chat, b.ID, by)
	})
}

func (w *World) fireCommandV2(chat *Chat, m *Message, user imbot.ID, context string, inv invocation) {
	if chat.Answers == nil {
		chat.Answers = map[imbot.ID]time.Time{}
	}
	chat.Answers[inv.command.Bot.ID] = time.Now().Add(answerTime)
	w.fireV2(v2CommandAdd, chat, user, []*Bot{inv.command.Bot}, func(b *Bot, to *php.Array) {
		call := php.NewArray()
		call.Set("id", php.Number(inv.command.ID))
		call.Set("command", "/"+inv.command.Name)
		call.Set("params", inv.params)
		call.Set("context", map[string]string{"TEXTAREA": "textarea", "KEYBOARD": "keyboard", "MENU": "menu"}[context])
		to.Set("command", call)
		to.Set("message", w.MessageObject(m))
		w.setWhereV2(to, chat, b.ID, user)
	})
}

// fireContextV2 tells bots of the second generation with which data a dialog was opened.
func (w *World) fireContextV2(chat *Chat, bots []*Bot, user imbot.ID, value any) {
	w.fireV2(v2ContextGet, chat, user, v2Only(bots), func(b *Bot, to *php.Array) {
		to.Set("dialogId", string(w.DialogOf(chat, b.ID)))
		to.Set("context", value)
		w.setWhereV2(to, chat, b.ID, user)
	})
}

// setWhereV2 writes what events end with: the chat as the reader sees it, and who acted.
func (w *World) setWhereV2(to *php.Array, chat *Chat, reader, user imbot.ID) {
	to.Set("chat", w.ChatObject(chat, reader, false))
	to.Set("user", w.UserObject(w.Users[user], true))
	to.Set("language", Language)
}
