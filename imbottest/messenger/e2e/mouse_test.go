package e2e

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// What a person does who tries a bot: writes, presses a button, gives a command, looks at
// a call in the log and replays an event.
func TestPersonTriesABot(t *testing.T) {
	for _, size := range []struct {
		name          string
		width, height int64
	}{
		{"on a phone", 375, 740},
		{"on a desktop", 1440, 900},
	} {
		t.Run(size.name, func(t *testing.T) {
			s := newTestbed(t)
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
			b.until(count("#messages .text", "You said: hello") + ` === 1`) // that of the replay; the first one says "Pressed once" by now
			if narrow {
				b.click("#back")
				b.sees("nav", "Dice")
			}
			require.False(t, eval[bool](b, `document.documentElement.scrollWidth > innerWidth`), "the page is wider than the window")
			b.noAlarms()
		})
	}
}
