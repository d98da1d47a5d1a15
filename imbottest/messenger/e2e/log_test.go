package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestPhoneTellsOfAFailedEvent(t *testing.T) {
	s := newTestbed(t)
	id, err := s.client.Bot.Register(t.Context(), imbot.BotRegisterRequest{
		Code: "down", EventHandler: "http://127.0.0.1:1/", Properties: imbot.BotProperties{Name: "Down"},
	})
	require.NoError(t, err)
	b := open(t, s.url, 375, 740)
	b.click(dialog(imbot.UserDialog(id)))
	b.click("#text")
	b.press("anybody there?" + kb.Enter)
	b.sees(".toast.bad", "failed")
	b.sees("#log-errors", "")
}

// logOpen reports whether the pane with calls and events is open. On a wide page it is
// from the beginning.
func (b *tab) logOpen() bool {
	b.t.Helper()
	return eval[bool](b, `document.querySelector("#toggle-log").getAttribute("aria-expanded") === "true"`)
}

// exchange returns the selector of a row of the log, by the name of its call or event.
func (b *tab) exchange(name string) string {
	b.t.Helper()
	find := `[...document.querySelectorAll("#log li[data-exchange]")].find(e => e.textContent.includes(` + quote(name) + `))`
	b.until(find)
	return fmt.Sprintf(`#log li[data-exchange="%s"]`, eval[string](b, find+`.dataset.exchange`))
}

// eventRow returns the selector of a row of the log that can be replayed.
func (b *tab) eventRow(name string) string {
	b.t.Helper()
	row := b.exchange(name)
	b.sees(row+" [data-replay]", "Replay")
	return row
}

// readsACall opens the row of a call and checks what it shows as sent and answered.
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

// replayed waits until the log has a row for the second delivery, too.
func (b *tab) replayed() {
	b.t.Helper()
	b.until(count("#log li[data-exchange]", "ONIMBOTMESSAGEADD") + ` === 2`)
}
