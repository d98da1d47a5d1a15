package imbot_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot"
)

// silentPortal never answers; a request to it ends with its context.
func silentPortal() *wire {
	return &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}}
}

func TestTimeoutOfAnAttempt(t *testing.T) {
	for name, tt := range map[string]struct {
		own, want time.Duration
	}{
		"70 s by default":           {0, 70 * time.Second},
		"a shorter one of the user": {5 * time.Second, 5 * time.Second},
		"a longer one of the user":  {10 * time.Minute, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := silentPortal()
				hc := imbot.WithHTTPClient(&http.Client{Transport: rt, Timeout: tt.own})

				start := time.Now()
				_, err := imbot.Do(t.Context(), over(t, hook, rt, hc), job{})
				require.Equal(t, tt.want, time.Since(start))
				require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Len(t, rt.requests, 1)
				require.NotContains(t, err.Error(), "s3cr3t")

				start = time.Now()
				_, err = imbot.Do(t.Context(), over(t, hook, rt, hc), job{repeatable: true})
				require.Greater(t, time.Since(start), 4*tt.want, "each attempt has a time of its own")
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Len(t, rt.requests, 1+4)
			})
		})
	}
}

// TestTimeoutCoversTheAnswer cuts an answer whose end never comes.
func TestTimeoutCoversTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
			resp := reply(200, "")
			resp.Body = &body{Reader: stuck{r.Context()}}
			return resp, nil
		}}
		start := time.Now()
		err := over(t, hook, rt).Call(t.Context(), "profile", nil, nil)
		require.Equal(t, 70*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
		require.ErrorContains(t, err, "the answer broke off")
	})
}

// stuck is a body that ends with its context.
type stuck struct{ ctx context.Context }

func (s stuck) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }

func TestCancelledBeforeSending(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, limiter := range map[string]imbot.Limiter{"with a limiter": imbot.NewLimiter(2, 50), "without": nil} {
		t.Run(name, func(t *testing.T) {
			rt := always(200, `{"result":true}`)
			_, err := imbot.Do(ctx, over(t, hook, rt, imbot.WithLimiter(limiter)), job{repeatable: true})
			require.ErrorIs(t, err, context.Canceled)
			require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
			require.ErrorContains(t, err, "imbot: imbot.job: not sent")
			require.Empty(t, rt.requests)
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.Zero(t, e.Attempts)
		})
	}
}

func TestCancelledWhileWaitingToRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		rt := always(503, queryLimit)
		start := time.Now()
		_, err := imbot.Do(ctx, over(t, hook, rt), job{})
		require.Equal(t, 100*time.Millisecond, time.Since(start))
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, imbot.ErrQueryLimitExceeded, "what the portal said stays")
		require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
		require.Len(t, rt.requests, 1)
	})
}

func TestCancelledWhileSending(t *testing.T) {
	for name, repeatable := range map[string]bool{"what may not be repeated": false, "what may be": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				rt := silentPortal()
				start := time.Now()
				_, err := imbot.Do(ctx, over(t, hook, rt), job{repeatable: repeatable})
				require.Equal(t, 3*time.Second, time.Since(start))
				require.ErrorIs(t, err, context.Canceled)
				require.Equal(t, !repeatable, errors.Is(err, imbot.ErrOutcomeUnknown))
				require.Len(t, rt.requests, 1)
			})
		})
	}
}

func TestDeadlineBeforeTheNextAttempt(t *testing.T) {
	for name, rt := range map[string]*wire{"after a refusal": always(503, queryLimit), "after an unknown outcome": always(502, "")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
				defer cancel()
				rt := &wire{answer: rt.answer}
				start := time.Now()
				_, err := imbot.Do(ctx, over(t, hook, rt), job{repeatable: true})
				require.Zero(t, time.Since(start), "it waited for nothing")
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Len(t, rt.requests, 1)
				var e *imbot.Error
				require.ErrorAs(t, err, &e)
				require.NotZero(t, e.StatusCode, "what the portal said stays")
				require.Equal(t, e.StatusCode == 503, errors.Is(err, imbot.ErrQueryLimitExceeded))
			})
		})
	}
}

// gate is a limiter of somebody else.
type gate struct {
	err     error
	asked   []string
	refused []string
}

func (g *gate) Wait(_ context.Context, portal string) error {
	g.asked = append(g.asked, portal)
	return g.err
}

func (g *gate) Refused(portal string) { g.refused = append(g.refused, portal) }

func TestLimiterRefusesEarly(t *testing.T) {
	errFull := errors.New("would exceed the deadline")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for name, limiter := range map[string]imbot.Limiter{"our own": imbot.NewLimiter(0.1, 1), "a foreign one": &gate{}} {
			rt := always(200, `{"result":true}`)
			client := over(t, hook, rt, imbot.WithLimiter(limiter))
			require.NoError(t, client.Call(ctx, "profile", nil, nil))
			g, foreign := limiter.(*gate)
			if foreign {
				g.err = errFull
			}
			start := time.Now()
			err := client.Call(ctx, "profile", nil, nil)
			require.Zero(t, time.Since(start), name)
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			require.Equal(t, foreign, errors.Is(err, errFull), name)
			require.ErrorContains(t, err, "not sent", name)
			require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown, name)
			require.Len(t, rt.requests, 1, name)
		}
	})
}

