package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// Two hundred messages a second, half of them in the dialog that is open, do not make
// typing slow.
func TestPageStaysUsableWhileMessagesPourIn(t *testing.T) {
	const perSecond, seconds = 200, 5
	s := newTestbed(t)
	busy := imbot.ChatDialog(s.portal.AddChat("Busy", 1, s.anna, s.bot))
	other := imbot.ChatDialog(s.portal.AddChat("Other", 1, s.anna, s.bot))
	b := open(t, s.url, 1440, 900)
	b.click(dialog(busy))
	b.sees("#title", "Busy")
	b.click("#text")
	eval[int](b, `e2e.keys.length = 0`)

	poured := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer func() { cancel(); <-poured }()
	go func() {
		defer close(poured)
		pace := time.NewTicker(time.Second / perSecond)
		defer pace.Stop()
		for i := range perSecond * seconds {
			select {
			case <-pace.C:
			case <-ctx.Done():
				return
			}
			to := busy
			if i%2 == 1 {
				to = other
			}
			if _, err := s.portal.Say(ctx, s.anna, to, fmt.Sprintf("message [B]%d[/B] of many, with a https://example.com/%d", i+1, i)); err != nil {
				poured <- err
				return
			}
		}
	}()

	typed, most := "", 0
	for pouring := true; pouring; {
		select {
		case err := <-poured:
			require.NoError(t, err)
			pouring = false
		default:
			b.press("x")
			typed += "x"
			most = max(most, eval[int](b, `document.querySelectorAll("#messages > li").length`))
		}
	}
	b.until(`document.querySelector("#text").value === ` + quote(typed))
	b.sees("#messages .text", fmt.Sprintf("message %d of many", perSecond*seconds-1))
	b.until(fmt.Sprintf(`e2e.keys.length >= %d`, len(typed)))

	latency := eval[[]float64](b, `e2e.keys`)
	slices.Sort(latency)
	at := func(part float64) float64 { return latency[int(part*float64(len(latency)-1))] }
	t.Logf("%d keys while %d messages a second came: key to paint %.0f ms in the middle, %.0f ms for 95 %%, %.0f ms at most; at most %d messages on the page",
		len(latency), perSecond, at(0.5), at(0.95), at(1), most)
	require.Less(t, at(0.5), 500.0, "milliseconds from key to paint in the middle: others may use this machine, too")
	require.Less(t, at(0.95), 2000.0, "milliseconds from key to paint for nearly all keys")
	require.LessOrEqual(t, most, 400, "messages on the page")

	b.press(kb.Enter)
	b.sees("#messages .text", typed)
	b.noAlarms()
}

// With a hundred dialogs of a thousand messages each the page answers in time.
func TestPageAnswersWithALongHistory(t *testing.T) {
	const dialogs, messages = 100, 1000
	s := newTestbed(t)
	var last imbot.DialogID
	for i := range dialogs {
		last = imbot.ChatDialog(s.portal.AddChat(fmt.Sprintf("Chat %d", i+1), 1, s.anna))
		for j := range messages {
			_, err := s.portal.Say(t.Context(), s.anna, last, fmt.Sprintf("message %d", j+1))
			require.NoError(t, err)
		}
	}
	b := open(t, s.url, 1440, 900)
	b.click(dialog(last))
	b.sees("#messages .text", fmt.Sprintf("message %d", messages))
	first := eval[int](b, `Number(document.querySelector("#messages > li").dataset.message)`)
	eval[int](b, `document.querySelector("#messages > li").scrollIntoView(), 0`)
	b.until(fmt.Sprintf(`Number(document.querySelector("#messages > li").dataset.message) < %d`, first))
	b.click(dialog(imbot.UserDialog(s.bot)))
	b.sees("#title", "Dice")

	type request struct {
		Name     string
		Duration float64
		Size     int
	}
	for _, r := range eval[[]request](b, `performance.getEntriesByType("resource").filter(r => r.name.includes("/api/"))
		.map(r => ({Name: r.name.replace(/.*\/api/, "api"), Duration: r.duration, Size: r.decodedBodySize}))`) {
		t.Logf("%4.0f ms %7d bytes %s", r.Duration, r.Size, r.Name)
		require.Less(t, r.Duration, 5000.0, r.Name)
	}
	b.noAlarms()
}
