package imbotv2

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// fromQueue is the event of documented data, as it would be in a queue.
func fromQueue(t testing.TB, name, file string) imbot.Event {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "events", file))
	require.NoError(t, err)
	var item EventItem
	require.NoError(t, json.Unmarshal([]byte(`{"eventId":7,"type":"`+name+`","date":"2026-01-15T10:30:00+02:00","data":`+string(data)+`}`), &item))
	return item.Event()
}

type trustAll struct{}

func (trustAll) Verify(context.Context, *imbot.EventMeta) error { return nil }

// posted is the event of a documented body.
func posted(t testing.TB, file string) imbot.Event {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "events", file))
	require.NoError(t, err)
	return postedBody(t, "application/x-www-form-urlencoded", strings.TrimSpace(string(body)))
}

func postedBody(t testing.TB, contentType, body string) imbot.Event {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	ev, err := imbot.ParseEvent(r, trustAll{})
	require.NoError(t, err)
	return typed(ev)
}

// requireCommon checks what each documented event of a bot tells.
func requireCommon(t *testing.T, ev imbot.Event, dialog imbot.DialogID) {
	t.Helper()
	require.Equal(t, imbot.ID(456), ev.ForBot())
	require.Equal(t, imbot.ID(1), ev.AuthorID())
	require.Equal(t, dialog, ev.Dialog())
	require.Equal(t, ev.Meta().Dialog(), ev.Dialog(), "as the raw body has it")
	require.Equal(t, ev.Meta().ForBot(), ev.ForBot())
}

func TestDocumentedEventsInEveryDress(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		event, fetch, post string
		dialog             imbot.DialogID
		check              func(t *testing.T, ev imbot.Event)
	}{
		"a message": {"ONIMBOTV2MESSAGEADD", "fetch_data_messageadd.json", "webhook_derived_messageadd.form", "chat5", func(t *testing.T, ev imbot.Event) {
			m := ev.(*MessageAddEvent)
			require.NotEmpty(t, m.Message.Text)
			require.NotZero(t, m.Message.ID)
			require.True(t, m.IsGroup())
			require.False(t, m.FromBot())
			require.Equal(t, m.Message.ID, m.Quote("x").ReplyID)
		}},
		"a bot that joins": {"ONIMBOTV2JOINCHAT", "fetch_data_joinchat.json", "webhook_derived_joinchat.form", "chat5", func(t *testing.T, ev imbot.Event) {
			require.Equal(t, imbot.DialogID("chat5"), ev.(*JoinChatEvent).DialogID)
		}},
		"a command": {"ONIMBOTV2COMMANDADD", "fetch_data_commandadd.json", "webhook_derived_commandadd.form", "chat5", func(t *testing.T, ev imbot.Event) {
			c := ev.(*CommandAddEvent)
			require.True(t, strings.HasPrefix(c.Command.Command, "/"))
			require.NotZero(t, c.Command.ID)
			answer := c.Answer("done")
			require.Equal(t, CommandAnswerRequest{BotID: 456, CommandID: c.Command.ID, MessageID: c.Message.ID, DialogID: "chat5", Message: "done"}, answer)
		}},
		"a reaction": {"ONIMBOTV2REACTIONCHANGE", "fetch_data_reactionchange.json", "webhook_derived_reactionchange.form", "chat5", func(t *testing.T, ev imbot.Event) {
			require.Equal(t, Reaction("like"), ev.(*ReactionChangeEvent).Reaction)
			require.Equal(t, ReactionAdded, ev.(*ReactionChangeEvent).Action)
		}},
		"a link with a context": {"ONIMBOTV2CONTEXTGET", "fetch_data_contextget.json", "webhook_derived_contextget.form", "1", func(t *testing.T, ev imbot.Event) {
			require.NotEmpty(t, ev.(*ContextGetEvent).Context.Keys())
			require.False(t, ev.(*ContextGetEvent).IsGroup())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			queued := fromQueue(t, tt.event, tt.fetch)
			require.Equal(t, 2026, queued.Meta().Time.Year())
			fromPost := posted(t, tt.post)
			for _, ev := range []imbot.Event{queued, fromPost} {
				requireCommon(t, ev, tt.dialog)
				tt.check(t, ev)
			}
			require.NotEmpty(t, fromPost.MemberID())
		})
	}
}

