package imbottest_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

var mapKey = regexp.MustCompile(`\[[0-9]+\]`)

// fields returns the keys of a form in their order, each with the kind of its value.
func fields(t *testing.T, body string) []string {
	t.Helper()
	var out []string
	for _, pair := range strings.Split(body, "&") {
		key, value, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		require.NoError(t, err)
		kind := "text"
		switch {
		case value == "":
			kind = "empty"
		case strings.Trim(value, "0123456789") == "":
			kind = "number"
		}
		out = append(out, mapKey.ReplaceAllString(key, "[#]")+" "+kind)
	}
	return out
}

// talk is a bot and somebody who talks to it.
type talk struct {
	portal *imbottest.Portal
	bot    imbot.ID
	client *imbot.Client
	anna   imbot.ID
}

func (w talk) registerEcho(t *testing.T) {
	t.Helper()
	_, err := w.client.Command.Register(t.Context(), imbot.CommandRegisterRequest{
		Command: "echo", EventCommandAdd: eventURL, Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Echo"}},
	})
	require.NoError(t, err)
}

func (w talk) mention() string { return fmt.Sprintf("[USER=%d]NewBot[/USER]", w.bot) }

// thread makes a group chat with the bot and returns a message that mentions the bot.
func (w talk) thread(t *testing.T) imbottest.Message {
	t.Helper()
	chat, err := w.client.Chat.Add(t.Context(), imbot.ChatAddRequest{Users: []imbot.ID{w.anna}, EntityType: "THREAD"})
	require.NoError(t, err)
	m, err := w.portal.Say(t.Context(), w.anna, imbot.ChatDialog(chat), w.mention()+", hello")
	require.NoError(t, err)
	return m
}

