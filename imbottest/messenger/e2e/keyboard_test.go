package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// The same without a mouse: only keys are sent, and the focus is only read.
func TestPersonTriesABotWithTheKeyboardOnly(t *testing.T) {
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

			b.tabTo("#actor")
			b.press(kb.ArrowDown)
			b.until(fmt.Sprintf(`document.querySelector("#actor").value === "%d"`, s.anna))
			b.tabTo(dialog(imbot.UserDialog(s.bot)))
			b.press(kb.Enter)
			b.sees("#title", "Dice")

			b.arriveAt("#text")
			b.press("hello" + kb.Enter)
			b.sees("#messages .text", "You said: hello")
			require.True(t, b.focused("#text"), "who has sent a message writes the next one")

			b.tabBackTo(`#messages [data-press="keyboard"]`)
			b.press(kb.Enter)
			b.sees("#messages .text", "Pressed once")

			b.tabTo("#text")
			b.press("/")
			b.sees("#commands [role=option]", "/rules")
			b.press(kb.Escape)
			b.until(`!document.querySelector("#commands")?.checkVisibility()`)
			require.True(t, b.focused("#text"), "Escape closes the list and nothing else")
			b.press(kb.Backspace + "/")
			b.sees("#commands [role=option]", "/rules")
			b.press(kb.ArrowDown)
			b.press(kb.ArrowUp + kb.Enter)
			b.until(`document.querySelector("#text").value === "/roll "`)
			b.press("6" + kb.Enter)
			b.sees("#messages .text", `roll with "6"`)

			if b.logOpen() { // close it, to open it
				b.arriveAt("#toggle-log")
				b.press(kb.Enter)
			}
			b.arriveAt("#toggle-log")
			b.press(kb.Enter)
			row := b.exchange("imbot.command.answer")
			b.tabTo(row + " [aria-expanded]")
			b.press(kb.Enter)
			b.readsBodies(row)
			event := b.eventRow("ONIMBOTMESSAGEADD")
			b.arriveAt(event + " [data-replay]")
			b.press(kb.Enter)
			b.replayed()
			b.press(kb.Escape)
			b.until(`!document.querySelector("#log").checkVisibility()`)
			require.True(t, b.focused("#toggle-log"), "the focus is back where the log was opened")
			b.sees("#messages .text", "You said: hello")
			b.calm()
		})
	}
}

// arriveAt accepts that the page has put the focus there itself.
func (b *tab) arriveAt(selector string) {
	b.t.Helper()
	if !b.focused(selector) {
		b.tabTo(selector)
	}
}
