package imbot_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// keys is a limiter that remembers what it is asked for.
type keys struct {
	mu   sync.Mutex
	seen map[string]int
}

func (k *keys) Wait(_ context.Context, portal string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen[portal]++
	return nil
}

func TestManyPortalsInOneProcess(t *testing.T) {
	const portals = 1000
	c := newCloud()
	store := imbot.NewMemoryStore()
	limiter := &keys{seen: map[string]int{}}
	app := c.app(store)
	app.Options = []imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: c}), imbot.WithLimiter(limiter)}
	var kept *imbot.Client
	for i := range portals {
		member, host := fmt.Sprintf("member-%d", i), fmt.Sprintf("p%d.bitrix24.com", i)
		c.portal(member, host)
		require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, c.issue(host, 1, appID).grant()))
		client, err := app.Client(t.Context(), member)
		require.NoError(t, err)
		require.NoError(t, ping(t.Context(), client))
		kept = client
	}
	require.Len(t, limiter.seen, portals)
	require.Equal(t, 1, limiter.seen["member-7"], "the limiter knows portals by their member id")

	for range 1000 {
		if app.Members() == 1 {
			break
		}
		runtime.GC()
	}
	require.Equal(t, 1, app.Members(), "what nobody keeps is forgotten")
	c.expire()
	require.NoError(t, ping(t.Context(), kept))
	again, err := app.Client(t.Context(), fmt.Sprintf("member-%d", portals-1))
	require.NoError(t, err)
	require.NoError(t, ping(t.Context(), again))
	require.Equal(t, 1, c.asked(tokenURL), "clients of one portal share their state")
}

func TestACallSurvivesTheGarbageCollectorWhileItRenews(t *testing.T) {
	c := newCloud()
	app := c.app(c.installed(t, "one.bitrix24.com"))
	c.expire()
	c.fail = func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/oauth/token/" {
			runtime.GC()
		}
		return nil, nil
	}
	for range 3 {
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		require.NoError(t, ping(t.Context(), client))
		c.expire()
	}
	require.Equal(t, 3, c.asked(tokenURL))
}
