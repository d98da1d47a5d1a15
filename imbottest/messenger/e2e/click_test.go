package e2e

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// A click counts even when the page changes between press and release of the mouse.
func TestClicksCountWhilePartsOfThePageChange(t *testing.T) {
	s := newTestbed(t)
	room := imbot.ChatDialog(s.portal.AddChat("Room", 1, s.anna, s.bot))
	other := imbot.ChatDialog(s.portal.AddChat("Other", 1, s.anna))
	b := open(t, s.url+"#user=1&dialog="+string(room), 1440, 900)
	message, err := s.client.Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: room, Message: "Press it", Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{{
		{Text: "Press me", Action: imbot.ActionCommand{Command: "press", Params: "it"}},
	}}}})
	require.NoError(t, err)

	release := b.hold(`#messages [data-press="keyboard"]`)
	text := "Press it now"
	require.NoError(t, s.client.Message.Update(t.Context(), imbot.MessageUpdateRequest{MessageID: message, Message: &text}))
	release()
	b.sees("#messages .text", "Pressed it")

	s.portal.Fail("imbot.bot.list", imbottest.Fault{Late: 500 * time.Millisecond})
	listed := make(chan error, 1)
	go func() {
		_, err := s.client.Bot.List(t.Context(), imbot.BotListRequest{})
		listed <- err
	}()
	call := b.exchange("imbot.bot.list")
	release = b.hold(call + " .name")
	require.NoError(t, <-listed)
	release()
	b.sees(call+" .answer", "Dice")

	release = b.hold(dialog(other) + " .row-title")
	_, err = s.portal.Say(t.Context(), s.anna, other, "news")
	require.NoError(t, err)
	release()
	b.sees("#title", "Other")
	b.sees("#messages .text", "news")
	b.noAlarms()
}

// hold presses the button of the mouse on an element. release lets it go, after the page
// has had time to change.
func (b *tab) hold(selector string) (release func()) {
	b.t.Helper()
	b.painted(selector)
	at := eval[[]float64](b, `(() => {
		const box = document.querySelector(`+quote(selector)+`).getBoundingClientRect();
		return [box.x + box.width / 2, box.y + box.height / 2];
	})()`)
	b.do(chromedp.MouseEvent(chromedp.MousePressed, at[0], at[1], chromedp.ButtonLeft, chromedp.ClickCount(1)))
	return func() {
		eval[int](b, `new Promise(done => setTimeout(done, 600, 0))`)
		b.do(chromedp.MouseEvent(chromedp.MouseReleased, at[0], at[1], chromedp.ButtonLeft, chromedp.ClickCount(1)))
	}
}
