package imbot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestRenewalSendsItsSecretsInTheBodyUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
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

func TestAnOddFieldDoesNotCostThePair(t *testing.T) {
	t.Parallel()
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

// errText is what an error says.
type errText string

func (e errText) Error() string { return string(e) }

func TestTokenServerAnswers(t *testing.T) {
	t.Parallel()
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
		{"too many requests are tried again", 429, `<html></html>`, nil, nil, 3},
		{"too many requests kill no grant, whatever the code", 429, `{"error":"invalid_grant"}`, nil, imbot.ErrInvalidGrant, 3},
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

func TestAnotherStatusOfSuccessDoesNotCostThePair(t *testing.T) {
	t.Parallel()
	for _, status := range []int{201, 203} {
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
			return reply(status, fmt.Sprintf(`{"access_token":%q,"refresh_token":%q}`, fresh.access, fresh.refresh)), nil
		}
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, fresh.refresh, load(t, store).RefreshToken)
	}
}

func TestTheSecretGoesToTrustedServersOnly(t *testing.T) {
	t.Parallel()
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

func TestNoCookieGoesToTheAuthorizationServer(t *testing.T) {
	t.Parallel()
	c := newCloud()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	for _, host := range []string{"oauth.bitrix.info", "one.bitrix24.com"} {
		jar.SetCookies(&url.URL{Scheme: "https", Host: host, Path: "/"}, []*http.Cookie{{Name: "session", Value: "of a browser"}})
	}
	app := c.app(c.installed(t, "one.bitrix24.com"))
	app.Options = append(app.Options, imbot.WithHTTPClient(&http.Client{Transport: c, Jar: jar}))
	client, err := app.Client(t.Context(), memberOne)
	require.NoError(t, err)
	c.expire()
	var cookies []string
	c.fail = func(r *http.Request) (*http.Response, error) {
		cookies = append(cookies, r.Header.Values("Cookie")...)
		return nil, nil
	}
	require.NoError(t, ping(t.Context(), client))
	require.Equal(t, 1, c.asked(tokenURL))
	require.Empty(t, cookies)
}

func TestAServerThatNeverAnswersHasHalfAMinuteEachTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		client, err := c.app(c.installed(t, "one.bitrix24.com")).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		var waited []time.Duration
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/oauth/token/" {
				return nil, nil
			}
			start := time.Now()
			<-r.Context().Done()
			waited = append(waited, time.Since(start))
			return nil, r.Context().Err()
		}
		err = ping(t.Context(), client)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, imbot.ErrReinstall, "the grant may be well")
		require.Equal(t, []time.Duration{30 * time.Second, 30 * time.Second, 30 * time.Second}, waited)
		c.fail = nil
		time.Sleep(time.Minute)
		require.NoError(t, ping(t.Context(), client))
	})
}
