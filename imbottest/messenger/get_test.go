package messenger_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

func keys(v any) (names []string) {
	for name := range v.(object) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestState(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	_, err := w.portal.Ask(t.Context(), anna, imbot.UserDialog(echo), "hi")
	require.NoError(t, err)
	require.NoError(t, w.portal.Idle(t.Context()))
	state := w.get("api/state?user=101")
	require.Equal(t, strings.TrimSuffix(strings.TrimPrefix(w.portal.Endpoint(), "https://"), "/rest/"), state["portal"])
	require.Equal(t, w.portal.Endpoint(), state["endpoint"])
	require.EqualValues(t, anna, state["user"])
	require.EqualValues(t, w.portal.Changed(), state["seq"])
	users := state["users"].([]any)
	require.Len(t, users, 4)
	bot := users[3].(object)
	require.Regexp(t, `^api/avatar\?user=103&v=[0-9a-f]+$`, bot["avatar"])
	picture := w.serve("GET", bot["avatar"].(string), "")
	require.Equal(t, "image/gif", picture.Header().Get("Content-Type"))
	require.Equal(t, gif, picture.Body.Bytes())
	delete(bot, "avatar")
	delete(bot, "color")
	require.Equal(t, object{"id": 103.0, "name": "Echo", "first": "Echo", "last": "", "position": "Chat bot", "bot": true, "guest": false, "gone": false}, bot)

	dialogs := state["dialogs"].([]any)
	require.Len(t, dialogs, 1)
	d := dialogs[0].(object)
	last := d["last"].(object)
	require.Equal(t, []string{"attach", "author", "chat", "deleted", "dialog", "edited", "files", "forward", "gone", "id", "keyboard", "menu", "reactions", "reply", "served", "system", "text", "time", "whisper"}, keys(last))
	require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$`, last["time"])
	require.Equal(t, "hi", last["text"])
	for _, name := range []string{"last", "color", "avatar"} {
		delete(d, name)
	}
	require.Equal(t, object{
		"id": "103", "chat": 1001.0, "type": "private", "title": "Echo", "members": []any{101.0, 103.0}, "owner": 0.0, "managers": []any{},
		"messages": 2.0, "typing": []any{}, "closed": false,
	}, d)
	require.Empty(t, w.get("api/state?user=102")["dialogs"])
}

func TestMessages(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	for i := range 5 {
		_, err := w.portal.Say(t.Context(), anna, "102", fmt.Sprint(i))
		require.NoError(t, err)
	}
	page := w.get("api/messages?user=102&dialog=101&limit=2")
	require.Equal(t, true, page["more"])
	first := page["messages"].([]any)[0].(object)
	require.Equal(t, "3", first["text"])
	require.Equal(t, "101", first["dialog"], "as Boris names it")
	page = w.get(fmt.Sprintf("api/messages?user=102&dialog=101&limit=3&before=%.0f", first["id"]))
	require.Equal(t, false, page["more"])
	require.Len(t, page["messages"], 3)
	page = w.get("api/messages?user=1&dialog=chat1001")
	require.Empty(t, page["messages"], "somebody else's dialog")
	require.NotNil(t, page["messages"])
}

func TestAnAnswerIsBounded(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	for range 501 {
		_, err := w.portal.Say(t.Context(), anna, "102", "x")
		require.NoError(t, err)
	}
	found := w.get("api/messages?user=101&dialog=102&limit=100000")
	require.Len(t, found["messages"], 500)
	require.Equal(t, true, found["more"])
}

func TestHelpAndFrame(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	help := w.get("api/help?user=101&dialog=103")
	require.Equal(t, []any{object{"command": "/do", "bot": 103.0, "title": "Does it", "params": "what", "hidden": false}}, help["commands"])
	require.Equal(t, []any{object{
		"id": 501.0, "bot": 103.0, "code": "frame", "title": "Frame", "description": "", "icon": "", "frame": true,
		"width": 320.0, "height": 250.0, "js": "", "param": "",
	}}, help["apps"])
	require.Equal(t, object{"commands": []any{}, "apps": []any{}}, w.get("api/help?user=101&dialog=chat7"))

	w.post("api/say", `{"user":101,"dialog":"103","text":"hi"}`)
	require.Contains(t, w.get("api/frame?user=101&app=501&dialog=103")["url"], "https://app.example.com/?BOT_ID=103&")
	require.Contains(t, w.get("api/frame?user=101&app=501&message=50001&params=p%26q")["url"], "BUTTON_PARAMS=p%26q")
	require.Equal(t, 400, w.serve("GET", "api/frame?user=101&app=9&dialog=103", "").Code)
}

func TestExchanges(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	changed := w.portal.Changed()
	w.post("api/say", `{"user":101,"dialog":"103","text":"hi"}`)
	awaitText(w, changed, "hi")
	require.NoError(t, w.portal.Idle(t.Context()))
	page := w.get("api/exchanges?limit=1000")
	require.Equal(t, false, page["more"])
	var event object
	for _, x := range page["exchanges"].([]any) {
		if x := x.(object); x["name"] == "ONIMBOTMESSAGEADD" {
			event = x
		}
	}
	require.Equal(t, []string{"batch", "done", "error", "fetched", "id", "kind", "ms", "name", "parent", "polls", "replay", "status", "time", "url"}, keys(event))
	require.Equal(t, "event", event["kind"])
	require.Equal(t, eventURL, event["url"])
	id := fmt.Sprintf("%.0f", event["id"])
	require.Contains(t, w.get("api/exchange?id=" + id)["sent"], `"MESSAGE": "hi"`)
	again := w.post("api/replay", `{"id":`+id+`}`)
	require.EqualValues(t, 200, again["status"])
	require.Equal(t, event["id"], w.get(fmt.Sprintf("api/exchange?id=%.0f", again["id"]))["replay"])
	page = w.get("api/exchanges?limit=2&before=3")
	require.Len(t, page["exchanges"], 2)
	require.Equal(t, false, page["more"])
	require.Equal(t, true, w.get("api/exchanges?limit=1")["more"])
}

func TestHostileTextArrivesUnharmed(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	for _, text := range []string{
		"<script>alert(1)</script>", "[URL=javascript:alert(1)]x[/URL]", "\u202eevil\u2066", "a\u2028b\x00c", `"}{\`,
		"data: x\n\nevent: reset", strings.Repeat("\U0001f600", 19_000),
	} {
		name, err := json.Marshal(text)
		require.NoError(t, err)
		user := fmt.Sprintf("%.0f", w.post("api/user", `{"first":`+string(name)+`,"last":"x"}`)["user"])
		chat := w.post("api/chat", `{"user":`+user+`,"title":`+string(name)+`,"members":[101]}`)["dialog"].(string)
		w.post("api/say", `{"user":`+user+`,"dialog":"`+chat+`","text":`+string(name)+`}`)
		out := w.serve("GET", "api/state?user=101", "")
		require.Equal(t, "application/json; charset=utf-8", out.Header().Get("Content-Type"))
		state := w.read(out)
		users := state["users"].([]any)
		require.Equal(t, text, users[len(users)-1].(object)["first"])
		d := state["dialogs"].([]any)[0].(object)
		require.Equal(t, text, d["title"])
		require.Equal(t, text, d["last"].(object)["text"])
	}
}

func TestPicturesThatCouldBeCode(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	for _, data := range []string{"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "<html>", "BM\x00\x00", "GIF"} {
		w.ok(imbot.Do(t.Context(), w.client, imbot.ChatAddRequest{Title: data, Users: []imbot.ID{anna}, Avatar: []byte(data)}))
	}
	for _, d := range w.get("api/state?user=101")["dialogs"].([]any) {
		require.Empty(t, d.(object)["avatar"])
		require.Equal(t, 404, w.serve("GET", fmt.Sprintf("api/avatar?chat=%.0f", d.(object)["chat"]), "").Code)
	}
	require.Equal(t, 404, w.serve("GET", "api/icon?app=501", "").Code)
	require.Equal(t, 404, w.serve("GET", "api/avatar?user=99", "").Code)
}
