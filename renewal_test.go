package imbot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

const tokenURL = "oauth.bitrix.info/oauth/token/"

func ping(ctx context.Context, c *imbot.Client) error { return c.Call(ctx, "ping", nil, nil) }

func TestManyCallsOverAnExpiredTokenRenewOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, store imbot.TokenStore) {
		c := newCloud()
		require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, c.issue("one.bitrix24.com", 1, appID).grant()))
		app := c.app(store)
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		require.NoError(t, ping(t.Context(), client))
		require.Zero(t, c.asked(tokenURL), "nothing is renewed before the portal refuses")
		c.expire()
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				own, err := app.Client(t.Context(), memberOne)
				if err == nil {
					err = ping(t.Context(), own)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 1, c.asked(tokenURL))
		g := load(t, store)
		require.Equal(t, "s3cr3t-access-2", g.AccessToken)
		require.Equal(t, "s3cr3t-refresh-2", g.RefreshToken)
		require.Equal(t, "s3cr3t-application", g.ApplicationToken)
		require.Equal(t, "one.bitrix24.com", g.Domain, "the domain of a token answer is that of the server")
		require.Equal(t, "refresh_token", c.token[0].Get("grant_type"))
	})
}

func TestRenewalSendsItsSecretsInTheBodyUnlessToldOtherwise(t *testing.T) {
	for _, query := range []bool{false, true} {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		app := c.app(store)
		app.TokenQuery = query
		c.expire()
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/oauth/token/" {
				require.Equal(t, query, r.Method == http.MethodGet)
				require.Equal(t, query, strings.Contains(r.URL.String(), "s3cr3t"))
			}
			return nil, nil
		}
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		require.NoError(t, ping(t.Context(), client))
	}
}

// brokenStore fails on demand, and says what it was given.
type brokenStore struct {
	imbot.TokenStore
	load, swap func() error
}

func (s *brokenStore) Load(ctx context.Context, memberID string) (imbot.Grant, error) {
	if s.load != nil {
		if err := s.load(); err != nil {
			return imbot.Grant{}, err
		}
	}
	return s.TokenStore.Load(ctx, memberID)
}

func (s *brokenStore) Swap(ctx context.Context, old, new imbot.Grant) error {
	if s.swap != nil {
		if err := s.swap(); err != nil {
			return fmt.Errorf("%w: %s", err, new.Encode())
		}
	}
	return s.TokenStore.Swap(ctx, old, new)
}

func TestARenewedPairIsStoredBeforeItIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := &brokenStore{TokenStore: c.installed(t, "one.bitrix24.com")}
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		disk := errors.New("disk full")
		store.swap = func() error { return disk }
		err = ping(t.Context(), client)
		require.ErrorIs(t, err, disk)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "s3cr3t")
		require.Equal(t, 1, c.asked("one.bitrix24.com/rest/ping"), "the pair that is not stored is not used")

		store.swap = nil
		require.NoError(t, ping(t.Context(), client), "the pair that could not be stored is not lost")
		require.Equal(t, 1, c.asked(tokenURL))
		require.Equal(t, "s3cr3t-refresh-2", load(t, store).RefreshToken)
	})
}

func TestARenewedPairIsStoredAlthoughNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		ctx, cancel := context.WithCancel(t.Context())
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/oauth/token/" {
				cancel()
				require.NoError(t, r.Context().Err())
			}
			return nil, nil
		}
		require.ErrorIs(t, ping(ctx, client), context.Canceled)
		synctest.Wait()
		require.Equal(t, "s3cr3t-refresh-2", load(t, store).RefreshToken)
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, 1, c.asked(tokenURL))
	})
}

func TestWhatAnotherProcessHasStoredIsUsed(t *testing.T) {
	t.Run("before the renewal", func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		require.NoError(t, store.Swap(t.Context(), load(t, store), c.issue("one.bitrix24.com", 1, appID).grant()))
		require.NoError(t, ping(t.Context(), client))
		require.Zero(t, c.asked(tokenURL))
	})
	t.Run("while the renewal failed with invalid_grant", func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		other := c.issue("one.bitrix24.com", 1, appID).grant()
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/oauth/token/" {
				return nil, nil
			}
			return reply(400, `{"error":"invalid_grant"}`), store.Swap(r.Context(), load(t, store), other)
		}
		require.NoError(t, ping(t.Context(), client))
	})
	t.Run("while the renewal succeeded", func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		other := c.issue("one.bitrix24.com", 1, appID).grant()
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/oauth/token/" {
				return nil, nil
			}
			return nil, store.Swap(r.Context(), load(t, store), other)
		}
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, other.AccessToken, load(t, store).AccessToken)
	})
	t.Run("another field than the pair", func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/oauth/token/" {
				return nil, nil
			}
			g := load(t, store)
			changed := g
			changed.ApplicationToken = "another"
			return nil, store.Swap(r.Context(), g, changed)
		}
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, "another", load(t, store).ApplicationToken)
		require.Equal(t, "s3cr3t-refresh-2", load(t, store).RefreshToken, "the used up pair must not stay")
	})
}

