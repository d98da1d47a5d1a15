package imbot_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// specBodies returns the example bodies of an event.
func specBodies(t *testing.T, event string) []string {
	t.Helper()
	_, events := eventSpec(t)
	bodies := []string{events[event].Example.Body}
	for _, e := range events[event].MoreExamples {
		bodies = append(bodies, e.Body)
	}
	return bodies
}

func TestCommandTyped(t *testing.T) {
	ev := parseAs[*imbot.CommandAddEvent](t, formType, specBodies(t, "ONIMCOMMANDADD")[1])
	require.Len(t, ev.Commands, 1)
	c := ev.Commands[0]
	require.NotEmpty(t, c.Auth.AccessToken)
	c.Auth = imbot.EventAuth{}
	require.Equal(t, imbot.EventCommand{
		EventBot: imbot.EventBot{BotID: 1291, BotCode: "BOT_GM"}, Command: "echo", CommandID: 99, CommandParams: "test", CommandContext: "TEXTAREA", MessageID: 33871,
	}, c)
	require.Equal(t, imbot.ID(1291), ev.Bot().BotID)
	require.True(t, ev.IsGroup())
	require.False(t, ev.IsOpenLine())
	require.Equal(t, imbot.ID(1269), ev.AuthorID())
	require.Equal(t, "Test User", ev.User.Name)
	require.Equal(t, []imbot.ID{1291}, ev.Params.BotInChat)
	require.Equal(t, imbot.Yes, ev.Params.RecentAdd)
	require.Equal(t, imbot.Yes, ev.Params.SkipUserCheck)
	require.Equal(t, imbot.CommandAnswerRequest{BotID: 1291, CommandID: 99, MessageID: 33871, Message: "yes"}, ev.Answer("yes"))
}

func TestCommandOfAButton(t *testing.T) {
	ev := parseAs[*imbot.CommandAddEvent](t, formType, specBodies(t, "ONIMCOMMANDADD")[2])
	require.Equal(t, "KEYBOARD", ev.Commands[0].CommandContext)
	require.Equal(t, imbot.DialogID("chat2725"), ev.Params.DialogID)
	require.Equal(t, imbot.CommandAnswerRequest{BotID: 1291, CommandID: 99, MessageID: 33879, Message: "yes"}, ev.Commands[0].Answer("yes"))
}

func TestCommandsOfTwoBots(t *testing.T) {
	ev := parseAs[*imbot.CommandAddEvent](t, formType, "event=ONIMCOMMANDADD&data[COMMAND][9][BOT_ID]=2&data[COMMAND][9][COMMAND_ID]=9&data[COMMAND][9][MESSAGE_ID]=7"+
		"&data[COMMAND][4][BOT_ID]=1&data[COMMAND][4][MESSAGE_ID]=7&data[PARAMS][CHAT_TYPE]=L")
	require.Equal(t, imbot.CommandAnswerRequest{BotID: 2, CommandID: 9, MessageID: 7, Message: "a"}, ev.Answer("a"))
	require.Equal(t, imbot.CommandAnswerRequest{BotID: 1, CommandID: 4, MessageID: 7, Message: "b"}, ev.Commands[1].Answer("b"))
	require.True(t, ev.IsOpenLine())
}

func TestCommandEventWithoutCommands(t *testing.T) {
	ev := parseAs[*imbot.CommandAddEvent](t, formType, "event=ONIMCOMMANDADD&data[COMMAND]=x")
	require.Empty(t, ev.Commands)
	require.Zero(t, ev.Bot())
	require.Equal(t, imbot.CommandAnswerRequest{Message: "a"}, ev.Answer("a"))
}

func TestMessageUpdateEvent(t *testing.T) {
	bodies := specBodies(t, "ONIMBOTMESSAGEUPDATE")
	ev := parseAs[*imbot.MessageUpdateEvent](t, formType, bodies[0])
	require.Equal(t, "How to add an observer?", ev.Params.Message)
	require.Equal(t, imbot.ID(84531), ev.Params.ID)
	require.Equal(t, imbot.ID(84531), ev.Params.MessageID)
	require.Equal(t, imbot.ID(571), ev.Bot().BotID)
	require.Equal(t, imbot.ID(27), ev.AuthorID())
	require.True(t, ev.Mentioned(571))
	require.False(t, ev.IsGroup())
	require.False(t, ev.IsOpenLine())
	require.False(t, ev.FromBot())

	group := parseAs[*imbot.MessageUpdateEvent](t, formType, bodies[1])
	require.True(t, group.IsGroup())
	require.Zero(t, group.User)
	require.NotZero(t, group.AuthorID())
	require.False(t, group.Mentioned(0))
}

