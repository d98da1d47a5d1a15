package imbot_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot"
)

// static is a token source without Renew.
type static struct {
	token *oauth2.Token
	err   error
}

func (s static) Token() (*oauth2.Token, error) { return s.token, s.err }

// renewing is a token source with Renew, which gives fresh.
type renewing struct {
	static
	fresh    static
	replaced []string // the access tokens that were too old
}

var _ imbot.Renewer = (*renewing)(nil)

func (r *renewing) Renew(_ context.Context, stale *oauth2.Token) (*oauth2.Token, error) {
	r.replaced = append(r.replaced, stale.AccessToken)
	return r.fresh.token, r.fresh.err
}

func holding(access string) static {
	return static{token: &oauth2.Token{AccessToken: access, RefreshToken: refreshToken}}
}

func oauth(tokens oauth2.TokenSource) imbot.OAuth {
	return imbot.OAuth{Endpoint: "https://portal.bitrix24.com/rest/", Tokens: tokens}
}

// accepting is a portal that takes one access token.
func accepting(access, code string) *wire {
	w := &wire{}
	w.answer = func(n int, _ *http.Request) (*http.Response, error) {
		if strings.Contains(w.bodies[n-1], `"auth":"`+access+`"`) {
			return reply(200, `{"result":39}`), nil
		}
		return reply(401, `{"error":"`+code+`","error_description":"The access token provided has expired"}`), nil
	}
	return w
}

func TestTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"expired_token", "invalid_token", "EXPIRED_TOKEN"} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &renewing{static: holding("old"), fresh: holding("new")}
				rt, limiter := accepting("new", code), &gate{}
				start := time.Now()
				id, err := over(t, oauth(source), rt, imbot.WithLimiter(limiter)).Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: "1", Message: "hi"})
				require.NoError(t, err)
				require.Equal(t, imbot.ID(39), id, "a message may be sent again: the first one did not run")
				require.Zero(t, time.Since(start), "nothing to wait for")
				require.Equal(t, []string{"old"}, source.replaced)
				require.Equal(t, []string{
					`{"auth":"old","DIALOG_ID":"1","MESSAGE":"hi"}`,
					`{"auth":"new","DIALOG_ID":"1","MESSAGE":"hi"}`,
				}, rt.bodies)
				require.Len(t, limiter.asked, 2)
			})
		})
	}
}

func TestTokenIsNotRenewedTwice(t *testing.T) {
	t.Parallel()
	source := &renewing{static: holding("old"), fresh: holding("new")}
	rt := accepting("none", "expired_token")
	err := over(t, oauth(source), rt).Call(t.Context(), "profile", nil, nil)
	require.ErrorIs(t, err, imbot.ErrExpiredToken)
	require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
	require.Equal(t, []string{"old"}, source.replaced)
	require.Len(t, rt.requests, 2)
}

func TestRenewedTokenIsHidden(t *testing.T) {
	t.Parallel()
	source := &renewing{static: holding("old"), fresh: holding(accessToken)}
	rt := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
		if n == 1 {
			return reply(401, `{"error":"expired_token"}`), nil
		}
		return reply(403, `{"error":"ACCESS_DENIED","error_description":"not with `+accessToken+`"}`), nil
	}}
	err := over(t, oauth(source), rt).Call(t.Context(), "profile", nil, nil)
	require.EqualError(t, err, "imbot: profile: ACCESS_DENIED: not with *** (2 attempts)")
}

func TestTokenIsRenewedEvenWithoutRepetition(t *testing.T) {
	t.Parallel()
	source := &renewing{static: holding("old"), fresh: holding("new")}
	client := over(t, oauth(source), accepting("new", "expired_token"), imbot.WithRetry(imbot.Retry{MaxAttempts: 1}))
	require.NoError(t, client.Call(t.Context(), "profile", nil, nil))
}

func TestRenewedTokenServesLaterAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &renewing{static: holding("old"), fresh: holding("new")}
		rt := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
			switch n {
			case 1:
				return reply(401, `{"error":"expired_token"}`), nil
			case 2:
				return reply(503, queryLimit), nil
			}
			return reply(200, `{"result":true}`), nil
		}}
		require.NoError(t, over(t, oauth(source), rt).Call(t.Context(), "profile", nil, nil))
		require.Equal(t, []string{`{"auth":"old"}`, `{"auth":"new"}`, `{"auth":"new"}`}, rt.bodies)
	})
}

func TestTokenIsNotRenewedForOtherErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, code := range []string{"CONNECTION_ERROR", "NO_AUTH_FOUND", "authorization_error", "PAYMENT_REQUIRED", "ERROR_OAUTH"} {
			source := &renewing{static: holding("old"), fresh: holding("new")}
			err := over(t, oauth(source), accepting("new", code)).Call(t.Context(), "profile", nil, nil)
			require.ErrorIs(t, err, imbot.ErrorCode(code))
			require.Empty(t, source.replaced, code)
		}
	})
}

func TestSourceWithoutRenew(t *testing.T) {
	t.Parallel()
	rt := accepting("new", "expired_token")
	err := over(t, oauth(holding("old")), rt).Call(t.Context(), "profile", nil, nil)
	require.ErrorIs(t, err, imbot.ErrExpiredToken)
	require.Len(t, rt.requests, 1)
}

func TestNoToken(t *testing.T) {
	t.Parallel()
	errStore := errors.New("the store is down")
	for name, got := range map[string]static{
		"an error":       {err: errStore},
		"nil":            {},
		"an empty token": {token: &oauth2.Token{RefreshToken: refreshToken}},
	} {
		t.Run("at first: "+name, func(t *testing.T) {
			rt := always(200, `{"result":true}`)
			err := over(t, oauth(got), rt).Call(t.Context(), "profile", nil, nil)
			require.ErrorContains(t, err, "imbot: profile: no access token")
			require.Equal(t, got.err != nil, errors.Is(err, errStore))
			require.Empty(t, rt.requests)
		})
		t.Run("renewed: "+name, func(t *testing.T) {
			rt := accepting("new", "expired_token")
			err := over(t, oauth(&renewing{static: holding("old"), fresh: got}), rt).Call(t.Context(), "profile", nil, nil)
			require.ErrorContains(t, err, "imbot: profile: no access token")
			require.Equal(t, got.err != nil, errors.Is(err, errStore))
			require.Len(t, rt.requests, 1)
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, 1, e.Attempts)
		})
	}
}

func TestCancelledRenewal(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	source := &renewing{static: holding("old"), fresh: holding("new")}
	rt := &wire{answer: func(int, *http.Request) (*http.Response, error) {
		cancel()
		return reply(401, `{"error":"expired_token"}`), nil
	}}
	err := over(t, oauth(source), rt).Call(ctx, "profile", nil, nil)
	require.ErrorIs(t, err, imbot.ErrExpiredToken)
	require.Empty(t, source.replaced)
}

// TestRetrieveErrorIsNotPassedOn: it holds the whole answer of the token
// server, headers included.
func TestRetrieveErrorIsNotPassedOn(t *testing.T) {
	t.Parallel()
	answer := &oauth2.RetrieveError{
		Response:         &http.Response{StatusCode: 400, Header: http.Header{"X-Echo": {refreshToken}}},
		Body:             []byte(`{"error":"invalid_grant","refresh_token":"` + refreshToken + `","client_secret":"c1ient-secret"}`),
		ErrorCode:        "invalid_grant",
		ErrorDescription: "no such token: " + refreshToken,
		ErrorURI:         "https://oauth.bitrix.info/?" + refreshToken,
	}
	source := &renewing{static: holding(accessToken), fresh: static{err: answer}}
	err := over(t, oauth(source), accepting("new", "expired_token")).Call(t.Context(), "profile", nil, nil)
	require.ErrorIs(t, err, imbot.ErrInvalidGrant, "the code is kept")
	require.EqualError(t, err, "imbot: profile: invalid_grant: no access token")
	var got *oauth2.RetrieveError
	require.False(t, errors.As(err, &got))
}
