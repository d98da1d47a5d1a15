package imbotv2

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// An appWorld is an application on portals whose bots have the ids 10, 11, … of their own.
type appWorld struct {
	*oddPortal

	app *imbot.OAuthApp
}

func newAppWorld() *appWorld {
	w := &appWorld{oddPortal: newOddPortal()}
	w.app = &imbot.OAuthApp{
		ClientID: "local.1", ClientSecret: "secret", Store: imbot.NewMemoryStore(),
		Options: w.options(),
	}
	return w
}

func (w *appWorld) host(n int) string   { return fmt.Sprintf("%s-%d.test", w.name, n) }
func (w *appWorld) member(n int) string { return fmt.Sprintf("%s-member-%d", w.name, n) }

func (w *appWorld) grant(n int) imbot.Grant {
	return imbot.Grant{
		MemberID: w.member(n), Domain: w.host(n), ClientEndpoint: "https://" + w.host(n) + "/rest/",
		AccessToken: fmt.Sprint("access-", n), RefreshToken: fmt.Sprint("refresh-", n), Expires: time.Now().Add(1000 * time.Hour).Truncate(time.Second),
	}
}

// install puts the application onto a portal where it has one bot, n+10.
func (w *appWorld) install(t *testing.T, n int) {
	t.Helper()
	w.mu.Lock()
	w.bots[w.host(n)] = []int{n + 10}
	w.mu.Unlock()
	require.NoError(t, w.app.Store.Swap(t.Context(), imbot.Grant{}, w.grant(n)))
}

// calls returns how many requests each portal has had since the last call.
func (w *appWorld) calls() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.hosts
	w.hosts = map[string]int{}
	return calls
}

// polling runs PollApp until the test ends, or stop is called.
func (w *appWorld) polling(t *testing.T, h *hearer) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- PollApp(ctx, w.app, &h.EventHandler); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return func() error { cancel(); return <-done }
}

func TestPollAppFollowsTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, h := newAppWorld(), newHearer()
		h.OnMessage = func(_ context.Context, ev *MessageAddEvent) error {
			h.note(ev.Meta().MemberID() + " says " + ev.Message.Text)
			return nil
		}
		w.install(t, 1)
		stop := w.polling(t, h)
		time.Sleep(time.Minute)
		w.say("11", "1", "one")
		w.install(t, 2)
		time.Sleep(15 * time.Second)
		w.say("12", "1", "two")
		time.Sleep(6 * time.Second)
		require.Equal(t, []string{w.member(1) + " says one", w.member(2) + " says two"}, h.heard())

		grant, err := w.app.Store.Load(t.Context(), w.member(1))
		require.NoError(t, err)
		require.NoError(t, w.app.Store.Swap(t.Context(), grant, imbot.Grant{}), "uninstalled")
		time.Sleep(6 * time.Second)
		w.calls()
		time.Sleep(time.Hour)
		require.NotContains(t, w.calls(), w.host(1))
		require.NoError(t, stop())
	})
}

func TestABotThatIsRegisteredAfterTheInstallationIsFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, h := newAppWorld(), newHearer()
		w.install(t, 1)
		w.bots[w.host(1)] = nil
		stop := w.polling(t, h)
		time.Sleep(5 * time.Second)
		w.mu.Lock()
		w.bots[w.host(1)] = []int{11}
		w.mu.Unlock()
		w.say("11", "1", "hello")
		time.Sleep(12 * time.Second)
		require.Equal(t, []string{"hello"}, h.heard())
		w.mu.Lock()
		w.bots[w.host(1)] = []int{11, 55}
		w.mu.Unlock()
		time.Sleep(12 * time.Minute)
		w.say("55", "1", "the other one")
		time.Sleep(6 * time.Second)
		require.Len(t, h.heard(), 2)
		require.NoError(t, stop())
	})
}

func TestAThousandPortalsDoNotWaitForOneAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const portals = 1000
		w, h := newAppWorld(), newHearer()
		for n := range portals {
			w.install(t, n)
		}
		for n := range 50 {
			w.broken[w.host(n)] = "INTERNAL_SERVER_ERROR"
		}
		stop := w.polling(t, h)
		time.Sleep(30 * time.Second)
		w.calls()
		const minutes = 1
		time.Sleep(minutes * time.Minute)
		calls := w.calls()
		for n := range portals {
			require.LessOrEqual(t, float64(calls[w.host(n)])/(60*minutes), 0.4, "requests a second of one portal")
			require.Positive(t, calls[w.host(n)])
		}
		for n := 50; n < portals; n++ {
			w.say(fmt.Sprint(n+10), "1", fmt.Sprint("hello ", n))
		}
		time.Sleep(6 * time.Second)
		require.Len(t, h.heard(), portals-50)
		w.mu.Lock()
		clear(w.broken)
		w.mu.Unlock()
		for n := range 50 {
			w.say(fmt.Sprint(n+10), "1", fmt.Sprint("hello ", n))
		}
		for start := time.Now(); len(h.heard()) < portals; time.Sleep(time.Second) {
			require.Less(t, time.Since(start), 12*time.Minute)
		}
		require.NoError(t, stop())
	})
}

func TestAPortalThatEndsIsLookedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, h := newAppWorld(), newHearer()
		w.install(t, 1)
		stop := w.polling(t, h)
		time.Sleep(time.Minute)
		w.mu.Lock()
		w.broken[w.host(1)] = "APPLICATION_NOT_FOUND"
		w.mu.Unlock()
		time.Sleep(time.Hour)
		w.mu.Lock()
		clear(w.broken)
		w.mu.Unlock()
		w.say("11", "1", "hello")
		time.Sleep(12 * time.Minute)
		require.Equal(t, []string{"hello"}, h.heard())
		require.NoError(t, stop())
	})
}

// unlisted is a store that lists no portals.
type unlisted struct{ imbot.TokenStore }

func TestPollAppIsRefusedWithout(t *testing.T) {
	t.Parallel()
	w, h := newAppWorld(), newHearer()
	require.ErrorIs(t, PollApp(t.Context(), nil, &h.EventHandler), imbot.ErrInvalid)
	require.ErrorIs(t, PollApp(t.Context(), w.app, nil), imbot.ErrInvalid)
	w.app.Store = unlisted{w.app.Store}
	require.ErrorContains(t, PollApp(t.Context(), w.app, &h.EventHandler), "TokenLister")
}
