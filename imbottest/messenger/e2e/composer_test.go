package e2e

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestPersonMentionsABot(t *testing.T) {
	s := newTestbed(t)
	room := imbot.ChatDialog(s.portal.AddChat("Room", 1, s.anna, s.bot))
	b := open(t, s.url, 375, 740)
	b.click(dialog(room))
	b.sees("#welcome", "Bots hear of what mentions them")
	b.click("#text")
	b.press("hey @di")
	b.sees("#commands [role=option]", "@Dice")
	require.False(t, eval[bool](b, has("#commands [role=option]", "Anna")))
	b.press(kb.Enter + "roll!" + kb.Enter)
	b.sees("#messages .text", "hey Dice roll!")
	b.sees("#messages .text", "You said: hey")
	b.until(`!document.querySelector("#welcome").checkVisibility()`)
	b.noAlarms()
}

func TestEmptyConversationOffersCommands(t *testing.T) {
	s := newTestbed(t)
	b := open(t, s.url, 1440, 900)
	b.click(dialog(imbot.UserDialog(s.bot)))
	b.sees("#welcome .try", "/roll")
	require.False(t, eval[bool](b, has("#welcome", "/press")), "hidden commands are not offered")
	b.tabBackTo("#welcome .try:first-child") // a command that needs a parameter
	b.press(kb.Enter)
	b.until(`document.querySelector("#text").value.startsWith("/") && document.activeElement.id === "text"`)
	b.tabBackTo("#welcome .try:last-child")
	b.press(kb.Enter)
	b.sees("#messages .text", `rules with ""`)
	require.True(t, b.focused("#text"))
	b.noAlarms()
}