func TestAnOddFieldDoesNotCostThePair(t *testing.T) {
	c := newCloud()
	store := c.installed(t, "one.bitrix24.com")
	client, err := c.app(store).Client(t.Context(), memberOne)
	require.NoError(t, err)
	c.expire()
	fresh := c.issue("one.bitrix24.com", 1, appID)
	c.fail = func(r *http.Request) (*http.Response, error) {
		if r.URL.Path != "/oauth/token/" {
			return nil, nil
		}
		return reply(200, fmt.Sprintf(`{"access_token":%q,"scope":["imbot"],"status":1,"domain":null,"refresh_token":%q}`, fresh.access, fresh.refresh)), nil
	}
	require.NoError(t, ping(t.Context(), client))
	require.Equal(t, fresh.refresh, load(t, store).RefreshToken)
	require.Equal(t, "imbot,im", load(t, store).Scope)
	require.Equal(t, 1, c.asked(tokenURL))
}

func TestADeadGrantIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		app := c.app(store)
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		clear(c.refresh)
		err = ping(t.Context(), client)
		require.ErrorIs(t, err, imbot.ErrReinstall)
		require.ErrorIs(t, err, imbot.ErrInvalidGrant)
		time.Sleep(24 * time.Hour)
		require.ErrorIs(t, ping(t.Context(), client), imbot.ErrReinstall)
		_, err = app.Client(t.Context(), memberOne)
		require.ErrorIs(t, err, imbot.ErrReinstall)
		require.Equal(t, 1, c.asked(tokenURL))
		require.Equal(t, "s3cr3t-refresh-1", load(t, store).RefreshToken, "nothing is deleted")

		require.NoError(t, store.Swap(t.Context(), load(t, store), c.issue("one.bitrix24.com", 1, appID).grant()))
		again, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err, "a new installation helps")
		require.NoError(t, ping(t.Context(), again))
	})
}

// errText is what an error says.
type errText string

func (e errText) Error() string { return string(e) }

