package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
)

// When the connection breaks the page connects again, and no message is missing or there
// twice.
func TestPageComesBackWhenItsConnectionBreaks(t *testing.T) {
	s := newTestbed(t)
	server := served(t, messenger.Handler(s.portal))
	room := imbot.ChatDialog(s.portal.AddChat("Room", 1, s.anna))
	b := open(t, server.URL+"/", 1440, 900)
	b.click(dialog(room))
	b.sees("#title", "Room")
	eval[int](b, `new MutationObserver(() => e2e.lives = (e2e.lives ?? "") + document.documentElement.dataset.live + " ")
		.observe(document.documentElement, {attributeFilter: ["data-live"]}), 0`)

	server.CloseClientConnections()
	for i := range 3 {
		_, err := s.portal.Say(t.Context(), s.anna, room, fmt.Sprintf("meanwhile %d", i+1))
		require.NoError(t, err)
	}
	b.until(`/^(false )+true $/.test(e2e.lives)`)
	b.until(count("#messages .text", "meanwhile") + " === 3")
	b.click("#text")
	b.press("still here?" + kb.Enter)
	b.until(count("#messages .text", "still here?") + " === 1")
}

// A page of another origin in the same browser cannot read or do anything: not by fetch,
// not by a form, not in a frame.
func TestOtherPagesAreRefused(t *testing.T) {
	s := newTestbed(t)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<title>Other</title><iframe src="%s"></iframe><iframe name="target"></iframe>
			<form method="post" enctype="text/plain" target="target" action="%sapi/say">
			<input name='{"user":1,"dialog":"%d","text":"from a form","x":"' value='"}'></form>`, s.url, s.url, s.bot)
	}))
	t.Cleanup(other.Close)
	b := browse(t, other.URL, 1000, 800)
	say := fmt.Sprintf(`{"user":1,"dialog":"%d","text":"from a script"}`, s.bot)
	got := eval[[]string](b, `(async () => {
		const root = `+quote(s.url)+`, body = `+quote(say)+`;
		const attempts = [
			() => fetch(root + "api/state?user=1"),
			() => fetch(root + "api/state?user=1", {mode: "no-cors"}),
			() => fetch(root + "api/say", {method: "POST", mode: "no-cors", body}),
			() => fetch(root + "api/say", {method: "POST", headers: {"Content-Type": "application/json"}, body}),
			() => new Promise((done, fail) => {
				const stream = new EventSource(root + "api/events?user=1&after=0");
				stream.onmessage = stream.onopen = done;
				stream.onerror = () => fail(new Error("no stream"));
			}),
			() => new Promise((done, fail) => {
				const script = document.createElement("script");
				Object.assign(script, {src: root + "app.js", type: "module", onload: done, onerror: () => fail(new Error("no script"))});
				document.head.append(script);
			}),
		];
		const results = [];
		for (const attempt of attempts) {
			results.push(await attempt().then(r => r?.text ? r.text() : "reached").then(text => text || "nothing", () => "refused"));
		}
		document.forms[0].submit();
		return results;
	})()`)
	require.NotContains(t, got, "reached")
	for _, text := range got {
		require.NotContains(t, text, "users")
	}
	b.until(`document.querySelector("iframe[name=target]").contentDocument === null`) // shows another origin, so the form was sent
	b.until(`document.querySelector("iframe").contentDocument === null`)
	require.NoError(t, s.portal.Idle(b.ctx))
	require.Empty(t, s.portal.Messages(1, imbot.UserDialog(s.bot)), "nobody but the page speaks in a person's name")
}

// Who develops a bot starts the portal again and again while the page is open. It shows
// the new portal then, and nothing of the old one.
func TestPageShowsThePortalThatIsThereNow(t *testing.T) {
	first, second := newTestbed(t), newTestbed(t)
	later := first.portal.AddUser("Later", "")
	old := imbot.ChatDialog(first.portal.AddChat("Old chat", 1, later))
	second.portal.AddChat("New chat", 1)
	_, err := first.portal.Say(t.Context(), 1, old, "old words")
	require.NoError(t, err)

	var now atomic.Pointer[imbottest.Portal]
	now.Store(first.portal)
	server := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		messenger.Handler(now.Load()).ServeHTTP(w, r)
	}))
	b := open(t, server.URL+"/#user="+later.String()+"&dialog="+string(old), 1440, 900)
	b.sees("#messages .text", "old words")

	now.Store(second.portal) // has neither the person nor the chat that are shown
	server.CloseClientConnections()
	b.sees("nav", "New chat")
	b.until(`document.documentElement.dataset.live === "true" && document.querySelector("#actor").value === "1"`)
	require.False(t, eval[bool](b, has("body", "Old chat")))
	require.False(t, eval[bool](b, has("#messages", "old words")))
}

func TestPhoneTellsThatTheConnectionIsLost(t *testing.T) {
	s := newTestbed(t)
	server := served(t, messenger.Handler(s.portal))
	b := open(t, server.URL+"/", 375, 740)
	b.sees("#actor", "")
	require.False(t, eval[bool](b, has("[role=alert]", "lost")))
	server.Listener.Close()
	server.CloseClientConnections()
	b.sees("[role=alert]", "The connection to the portal is lost")
	require.False(t, eval[bool](b, `document.documentElement.scrollHeight > innerHeight`))
}