func TestAnEventThatTellsItsDialogOnlyByItselfHasAReply(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ONIMBOTV2JOINCHAT", "ONIMBOTV2CONTEXTGET"} {
		ev := seeded(name, 1, `{"bot":{"id":5},"dialogId":"chat9","user":{"id":1}}`)
		require.Equal(t, imbot.DialogID("chat9"), ev.(interface {
			Reply(string) MessageSendRequest
		}).Reply("hi").DialogID, name)
		require.True(t, ev.(interface{ IsGroup() bool }).IsGroup(), name)
	}
}

func TestAnEventThatCannotBeReadIsUnknown(t *testing.T) {
	t.Parallel()
	for _, data := range []string{``, `[]`, `null`, `"x"`, `7`, strings.Repeat(`{"a":`, 100) + `1` + strings.Repeat(`}`, 100)} {
		ev := EventItem{EventID: 1, Type: "ONIMBOTV2MESSAGEADD", Data: json.RawMessage(data)}.Event()
		require.IsType(t, &imbot.UnknownEvent{}, ev, data)
		require.Equal(t, "ONIMBOTV2MESSAGEADD", ev.Meta().Name)
	}
}

func TestADeletedBotIsTold(t *testing.T) {
	t.Parallel()
	ev := posted(t, "webhook_derived_delete.form").(*BotDeleteEvent)
	require.Equal(t, imbot.ID(456), ev.Bot.ID)
}

func TestAPostedEventMayBeJSON(t *testing.T) {
	t.Parallel()
	ev := postedBody(t, "application/json", `{"event":"ONIMBOTV2MESSAGEADD","data":{"bot":{"id":"5","code":"a","auth":{"access_token":"t"}},"message":{"id":7,"chatId":"9","authorId":1,"text":"hi","params":[]},"chat":{"id":9,"dialogId":"1","type":"private"},"user":{"id":1,"bot":false}}}`).(*MessageAddEvent)
	require.Equal(t, "hi", ev.Text())
	require.Equal(t, "t", ev.BotAuth().AccessToken)
	require.True(t, ev.Mentioned(5))
}

func TestUserEventsAreTyped(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, name := range []string{"ONIMV2MESSAGEADD", "ONIMV2MESSAGEUPDATE", "ONIMV2MESSAGEDELETE", "ONIMV2REACTIONCHANGE", "ONIMV2JOINCHAT"} {
		ev := EventItem{EventID: 1, Type: name, Data: json.RawMessage(`{"message":{"id":7},"messageId":7,"dialogId":"chat5","chat":{"dialogId":"chat5"},"user":{"id":1},"reaction":"like","action":"add"}`)}.Event()
		require.Equal(t, imbot.DialogID("chat5"), ev.Dialog(), name)
		require.Equal(t, imbot.ID(1), ev.AuthorID(), name)
		require.Zero(t, ev.ForBot(), name)
		seen[fmt.Sprintf("%T", ev)] = true
	}
	require.Len(t, seen, 5)
	require.NotContains(t, seen, "*imbot.UnknownEvent")
}

func TestTextLeavesOnlyTheMentionOfTheBotOut(t *testing.T) {
	t.Parallel()
	ev := &MessageAddEvent{BotEvent: BotEvent{Bot: EventBot{ID: 5}, Chat: Chat{DialogID: "chat9"}}}
	for text, want := range map[string]string{
		"[USER=5]Echo[/USER], hello":               "hello",
		"[USER=7]Anna[/USER], [USER=5]E[/USER] hi": "[USER=7]Anna[/USER],  hi",
		"hello, [bot=5]Echo[/bot]":                 "hello,",
		":) [USER=5]Echo[/USER]":                   ":)",
	} {
		ev.Message.Text = text
		require.Equal(t, want, ev.Text(), text)
		require.True(t, ev.Mentioned(5), text)
	}
	require.False(t, ev.Mentioned(8))
}

// seeded is an event of a queue as the poller hands it over.
func seeded(name string, id int64, data string) imbot.Event {
	return EventItem{EventID: id, Type: name, Data: json.RawMessage(data)}.event("portal", []byte("seed"))
}

func TestAReplyHasTheSameIDInEachDeliveryOfAnEvent(t *testing.T) {
	t.Parallel()
	message := func(queueID int64) *MessageAddEvent {
		return seeded("ONIMBOTV2MESSAGEADD", queueID, `{"bot":{"id":5},"message":{"id":7,"text":"hi"},"chat":{"dialogId":"1"},"user":{"id":1}}`).(*MessageAddEvent)
	}
	first, again := message(100), message(101)
	one, two := first.Reply("a").TemplateID, first.Reply("b").TemplateID
	require.Regexp(t, isTemplateID, one)
	require.NotEqual(t, one, two, "two replies are two messages")
	require.Equal(t, one, again.Reply("something else").TemplateID)
	require.Equal(t, two, again.Quote("c").TemplateID)
	other := EventItem{EventID: 100, Type: "ONIMBOTV2MESSAGEADD", Data: json.RawMessage(`{"bot":{"id":5},"message":{"id":7}}`)}.event("portal", []byte("another")).(*MessageAddEvent)
	require.NotEqual(t, one, other.Reply("a").TemplateID, "who does not have the secret cannot know it")
	byHand := &MessageAddEvent{Message: Message{ID: 7}}
	require.Empty(t, byHand.Reply("a").TemplateID)
}

