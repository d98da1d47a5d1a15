package messenger_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestActing(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	require.Equal(t, "103", w.post("api/open", `{"user":101,"bot":103}`)["dialog"])
	said := w.post("api/say", `{"user":101,"dialog":"103","text":"  hello  "}`)["message"].(object)
	require.Equal(t, "hello", said["text"])
	require.NoError(t, w.portal.Idle(t.Context()))
	w.post("api/edit", `{"user":101,"message":50001,"text":"hullo"}`)
	w.post("api/react", `{"user":101,"message":50001,"reaction":"like"}`)
	m := w.get("api/messages?user=101&dialog=103")["messages"].([]any)[0].(object)
	require.Equal(t, "hullo", m["text"])
	require.Equal(t, true, m["edited"])
	require.Equal(t, []any{map[string]any{"user": 101.0, "code": "like"}}, m["reactions"])
	w.post("api/delete", `{"user":101,"message":50001}`)
	m = w.get("api/messages?user=101&dialog=103")["messages"].([]any)[0].(object)
	require.Equal(t, true, m["deleted"])

	require.EqualValues(t, 104, w.post("api/user", `{"first":" Clara ","last":""}`)["user"])
	require.Equal(t, "chat1002", w.post("api/chat", `{"user":101,"title":"Lunch","members":[102]}`)["dialog"])
	w.post("api/invite", `{"user":101,"dialog":"chat1002","members":[103,104]}`)
	w.post("api/kick", `{"user":101,"dialog":"chat1002","members":[102]}`)
	d := w.get("api/state?user=104")["dialogs"].([]any)[0].(object)
	require.Equal(t, "Lunch", d["title"])
	require.Equal(t, "chat", d["type"])
	require.Equal(t, []any{101.0, 103.0, 104.0}, d["members"])
	require.NoError(t, w.portal.Idle(t.Context()))
	require.NoError(t, w.portal.Err())
}

func TestPress(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	goOn := func(params string) imbot.Button {
		return imbot.Button{Text: "Go", Action: imbot.ActionCommand{Command: "do", Params: params}}
	}
	w.ok(imbot.Do(t.Context(), w.client, imbot.MessageAddRequest{
		DialogID: "101", Message: "choose", Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{{goOn("one")}, {goOn("two")}}},
		Menu: &imbot.Menu{Items: []imbot.MenuItem{{Text: "<&>", Action: imbot.ActionSend("sent")}}},
	}))
	m := w.get("api/state?user=101")["dialogs"].([]any)[0].(object)["last"].(object)
	require.Len(t, m["keyboard"], 3)
	require.Equal(t, "NEWLINE", m["keyboard"].([]any)[1].(object)["TYPE"])
	require.Equal(t, "<&>", m["menu"].([]any)[0].(object)["TEXT"])
	press := func(kind string, index int) int {
		return w.serve("POST", "api/press", fmt.Sprintf(`{"user":101,"message":50001,"kind":%q,"index":%d}`, kind, index)).Code
	}
	require.Equal(t, 400, press("keyboard", 1), "the end of a row")
	require.Equal(t, 400, press("keyboard", 3))
	require.Equal(t, 400, press("menu", 1))
	changed := w.portal.Changed()
	require.Equal(t, 200, press("keyboard", 2))
	awaitText(w, changed, "did two")
	require.Equal(t, 200, press("menu", 0))
	require.Contains(t, w.texts("101", "103"), "sent")
}

// awaitText waits until there is a message with a text that Anna sees.
func awaitText(w *testPage, after int64, text string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	for {
		changes, err := w.portal.Changes(ctx, anna, after)
		require.NoError(w.t, err)
		for _, c := range changes {
			after = c.Seq
			if c.Kind == imbottest.ChangeMessage && c.Message.Text == text {
				return
			}
		}
	}
}
