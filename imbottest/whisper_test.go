package imbottest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhisper(t *testing.T) {
	t.Parallel()
	portal, box, line := newLinePortal(t, `"WELCOME_BOT_LEFT":"close"`)
	guest, chat, dialog := visit(t, portal, line)
	_, err := portal.Whisper(t.Context(), anna, dialog, "x")
	require.ErrorContains(t, err, "not a member")
	require.Equal(t, "true", post(t, portal, "imopenlines.bot.session.operator", fmt.Sprintf(`{"CHAT_ID":%d}`, chat)))
	_, err = portal.Whisper(t.Context(), guest, dialog, "x")
	require.ErrorContains(t, err, "cannot whisper")
	_, err = portal.Whisper(t.Context(), anna, "103", "x")
	require.ErrorContains(t, err, "cannot whisper", "in no other dialog")
	_, err = portal.Whisper(t.Context(), anna, dialog, " ")
	require.ErrorContains(t, err, "empty message")
	box.take(t, portal)
	before, mark := portal.Dialogs(guest)[0], portal.Changed()

	m, err := portal.Whisper(t.Context(), anna, dialog, "0")
	require.NoError(t, err)
	require.True(t, m.Whisper)
	require.Zero(t, portal.Sessions(chat)[0].Owner, "who whispers takes no conversation")
	events := box.take(t, portal)
	require.Equal(t, []string{"MESSAGEADD"}, names(events), "the bot hears it")
	require.Equal(t, "HiddenMessage", events[0].Get("data[PARAMS][PARAMS][COMPONENT_ID]"))
	require.Len(t, portal.Messages(anna, dialog), 1)
	require.Len(t, portal.History(anna, dialog, 0, 9), 1)
	require.Contains(t, post(t, portal, "imopenlines.session.history.get", fmt.Sprintf(`{"CHAT_ID":%d}`, chat)), `"params":{"componentId":"HiddenMessage"}`)

	require.Empty(t, portal.Messages(guest, dialog), "the guest sees nothing of it")
	require.Empty(t, portal.History(guest, dialog, 0, 9))
	require.Equal(t, before, portal.Dialogs(guest)[0])
	require.ErrorContains(t, portal.Like(t.Context(), guest, m), "sees no message")
	changes, err := portal.Changes(t.Context(), guest, mark) // the calls that everybody sees
	require.NoError(t, err)
	for _, change := range changes {
		require.Nil(t, change.Message)
	}

	said, err := portal.Say(t.Context(), anna, dialog, "aloud")
	require.NoError(t, err)
	require.Equal(t, []imbottest.Message{said}, portal.History(guest, dialog, said.ID+1, 9))
	require.Empty(t, portal.History(guest, dialog, said.ID, 9))
}

func TestAskWaitsForNoWhisper(t *testing.T) {
	t.Parallel()
	portal, _, line := newLinePortal(t, `"WELCOME_BOT_LEFT":"close"`)
	guest, chat, dialog := visit(t, portal, line)
	require.Equal(t, "true", post(t, portal, "imopenlines.bot.session.operator", fmt.Sprintf(`{"CHAT_ID":%d}`, chat)))
	portal.Serve(eventURL, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.FormValue("data[PARAMS][MESSAGE]") == "help" {
			_, err := portal.Whisper(r.Context(), anna, dialog, "who takes this?")
			assert.NoError(t, err)
			_, err = portal.Say(r.Context(), anna, dialog, "I am here")
			assert.NoError(t, err)
		}
	}))
	answer, err := portal.Ask(t.Context(), guest, dialog, "help")
	require.NoError(t, err)
	require.Equal(t, "I am here", answer.Text)
}

func TestQuote(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	dialog := imbot.UserDialog(alpha)
	first, err := portal.Say(t.Context(), anna, dialog, "first")
	require.NoError(t, err)
	_, err = portal.Quote(t.Context(), boris, first, "x")
	require.ErrorContains(t, err, "sees no message")
	_, err = portal.Quote(t.Context(), anna, first, "")
	require.ErrorContains(t, err, "empty message")
	box.take(t, portal)
	quoting, err := portal.Quote(t.Context(), anna, first, "as I said")
	require.NoError(t, err)
	require.Equal(t, first.ID, quoting.ReplyTo)
	require.Equal(t, first.ChatID, quoting.ChatID)
	e := box.take(t, portal)[0]
	require.Equal(t, first.ID.String(), e.Get("data[PARAMS][PARAMS][REPLY_ID]"))
	require.Equal(t, first.ID.String(), e.Get("data[PARAMS][REPLY_MESSAGE][ID]"))
	require.Equal(t, "101", e.Get("data[PARAMS][REPLY_MESSAGE][AUTHOR_ID]"))
	require.Equal(t, "first", e.Get("data[PARAMS][REPLY_MESSAGE][MESSAGE]"))

	require.NoError(t, portal.Edit(t.Context(), anna, quoting, "as I have said"))
	_, err = portal.Quote(t.Context(), anna, first, "/echo it")
	require.NoError(t, err)
	more := box.take(t, portal)
	require.Equal(t, []string{"MESSAGEUPDATE", "ONIMCOMMANDADD"}, names(more))
	for _, e := range more {
		require.Equal(t, first.ID.String(), e.Get("data[PARAMS][PARAMS][REPLY_ID]"), "changes and commands quote, too")
	}

	require.NoError(t, portal.Delete(t.Context(), anna, first))
	box.take(t, portal)
	_, err = portal.Quote(t.Context(), anna, first, "what was that?")
	require.NoError(t, err)
	e = box.take(t, portal)[0]
	require.Equal(t, first.ID.String(), e.Get("data[PARAMS][PARAMS][REPLY_ID]"))
	require.False(t, e.Has("data[PARAMS][REPLY_MESSAGE][ID]"), "what it says is gone")
}
