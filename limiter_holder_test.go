package imbot_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

// board is a limiter that lets everything through and tells who shares it what is blocked.
type board struct {
	mu    sync.Mutex
	held  map[string]map[string]time.Time // by scope and method
	asked int
	told  int
	fail  func(ctx context.Context) error // nil: it works
}

var _ driver.Holder = (*board)(nil)

func (b *board) Wait(ctx context.Context, _ string) error { return ctx.Err() }

func (b *board) Hold(ctx context.Context, scope, method string, until time.Time) error {
	b.mu.Lock()
	b.told++
	fail := b.fail
	b.mu.Unlock()
	if fail != nil {
		return fail(ctx)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil {
		b.held = map[string]map[string]time.Time{}
	}
	if b.held[scope] == nil {
		b.held[scope] = map[string]time.Time{}
	}
	b.held[scope][method] = until
	return nil
}

func (b *board) Holds(ctx context.Context, scope string) (map[string]time.Time, error) {
	b.mu.Lock()
	b.asked++
	fail := b.fail
	b.mu.Unlock()
	if fail != nil {
		return nil, fail(ctx)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.held[scope]), ctx.Err()
}

// hurried adds a message within 10 s: that is less than a hold.
func hurried(t *testing.T, client *imbot.Client) error {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := client.Message.Add(ctx, imbot.MessageAddRequest{DialogID: "1", Message: "x"})
	return err
}

func TestProcessesTellEachOtherWhatIsBlocked(t *testing.T) {
	tiredBatch := func(n int, r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/batch") {
			return reply(200, `{"result":{"result":[],"result_error":{"c0":`+timeLimit+`,"c1":`+timeLimit+`}}}`), nil
		}
		return reply(429, timeLimit), nil
	}
	for name, row := range map[string]struct {
		opts []imbot.Option
		call func(t *testing.T, client *imbot.Client) error
	}{
		"a call":                    {nil, hurried},
		"a call, automatic batches": {[]imbot.Option{imbot.WithAutoBatch()}, hurried},
		"a batch": {nil, func(t *testing.T, client *imbot.Client) error {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			b := imbot.NewBatch()
			one, _ := imbot.Queue(b, say("x")), imbot.Queue(b, say("y"))
			_ = client.DoBatch(ctx, b)
			_, err := one.Result()
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := &board{}
				opts := append(row.opts, imbot.WithLimiter(shared))
				first, second, other := &wire{answer: tiredBatch}, &wire{answer: tiredBatch}, &wire{answer: tiredBatch}
				require.ErrorIs(t, row.call(t, over(t, hook, first, opts...)), imbot.ErrOperationTimeLimit)
				require.Len(t, first.requests, 1)
				require.Equal(t, 1, shared.told, "once for the method")
				require.ErrorIs(t, row.call(t, over(t, hook, second, opts...)), imbot.ErrOperationTimeLimit)
				require.Empty(t, second.requests, "it knows by its first call")
				elsewhere := hook
				elsewhere.URL = strings.Replace(hookURL, "/rest/1/", "/rest/2/", 1)
				require.ErrorIs(t, row.call(t, over(t, elsewhere, other, opts...)), imbot.ErrOperationTimeLimit)
				require.Len(t, other.requests, 1, "another webhook has its own time")
			})
		})
	}
}

func TestHoldsOfOthersAreAskedForEvery30s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &board{}
		until := time.Now()
		client := over(t, hook, tired(&until), imbot.WithLimiter(shared))
		for range 60 {
			require.NoError(t, hurried(t, client))
			time.Sleep(time.Second)
		}
		require.Equal(t, 2, shared.asked)

		until = time.Now().Add(20 * time.Minute)
		require.ErrorIs(t, hurried(t, over(t, hook, tired(&until), imbot.WithLimiter(shared))), imbot.ErrOperationTimeLimit)
		until = time.Now()
		time.Sleep(25 * time.Second)
		start := time.Now()
		require.NoError(t, hurried(t, client))
		require.Equal(t, 5*time.Second, time.Since(start), "it learns it between two calls: the hold lasts 30 s")
	})
}

func TestTheFirstCallsWaitForTheHoldsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &board{fail: func(context.Context) error { time.Sleep(50 * time.Millisecond); return nil }}
		var sent atomic.Int32
		client := over(t, hook, &wire{answer: func(int, *http.Request) (*http.Response, error) {
			sent.Add(1)
			return reply(200, `{"result":7}`), nil
		}}, imbot.WithLimiter(shared))
		for range 20 {
			go func() { _ = hurried(t, client) }()
		}
		synctest.Wait()
		require.Zero(t, sent.Load())
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 20, sent.Load())
		require.Equal(t, 1, shared.asked, "one asks for all")

		time.Sleep(30 * time.Second)
		go func() { _ = hurried(t, client) }()
		synctest.Wait()
		require.NoError(t, hurried(t, client))
		require.EqualValues(t, 21, sent.Load(), "later the others go on meanwhile")
		time.Sleep(time.Second)
		synctest.Wait()
		require.EqualValues(t, 22, sent.Load())
		require.Equal(t, 2, shared.asked)
	})
}

