package e2e

import (
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
)

// newOwnersServer starts a web server of the bot's owner and returns its address. It has
// pictures, and the page of a chat application that tries to get out of its frame.
func newOwnersServer(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/app" {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<title>App</title><script>try { top.location = "https://evil.example/" } catch {}</script>`))
			return
		}
		_ = png.Encode(w, image.NewGray(image.Rect(0, 0, 8, 8)))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// The page shows what bots do beside sending text, as it happens: attachments, all kinds
// of buttons, a menu, a chat application, typing, reactions, edits and deletions.
func TestPageShowsWhatBotsSend(t *testing.T) {
	s := newTestbed(t)
	web := newOwnersServer(t)
	room := imbot.ChatDialog(s.portal.AddChat("Room", 1, s.anna, s.bot))
	_, err := s.client.App.Register(t.Context(), imbot.AppRegisterRequest{
		Code: "clock", IFrame: web + "/app", IFrameWidth: 400, IFrameHeight: 200, Hash: "hash-that-nobody-may-see",
		Lang: []imbot.AppLang{{LanguageID: "en", Title: "Clock", Description: "What time it is"}},
	})
	require.NoError(t, err)
	b := open(t, s.url, 1100, 900, chromedp.Flag("ignore-certificate-errors", true))
	b.click(dialog(room))
	b.sees("#title", "Room")

	require.NoError(t, s.client.Chat.SendTyping(t.Context(), imbot.ChatSendTypingRequest{DialogID: room}))
	b.sees("#typing", "Dice")
	id, err := s.client.Message.Add(t.Context(), imbot.MessageAddRequest{
		DialogID: room, Message: bbcode.Bold("bold") + " and " + bbcode.Link("https://example.com/", "a link"),
		Attach: &imbot.Attach{Blocks: []imbot.Block{
			imbot.BlockUser{Name: "A user", Link: web},
			imbot.BlockLink{Name: "A page", Desc: "about it", Link: web},
			imbot.BlockMessage("a " + bbcode.Italic("text")),
			imbot.BlockDelimiter{Size: 200},
			imbot.BlockGrid{{Name: "A cell", Value: "its value", Display: imbot.GridDisplayLine}},
			imbot.BlockImage{{Name: "A picture", Link: web + "/picture.png", Width: 8, Height: 8}},
			imbot.BlockFile{{Name: "A file", Link: web + "/file", Size: 1 << 20}},
		}},
		Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{
			{{Text: "Put", Action: imbot.ActionPut("put here")}, {Text: "Say", Action: imbot.ActionSend("said by a button")}},
			{{Text: "Off", Action: imbot.ActionSend("never"), Disabled: imbot.Yes}},
		}},
		Menu: &imbot.Menu{Items: []imbot.MenuItem{{Text: "Item", Action: imbot.ActionCommand{Command: "press", Params: "in the menu"}}}},
	})
	require.NoError(t, err)
	item := fmt.Sprintf(`#messages [data-message="%d"]`, id)
	for _, text := range []string{"bold", "A user", "A page", "about it", "a text", "A cell", "its value", "A file", "1"} {
		b.sees(item, text)
	}
	b.sees(item+" b, "+item+" strong", "bold")
	b.sees(item+` a[href="https://example.com/"]`, "a link")
	b.until(`document.querySelector(` + quote(item+` img[src^="https:"]`) + `)?.naturalWidth === 8`)
	b.until(`document.querySelector("#typing").textContent === ""`)

	b.click(item + ` [data-press="keyboard"]`)
	b.until(`document.querySelector("#text").value === "put here"`)
	b.click(item + ` [data-index="1"]`)
	b.sees("#messages .text", "said by a button")
	require.True(t, eval[bool](b, `[...document.querySelectorAll(`+quote(item+` button`)+`)].find(e => e.textContent === "Off").disabled`))

	b.click("#apps button")
	b.sees("#frame iframe", "")
	require.Equal(t, "allow-scripts allow-forms allow-popups allow-same-origin", eval[string](b, `document.querySelector("#frame iframe").getAttribute("sandbox")`))
	b.press(kb.Escape)
	b.until(`!document.querySelector("#frame").open`)
	require.True(t, b.focused("#apps button"), "the focus is back on the button of the application")

	b.click(item + ` [aria-haspopup="menu"]`)
	b.click(item + ` [data-press="menu"]`)
	b.sees(item+" .text", "Pressed in the menu")

	require.NoError(t, s.client.Message.Like(t.Context(), imbot.MessageLikeRequest{MessageID: id}))
	b.sees(item+" .reaction", "👍1")
	require.NoError(t, s.client.Message.Delete(t.Context(), imbot.MessageDeleteRequest{MessageID: id}))
	b.until(has(item+".deleted, "+item+" .deleted", "") + ` || !document.querySelector(` + quote(item) + `)`)
	require.False(t, eval[bool](b, `document.documentElement.outerHTML.includes("hash-that-nobody-may-see")`))
	b.noAlarms()
}

// What people do beside writing: add a person, make a chat, react, edit, delete.
func TestPeopleActInThePage(t *testing.T) {
	s := newTestbed(t)
	b := open(t, s.url, 1440, 900)
	b.click("#add-person-open")
	b.press("Carla" + kb.Tab + "Rossi" + kb.Enter)
	b.sees("#actor option, nav", "Carla Rossi")
	b.click("#new-chat-open")
	b.press("Lunch")
	b.click(`#chat-members label, #chat-members input`)
	b.press(kb.Enter)
	b.sees("#title", "Lunch")

	b.click("#text")
	b.press("first draft" + kb.Enter)
	b.sees("#messages .text", "first draft")
	own := fmt.Sprintf(`#messages [data-message="%s"]`, eval[string](b,
		`[...document.querySelectorAll("#messages [data-message]")].find(e => e.textContent.includes("first draft")).dataset.message`))
	b.click(own + ` [aria-label="React"]`)
	b.click(`#reactions [aria-label="like"]`)
	b.sees(own+" .reaction", "👍1")
	b.click(own + ` [aria-label="Edit"]`)
	b.until(`document.querySelector("#text").value === "first draft"`)
	b.press(", changed" + kb.Enter)
	b.sees(own+" .text", "first draft, changed")
	b.sees(own+" .edited", "edited")
	b.click(own + ` [aria-label="Delete"]`)
	b.until(has(own+".deleted, "+own+" .deleted", "") + ` || !document.querySelector(` + quote(own) + `)`)
	require.False(t, eval[bool](b, has("#messages", "first draft")))

	b.tabBackTo("#actor")
	for range 10 {
		b.press(kb.ArrowDown)
	}
	b.until(`document.querySelector("#actor").selectedOptions[0].textContent === "Carla Rossi" && document.documentElement.dataset.live === "true"`)
	b.noAlarms()
}
