package openlines_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
	"github.com/imbot-go/imbot/openlines"
)

// heard is what a bot gets of a message, of either generation.
type heard interface {
	imbot.Event
	Text() string
	ReplyTo() (imbot.Quoted, bool)
	IsWhisper() bool
}

// deskBot answers what is no whisper with the text and what it quotes, and ends at "bye".
type deskBot struct {
	lines  *openlines.Client
	chat   imbot.ID
	answer func(ctx context.Context, text string) error
	events []heard
}

func (b *deskBot) on(ctx context.Context, ev heard) error {
	b.events = append(b.events, ev)
	if ev.IsWhisper() {
		return nil
	}
	if ev.Text() == "bye" {
		return b.lines.Session.Finish(ctx, openlines.SessionFinishRequest{ChatID: b.chat})
	}
	text := "you said " + ev.Text()
	if quoted, is := ev.ReplyTo(); is {
		text += " about " + quoted.MessageID.String() + ":" + quoted.Text
	}
	return b.answer(ctx, text)
}

// A whisper, a quote of a deleted message and a guest who writes after the end do no harm to a
// bot of either generation: it hears each once, and answers what is for it once.
func TestWhatPeopleDoInOpenLines(t *testing.T) {
	t.Parallel()
	const address, secret = "https://bot.example.com/events", "a-long-random-client-id"
	for name, start := range map[string]func(t *testing.T, portal *imbottest.Portal, b *deskBot) (id imbot.ID, handler http.Handler, idle func(context.Context) error){
		"first generation": func(t *testing.T, portal *imbottest.Portal, b *deskBot) (imbot.ID, http.Handler, func(context.Context) error) {
			hook := portal.Webhook(secret)
			client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
			require.NoError(t, err)
			id, err := imbot.EnsureBot(t.Context(), client, imbot.BotRegisterRequest{
				Code: "desk", Type: imbot.BotTypeOpenLine, EventHandler: address, Properties: imbot.BotProperties{Name: "Desk"},
			})
			require.NoError(t, err)
			b.lines = openlines.New(client)
			b.answer = func(ctx context.Context, text string) error {
				_, err := client.Message.Add(ctx, imbot.MessageAddRequest{BotID: id, DialogID: imbot.ChatDialog(b.chat), Message: text})
				return err
			}
			h := &imbot.EventHandler{Verifier: hook.Verifier(), OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error { return b.on(ctx, ev) }}
			t.Cleanup(func() { require.NoError(t, h.Shutdown(context.Background())) })
			return id, h, h.Idle
		},
		"second generation": func(t *testing.T, portal *imbottest.Portal, b *deskBot) (imbot.ID, http.Handler, func(context.Context) error) {
			hook := portal.Webhook(secret)
			client, err := imbotv2.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
			require.NoError(t, err)
			bot, err := imbotv2.EnsureBot(t.Context(), client, imbotv2.BotRegisterRequest{
				Code: "desk", Type: imbotv2.BotTypeOpenline, IsSupportOpenline: imbot.Yes, EventMode: imbotv2.EventModeWebhook, WebhookURL: address,
				Properties: imbotv2.BotProperties{Name: "Desk"},
			})
			require.NoError(t, err)
			client = client.WithBot(bot.ID)
			b.lines = openlines.New(client.Base())
			b.answer = func(ctx context.Context, text string) error {
				_, err := client.Message.Send(ctx, imbotv2.MessageSendRequest{DialogID: imbot.ChatDialog(b.chat), Message: text})
				return err
			}
			h := &imbotv2.EventHandler{Verifier: hook.Verifier(), OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error { return b.on(ctx, ev) }}
			t.Cleanup(func() { require.NoError(t, h.Shutdown(context.Background())) })
			return bot.ID, h, h.Idle
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			portal, ctx := imbottest.NewPortal(), t.Context()
			t.Cleanup(portal.Close)
			b := &deskBot{}
			bot, handler, idle := start(t, portal, b)
			portal.Serve(address, handler)
			settle := func() {
				require.NoError(t, portal.Idle(ctx))
				require.NoError(t, idle(ctx))
			}
			olga := portal.AddUser("Olga", "Orlova")
			line := portal.AddLine("Support", olga)
			require.NoError(t, b.lines.Line.Update(ctx, openlines.LineUpdateRequest{LineID: line, WelcomeBot: &openlines.WelcomeBot{
				Enable: imbot.Yes, BotID: bot, Join: openlines.BotJoinAlways, Left: openlines.BotLeftClose, // stays beside the operators
			}}))
			guest, chat, err := portal.Visit(ctx, line, "Greta")
			require.NoError(t, err)
			b.chat = chat
			dialog := imbot.ChatDialog(chat)
			require.NoError(t, b.lines.Session.CallOperator(ctx, openlines.SessionCallOperatorRequest{ChatID: chat}))

			_, err = portal.Whisper(ctx, olga, dialog, "nobody answers this")
			require.NoError(t, err)
			asked, err := portal.Say(ctx, guest, dialog, "where is it?")
			require.NoError(t, err)
			settle()
			_, err = portal.Quote(ctx, guest, asked, "well?")
			require.NoError(t, err)
			require.NoError(t, portal.Delete(ctx, guest, asked))
			_, err = portal.Quote(ctx, guest, asked, "I meant")
			require.NoError(t, err)
			settle()
			_, err = portal.Say(ctx, guest, dialog, "bye")
			require.NoError(t, err)
			settle()
			require.True(t, portal.Sessions(chat)[0].Ended.After(portal.Sessions(chat)[0].Began))
			_, err = portal.Say(ctx, guest, dialog, "one thing more")
			require.NoError(t, err)
			settle()

			require.Len(t, b.events, 6)
			require.True(t, b.events[0].IsWhisper())
			id := asked.ID.String()
			var answers []string
			for _, m := range portal.Messages(guest, dialog) {
				if m.AuthorID == bot {
					answers = append(answers, m.Text)
				}
			}
			quoted := ":where is it?"
			if name == "second generation" { // which has the id alone
				quoted = ":"
			}
			require.Equal(t, []string{
				"you said where is it?", "you said well? about " + id + quoted, "you said I meant about " + id + ":", "you said one thing more",
			}, answers)
			require.Len(t, portal.Sessions(chat), 2)
			require.Equal(t, bot, portal.Sessions(chat)[1].Owner)
			require.NoError(t, portal.Err())
		})
	}
}
