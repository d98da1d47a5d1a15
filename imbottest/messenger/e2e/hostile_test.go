package e2e

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
)

// The portal accepts harmless addresses only. withHarmfulAddresses replaces harmless by
// harmful on the way to the page.
const (
	harmless = "https://evil.example/"
	harmful  = "javascript:window.pwned=1//"
)

// hostile are texts that try to become markup, scripts or styles of the page.
var hostile = []string{
	`<script>window.pwned=1;alert(1)</script>`,
	`<img src=x onerror="window.pwned=1;alert(1)">`,
	`"><svg onload=alert(1)>`,
	`[URL=javascript:window.pwned=1]click[/URL] [IMG]javascript:window.pwned=1[/IMG] javascript:alert(1)`,
	`[URL=data:text/html,<script>alert(1)</script>]click[/URL] [URL]java` + "\t" + `script:alert(1)[/URL]`,
	`[COLOR=red;background:url(` + harmless + `)]red[/COLOR] [SIZE=9999999]big[/SIZE] [ICON=javascript:window.pwned=1 size=1 onerror=alert(1)]`,
	`[USER=1"onclick="alert(1)]user[/USER] [CHAT=<b>]chat[/CHAT] [SEND=<script>]send[/SEND] [PUT=/">]put[/PUT]`,
	"\u202egnp.exe \u2066\u2067\u200f\u061c end",
	`{{constructor.constructor('alert(1)')()}} ${alert(1)} &lt;script&gt;alert(1)&lt;/script&gt;`,
	strings.Repeat("[B]", 3000) + "deep",
	strings.Repeat("[URL=", 3000),
}

// problemsOfThePage is an expression that lists what hostile text must not do to the page.
const problemsOfThePage = `(() => {
	const wrong = [];
	if (window.pwned) wrong.push("a script ran");
	for (const e of document.querySelectorAll("*")) {
		for (const a of e.attributes) if (/^on/i.test(a.name)) wrong.push("handler " + e.outerHTML.slice(0, 100));
		for (const name of ["href", "src", "action", "formaction", "data", "srcset", "xlink:href"]) {
			const value = e.getAttribute(name);
			if (value && !/^(https?|mailto|tel):$/.test(new URL(value, location).protocol)) wrong.push(name + " " + value.slice(0, 100));
		}
	}
	const shows = ":is(nav, main, aside)";
	for (const e of document.querySelectorAll(shows + " :is(script, style, link, meta, base, object, embed, iframe, svg[onload], math)")) {
		wrong.push("element " + e.outerHTML.slice(0, 100));
	}
	for (const a of document.querySelectorAll("a[target]")) if (!/noopener/.test(a.rel)) wrong.push("opener " + a.outerHTML.slice(0, 100));
	if (document.documentElement.scrollWidth > innerWidth) wrong.push("the page is " + document.documentElement.scrollWidth + " wide");
	return wrong;
})()`

func TestHostileTextIsShownAsText(t *testing.T) {
	for _, through := range []struct {
		name  string
		serve func(*imbottest.Portal) http.Handler
	}{
		{"as the portal keeps it", messenger.Handler},
		{"from a server that lets worse through", withHarmfulAddresses},
	} {
		for _, width := range []int64{375, 1440} {
			t.Run(through.name+" at "+strconv.FormatInt(width, 10), func(t *testing.T) {
				s := newTestbed(t)
				server := served(t, through.serve(s.portal))
				room := s.fillWithHostility(t)

				b := open(t, server.URL+"/", width, 900)
				b.sees("nav", hostile[1])
				require.Empty(t, eval[[]string](b, problemsOfThePage), "the list of dialogs")
				b.click(dialog(room))
				b.sees("#title", hostile[0])
				for _, text := range []string{hostile[0], hostile[1], hostile[2], "{{constructor"} {
					b.sees("#messages", text)
				}
				b.sees("#messages [data-press]", hostile[0])
				require.Empty(t, eval[[]string](b, problemsOfThePage), "the conversation")
				b.click("#text")
				b.press("/")
				b.sees("#commands [role=option]", hostile[0])
				require.Empty(t, eval[[]string](b, problemsOfThePage), "the list of commands")
				b.press(kb.Escape + kb.Backspace + hostile[1] + kb.Enter)
				b.until(count("#messages .text", hostile[1]) + " >= 2")
				if !b.logOpen() {
					b.click("#toggle-log")
				}
				b.click(b.exchange("imbot.message.add") + " [aria-expanded]")
				b.sees("#log .sent", "MESSAGE")
				require.Empty(t, eval[[]string](b, problemsOfThePage), "the log")
				b.noAlarms()
			})
		}
	}
}

