package imbotredis_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotredis"
	"github.com/imbot-go/imbot/imbotredis/internal/redistest"
)

const member = "d00d019bd00d019bd00d019bd00d019b"

func grant(n int) imbot.Grant {
	return imbot.Grant{
		MemberID: member, ClientEndpoint: "https://one.bitrix24.com/rest/", AccessToken: fmt.Sprint("access ", n),
		RefreshToken: fmt.Sprint("refresh ", n), Expires: time.Unix(1_800_000_000, 0).UTC(),
	}
}

// within fails when f takes longer.
func within(t *testing.T, most time.Duration, what string, f func()) {
	t.Helper()
	begun := time.Now()
	f()
	require.Less(t, time.Since(begun), most, what)
}

func TestAKilledServerLosesNoGrant(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t) // with appendfsync always
	db := open(t, s, imbotredis.Options{Keys: keys(t, 'k')})
	tokens := db.Tokens()
	stored := grant(0)
	require.NoError(t, tokens.Swap(t.Context(), imbot.Grant{}, stored))
	const rounds = 20
	swaps := 0
	for range rounds {
		enough, ended := make(chan struct{}), make(chan struct{})
		next := stored
		go func() {
			defer close(ended)
			for n := 0; ; n++ {
				swaps++
				next = grant(swaps)
				if err := tokens.Swap(t.Context(), stored, next); err != nil {
					return
				}
				if stored = next; n == 20 {
					close(enough)
				}
			}
		}()
		<-enough
		s.Kill()
		<-ended
		s.Start()
		var found imbot.Grant
		require.Eventually(t, func() bool {
			var err error
			found, err = tokens.Load(t.Context(), member)
			return err == nil
		}, 20*time.Second, 5*time.Millisecond)
		if found.AccessToken != stored.AccessToken {
			require.Equal(t, next.AccessToken, found.AccessToken, "neither the last grant that was stored, nor the one that may be")
		}
		stored = found
	}
	t.Logf("%d kills, %d swaps, 0 grants lost", rounds, swaps)
}

func TestAFullServerRefusesAGrantBeforeItIsRenewed(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	tokens := open(t, s, imbotredis.Options{Keys: keys(t, 'k')}).Tokens()
	require.NoError(t, tokens.Swap(t.Context(), imbot.Grant{}, grant(1)))
	require.NoError(t, s.Client(t).ConfigSet(t.Context(), "maxmemory", "1").Err())
	require.ErrorContains(t, tokens.Swap(t.Context(), grant(1), grant(1)), "imbotredis: Tokens.Swap: OOM")
	require.NoError(t, s.Client(t).ConfigSet(t.Context(), "maxmemory", "0").Err())
	require.NoError(t, tokens.Swap(t.Context(), grant(1), grant(1)))
}

func TestAGrantWithoutCopiesIsNotStored(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	tokens := open(t, s, imbotredis.Options{Wait: 1}).Tokens()
	err := tokens.Swap(t.Context(), imbot.Grant{}, grant(1))
	require.ErrorContains(t, err, "0 of 1 copies of the server have it after a second: it is stored, but a fail-over may lose it")
	require.NotContains(t, err.Error(), "refresh")
	require.ErrorIs(t, tokens.Swap(t.Context(), imbot.Grant{}, grant(2)), imbot.ErrConflict)
}

func TestAGrantWithACopyIsStored(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	s, copied := redistest.Own(t, "bind", "127.0.0.1", "port", port, "repl-diskless-sync-delay", "0"), redistest.Own(t)
	tokens := open(t, s, imbotredis.Options{Wait: 1}).Tokens()
	require.NoError(t, copied.Client(t).ReplicaOf(t.Context(), "127.0.0.1", port).Err())
	require.Eventually(t, func() bool { return s.Client(t).Do(t.Context(), "wait", 1, 100).Val() == int64(1) }, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, tokens.Swap(t.Context(), imbot.Grant{}, grant(1)))
	g, err := open(t, copied, imbotredis.Options{}).Tokens().Load(t.Context(), member)
	require.NoError(t, err)
	require.Equal(t, grant(1).AccessToken, g.AccessToken)
	require.ErrorIs(t, tokens.Swap(t.Context(), grant(2), grant(3)), imbot.ErrConflict)
}

