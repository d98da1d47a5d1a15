package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// What a person does with a bot, with a mouse and keys.
func TestPersonTriesABot(t *testing.T) {
	for _, size := range []struct {
		name          string
		width, height int64
	}{
		{"on a phone", 375, 740},
		{"on a desktop", 1440, 900},
	} {
		t.Run(size.name, func(t *testing.T) {
			s := newStage(t)
			b := open(t, s.url, size.width, size.height)
			narrow := size.width < 700

			b.click(dialog(imbot.UserDialog(s.bot)))
			b.sees("#title", "Dice")
			b.click("#text")
			b.press("hello" + kb.Enter)
			b.sees("#messages .text", "You said: hello")

			b.click(`#messages [data-press="keyboard"]`)
			b.sees("#messages .text", "Pressed once")

			b.click("#text")
			b.press("/ro")
			b.sees("#commands [role=option]", "/roll")
			require.False(t, eval[bool](b, has("#commands [role=option]", "/rules")), "the list is narrowed by what is typed")
			require.False(t, eval[bool](b, has("#commands [role=option]", "/press")), "hidden commands are not offered")
			b.click("#commands [role=option]")
			b.until(`document.querySelector("#text").value === "/roll "`)
			b.press("6")
			b.click("#send")
			b.sees("#messages .text", `roll with "6"`)

			if !b.logOpen() {
				b.click("#toggle-log")
			}
			b.sees("#log li[data-exchange]", "imbot.message.add")
			b.readsACall()
			row := b.eventRow("ONIMBOTMESSAGEADD")
			b.click(row + " [data-replay]")
			b.replayed()
			if narrow {
				b.click("#toggle-log")
			}
			b.until(count("#messages .text", "You said: hello") + ` === 1`) // the first one says that it was pressed
			if narrow {
				b.click("#back")
				b.sees("nav", "Dice")
			}
			require.False(t, eval[bool](b, `document.documentElement.scrollWidth > innerWidth`), "the page is wider than the window")
			b.calm()
		})
	}
}

// count is how many elements hold a text.
func count(selector, text string) string {
	return `[...document.querySelectorAll(` + quote(selector) + `)].filter(e => e.textContent.includes(` + quote(text) + `)).length`
}

// logOpen reports whether the calls and events are shown; a wide page begins so.
func (b *tab) logOpen() bool {
	b.t.Helper()
	return eval[bool](b, `document.querySelector("#toggle-log").getAttribute("aria-expanded") === "true"`)
}

// exchange selects a row of the log by the name of its call or event.
func (b *tab) exchange(name string) string {
	b.t.Helper()
	find := `[...document.querySelectorAll("#log li[data-exchange]")].find(e => e.textContent.includes(` + quote(name) + `))`
	b.until(find)
	return fmt.Sprintf(`#log li[data-exchange="%s"]`, eval[string](b, find+`.dataset.exchange`))
}

// eventRow selects a row that can be replayed.
func (b *tab) eventRow(name string) string {
	b.t.Helper()
	row := b.exchange(name)
	b.sees(row+" [data-replay]", "Replay")
	return row
}

// readsACall opens a row and looks for what was sent and answered.
func (b *tab) readsACall() {
	b.t.Helper()
	row := b.exchange("imbot.command.answer")
	b.click(row + " [aria-expanded]")
	b.readsBodies(row)
}

func (b *tab) readsBodies(row string) {
	b.t.Helper()
	b.sees(row+" .sent", "roll with")
	b.sees(row+" .answer", "result")
	page := eval[string](b, `document.documentElement.outerHTML`)
	require.False(b.t, strings.Contains(page, clientID), "the client id is in the page")
}

// replayed waits for the row of the second delivery.
func (b *tab) replayed() {
	b.t.Helper()
	b.until(count("#log li[data-exchange]", "ONIMBOTMESSAGEADD") + ` === 2`)
}