func TestMessageDeleteEvent(t *testing.T) {
	bodies := specBodies(t, "ONIMBOTMESSAGEDELETE")
	ev := parseAs[*imbot.MessageDeleteEvent](t, formType, bodies[0])
	require.Equal(t, "Message from 02/26/2026 09:27:30 has been deleted", ev.Params.Message)
	require.Equal(t, imbot.ID(84525), ev.Params.ID)
	require.Equal(t, imbot.ID(571), ev.Bot().BotID)
	require.Equal(t, imbot.ID(27), ev.AuthorID())
	require.False(t, ev.IsGroup())
	require.False(t, ev.IsOpenLine())
	require.False(t, ev.FromBot())
	require.True(t, parseAs[*imbot.MessageDeleteEvent](t, formType, bodies[1]).IsGroup())
	require.True(t, parseAs[*imbot.MessageDeleteEvent](t, formType, "event=ONIMBOTMESSAGEDELETE&data[BOT][5][BOT_ID]=5&data[PARAMS][AUTHOR_ID]=5").FromBot())
}

func TestContextGetEvent(t *testing.T) {
	ev := parseAs[*imbot.ContextGetEvent](t, formType, specBodies(t, "ONIMBOTCONTEXTGET")[0])
	require.Equal(t, imbot.ID(571), ev.Bot().BotID)
	require.Equal(t, imbot.ID(27), ev.Params.UserID)
	require.Equal(t, imbot.ID(571), ev.Params.ChatAuthorID)
	require.Equal(t, imbot.DialogID("27"), ev.Params.DialogID)
	require.Equal(t, "en", ev.Params.Language)
	require.Equal(t, "landing", ev.Params.Context.Get("source"))
	require.Equal(t, "42", ev.Params.Context.Get("item", "id"))
	require.Equal(t, []string{"source", "item"}, ev.Params.Context.Keys())
	require.Equal(t, "Test User", ev.User.Name)
	require.False(t, ev.IsGroup())
	require.False(t, ev.IsOpenLine())
	bare := parseAs[*imbot.ContextGetEvent](t, formType, "event=ONIMBOTCONTEXTGET")
	require.Empty(t, bare.Params.Context.Keys())
	require.Empty(t, bare.Params.Context.Get("x"))
}

func TestHandlerCallsBackForEachKind(t *testing.T) {
	var got []string
	note := func(ev imbot.Event) error {
		got = append(got, ev.Meta().Name)
		return nil
	}
	all := &imbot.EventHandler{
		Verifier: trustAll{}, Workers: 1,
		OnCommand:       func(_ context.Context, ev *imbot.CommandAddEvent) error { return note(ev) },
		OnMessageUpdate: func(_ context.Context, ev *imbot.MessageUpdateEvent) error { return note(ev) },
		OnMessageDelete: func(_ context.Context, ev *imbot.MessageDeleteEvent) error { return note(ev) },
		OnContext:       func(_ context.Context, ev *imbot.ContextGetEvent) error { return note(ev) },
		OnEvent: func(_ context.Context, ev imbot.Event) error {
			t.Errorf("%s came to OnEvent", ev.Meta().Name)
			return nil
		},
	}
	rest := &imbot.EventHandler{Verifier: trustAll{}, Workers: 1, OnEvent: func(_ context.Context, ev imbot.Event) error { return note(ev) }}
	names := []string{"ONIMCOMMANDADD", "ONIMBOTMESSAGEUPDATE", "ONIMBOTMESSAGEDELETE", "ONIMBOTCONTEXTGET"}
	for _, h := range []*imbot.EventHandler{all, rest} {
		got = nil
		for _, name := range names {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, eventPost(formType, "event="+name))
			require.Equal(t, http.StatusOK, w.Code)
			require.NoError(t, h.Idle(t.Context()))
		}
		require.Equal(t, names, got)
	}
}