// fillWithHostility sends hostile text in everything in which the portal takes text.
func (s *testbed) fillWithHostility(t *testing.T) imbot.DialogID {
	t.Helper()
	mallory := s.portal.AddUser(hostile[1], hostile[7])
	s.portal.AddUser(strings.Repeat("long", 50<<10), "")
	endless := s.portal.AddChat(strings.Repeat("title ", 34<<10), 1, s.bot)
	_, err := s.portal.Say(t.Context(), 1, imbot.ChatDialog(endless), strings.Repeat("long", 50<<10))
	require.NoError(t, err)
	chat := s.portal.AddChat(hostile[0], 1, mallory, s.bot)
	room := imbot.ChatDialog(chat)
	require.NoError(t, s.client.Bot.Update(t.Context(), imbot.BotUpdateRequest{
		BotID: s.bot, Fields: imbot.BotUpdateFields{Properties: &imbot.BotPropertiesUpdate{Name: &hostile[1]}},
	}))
	_, err = s.client.Command.Register(t.Context(), imbot.CommandRegisterRequest{
		Command: "evil", EventCommandAdd: harmless, Common: imbot.Yes,
		Lang: []imbot.CommandLang{{LanguageID: "en", Title: hostile[0], Params: hostile[1]}},
	})
	require.NoError(t, err)
	for _, text := range append(hostile, strings.Repeat("\u202e<b>", 50<<10)) {
		_, err := s.portal.Say(t.Context(), mallory, room, text)
		require.NoError(t, err)
	}
	for _, text := range hostile {
		if len(text) > 1000 {
			continue // too large for an attachment
		}
		link := imbot.ActionLink(harmless + "1")
		_, err := s.client.Message.Add(t.Context(), imbot.MessageAddRequest{
			DialogID: room, Message: text,
			Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{{
				{Text: hostile[0], Action: link}, {Text: text, Action: imbot.ActionCopy(hostile[1])},
			}}},
			Menu: &imbot.Menu{Items: []imbot.MenuItem{{Text: text, Action: link}}},
			Attach: &imbot.Attach{Blocks: []imbot.Block{
				imbot.BlockUser{Name: text, Link: harmless + "2"},
				imbot.BlockLink{Name: text, Desc: hostile[1], Link: harmless + "3"},
				imbot.BlockMessage(text),
				imbot.BlockGrid{{Name: text, Value: hostile[1], Link: harmless + "4"}},
				imbot.BlockFile{{Name: text, Link: harmless + "5"}},
			}},
		})
		require.NoError(t, err, text)
	}
	return room
}

// The portal accepts only https addresses for frames; the page checks that itself.
func TestFrameWithoutAWebAddressIsRefused(t *testing.T) {
	s := newTestbed(t)
	room := imbot.ChatDialog(s.portal.AddChat("Room", 1, s.bot))
	_, err := s.client.App.Register(t.Context(), imbot.AppRegisterRequest{
		Code: "evil", IFrame: harmless, Hash: "hash", Lang: []imbot.AppLang{{LanguageID: "en", Title: "Evil"}},
	})
	require.NoError(t, err)
	var address atomic.Value
	inner := messenger.Handler(s.portal)
	server := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/api/frame") {
			_, _ = w.Write([]byte(`{"url":` + quote(address.Load().(string)) + `}`))
			return
		}
		inner.ServeHTTP(w, r)
	}))
	b := open(t, server.URL+"/#user=1&dialog="+string(room), 1440, 900)
	for _, bad := range []string{"javascript:parent.pwned=1", "data:text/html,x", "http://evil.example/", "/api/state", "about:blank", "blob:https://evil.example/x", "no address", ""} {
		address.Store(bad)
		b.click("#apps button")
		b.until(`document.querySelector(".toast.bad:last-child")?.textContent.endsWith(` + quote("no https address: "+bad) + `)`)
		require.Empty(t, eval[[]string](b, problemsOfThePage))
		require.False(t, eval[bool](b, `Boolean(document.querySelector("iframe"))`), bad)
	}
	b.noAlarms()
}

// withHarmfulAddresses is the messenger with addresses that are scripts in place of the
// harmless ones. The portal would refuse them, so this tests the checks of the page.
func withHarmfulAddresses(portal *imbottest.Portal) http.Handler {
	inner := messenger.Handler(portal)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/api/") || strings.HasSuffix(r.URL.Path, "/events") {
			inner.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		inner.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = w.Write(bytes.ReplaceAll(answer.Body.Bytes(), []byte(harmless), []byte(harmful)))
	})
}