func TestRepliesToTwoThingsThatHappenToOneMessageDiffer(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"ONIMBOTV2MESSAGEUPDATE":  `{"bot":{"id":5},"message":{"id":7,"text":"hi"},"chat":{"dialogId":"1"}}`,
		"ONIMBOTV2COMMANDADD":     `{"bot":{"id":5},"message":{"id":7},"command":{"id":3,"context":"keyboard"},"chat":{"dialogId":"1"}}`,
		"ONIMBOTV2REACTIONCHANGE": `{"bot":{"id":5},"message":{"id":7},"reaction":"like","action":"add","chat":{"dialogId":"1"}}`,
	} {
		reply := func(id int64) string {
			return seeded(name, id, data).(interface {
				Reply(string) MessageSendRequest
			}).Reply("a").TemplateID
		}
		require.Equal(t, reply(100), reply(100), name)
		require.NotEqual(t, reply(100), reply(101), name)
	}
	press := func(ts, user string) string {
		return postedBody(t, "application/x-www-form-urlencoded", "event=ONIMBOTV2COMMANDADD&ts="+ts+"&auth[application_token]=customtoken&data[bot][id]=5&data[message][id]=7&data[command][id]=3&data[user][id]="+user+"&data[chat][dialogId]=chat5").(*CommandAddEvent).Reply("a").TemplateID
	}
	require.Regexp(t, isTemplateID, press("100", "1"))
	require.Equal(t, press("100", "1"), press("100", "1"))
	require.NotEqual(t, press("100", "1"), press("101", "1"))
	require.NotEqual(t, press("100", "1"), press("100", "2"))
}

func TestAHandlerDropsWhatBotsWrite(t *testing.T) {
	t.Parallel()
	var heard []string
	h := &EventHandler{
		OnMessage:       func(_ context.Context, ev *MessageAddEvent) error { heard = append(heard, "message"); return nil },
		OnMessageUpdate: func(_ context.Context, ev *MessageUpdateEvent) error { heard = append(heard, "update"); return nil },
		OnJoinChat:      func(_ context.Context, ev *JoinChatEvent) error { heard = append(heard, "join"); return nil },
	}
	ctx := t.Context()
	require.NoError(t, h.Handle(ctx, &MessageAddEvent{BotEvent: BotEvent{User: User{ID: 9, Bot: imbot.Yes}}}))
	require.NoError(t, h.Handle(ctx, &MessageUpdateEvent{BotEvent: BotEvent{Bot: EventBot{ID: 5}}, Message: Message{AuthorID: 5}}))
	require.NoError(t, h.Handle(ctx, &JoinChatEvent{BotEvent: BotEvent{Bot: EventBot{ID: 5}, User: User{ID: 5}}}))
	require.Empty(t, heard)
	h.FromBots = true
	require.NoError(t, h.Handle(ctx, &MessageAddEvent{BotEvent: BotEvent{User: User{ID: 9, Bot: imbot.Yes}}}))
	require.NoError(t, h.Handle(ctx, &JoinChatEvent{BotEvent: BotEvent{Bot: EventBot{ID: 5}, User: User{ID: 1}}}))
	require.Equal(t, []string{"message", "join"}, heard)
}

