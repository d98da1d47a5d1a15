package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// What TestPersonTriesABot does, without a mouse. The test sends keys only and never moves
// the focus itself.
func TestPersonTriesABotWithTheKeyboardOnly(t *testing.T) {
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

			if b.logOpen() { // close it, so that it can be opened
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
			b.noAlarms()
		})
	}
}

// arriveAt is tabTo, unless the page has moved the focus there itself.
func (b *tab) arriveAt(selector string) {
	b.t.Helper()
	if !b.focused(selector) {
		b.tabTo(selector)
	}
}

// Escape closes what lies over the conversation. Only when nothing does, on a phone it
// goes back to the list of dialogs.
func TestEscapeClosesOneThingAtATime(t *testing.T) {
	s := newTestbed(t)
	room := imbot.ChatDialog(s.portal.AddChat("Room", 1, s.anna, s.bot))
	other := s.portal.AddChat("Other", 1, s.anna)
	s.portal.AddUser("Boris", "")
	_, err := s.client.Message.Add(t.Context(), imbot.MessageAddRequest{
		DialogID: room, Message: "Choose", Menu: &imbot.Menu{Items: []imbot.MenuItem{{Text: "Item", Action: imbot.ActionSend("item")}}},
	})
	require.NoError(t, err)
	b := open(t, fmt.Sprintf("%s#user=1&dialog=%s", s.url, room), 375, 740)
	b.tabTo(`#messages [aria-haspopup="menu"]`)
	b.press(kb.Enter)
	b.until(`document.activeElement.matches("[role=menuitem]")`)
	b.press(kb.Escape)
	b.until(`!document.querySelector(".menu").checkVisibility()`)
	require.True(t, b.focused(`[aria-haspopup="menu"]`))
	b.sees("#title", "Room")
	b.click("#members-open")
	b.sees("#members", "Anna")
	b.click(`#invite-members input`)
	b.press(kb.Escape)
	b.until(`!document.querySelector("#members").open`)
	b.sees("#title", "Room")
	b.tabTo("#text")
	b.press(kb.Escape)
	b.sees("nav", "Other")
	require.True(t, b.focused(dialog(room)))

	b.click(dialog(imbot.ChatDialog(other)))
	b.sees("#title", "Other")
	b.click("#members-open")
	b.sees("#members", "Anna")
	require.Zero(t, eval[int](b, `document.querySelectorAll("#invite-members :checked").length`), "ticked for another chat")
	b.noAlarms()
}