func TestLimiterFailsWithoutADeadline(t *testing.T) {
	errBroken := errors.New("the limiter's store is down at " + hookURL)
	rt := always(200, `{"result":true}`)
	err := over(t, hook, rt, imbot.WithLimiter(&gate{err: errBroken})).Call(t.Context(), "profile", nil, nil)
	require.ErrorIs(t, err, errBroken)
	require.NotErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, err.Error(), "s3cr3t")
	require.Empty(t, rt.requests)
}

func TestCancelledWhileWaitingForTheLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := always(200, `{"result":true}`)
		client := over(t, hook, rt, imbot.WithLimiter(imbot.NewLimiter(0.1, 1)))
		require.NoError(t, client.Call(t.Context(), "profile", nil, nil))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		err := client.Call(ctx, "profile", nil, nil)
		require.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, rt.requests, 1)
	})
}

func TestLimiterIsAskedForEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for answer, refused := range map[string]int{queryLimit: 4, `{"error":"OPERATION_TIME_LIMIT"}`: 0} {
			g := &gate{}
			rt := always(503, answer)
			err := over(t, hook, rt, imbot.WithLimiter(g)).Call(t.Context(), "profile", nil, nil)
			require.Error(t, err)
			const host = "portal.bitrix24.com"
			require.Equal(t, []string{host, host, host, host}, g.asked)
			require.Len(t, g.refused, refused, answer)
			for _, portal := range g.refused {
				require.Equal(t, host, portal)
			}
		}
	})
}

func TestLimiterOfAPortal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := imbot.WithLimiter(imbot.NewLimiter(2, 5))
		rt := always(200, `{"result":true}`)
		one := over(t, hook, rt, limiter)
		same := over(t, imbot.Webhook{URL: "https://PORTAL.bitrix24.com/rest/2/other/"}, rt, limiter)
		other := over(t, imbot.Webhook{URL: "https://other.bitrix24.com/rest/1/x/"}, rt, limiter)
		start := time.Now()
		call := func(c *imbot.Client) time.Duration {
			require.NoError(t, c.Call(t.Context(), "profile", nil, nil))
			return time.Since(start)
		}
		for range 5 {
			require.Zero(t, call(one), "the burst")
		}
		require.Equal(t, 500*time.Millisecond, call(one))
		require.Equal(t, time.Second, call(same), "another webhook of the portal shares the bucket")
		require.Equal(t, time.Second, call(other), "another portal has its own")
	})
}

func TestWithoutALimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := over(t, hook, always(200, `{"result":true}`), imbot.WithLimiter(nil))
		start := time.Now()
		for range 200 {
			require.NoError(t, client.Call(t.Context(), "profile", nil, nil))
		}
		require.Zero(t, time.Since(start))
	})
}

// TestDefaultLimiterIsShared uses a portal of its own, since the limiter lives
// as long as the process.
func TestDefaultLimiterIsShared(t *testing.T) {
	portal := imbot.Webhook{URL: "https://shared" + strconv.FormatInt(time.Now().UnixNano(), 36) + ".bitrix24.com/rest/1/x/"}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		for range 47 {
			client, err := imbot.NewClient(portal, imbot.WithHTTPClient(&http.Client{Transport: always(200, `{"result":true}`)}))
			require.NoError(t, err)
			require.NoError(t, client.Call(t.Context(), "profile", nil, nil))
		}
		require.Equal(t, time.Second, time.Since(start), "45 at once, then 2 per second; the last tenth is for answers")
	})
}

// lateTokens is a source that renews for so long, and gets no context.
type lateTokens time.Duration

func (s lateTokens) Token() (*oauth2.Token, error) {
	time.Sleep(time.Duration(s))
	return &oauth2.Token{AccessToken: accessToken}, nil
}

func TestContextThatEndsWhileTheTokenIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := always(200, `{"result":7}`)
		client := over(t, imbot.OAuth{Endpoint: app.Endpoint, Tokens: lateTokens(300 * time.Millisecond)}, rt)
		within := func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 100*time.Millisecond)
		}

		ctx, cancel := within()
		defer cancel()
		_, err := client.Message.Add(ctx, say("hi"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
		require.ErrorContains(t, err, "not sent")

		ctx, cancel = within()
		defer cancel()
		b := imbot.NewBatch()
		p := imbot.Queue(b, say("hi"))
		require.ErrorIs(t, client.DoBatch(ctx, b), context.DeadlineExceeded)
		_, err = p.Result()
		require.ErrorIs(t, err, imbot.ErrNotRun)
		require.Empty(t, rt.requests)
	})
}

// TestContextThatEndsWhileDialling uses a dialer that never arrives.
func TestContextThatEndsWhileDialling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		defer transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := over(t, hook, transport).Message.Add(ctx, say("hi"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
		require.ErrorContains(t, err, "not sent")
	})
}