// TestEventsLookLikeTheDocumentedOnes compares the keys, their order, and the kind of each
// value.
func TestEventsLookLikeTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	start := func(t *testing.T, auth func(*imbottest.Portal) imbot.Auth) (*imbottest.Portal, *mailbox, imbot.ID, *imbot.Client) {
		portal := imbottest.NewPortal()
		t.Cleanup(portal.Close)
		box := &mailbox{}
		portal.Serve(eventURL, box)
		client, err := imbot.NewClient(auth(portal), imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		id, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{Code: "BOT", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "NewBot"}})
		require.NoError(t, err)
		return portal, box, id, client.WithBot(id)
	}
	oauth := func(p *imbottest.Portal) imbot.Auth { return p.OAuth("local.1") }
	webhook := func(p *imbottest.Portal) imbot.Auth { return p.Webhook("bot-secret-1") }
	say := func(t *testing.T, w talk) {
		_, err := w.portal.Say(ctx, w.anna, imbot.UserDialog(w.bot), "Hello")
		require.NoError(t, err)
	}
	for _, tt := range []struct {
		sample string
		auth   func(*imbottest.Portal) imbot.Auth
		act    func(*testing.T, talk)
	}{
		{"../testdata/events/messageadd_private.form", oauth, say},
		{"testdata/events/webhook_messageadd.form", webhook, say},
		{"../testdata/events/messageadd_group_mention.form", oauth, func(t *testing.T, w talk) {
			chat, err := w.client.Chat.Add(ctx, imbot.ChatAddRequest{Users: []imbot.ID{w.anna}, EntityType: "THREAD"})
			require.NoError(t, err)
			_, err = w.portal.Say(ctx, w.anna, imbot.ChatDialog(chat), fmt.Sprintf("[USER=%d]NewBot[/USER] , how to set up the left menu", w.bot))
			require.NoError(t, err)
		}},
		{"../testdata/events/joinchat_private.form", oauth, func(t *testing.T, w talk) {
			_, err := w.client.Message.Add(ctx, imbot.MessageAddRequest{DialogID: imbot.UserDialog(w.anna), Message: "hi"})
			require.NoError(t, err)
		}},
		{"../testdata/events/joinchat_group.form", oauth, func(t *testing.T, w talk) {
			chat, err := w.client.Chat.Add(ctx, imbot.ChatAddRequest{Users: []imbot.ID{w.anna}, EntityType: "THREAD"})
			require.NoError(t, err)
			require.NoError(t, w.client.Chat.SetOwner(ctx, imbot.ChatSetOwnerRequest{ChatID: chat, UserID: w.anna}))
			require.NoError(t, w.portal.Kick(ctx, w.anna, chat, w.bot))
			require.NoError(t, w.portal.Invite(ctx, w.anna, chat, w.bot))
		}},
		{"../testdata/events/commandadd_textarea_private.form", oauth, func(t *testing.T, w talk) {
			w.registerEcho(t)
			_, err := w.portal.Say(ctx, w.anna, imbot.UserDialog(w.bot), "/echo test")
			require.NoError(t, err)
		}},
		{"../testdata/events/commandadd_textarea_group.form", oauth, func(t *testing.T, w talk) {
			w.registerEcho(t)
			chat, err := w.client.Chat.Add(ctx, imbot.ChatAddRequest{Users: []imbot.ID{w.anna}, EntityType: "CHAT", EntityID: "13"})
			require.NoError(t, err)
			_, err = w.portal.Say(ctx, w.anna, imbot.ChatDialog(chat), "/echo test")
			require.NoError(t, err)
		}},
		{"testdata/events/commandadd_keyboard_group.form", oauth, func(t *testing.T, w talk) {
			w.registerEcho(t)
			chat, err := w.client.Chat.Add(ctx, imbot.ChatAddRequest{Users: []imbot.ID{w.anna}, EntityType: "CHAT", EntityID: "13"})
			require.NoError(t, err)
			id, err := w.client.Message.Add(ctx, imbot.MessageAddRequest{DialogID: imbot.ChatDialog(chat), Message: "choose", Keyboard: &imbot.Keyboard{
				Rows: [][]imbot.Button{{{Text: "Echo", Action: imbot.ActionCommand{Command: "echo", Params: "test"}}}},
			}})
			require.NoError(t, err)
			require.NoError(t, w.portal.Press(ctx, w.anna, imbottest.Message{ID: id}, "Echo"))
		}},
		{"../testdata/events/messageupdate_private.form", oauth, func(t *testing.T, w talk) {
			m, err := w.portal.Say(ctx, w.anna, imbot.UserDialog(w.bot), "Hello")
			require.NoError(t, err)
			require.NoError(t, w.portal.Edit(ctx, w.anna, m, "How to add an observer to the task?"))
		}},
		{"../testdata/events/messageupdate_group.form", oauth, func(t *testing.T, w talk) {
			require.NoError(t, w.portal.Edit(ctx, w.anna, w.thread(t), w.mention()+", create a task list"))
		}},
		{"../testdata/events/messagedelete_private.form", oauth, func(t *testing.T, w talk) {
			m, err := w.portal.Say(ctx, w.anna, imbot.UserDialog(w.bot), "Hello")
			require.NoError(t, err)
			require.NoError(t, w.portal.Delete(ctx, w.anna, m))
		}},
		{"../testdata/events/messagedelete_group.form", oauth, func(t *testing.T, w talk) {
			require.NoError(t, w.portal.Delete(ctx, w.anna, w.thread(t)))
		}},
		{"../testdata/events/botdelete.form", oauth, func(t *testing.T, w talk) {
			require.NoError(t, w.client.Bot.Unregister(ctx, imbot.BotUnregisterRequest{BotID: w.bot}))
		}},
		{"testdata/events/contextget_private.form", oauth, func(t *testing.T, w talk) {
			require.NoError(t, w.portal.OpenContext(ctx, w.anna, imbot.UserDialog(w.bot), `{"source":"landing","item":{"id":"42"}}`))
		}},
		{"testdata/events/webhook_delete.form", webhook, func(t *testing.T, w talk) {
			require.NoError(t, w.client.Bot.Unregister(ctx, imbot.BotUnregisterRequest{BotID: w.bot}))
		}},
	} {
		t.Run(tt.sample, func(t *testing.T) {
			portal, box, bot, client := start(t, tt.auth)
			tt.act(t, talk{portal, bot, client, portal.AddUser("Test", "User")})
			got := box.last(t, portal)
			require.Equal(t, fields(t, sample(t, tt.sample)), fields(t, got))
			require.NoError(t, portal.Err())
			portal.Close()
			require.True(t, slices.Contains([]string{eventURL, eventURL + "?CLIENT_ID=bot-secret-1"}, box.urls[0]))
		})
	}
}
