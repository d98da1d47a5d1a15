package imbot_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// planted is a secret that no fuzzed body holds by itself.
const planted = "pl4nt3d-t0k3n-7f3a9c"

// Secrets at all the places where the portal puts them; a fuzzed body follows.
const (
	plantedForm = "auth[access_token]=" + planted + "&auth[refresh_token]=" + planted + "&auth[application_token]=" + planted +
		"&data[BOT][1][access_token]=" + planted + "&data[BOT][1][refresh_token]=" + planted + "&data[BOT][1][AUTH][access_token]=" + planted +
		"&data[BOT][2][AUTH][refresh_token]=" + planted + "&data[COMMAND][1][access_token]=" + planted + "&data[COMMAND][1][AUTH][refresh_token]=" + planted + "&data[PARAMS][FILES][1][urlShow]=https://files.example/?token=" + planted +
		"&data[PARAMS][FILES][1][urlDownload]=" + planted + "&data[PARAMS][FILES][1][urlPreview]=%20//x/" + planted + "&"
	plantedJSON = `{"auth":{"access_token":"` + planted + `","refresh_token":"` + planted + `","application_token":"` + planted + `"},
		"data":{"BOT":[{"access_token":"` + planted + `"},{"AUTH":{"refresh_token":"` + planted + `"}}],
		"PARAMS":{"FILES":[{"urlShow":"https://files.example/` + planted + `","urlPreview":"` + planted + `"}]}},`
)

// FuzzEvent: whatever is posted is an event or refused with 400, and what is
// printed of an event is never a secret.
func FuzzEvent(f *testing.F) {
	for _, folder := range []string{"events", "install"} {
		samples, err := filepath.Glob(filepath.Join("testdata", folder, "*"))
		require.NoError(f, err)
		require.NotEmpty(f, samples)
		for _, file := range samples {
			body, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(strings.HasSuffix(file, ".json"), body)
		}
	}
	_, events := eventSpec(f)
	for _, e := range events { // some have no sample
		f.Add(false, []byte(e.Example.Body))
		for _, more := range e.MoreExamples {
			f.Add(false, []byte(more.Body))
		}
	}
	f.Add(false, []byte("event=ONIMBOTJOINCHAT&ts=1&data[PARAMS][CHAT_TYPE]=L&data[PARAMS][CHAT_ENTITY_ID]=||||"))
	f.Add(false, []byte("event=ONIMCOMMANDADD&ts=1&data[COMMAND]=x&data[PARAMS][CHAT_TYPE]=L&data[PARAMS][CHAT_ENTITY_DATA_1]=Y|&data[PARAMS][CHAT_ENTITY_DATA_2]=|"))
	f.Add(false, []byte("event=ONIMBOTMESSAGEADD&data[PARAMS][REPLY_MESSAGE][ID]=5&data[PARAMS][PARAMS][FILE_ID][]=7&data[PARAMS][PARAMS][COMPONENT_ID]=HiddenMessage&data[PARAMS][CHAT_TYPE]=L"))
	f.Add(false, []byte(goodEvent))
	f.Add(true, []byte(`{"event":"ONIMBOTDELETE","ts":1e99,"data":[]}`))
	f.Add(false, []byte("event=ONIMBOTMESSAGEADD&data[PARAMS][FILES][][date]=9999-12-31T23:59:59-12:00&ts=9223372036854775807"))
	f.Fuzz(func(t *testing.T, isJSON bool, body []byte) {
		contentType := formType
		if isJSON {
			contentType = "application/json"
		}
		tryEvent(t, contentType, string(body))
		tryTwice(t, contentType, string(body))
		if strings.Contains(string(body), planted) {
			t.Skip("the fuzzer has found out")
		}
		if rest, ok := strings.CutPrefix(string(body), "{"); ok {
			tryEvent(t, "application/json", plantedJSON+rest)
		} else {
			tryEvent(t, contentType, plantedForm+string(body))
		}
	})
}

func tryEvent(t *testing.T, contentType, body string) {
	ev, err := imbot.ParseEvent(eventPost(contentType, body), trustAll{})
	if err != nil {
		var refused *imbot.EventError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, http.StatusBadRequest, refused.StatusCode)
		require.Nil(t, ev)
		hidesPlanted(t, err)
		return
	}
	require.NotEmpty(t, ev.Meta().Name)
	hidesPlanted(t, ev)
	if message, is := ev.(interface {
		IsWhisper() bool
		FromGuest() bool
		ReplyTo() (imbot.Quoted, bool)
	}); is {
		require.False(t, message.IsWhisper() && message.FromGuest())
		quoted, is := message.ReplyTo()
		require.Equal(t, is, quoted.MessageID != 0)
	}
	switch ev := ev.(type) {
	case *imbot.MessageAddEvent:
		_, _, _, _ = ev.Bot(), ev.IsGroup(), ev.FromBot(), ev.FromGuest()
		require.Equal(t, ev.Params.DialogID, ev.Reply("hi").DialogID)
		hidesPlanted(t, *ev)
		isOpenLine(t, ev)
	case *imbot.MessageUpdateEvent:
		_, _, _, _ = ev.Bot(), ev.IsGroup(), ev.FromBot(), ev.FromGuest()
		isOpenLine(t, ev)
		hidesPlanted(t, *ev)
	case *imbot.MessageDeleteEvent:
		_, _, _ = ev.Bot(), ev.IsGroup(), ev.FromBot()
		isOpenLine(t, ev)
		hidesPlanted(t, *ev)
	case *imbot.CommandAddEvent:
		_, _, _ = ev.Bot(), ev.IsGroup(), ev.FromGuest()
		isOpenLine(t, ev)
		require.Equal(t, "hi", ev.Answer("hi").Message)
		hidesPlanted(t, *ev)
	case *imbot.ContextGetEvent:
		_, _ = ev.Bot(), ev.IsGroup()
		isOpenLine(t, ev)
		hidesPlanted(t, *ev)
	case *imbot.JoinChatEvent:
		_, _ = ev.Bot(), ev.IsGroup()
		isOpenLine(t, ev)
		require.Equal(t, ev.Params.DialogID, ev.Reply("hi").DialogID)
		hidesPlanted(t, *ev)
	}
}

func isOpenLine(t *testing.T, ev interface {
	IsOpenLine() bool
	OpenLine() (imbot.OpenLine, bool)
}) {
	line, ok := ev.OpenLine()
	require.Equal(t, ev.IsOpenLine(), ok)
	if !ok {
		require.Zero(t, line)
	}
}

// tryTwice: two deliveries of an event are one event or two, never none.
func tryTwice(t *testing.T, contentType, body string) {
	h := &imbot.EventHandler{Verifier: trustAll{}, Logger: slog.New(slog.DiscardHandler)}
	for range 2 {
		h.ServeHTTP(httptest.NewRecorder(), eventPost(contentType, body))
	}
	require.NoError(t, h.Shutdown(t.Context()))
	stats := h.Stats()
	require.Equal(t, int64(2), stats.Accepted+stats.Refused)
	require.Equal(t, stats.Accepted, stats.Handled+stats.Duplicate)
	require.Equal(t, stats.Accepted > 0, stats.Handled > 0)
}

func hidesPlanted(t *testing.T, v any) {
	text := fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v)
	require.NotContains(t, text, planted)
	out, _ := json.Marshal(v) // a time beyond the year 9999 has no JSON
	require.NotContains(t, string(out), planted)
}
