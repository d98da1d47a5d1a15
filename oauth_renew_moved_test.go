package imbot_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot"
)

func TestARenamedPortalIsFollowedOnce(t *testing.T) {
	t.Parallel()
	const at = "/rest/ping"
	setup := func(t *testing.T, to string) (*cloud, imbot.TokenStore, *imbot.Client) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		one := c.portals["one.bitrix24.com"]
		one.movedTo = to
		c.portals[to] = one
		return c, store, client
	}
	t.Run("to a host of the same site", func(t *testing.T) {
		c, store, client := setup(t, "two.bitrix24.com")
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, []string{"one.bitrix24.com" + at, "two.bitrix24.com" + at}, c.requests)
		require.Equal(t, "https://two.bitrix24.com/rest/", load(t, store).ClientEndpoint)
		require.Equal(t, "two.bitrix24.com", load(t, store).Domain)
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, 2, c.asked("two.bitrix24.com"+at))
		require.Equal(t, 1, c.asked("one.bitrix24.com"+at))
		other, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		require.NoError(t, ping(t.Context(), other))
		require.Equal(t, 1, c.asked("one.bitrix24.com"+at))
	})
	t.Run("to another site that the authorization server confirms", func(t *testing.T) {
		c, store, client := setup(t, "portal.example.com")
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, []string{"one.bitrix24.com" + at, tokenURL, "portal.example.com" + at}, c.requests)
		require.Equal(t, "https://portal.example.com/rest/", load(t, store).ClientEndpoint)
	})
	t.Run("not to another site that it does not confirm", func(t *testing.T) {
		c, store, client := setup(t, "one.bitrix24.com")
		c.portals["one.bitrix24.com"].movedTo = ""
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "one.bitrix24.com" {
				return nil, nil
			}
			resp := reply(302, "")
			resp.Header.Set("Location", fmt.Sprintf("https://evil%d.example.com/rest/ping", len(c.requests)))
			return resp, nil
		}
		require.ErrorIs(t, ping(t.Context(), client), imbot.ErrPortalMoved)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { _ = ping(t.Context(), client) })
		}
		wg.Wait()
		require.Equal(t, 1, c.asked(tokenURL), "not for every call, whatever the host")
		for _, asked := range c.requests {
			require.NotContains(t, asked, "evil")
		}
		require.Equal(t, "https://one.bitrix24.com/rest/", load(t, store).ClientEndpoint)
	})
	t.Run("never a second time", func(t *testing.T) {
		c, store, client := setup(t, "two.bitrix24.com")
		c.fail = func(r *http.Request) (*http.Response, error) {
			resp := reply(302, "")
			resp.Header.Set("Location", "https://next-"+r.URL.Host+r.URL.Path)
			return resp, nil
		}
		require.ErrorIs(t, ping(t.Context(), client), imbot.ErrPortalMoved)
		require.Equal(t, []string{"one.bitrix24.com" + at, "next-one.bitrix24.com" + at}, c.requests)
		require.Equal(t, "https://one.bitrix24.com/rest/", load(t, store).ClientEndpoint, "only an answer counts")
	})
	for name, location := range map[string]string{
		"another path": "https://two.bitrix24.com/coupon", "plain http": "http://two.bitrix24.com/rest/ping", "the same host": "https://one.bitrix24.com/rest/ping",
	} {
		t.Run("not to "+name, func(t *testing.T) {
			c, _, client := setup(t, "two.bitrix24.com")
			c.fail = func(*http.Request) (*http.Response, error) {
				resp := reply(302, "")
				resp.Header.Set("Location", location)
				return resp, nil
			}
			require.Error(t, ping(t.Context(), client))
			require.Equal(t, []string{"one.bitrix24.com" + at}, c.requests)
		})
	}
	t.Run("plain OAuth credentials follow within the site", func(t *testing.T) {
		c, _, _ := setup(t, "two.bitrix24.com")
		pair := c.issue("one.bitrix24.com", 1, appID)
		client, err := imbot.NewClient(imbot.OAuth{Endpoint: "https://one.bitrix24.com/rest/", Tokens: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: pair.access})},
			imbot.WithHTTPClient(&http.Client{Transport: c}), imbot.WithLimiter(nil))
		require.NoError(t, err)
		require.NoError(t, ping(t.Context(), client))
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, 1, c.asked("one.bitrix24.com"+at), "it is remembered")
	})
	t.Run("a webhook never follows", func(t *testing.T) {
		c, _, _ := setup(t, "two.bitrix24.com")
		client, err := imbot.NewClient(imbot.Webhook{URL: "https://one.bitrix24.com/rest/1/s3cr3t/"}, imbot.WithHTTPClient(&http.Client{Transport: c}), imbot.WithLimiter(nil))
		require.NoError(t, err)
		err = ping(t.Context(), client)
		require.ErrorIs(t, err, imbot.ErrPortalMoved)
		require.ErrorContains(t, err, "two.bitrix24.com")
		require.Len(t, c.requests, 1)
	})
}

func TestAnEventAndARenewalStoreTheNewEndpoint(t *testing.T) {
	t.Parallel()
	c := newCloud()
	store := c.installed(t, "one.bitrix24.com")
	app := c.app(store)
	client, err := app.Client(t.Context(), memberOne)
	require.NoError(t, err)
	h, _, seen := eventsOf(app)
	one := c.portals["one.bitrix24.com"]
	c.portals["two.bitrix24.com"] = &cloudPortal{member: memberOne, host: "two.bitrix24.com", admins: one.admins}
	acting := c.issue("one.bitrix24.com", 5, appID)
	moved := []string{"auth[client_endpoint]", "https://two.bitrix24.com/rest/", "auth[domain]", "two.bitrix24.com"}

	require.Equal(t, 401, post(t, h, acting.event("ONIMBOTMESSAGEADD", append(moved, "auth[application_token]", "forged")...)))
	require.Equal(t, "https://one.bitrix24.com/rest/", load(t, store).ClientEndpoint)
	require.Equal(t, 200, post(t, h, acting.event("ONIMBOTMESSAGEADD", moved...)))
	require.Equal(t, []string{"ONIMBOTMESSAGEADD"}, *seen)
	require.Equal(t, "https://two.bitrix24.com/rest/", load(t, store).ClientEndpoint)
	_ = ping(t.Context(), client)
	require.Equal(t, []string{"two.bitrix24.com/rest/ping"}, c.requests, "a living client knows at once")

	one.movedTo = "three.bitrix24.com"
	c.portals["three.bitrix24.com"] = one
	c.expire()
	_ = ping(t.Context(), client)
	require.Equal(t, "https://three.bitrix24.com/rest/", load(t, store).ClientEndpoint)
}
