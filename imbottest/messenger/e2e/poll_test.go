package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// A bot of the second generation is one like any other. Its events wait in the log until it has
// acknowledged them, polls that bring nothing are one line, and a reply shows what it answers.
func TestBotThatFetchesItsEvents(t *testing.T) {
	s := newTestbed(t)
	client, err := imbotv2.NewClient(s.portal.Webhook("e2e-bot-token-that-nobody-may-see"), imbot.WithLimiter(nil))
	require.NoError(t, err)
	bot, err := imbotv2.EnsureBot(t.Context(), client, imbotv2.BotRegisterRequest{Code: "echo", Properties: imbotv2.BotProperties{Name: "Echo"}})
	require.NoError(t, err)
	client = client.WithBot(bot.ID)
	poll := func(offset int64) imbotv2.EventGetResult {
		page, err := client.Event.Get(t.Context(), imbotv2.EventGetRequest{Offset: offset})
		require.NoError(t, err)
		return page
	}
	b := open(t, s.url, 1400, 900)
	b.click(dialog(imbot.UserDialog(bot.ID)))
	b.click("#text")
	b.press("who is there?" + kb.Enter)
	b.sees(b.exchange("ONIMBOTV2MESSAGEADD"), "in the queue")

	page := poll(0)
	require.Len(t, page.Events, 2)
	ev := page.Events[1].Event().(*imbotv2.MessageAddEvent)
	_, err = client.Message.Send(t.Context(), ev.Quote("It is me."))
	require.NoError(t, err)
	b.sees(".message .reply", "who is there?")
	b.click(".message .reply")
	b.until(fmt.Sprintf(`document.querySelector('[data-message="%d"]').classList.contains("shown")`, ev.Message.ID))

	for range 4 {
		require.Empty(t, poll(page.NextOffset).Events)
	}
	b.sees(b.exchange("ONIMBOTV2MESSAGEADD"), "acknowledged")
	b.sees("#log", "4 polls, nothing new")
}
