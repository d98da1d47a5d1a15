package messenger_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	const state = "/api/state?user=1"
	for _, r := range []struct {
		says   string
		host   string
		path   string
		header string // "name: value, name: value"
		want   int
	}{
		{"a name that never leaves the machine", "localhost:8060", state, "", 200},
		{"below it", "imbot.localhost", state, "", 200},
		{"in capitals", "LOCALHOST:1", state, "", 200},
		{"an address", "127.0.0.1:8060", state, "", 200},
		{"an address of version 6", "[::1]:8060", state, "", 200},
		{"that without a port", "[::1]", state, "", 200},
		{"an address of the local net", "192.168.1.5:8060", state, "", 200},
		{"a name that somebody can point here", "evil.example:8060", state, "", 403},
		{"that for the page itself", "evil.example:8060", "/", "", 403},
		{"a name that only begins so", "localhost.evil.example", state, "", 403},
		{"a name that only ends so", "evillocalhost", state, "", 403},
		{"an address in a name", "127.0.0.1.nip.example", state, "", 403},
		{"no name", "", state, "", 403},

		{"its own page", "localhost:8060", state, "Origin: http://localhost:8060, Sec-Fetch-Site: same-origin", 200},
		{"its own page behind TLS", "localhost:8060", state, "Origin: https://localhost:8060", 200},
		{"another port is another page", "localhost:8060", state, "Origin: http://localhost:8061", 403},
		{"another name is another page", "localhost:8060", state, "Origin: http://127.0.0.1:8060", 403},
		{"a page of the net", "localhost:8060", state, "Origin: https://evil.example", 403},
		{"a page without a name", "localhost:8060", state, "Origin: null", 403},
		{"no origin at all", "localhost:8060", state, "Origin: ://", 403},
		{"the address bar", "localhost:8060", state, "Sec-Fetch-Site: none, Sec-Fetch-Mode: navigate, Sec-Fetch-Dest: document", 200},
		{"a picture in another page", "localhost:8060", "/api/avatar?user=103", "Sec-Fetch-Site: cross-site, Sec-Fetch-Mode: no-cors, Sec-Fetch-Dest: image", 403},
		{"a script of another port", "localhost:8060", state, "Sec-Fetch-Site: same-site, Sec-Fetch-Mode: cors", 403},
		{"a link to the API", "localhost:8060", state, "Sec-Fetch-Site: cross-site, Sec-Fetch-Mode: navigate, Sec-Fetch-Dest: document", 403},
		{"a link to the page", "localhost:8060", "/", "Sec-Fetch-Site: cross-site, Sec-Fetch-Mode: navigate, Sec-Fetch-Dest: document", 200},
		{"the page in a frame", "localhost:8060", "/", "Sec-Fetch-Site: cross-site, Sec-Fetch-Mode: navigate, Sec-Fetch-Dest: iframe", 403},
		{"the page's script in another page", "localhost:8060", "/app.js", "Sec-Fetch-Site: cross-site, Sec-Fetch-Mode: no-cors, Sec-Fetch-Dest: script", 403},
		{"the stream in another page", "localhost:8060", "/api/events?user=1", "Sec-Fetch-Site: cross-site, Sec-Fetch-Mode: cors", 403},
	} {
		t.Run(r.says, func(t *testing.T) {
			request := httptest.NewRequest("GET", "http://localhost"+r.path, nil)
			request.Host = r.host
			if r.header != "" {
				for _, line := range strings.Split(r.header, ", ") {
					name, value, _ := strings.Cut(line, ": ")
					request.Header.Set(name, value)
				}
			}
			out := httptest.NewRecorder()
			w.page.ServeHTTP(out, request)
			require.Equal(t, r.want, out.Code)
			require.Equal(t, "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
				"img-src 'self' data: https: http://127.0.0.1:* http://localhost:*; frame-src https: http://127.0.0.1:* http://localhost:*; "+
				"base-uri 'none'; form-action 'none'; frame-ancestors 'none'", out.Header().Get("Content-Security-Policy"))
			require.Equal(t, "nosniff", out.Header().Get("X-Content-Type-Options"))
			require.Equal(t, "no-store", out.Header().Get("Cache-Control"))
			require.Equal(t, "no-referrer", out.Header().Get("Referrer-Policy"))
			require.Equal(t, "same-origin", out.Header().Get("Cross-Origin-Resource-Policy"))
			require.Equal(t, "same-origin", out.Header().Get("Cross-Origin-Opener-Policy"))
			if r.want != 200 {
				require.Regexp(t, `^\{"error":"[^"]+"\}$`, out.Body.String())
			}
		})
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	for _, r := range []struct {
		says, method, path, kind, body string
		want                           int
	}{
		{"no such page", "GET", "nothing", "", "", 404},
		{"no way out of the files", "GET", "../handler.go", "", "", 404},
		{"the folder of the files", "GET", ".", "", "", 404},
		{"no such address", "POST", "api/nothing", "application/json", "{}", 404},
		{"a post with GET", "GET", "api/say", "", "", 405},
		{"another method", "PUT", "api/say", "application/json", "{}", 405},
		{"a stream without a body", "HEAD", "api/events?user=1", "", "", 405},
		{"a form", "POST", "api/say", "application/x-www-form-urlencoded", "user=1", 415},
		{"a body of no type", "POST", "api/say", "", "{}", 415},
		{"JSON with a charset", "POST", "api/user", "application/json; charset=utf-8", `{"first":"A"}`, 200},
		{"no JSON", "POST", "api/say", "application/json", "{", 400},
		{"another shape", "POST", "api/say", "application/json", `{"user":[]}`, 400},
		{"a huge body", "POST", "api/say", "application/json", `{"text":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
		{"nobody looks", "GET", "api/state", "", "", 404},
		{"somebody unknown looks", "GET", "api/state?user=99", "", "", 404},
		{"no number", "GET", "api/messages?user=x&dialog=103", "", "", 404},
		{"somebody unknown streams", "GET", "api/events?user=99", "", "", 404},
		{"a bot writes", "POST", "api/say", "application/json", `{"user":103,"dialog":"101","text":"x"}`, 400},
		{"nothing is written", "POST", "api/say", "application/json", `{"user":101,"dialog":"103","text":"  "}`, 400},
		{"a dialog that is not", "POST", "api/say", "application/json", `{"user":101,"dialog":"chat9","text":"x"}`, 400},
		{"a chat of nobody", "POST", "api/chat", "application/json", `{"user":99,"title":"x"}`, 404},
		{"no name", "POST", "api/user", "application/json", `{"first":" "}`, 400},
		{"no such message", "POST", "api/react", "application/json", `{"user":101,"message":1}`, 400},
		{"no such reaction", "POST", "api/react", "application/json", `{"user":101,"message":50001,"reaction":"x"}`, 400},
		{"a forward of nothing", "POST", "api/forward", "application/json", `{"user":101,"message":1,"dialog":"103"}`, 400},
		{"a file as JSON", "POST", "api/file?user=101&dialog=103&name=a", "application/json", "{}", 415},
		{"an empty file", "POST", "api/file?user=101&dialog=103&name=a", "application/octet-stream", "", 400},
		{"a file of a bot", "POST", "api/file?user=103&dialog=101&name=a", "application/octet-stream", "a", 400},
		{"no such file", "GET", "api/file?user=101&message=1&id=9001", "", "", 404},
		{"no such event", "POST", "api/replay", "application/json", `{"id":1}`, 400},
		{"a forgotten exchange", "GET", "api/exchange?id=999", "", "", 404},
	} {
		t.Run(r.says, func(t *testing.T) {
			request := httptest.NewRequest(r.method, "http://localhost/", strings.NewReader(r.body))
			u, err := url.Parse("/" + r.path)
			require.NoError(t, err)
			request.URL = u
			request.Header.Set("Content-Type", r.kind)
			out := httptest.NewRecorder()
			w.page.ServeHTTP(out, request)
			require.Equal(t, r.want, out.Code, "%s", out.Body)
			if r.want != 200 {
				require.Regexp(t, `^\{"error":".+"\}$`, out.Body.String())
				require.NotContains(t, out.Body.String(), "imbottest")
			}
		})
	}
}

func TestThePageIsServedAnywhere(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	for path, kind := range map[string]string{"": "text/html", "index.html": "text/html", "app.js": "text/javascript", "style.css": "text/css"} {
		out := w.serve("GET", path, "")
		require.Equal(t, 200, out.Code)
		require.Equal(t, kind+"; charset=utf-8", out.Header().Get("Content-Type"))
	}
	mounted := http.StripPrefix("/chat", w.page)
	for path, want := range map[string]int{"/chat": 301, "/chat/": 200, "/chat/api/state?user=1": 200} {
		out := httptest.NewRecorder()
		mounted.ServeHTTP(out, httptest.NewRequest("GET", "http://localhost"+path, nil))
		require.Equal(t, want, out.Code, path)
		if want == 301 {
			require.Equal(t, "./chat/", out.Header().Get("Location"))
		}
	}
}