func TestTokenServerAnswers(t *testing.T) {
	refused := errors.New("connection refused")
	for _, row := range []struct {
		name   string
		status int
		body   string
		err    error
		want   error
		asked  int // within one renewal
	}{
		{"an invalid grant is dead", 400, `{"error":"invalid_grant","error_description":"Invalid grant"}`, nil, imbot.ErrReinstall, 1},
		{"an expired refresh token is dead", 401, `{"error":"expired_token"}`, nil, imbot.ErrReinstall, 1},
		{"an uninstalled application is dead", 401, `{"error":"NOT_INSTALLED"}`, nil, imbot.ErrReinstall, 1},
		{"an unpaid application keeps its pair", 401, `{"error":"PAYMENT_REQUIRED","error_description":"Payment required"}`, nil, imbot.ErrPaymentRequired, 1},
		{"a wrong secret is reported", 401, `{"error":"invalid_client"}`, nil, imbot.ErrInvalidClient, 1},
		{"an error under status 200 is an error", 200, `{"error":"wrong_client"}`, nil, imbot.ErrWrongClient, 1},
		{"a broken connection is tried again", 0, "", refused, refused, 3},
		{"an HTML page of a proxy is tried again", 502, `<html>s3cr3t-refresh-1</html>`, nil, nil, 3},
		{"a page in place of an answer is tried again", 200, `<html>s3cr3t-refresh-1</html>`, nil, nil, 3},
		{"a redirect is not followed, and named", 307, ``, nil, errText("redirects"), 1},
		{"a server that refuses POST is told apart", 405, `{"error":"method"}`, nil, errText("TokenQuery"), 1},
		{"an empty answer is tried again", 200, ``, nil, nil, 3},
		{"an answer without a token is none", 200, `{"refresh_token":"s3cr3t-refresh-9"}`, nil, nil, 1},
		{"an answer for another portal is not stored", 200, `{"access_token":"s3cr3t-x","refresh_token":"s3cr3t-y","member_id":"other"}`, nil, nil, 1},
		{"a description that quotes a secret is cleaned", 400, `{"error":"invalid_request","error_description":"s3cr3t-refresh-1 s3cr3t-client s3cr3t-access-1"}`, nil, imbot.ErrInvalidRequest, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud()
				store := c.installed(t, "one.bitrix24.com")
				before := load(t, store)
				client, err := c.app(store).Client(t.Context(), memberOne)
				require.NoError(t, err)
				c.expire()
				c.fail = func(r *http.Request) (*http.Response, error) {
					switch {
					case r.URL.Path != "/oauth/token/":
						return nil, nil
					case row.err != nil:
						return nil, row.err
					}
					resp := reply(row.status, row.body)
					resp.Header.Set("Location", "https://evil.example.com/oauth/token/")
					return resp, nil
				}
				err = ping(t.Context(), client)
				require.Error(t, err)
				switch text := row.want.(type) {
				case nil:
				case errText:
					require.ErrorContains(t, err, string(text))
				default:
					require.ErrorIs(t, err, row.want)
				}
				require.Equal(t, row.want == imbot.ErrReinstall, strings.Contains(err.Error(), "must be installed again"))
				require.Equal(t, row.want == imbot.ErrReinstall, errors.Is(err, imbot.ErrReinstall))
				js, _ := json.Marshal(map[string]any{"err": err})
				var log strings.Builder
				slog.New(slog.NewTextHandler(&log, nil)).Error("x", "err", err)
				require.NotContains(t, fmt.Sprintf("%v %+v %#v %s %s", err, err, err, js, log.String()), "s3cr3t")
				require.Equal(t, row.asked, c.asked(tokenURL))
				require.Equal(t, string(before.Encode()), string(load(t, store).Encode()), "the pair is kept")

				require.Error(t, ping(t.Context(), client))
				require.Equal(t, row.asked, c.asked(tokenURL), "not again at once")
				c.fail = nil
				time.Sleep(2 * time.Minute)
				err = ping(t.Context(), client)
				if row.want == imbot.ErrReinstall {
					require.ErrorIs(t, err, imbot.ErrReinstall)
				} else {
					require.NoError(t, err, "the same refresh token is tried later")
				}
			})
		})
	}
}

func TestTheSecretGoesToTrustedServersOnly(t *testing.T) {
	for _, endpoint := range []string{"https://evil.example.com/rest/", "http://oauth.bitrix.info/rest/", "https://oauth.bitrix.info.evil.com/rest/", "https://oauth.bitrix.info:8443/rest/", ":"} {
		c := newCloud()
		store := imbot.NewMemoryStore()
		g := c.issue("one.bitrix24.com", 1, appID).grant()
		g.ServerEndpoint = endpoint
		require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, g))
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		require.ErrorIs(t, ping(t.Context(), client), imbot.ErrInvalid)
		require.Equal(t, []string{"one.bitrix24.com/rest/ping"}, c.requests, endpoint)
	}
}

func TestOAuthAppRefusesToStartHalf(t *testing.T) {
	store := imbot.NewMemoryStore()
	for name, app := range map[string]*imbot.OAuthApp{
		"no client id":  {ClientSecret: "x", Store: store},
		"no secret":     {ClientID: "x", Store: store},
		"no store":      {ClientID: "x", ClientSecret: "x"},
		"plain http":    {ClientID: "x", ClientSecret: "x", Store: store, AuthServers: []string{"http://oauth.example.com"}},
		"a bad option":  {ClientID: "x", ClientSecret: "x", Store: store, Options: []imbot.Option{imbot.WithLogger(nil)}},
		"no server URL": {ClientID: "x", ClientSecret: "x", Store: store, AuthServers: []string{"https://"}},
	} {
		_, err := app.Client(t.Context(), "m")
		require.ErrorIs(t, err, imbot.ErrInvalid, name)
	}
	app := &imbot.OAuthApp{ClientID: "x", ClientSecret: "s3cr3t", Store: store}
	_, err := app.Client(t.Context(), "m")
	require.ErrorIs(t, err, imbot.ErrNotFound)
	js, err := json.Marshal(app)
	require.NoError(t, err)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "app", app)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s %s", app, app, app, js, log.String()), "s3cr3t")
}