// Bots of both generations live behind one URL.
func TestOneURLServesBothGenerations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		heard := make(chan string, 4)
		second := &EventHandler{OnMessage: func(_ context.Context, ev *MessageAddEvent) error { heard <- "second " + ev.Text(); return nil }}
		h := &imbot.EventHandler{
			Verifier:  imbot.Webhook{BotToken: "token"}.Verifier(),
			OnMessage: func(_ context.Context, ev *imbot.MessageAddEvent) error { heard <- "first " + ev.Text(); return nil },
			OnEvent:   second.Handle,
		}
		for _, body := range []string{
			"event=ONIMBOTMESSAGEADD&ts=1&auth[application_token]=token&data[PARAMS][MESSAGE]=a&data[PARAMS][MESSAGE_ID]=1&data[PARAMS][DIALOG_ID]=1",
			"event=ONIMBOTV2MESSAGEADD&ts=1&auth[application_token]=customtoken&data[bot][id]=5&data[message][id]=2&data[message][text]=b&data[chat][dialogId]=1&data[user][id]=1",
		} {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, http.StatusOK, w.Code)
			require.NoError(t, h.Idle(t.Context()))
		}
		require.Equal(t, "first a", <-heard)
		require.Equal(t, "second b", <-heard)
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func TestAPostedEventComesToOnErrorAsItsType(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failed := make(chan imbot.Event, 1)
		h := &EventHandler{
			Verifier:  imbot.Webhook{BotToken: "token"}.Verifier(),
			OnMessage: func(context.Context, *MessageAddEvent) error { return context.Canceled },
			OnError:   func(_ context.Context, ev imbot.Event, _ error) { failed <- ev },
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("event=ONIMBOTV2MESSAGEADD&ts=1&auth[application_token]=customtoken&data[bot][id]=5&data[message][id]=2&data[user][id]=1"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code)
		require.IsType(t, &MessageAddEvent{}, <-failed)
		require.NoError(t, h.Idle(t.Context()))
		require.EqualValues(t, 1, h.Stats().Failed)
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func FuzzEventItem(f *testing.F) {
	samples, err := filepath.Glob("testdata/events/fetch_data_*.json")
	require.NoError(f, err)
	for _, path := range samples {
		data, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add("ONIMBOTV2MESSAGEADD", data)
	}
	f.Add("ONIMBOTV2MESSAGEADD", []byte(`{"chat":{"type":"lines","entityId":"a|1|2|3"},"message":{"params":{"REPLY_ID":"7","FILE_ID":["8"],"COMPONENT_ID":"HiddenMessage"}},"additionalMessages":{"7":{"id":7}}}`))
	f.Add("ONIMBOTV2CONTEXTGET", []byte(`{"context":"x","bot":[],"chat":"","user":false}`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if !json.Valid(data) {
			return
		}
		ev := EventItem{EventID: 1, Type: name, Data: data}.Event()
		require.NotNil(t, ev.Meta())
		_ = ev.Dialog()
		if r, ok := ev.(interface {
			Reply(string) MessageSendRequest
		}); ok {
			_ = r.Reply("a")
		}
		if m, ok := ev.(interface {
			IsWhisper() bool
			FromGuest() bool
			ReplyTo() (imbot.Quoted, bool)
			OpenLine() (imbot.OpenLine, bool)
		}); ok {
			_, line := m.OpenLine()
			require.False(t, m.FromGuest() && (m.IsWhisper() || !line))
			quoted, is := m.ReplyTo()
			require.Equal(t, is, quoted.MessageID != 0)
		}
	})
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"events":[{"eventId":1,"type":"A","date":"","data":{}}],"nextOffset":2,"hasMore":true}`))
	f.Add([]byte(`{"events":{"a":"b"},"nextOffset":false,"hasMore":"N"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := EventGetRequest{}.Decode(data)
		if err != nil {
			return
		}
		for _, item := range r.Events {
			require.NotNil(t, item.Event())
		}
	})
}

func TestAPostedEventThatAQueueHasKeptIsHandledAsItWas(t *testing.T) {
	t.Parallel()
	ev := posted(t, "webhook_derived_messageadd.form")
	data, err := imbot.EncodeEvent(ev)
	require.NoError(t, err)
	again, err := imbot.DecodeEvent(data)
	require.NoError(t, err)
	var handled *MessageAddEvent
	h := &EventHandler{OnMessage: func(_ context.Context, ev *MessageAddEvent) error { handled = ev; return nil }}
	require.NoError(t, h.Handle(t.Context(), again))
	require.Equal(t, ev.(*MessageAddEvent).Message.Text, handled.Message.Text)
	require.Equal(t, ev.Meta().Auth, handled.Auth)
	require.Equal(t, ev.(*MessageAddEvent).Reply("text"), handled.Reply("text"), "its answers are the same requests")
}

func TestAFetchedEventThatAQueueHasKeptTellsItsPortal(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/events/fetch_data_messageadd.json")
	require.NoError(t, err)
	ev := EventItem{EventID: 5, Type: "ONIMBOTV2MESSAGEADD", Data: data}.event("m1", []byte("seed"))
	encoded, err := imbot.EncodeEvent(ev)
	require.NoError(t, err)
	again, err := imbot.DecodeEvent(encoded)
	require.NoError(t, err)
	require.Equal(t, "m1", again.MemberID())
	require.Equal(t, ev.Dialog(), again.Dialog())
}