func TestAHolderThatIsAwayChangesNothing(t *testing.T) {
	for name, row := range map[string]struct {
		fail func(context.Context) error
		wait time.Duration
	}{
		"it fails at once": {func(context.Context) error { return errors.New("down") }, 0},
		"it hangs":         {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := &board{fail: row.fail}
				until := time.Now()
				rt := tired(&until)
				client := over(t, hook, rt, imbot.WithLimiter(shared))
				start := time.Now()
				for range 100 {
					require.NoError(t, hurried(t, client))
				}
				require.Equal(t, row.wait, time.Since(start), "the first call asks, and nobody else for 30 s")
				until = time.Now().Add(time.Hour)
				require.ErrorIs(t, hurried(t, client), imbot.ErrOperationTimeLimit)
				require.Zero(t, shared.told, "who is away need not be told")
				require.Equal(t, row.wait, time.Since(start))
				require.Len(t, rt.requests, 101)

				shared.fail = nil
				time.Sleep(15 * time.Minute)
				require.ErrorIs(t, hurried(t, client), imbot.ErrOperationTimeLimit)
				require.Equal(t, 1, shared.told, "it is back")
			})
		})
	}
}

func TestACallInAHurryDoesNotWaitForTheHoldsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &board{fail: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		until := time.Now()
		client := over(t, hook, tired(&until), imbot.WithLimiter(shared))
		for _, hurry := range []time.Duration{10, 5} { // one that asks, one that waits for it
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), hurry*time.Millisecond)
				defer cancel()
				_, err := client.Message.Add(ctx, imbot.MessageAddRequest{DialogID: "1", Message: "x"})
				assert.ErrorIs(t, err, context.DeadlineExceeded)
			}()
			synctest.Wait()
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		shared.fail = nil
		require.NoError(t, hurried(t, client))
		require.Equal(t, 2, shared.asked, "the next call asks again")
	})
}

func TestAHolderThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &board{fail: func(context.Context) error { panic("holder") }}
		until := time.Now()
		client := over(t, hook, tired(&until), imbot.WithLimiter(shared))
		for range 2 {
			require.PanicsWithValue(t, "holder", func() { _ = hurried(t, client) }, "it goes to the caller, as one of Wait")
		}
		shared.fail = nil
		require.NoError(t, hurried(t, client))
	})
}

func TestAHoldByAnotherClockIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &board{}
		until := time.Now().Add(time.Hour)
		require.Error(t, hurried(t, over(t, hook, tired(&until), imbot.WithLimiter(shared))))
		for _, methods := range shared.held {
			methods["imbot.message.add"] = time.Now().Add(1000 * time.Hour)
		}
		until = time.Now()
		client := over(t, hook, tired(&until), imbot.WithLimiter(shared))
		start := time.Now()
		_, err := client.Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: "1", Message: "x"})
		require.NoError(t, err)
		require.Equal(t, 10*time.Minute, time.Since(start))
	})
}

func TestTheScopeOfAHold(t *testing.T) {
	scopes := func(auth imbot.Auth) (names []string) {
		shared := &board{}
		until := time.Now().Add(time.Hour)
		require.Error(t, hurried(t, over(t, auth, tired(&until), imbot.WithLimiter(shared))))
		for scope := range shared.held {
			names = append(names, scope)
		}
		return names
	}
	webhook := scopes(hook)
	require.Len(t, webhook, 1)
	require.Regexp(t, `^[0-9a-f]{64}$`, webhook[0], "a hash, because the address of a webhook is a secret")
	require.Equal(t, webhook, scopes(hook), "the same in each process")
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "t0ken"})
	require.Empty(t, scopes(imbot.OAuth{Endpoint: "https://p1.bitrix24.com/rest/", Tokens: tokens}), "nobody knows its application")
}

func TestApplicationsHaveScopesOfTheirOwn(t *testing.T) {
	t.Parallel()
	c := newCloud()
	c.portal("member-1", "p1.bitrix24.com")
	store, shared, asked := imbot.NewMemoryStore(), &board{}, 0
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, c.issue("p1.bitrix24.com", 1, appID).grant()))
	c.fail = func(*http.Request) (*http.Response, error) {
		asked++
		return reply(429, timeLimit), nil
	}
	for range 2 { // two processes of one application
		for _, id := range []string{appID, "local.another"} {
			app := c.app(store)
			app.ClientID = id
			app.Options = append(app.Options, imbot.WithLimiter(shared))
			client, err := app.Client(t.Context(), "member-1")
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			require.ErrorIs(t, ping(ctx, client), imbot.ErrOperationTimeLimit)
			cancel()
		}
	}
	require.Equal(t, 2, asked)
	require.Len(t, shared.held, 2)
}

func TestTheLaterHoldWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &board{}
		until := time.Now().Add(32 * time.Second)
		client := over(t, hook, tired(&until), imbot.WithLimiter(shared))
		for range 2 { // its second hold lasts 60 s
			require.ErrorIs(t, hurried(t, client), imbot.ErrOperationTimeLimit)
			time.Sleep(31 * time.Second)
		}
		require.Equal(t, 2, shared.told)
		for _, methods := range shared.held {
			methods["imbot.message.add"] = time.Now().Add(time.Second)
		}
		require.ErrorIs(t, hurried(t, client), imbot.ErrOperationTimeLimit)
		require.Equal(t, 3, shared.asked)
	})
}
