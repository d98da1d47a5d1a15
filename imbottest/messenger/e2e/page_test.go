package e2e

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
)

// Somebody who changes a bot starts the portal again and again, with the page open.
func TestPageShowsThePortalThatIsThereNow(t *testing.T) {
	first, second := newStage(t), newStage(t)
	later := first.portal.AddUser("Later", "")
	old := imbot.ChatDialog(first.portal.AddChat("Old chat", 1, later))
	second.portal.AddChat("New chat", 1)
	_, err := first.portal.Say(t.Context(), 1, old, "old words")
	require.NoError(t, err)

	var now atomic.Pointer[imbottest.Portal]
	now.Store(first.portal)
	server := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		messenger.Handler(now.Load()).ServeHTTP(w, r)
	}))
	b := open(t, server.URL+"/#user="+later.String()+"&dialog="+string(old), 1440, 900)
	b.sees("#messages .text", "old words")

	now.Store(second.portal) // knows neither the person nor the chat
	server.CloseClientConnections()
	b.sees("nav", "New chat")
	b.until(`document.documentElement.dataset.live === "true" && document.querySelector("#actor").value === "1"`)
	require.False(t, eval[bool](b, has("body", "Old chat")))
	require.False(t, eval[bool](b, has("#messages", "old words")))
}

func TestPersonMentionsABot(t *testing.T) {
	s := newStage(t)
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
	b.calm()
}

func TestEmptyConversationOffersCommands(t *testing.T) {
	s := newStage(t)
	b := open(t, s.url, 1440, 900)
	b.click(dialog(imbot.UserDialog(s.bot)))
	b.sees("#welcome .try", "/roll")
	require.False(t, eval[bool](b, has("#welcome", "/press")), "hidden commands are not offered")
	b.tabBackTo("#welcome .try:first-child") // needs a parameter
	b.press(kb.Enter)
	b.until(`document.querySelector("#text").value.startsWith("/") && document.activeElement.id === "text"`)
	b.tabBackTo("#welcome .try:last-child")
	b.press(kb.Enter)
	b.sees("#messages .text", `rules with ""`)
	require.True(t, b.focused("#text"))
	b.calm()
}

func TestPhoneTellsOfAFailedEvent(t *testing.T) {
	s := newStage(t)
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