func TestWhatDoesNotOpen(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	ctx, c := t.Context(), s.Client(t)
	key := strings.Repeat("0", 64)
	db := open(t, s, imbotredis.Options{Keys: keys(t, 'k')})
	require.NoError(t, db.Tokens().Swap(ctx, imbot.Grant{}, grant(1)))
	require.NoError(t, db.States().Swap(ctx, key, nil, []byte("a state"), time.Hour))
	refused := func(what string, db *imbotredis.DB) {
		t.Helper()
		_, err := db.Tokens().Load(ctx, member)
		require.ErrorContains(t, err, `the field "`+member+`" of {imbot}:grant does not open; give Options.Keys its key`, what)
		require.ErrorContains(t, db.Tokens().Swap(ctx, grant(1), grant(2)), "does not open", what)
		_, err = db.States().Load(ctx, key)
		require.ErrorContains(t, err, "the value of {imbot}:state:"+key+" does not open; give Options.Keys its key", what)
		require.ErrorContains(t, db.States().Swap(ctx, key, nil, []byte("x"), time.Hour), "does not open", what)
	}
	refused("another key", open(t, s, imbotredis.Options{Keys: keys(t, 'x')}))
	rotated := open(t, s, imbotredis.Options{Keys: keys(t, 'x', 'k')})
	require.NoError(t, rotated.Tokens().Swap(ctx, grant(1), grant(1)))
	require.NoError(t, rotated.States().Swap(ctx, key, []byte("a state"), []byte("a state"), time.Hour))
	refused("the key that was the first one before", db)

	db = rotated
	sealed, err := c.HGet(ctx, "{imbot}:grant", member).Result()
	require.NoError(t, err)
	require.NotContains(t, sealed, "refresh")
	require.NoError(t, c.HSet(ctx, "{imbot}:grant", "another", sealed).Err())
	_, err = db.Tokens().Load(ctx, "another")
	require.ErrorContains(t, err, "does not open", "a grant was moved to another portal")
	require.NoError(t, c.HSet(ctx, "{imbot}:grant", member, sealed[:len(sealed)-1]).Err())
	require.NoError(t, c.Set(ctx, "{imbot}:state:"+key, "", 0).Err())
	refused("damaged", db)
	plain := open(t, s, imbotredis.Options{})
	require.NoError(t, c.HSet(ctx, "{imbot}:grant", member, `{"member_id":`).Err())
	_, err = plain.Tokens().Load(ctx, member)
	require.ErrorContains(t, err, "does not open")
	require.NoError(t, c.HSet(ctx, "{imbot}:grant", member, string(imbot.Grant{MemberID: "x"}.Encode())).Err())
	_, err = plain.Tokens().Load(ctx, member)
	require.ErrorContains(t, err, "it is that of another portal")
}

// A server that hangs keeps its connections, and go-redis waits for it as long as it is told to.
func TestAServerThatHangsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	s.Options.ReadTimeout = 20 * time.Second
	db := open(t, s, imbotredis.Options{})
	limiter := db.Limiter(100, 10)
	require.NoError(t, limiter.Wait(t.Context(), "portal"))
	led := make(chan struct{})
	leads, stop := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		left <- db.Leader().Lead(leads, "name", func(ctx context.Context) error {
			close(led)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	<-led
	unlock, err := db.Tokens().Lock(t.Context(), "locked")
	require.NoError(t, err)
	s.Hang()
	for name, f := range map[string]func(ctx context.Context) error{
		"Claim":           func(ctx context.Context) error { _, err := db.Claims().Claim(ctx, "key"); return err },
		"Release":         func(ctx context.Context) error { return db.Claims().Release(ctx, "key") },
		"Load of a state": func(ctx context.Context) error { _, err := db.States().Load(ctx, "key"); return err },
		"Swap of a state": func(ctx context.Context) error { return db.States().Swap(ctx, "key", nil, []byte("x"), time.Hour) },
		"Load":            func(ctx context.Context) error { _, err := db.Tokens().Load(ctx, member); return err },
		"Swap":            func(ctx context.Context) error { return db.Tokens().Swap(ctx, imbot.Grant{}, grant(1)) },
		"Members": func(ctx context.Context) (err error) {
			for _, err = range db.Tokens().Members(ctx) {
			}
			return err
		},
		"Lock":  func(ctx context.Context) error { _, err := db.Tokens().Lock(ctx, member); return err },
		"Hold":  func(ctx context.Context) error { return limiter.Hold(ctx, "scope", "m", time.Now().Add(time.Hour)) },
		"Holds": func(ctx context.Context) error { _, err := limiter.Holds(ctx, "scope"); return err },
		"Lead": func(ctx context.Context) error {
			return db.Leader().Lead(ctx, "another", func(context.Context) error { return nil })
		},
		"Open": func(ctx context.Context) error {
			_, err := imbotredis.Open(ctx, s.Client(t), imbotredis.Options{})
			return err
		},
	} {
		within(t, 3*time.Second, name, func() {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			require.ErrorIs(t, f(ctx), context.DeadlineExceeded, name)
		})
	}
	within(t, 3*time.Second, "Wait", func() { require.NoError(t, limiter.Wait(t.Context(), "portal")) })
	within(t, 3*time.Second, "Refused", func() { limiter.Refused("portal") })
	within(t, 3*time.Second, "unlock", unlock)
	stop()
	within(t, 3*time.Second, "Lead, whose context ends", func() { require.ErrorIs(t, <-left, context.Canceled) })
	within(t, 3*time.Second, "Close", func() { require.NoError(t, db.Close()) })
}

// lossy is a connection that ends once before an answer, when the server has written it already.
type lossy struct {
	net.Conn
	loses *atomic.Bool
}

func (c lossy) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil && c.loses.CompareAndSwap(true, false) {
		_ = c.Close()
		return 0, io.EOF
	}
	return n, err
}

