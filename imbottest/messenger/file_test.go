package messenger_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sendFile posts a file as the script of the page does.
func (w *testPage) sendFile(query, content string) object {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://localhost:8060/api/file?"+query, strings.NewReader(content))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", "application/octet-stream")
	out := httptest.NewRecorder()
	w.page.ServeHTTP(out, r)
	return w.read(out)["message"].(object)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	said := w.sendFile("user=101&dialog=103&name=a+%26+b.html&text=look", "<script>")
	require.Equal(t, "look", said["text"])
	require.Equal(t, "103", said["dialog"])
	require.Equal(t, []any{object{"name": "a & b.html", "size": 8.0, "url": fmt.Sprintf("api/file?message=%v&id=9001", said["id"]), "picture": false, "width": 0.0, "height": 0.0}}, said["files"])
	shown := w.sendFile("user=101&dialog=103&name=b.gif", string(gif))["files"].([]any)[0].(object)
	require.Equal(t, true, shown["picture"])
	require.Equal(t, 1.0, shown["width"])
	for url, want := range map[string][2]string{
		said["files"].([]any)[0].(object)["url"].(string): {"application/octet-stream", `attachment; filename="a & b.html"`}, // never as a page
		shown["url"].(string):                             {"image/gif", ""},
	} {
		out := w.serve("GET", url+"&user=101", "")
		require.Equal(t, 200, out.Code)
		require.Equal(t, want, [2]string{out.Header().Get("Content-Type"), out.Header().Get("Content-Disposition")})
		require.Equal(t, 404, w.serve("GET", url+"&user=102", "").Code, "he is not in the dialog")
	}
	require.NoError(t, w.portal.Idle(t.Context()))
	require.NoError(t, w.portal.Err())
}

func TestForwardsAndClosedDialogs(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	said := w.post("api/say", `{"user":101,"dialog":"103","text":"hello"}`)["message"].(object)
	require.Nil(t, said["forward"])
	w.post("api/forward", fmt.Sprintf(`{"user":101,"message":%v,"dialog":"102"}`, said["id"]))
	m := w.get("api/messages?user=102&dialog=101")["messages"].([]any)[0].(object)
	require.Equal(t, object{"message": said["id"], "author": 101.0}, m["forward"])
	require.Equal(t, "hello", m["text"])
	require.NoError(t, w.client.Call(t.Context(), "imbot.v2.Chat.TextField.enabled", object{"botToken": clientID, "botId": echo, "dialogId": "101", "enabled": "N"}, nil))
	closed := map[any]any{} // the order of dialogs is that of what was said last
	for _, d := range w.get("api/state?user=101")["dialogs"].([]any) {
		closed[d.(object)["id"]] = d.(object)["closed"]
	}
	require.Equal(t, true, closed["103"])
	require.NoError(t, w.portal.Idle(t.Context()))
}
