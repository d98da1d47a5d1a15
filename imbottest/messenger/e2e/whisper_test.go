package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// An operator sees what another one whispers and what a guest quotes; the guest sees no whisper.
func TestWhispersAndQuotes(t *testing.T) {
	s := newTestbed(t)
	line := s.portal.AddLine("Support", s.anna)
	guest, chat, err := s.portal.Visit(t.Context(), line, "Greta")
	require.NoError(t, err)
	room := imbot.ChatDialog(chat)
	asked, err := s.portal.Say(t.Context(), guest, room, "where is my order?")
	require.NoError(t, err)

	b := open(t, s.url+fmt.Sprintf("#user=%d&dialog=%s", s.anna, room), 1400, 900)
	b.sees("#messages", asked.Text)
	_, err = s.portal.Whisper(t.Context(), s.anna, room, "it is lost")
	require.NoError(t, err)
	b.sees(".message.whisper", "it is lost")
	b.sees(".message.whisper .meta", "whisper")
	_, err = s.portal.Quote(t.Context(), guest, asked, "I have asked something")
	require.NoError(t, err)
	b.sees(".message .reply", asked.Text)

	b = open(t, s.url+fmt.Sprintf("#user=%d&dialog=%s", guest, room), 1400, 900)
	b.sees("#messages", "I have asked something")
	b.until(`!document.body.innerText.includes("it is lost")`)
}
