package imbottest_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

func TestTheClientReachesThePortalOnly(t *testing.T) {
	t.Parallel()
	portal, other := newTestPortal(t), newTestPortal(t)
	_, err := portal.HTTPClient().Get(other.Webhook("").URL + "profile")
	require.Error(t, err)
	portal.Close()
	_, err = portal.HTTPClient().Get(portal.Webhook("").URL + "profile")
	require.ErrorContains(t, err, "closed")
	_, err = portal.Say(t.Context(), anna, imbot.UserDialog(alpha), "hi")
	require.ErrorContains(t, err, "closed")
}

func TestTheClientReachesThePortalAndWhatIsServed(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	portal.Serve("https://bot.example.com/events?a=b", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, r.Method+" "+r.Host+r.RequestURI)
	}))
	resp, err := portal.HTTPClient().Get("https://bot.example.com/events?a=b")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "418 GET bot.example.com/events?a=b", fmt.Sprint(resp.StatusCode, " ", string(body)))

	for _, url := range []string{"https://bot.example.com/", "https://example.com/"} {
		_, err = portal.HTTPClient().Get(url)
		var op *net.OpError
		require.ErrorAs(t, err, &op, "a call that has not run")
		require.ErrorContains(t, err, "and the URLs of Serve")
	}
}
