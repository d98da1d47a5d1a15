package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
)

// On screens of all sizes nothing is too small to hit or outside the screen, and a long
// title is cut at its end.
func TestPageFitsItsScreen(t *testing.T) {
	s := newTestbed(t)
	s.portal.AddUser(strings.Repeat("long", 30), strings.Repeat("name", 30))
	room := imbot.ChatDialog(s.portal.AddChat("שלום "+strings.Repeat("and a long title ", 10), 1, s.anna, s.bot))
	_, err := s.portal.Say(t.Context(), s.anna, room, "hello")
	require.NoError(t, err)
	for _, size := range [][2]int64{{320, 400}, {375, 740}, {720, 450}, {768, 1000}, {1000, 700}, {1440, 900}} {
		t.Run(fmt.Sprint(size[0]), func(t *testing.T) {
			b := open(t, s.url+"#user=1&dialog="+string(room), size[0], size[1])
			b.sees("#messages .text", "hello")
			require.True(t, eval[bool](b, `(() => {
				const first = document.createRange(), title = document.querySelector("#title");
				first.setStart(title.firstChild.firstChild, 0);
				first.setEnd(title.firstChild.firstChild, 1);
				const [at, frame] = [first.getBoundingClientRect(), title.getBoundingClientRect()];
				return at.width > 0 && at.left >= frame.left && at.right <= frame.right + 1;
			})()`), "the beginning of a title that is read from the right")
			if !b.logOpen() {
				b.click("#toggle-log")
			}
			b.sees("#log .replay", "Replay")
			require.Empty(t, eval[[]string](b, `[...document.querySelectorAll("button, input:not([type=checkbox]), select, textarea")]
				.filter(e => e.checkVisibility() && !e.closest("[inert]") && !e.matches(".act"))
				.map(e => [e, e.getBoundingClientRect()])
				.filter(([e, r]) => r.width < 24 || r.height < 24 || r.right > innerWidth + 1 || r.left < -1)
				.map(([e, r]) => e.outerHTML.slice(0, 100) + " " + r.width + "x" + r.height)`), "too small to hit, or not on the screen")
			if size[0] >= 760 {
				require.True(t, eval[bool](b, `document.querySelector("#log").getBoundingClientRect().left >= document.querySelector("#send").getBoundingClientRect().right`),
					"the calls lie over the conversation")
			}
			require.False(t, eval[bool](b, `document.documentElement.scrollWidth > innerWidth`))
			b.noAlarms()
		})
	}
}

// What the page shows when there is no bot yet.
func TestEmptyPortalTellsWhereBotsConnect(t *testing.T) {
	portal := imbottest.NewPortal()
	t.Cleanup(portal.Close)
	portal.Mount(messenger.Handler(portal))
	require.NoError(t, portal.Listen("127.0.0.1:0"))
	for _, width := range []int64{375, 1440} {
		b := open(t, strings.TrimSuffix(portal.Endpoint(), "rest/"), width, 740)
		b.sees("nav p", "A bot of yours connects to "+portal.Endpoint())
		require.Empty(t, eval[string](b, `document.querySelector("#subtitle").textContent`))
		b.click("#search")
		b.press("x")
		b.sees("nav p", "Nobody is here by that name")
		require.False(t, eval[bool](b, has("nav p", "A bot of yours")))
		b.noAlarms()
	}
}