func TestAnAnswerThatGotLostHarmsNothing(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	o, loses := *s.Options, new(atomic.Bool)
	o.MaxRetries = 3
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return lossy{conn, loses}, err
	}
	c := redis.NewClient(&o)
	t.Cleanup(func() { _ = c.Close() })
	db, err := imbotredis.Open(t.Context(), c, imbotredis.Options{Keys: keys(t, 'k')})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	ctx := t.Context()
	for _, claim := range []string{"one", "two"} { // the scripts are known to the server the second time
		loses.Store(true)
		first, err := db.Claims().Claim(ctx, claim)
		require.NoError(t, err)
		require.True(t, first, "an event that nobody else has is claimed")
		first, err = db.Claims().Claim(ctx, claim)
		require.NoError(t, err)
		require.False(t, first)

		loses.Store(true)
		unlock, err := db.Tokens().Lock(ctx, claim)
		require.NoError(t, err)
		unlock()
	}
	lost := &onScript{loses: loses}
	c.AddHook(lost)
	for name, o := range map[string]imbotredis.Options{"plain": {Prefix: "plain"}, "sealed": {Prefix: "sealed", Keys: keys(t, 'k')}} {
		db, err := imbotredis.Open(ctx, c, o)
		require.NoError(t, err)
		tokens, states := db.Tokens(), db.States()
		old, stored := imbot.Grant{}, []byte(nil)
		for i, new := range []imbot.Grant{grant(1), grant(2), {}} { // the last one deletes
			require.NoError(t, tokens.Swap(ctx, old, new), "%s %d", name, i)
			require.ErrorIs(t, tokens.Swap(ctx, old, new), imbot.ErrConflict, "%s %d", name, i)
			old = new
		}
		for i, new := range [][]byte{[]byte("1"), []byte("2"), nil} {
			require.NoError(t, states.Swap(ctx, member, stored, new, time.Hour), "%s %d", name, i)
			require.ErrorIs(t, states.Swap(ctx, member, stored, new, time.Hour), imbot.ErrConflict, "%s %d", name, i)
			stored = new
		}
		require.NoError(t, db.Close())
	}
	require.EqualValues(t, 14, lost.n.Load(), "2 databases with 6 changes, and 2 scripts that the server did not know")
}

// onScript lets the answers of scripts get lost.
type onScript struct {
	loses *atomic.Bool
	n     atomic.Int64
}

func (h *onScript) DialHook(next redis.DialHook) redis.DialHook { return next }
func (h *onScript) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h *onScript) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if strings.HasPrefix(cmd.Name(), "eval") {
			h.n.Add(1)
			h.loses.Store(true)
		}
		return next(ctx, cmd)
	}
}

func TestTheLeadOfWhoDiesIsTakenOver(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	c := s.Client(t)
	dying, err := imbotredis.Open(t.Context(), c, imbotredis.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, dying.Close()) }()
	other := open(t, s, imbotredis.Options{}).Leader()
	var leading atomic.Int32
	led := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = dying.Leader().Lead(ctx, "name", func(ctx context.Context) error {
			leading.Add(1)
			close(led)
			<-ctx.Done()
			leading.Add(-1)
			stop()
			return context.Cause(ctx)
		})
	})
	<-led
	require.NoError(t, c.Close()) // from here on it renews nothing, as if it were dead
	begun := time.Now()
	require.NoError(t, other.Lead(t.Context(), "name", func(context.Context) error {
		require.Zero(t, leading.Load(), "who cannot renew the lead leads no more")
		return nil
	}))
	took := time.Since(begun)
	t.Logf("taken over after %v", took.Round(10*time.Millisecond))
	require.LessOrEqual(t, took, 11*time.Second)
	wg.Wait()
}

func TestALeadOutlivesAServerThatStartsAgain(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	a, b := open(t, s, imbotredis.Options{}).Leader(), open(t, s, imbotredis.Options{}).Leader()
	led, over := make(chan context.Context, 2), make(chan struct{})
	ended := make(chan error, 2)
	for _, l := range []driver.Leader{a, b} {
		go func() {
			ended <- l.Lead(t.Context(), "name", func(ctx context.Context) error {
				led <- ctx
				select {
				case <-ctx.Done():
					return context.Cause(ctx)
				case <-over:
					return nil
				}
			})
		}()
	}
	first := <-led
	s.Kill()
	s.Start()
	select {
	case <-led:
		t.Error("another one leads")
	case <-time.After(4 * time.Second): // renewed once
	}
	require.NoError(t, first.Err(), "a short outage is no end")
	close(over)
	require.NoError(t, errors.Join(<-ended, <-ended))
}
