package imbot_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

const handlerURL = "https://bot.example.com/events"

// onPortal returns a portal in memory and a client of it.
func onPortal(t *testing.T, clientID string) (*imbottest.Portal, *imbot.Client) {
	t.Helper()
	portal := imbottest.NewPortal()
	t.Cleanup(portal.Close)
	portal.Serve(handlerURL, http.NotFoundHandler())
	return portal, clientOf(t, portal, portal.Webhook(clientID))
}

func clientOf(t *testing.T, portal *imbottest.Portal, auth imbot.Auth) *imbot.Client {
	t.Helper()
	client, err := imbot.NewClient(auth, imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(t, err)
	return client
}

func supportBot() imbot.BotRegisterRequest {
	return imbot.BotRegisterRequest{Code: "support", EventHandler: handlerURL, Properties: imbot.BotProperties{Name: "Support", PersonalPhoto: []byte("png")}}
}

func bots(t *testing.T, c *imbot.Client) []imbot.Bot {
	t.Helper()
	list, err := c.Bot.List(t.Context(), imbot.BotListRequest{})
	require.NoError(t, err)
	return list
}

func TestEnsureBot(t *testing.T) {
	t.Run("registers a bot, and changes nothing the second time", func(t *testing.T) {
		portal, client := onPortal(t, "one-long-client-id")
		id, err := imbot.EnsureBot(t.Context(), client, supportBot())
		require.NoError(t, err)
		require.NotZero(t, id)
		require.Len(t, portal.Calls("imbot.register"), 1)
		before := bots(t, client)
		again, err := imbot.EnsureBot(t.Context(), client, supportBot())
		require.NoError(t, err)
		require.Equal(t, id, again)
		require.Equal(t, before, bots(t, client))
		require.Len(t, portal.Calls("imbot.register"), 1)
		require.NoError(t, portal.Err())
	})
	t.Run("brings a bot up to date", func(t *testing.T) {
		portal, client := onPortal(t, "one-long-client-id")
		id, err := imbot.EnsureBot(t.Context(), client, supportBot())
		require.NoError(t, err)
		req := supportBot()
		req.Properties.Name = "Help"
		again, err := imbot.EnsureBot(t.Context(), client, req)
		require.NoError(t, err)
		require.Equal(t, id, again)
		require.Equal(t, "Help", bots(t, client)[0].Name)
		calls := portal.Calls("imbot.update")
		require.Len(t, calls, 1)
		require.JSONEq(t, `{"BOT_ID":`+id.String()+`,"FIELDS":{"EVENT_HANDLER":"`+handlerURL+`","PROPERTIES":{"NAME":"Help"}}}`, string(calls[0].Params), "the photo is never applied, so it is not sent")
	})
	t.Run("leaves a bot of another application alone", func(t *testing.T) {
		portal, client := onPortal(t, "one-long-client-id")
		_, err := imbot.EnsureBot(t.Context(), client, supportBot())
		require.NoError(t, err)
		before := bots(t, client)
		for _, other := range []*imbot.Client{clientOf(t, portal, portal.Webhook("two-long-client-id")), clientOf(t, portal, portal.OAuth("an.application"))} {
			_, err = imbot.EnsureBot(t.Context(), other, supportBot())
			require.ErrorIs(t, err, imbot.ErrAppID)
		}
		require.Len(t, portal.Calls("imbot.register"), 1)
		require.Empty(t, portal.Calls("imbot.update"))
		require.Equal(t, before, bots(t, client))
	})
	t.Run("refuses a bot that serves open lines in place of one that does not", func(t *testing.T) {
		for _, first := range []bool{true, false} {
			portal, client := onPortal(t, "one-long-client-id")
			line, plain := supportBot(), supportBot()
			line.Type = imbot.BotTypeOpenLine
			if !first {
				line, plain = plain, line
			}
			_, err := imbot.EnsureBot(t.Context(), client, line)
			require.NoError(t, err)
			_, err = imbot.EnsureBot(t.Context(), client, line)
			require.NoError(t, err)
			_, err = imbot.EnsureBot(t.Context(), client, plain)
			require.ErrorIs(t, err, imbot.ErrInvalid)
			require.ErrorContains(t, err, "OPENLINE")
			require.Len(t, portal.Calls("imbot.register"), 1)
		}
	})
	t.Run("sees that somebody else was faster", func(t *testing.T) {
		portal, client := onPortal(t, "one-long-client-id")
		_, err := imbot.EnsureBot(t.Context(), clientOf(t, portal, portal.Webhook("two-long-client-id")), supportBot())
		require.NoError(t, err)
		portal.Fail("imbot.bot.list", imbottest.Fault{Status: 200, Body: `{"result":[]}`, Times: 1})
		_, err = imbot.EnsureBot(t.Context(), client, supportBot())
		require.ErrorIs(t, err, imbot.ErrAppID)
	})
	t.Run("finds its own among foreign bots with the same code", func(t *testing.T) {
		w := new(wire)
		w.answer = func(n int, r *http.Request) (*http.Response, error) {
			switch body := w.bodies[n-1]; {
			case strings.Contains(r.URL.Path, "imbot.bot.list"):
				return reply(200, `{"result":{"7":{"ID":7,"CODE":"support"},"8":{"ID":8,"CODE":"support"},"9":{"ID":9,"CODE":"support"}}}`), nil
			case strings.Contains(r.URL.Path, "imbot.update"):
				return reply(200, `{"result":true}`), nil
			case strings.Contains(body, `"BOT_ID":8`):
				return reply(400, `{"error":"DIALOG_ID_EMPTY"}`), nil
			}
			return reply(400, `{"error":"APP_ID_ERROR"}`), nil
		}
		id, err := imbot.EnsureBot(t.Context(), over(t, imbot.Webhook{URL: hookURL, ClientID: "one-long-client-id"}, w), supportBot())
		require.NoError(t, err)
		require.Equal(t, imbot.ID(8), id)
		require.Len(t, w.bodies, 4, "the list, two questions, one update")
		require.Contains(t, w.bodies[3], `"BOT_ID":8`)
	})
	t.Run("refuses a request that cannot be right before it asks", func(t *testing.T) {
		portal, client := onPortal(t, "one-long-client-id")
		_, err := imbot.EnsureBot(t.Context(), client, imbot.BotRegisterRequest{EventHandler: handlerURL})
		require.ErrorIs(t, err, imbot.ErrInvalid)
		_, err = imbot.EnsureBot(t.Context(), client, imbot.BotRegisterRequest{Code: "x", Type: "X"})
		require.ErrorIs(t, err, imbot.ErrInvalid)
		require.Empty(t, portal.Calls("imbot.bot.list"))
	})
	t.Run("reports what the portal refuses", func(t *testing.T) {
		portal, client := onPortal(t, "one-long-client-id")
		portal.Fail("imbot.bot.list", imbottest.Fault{Status: 403, Code: "insufficient_scope", Times: 1})
		_, err := imbot.EnsureBot(t.Context(), client, supportBot())
		require.ErrorIs(t, err, imbot.ErrInsufficientScope)
		_, err = imbot.EnsureBot(t.Context(), client, supportBot())
		require.NoError(t, err)
		portal.Fail("imbot.chat.sendTyping", imbottest.Fault{Status: 200, Body: `{"result":true}`, Times: 1})
		_, err = imbot.EnsureBot(t.Context(), client, supportBot())
		require.ErrorContains(t, err, "does not tell whose")
	})
}

func TestEnsureApp(t *testing.T) {
	portal, client := onPortal(t, "one-long-client-id")
	bot, err := imbot.EnsureBot(t.Context(), client, supportBot())
	require.NoError(t, err)
	req := imbot.AppRegisterRequest{BotID: bot, Code: "frame", IFrame: "https://bot.example.com/frame", Hash: "h", Lang: []imbot.AppLang{{LanguageID: "en", Title: "Frame"}}}
	id, err := imbot.EnsureApp(t.Context(), client, req)
	require.NoError(t, err)
	req.Lang[0].Title = "New"
	again, err := imbot.EnsureApp(t.Context(), client, req)
	require.NoError(t, err)
	require.Equal(t, id, again)
	calls := portal.Calls("imbot.app.update")
	require.Len(t, calls, 2)
	require.Contains(t, string(calls[1].Params), `"TITLE":"New"`)
	_, err = imbot.EnsureApp(t.Context(), clientOf(t, portal, portal.Webhook("two-long-client-id")), req)
	require.ErrorIs(t, err, imbot.ErrAppID)
	require.NoError(t, portal.Err())
}

func TestEnsureCommand(t *testing.T) {
	w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
		return reply(200, []string{`{"result":"99"}`, `{"result":true}`}[n-1]), nil
	}}
	client := over(t, imbot.Webhook{URL: hookURL, ClientID: "bot-secret-1"}, w)
	id, err := imbot.EnsureCommand(t.Context(), client, imbot.CommandRegisterRequest{
		BotID: 39, Command: "echo", EventCommandAdd: handlerURL, Common: imbot.Yes, Hidden: imbot.No, Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Echo"}},
	})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(99), id)
	require.Len(t, w.bodies, 2)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","COMMAND_ID":99,"FIELDS":{"HIDDEN":"N","LANG":[{"LANGUAGE_ID":"en","TITLE":"Echo"}]}}`, w.bodies[1])
}
