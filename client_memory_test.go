package imbot_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// settledHeap is what is alive when no cleanup of what has died frees any more.
func settledHeap() int64 {
	for last := heapNow(); ; {
		now := heapNow()
		if now > last-4096 {
			return now
		}
		last = now
	}
}

// perClient is what each of many clients takes of memory, in bytes: the least of three
// times, because what other tests have left may come or go meanwhile.
func perClient(t *testing.T, client func(i int) *imbot.Client) int64 {
	const n = 2000
	least := int64(math.MaxInt64)
	client(3 * n) // makes what all have in common
	for try := range 3 {
		all := make([]*imbot.Client, n)
		before := settledHeap()
		for i := range all {
			all[i] = client(try*n + i)
		}
		least = min(least, (settledHeap()-before)/n)
		runtime.KeepAlive(all)
	}
	t.Logf("%d bytes", least)
	return least
}

func TestMemoryOfAnIdleClient(t *testing.T) {
	hc := &http.Client{Transport: memory{}}
	for name, opts := range map[string]func() []imbot.Option{
		"without options":               func() []imbot.Option { return nil },
		"with automatic batches":        func() []imbot.Option { return []imbot.Option{imbot.WithAutoBatch()} },
		"with the same http.Client":     func() []imbot.Option { return []imbot.Option{imbot.WithHTTPClient(hc)} },
		"with a http.Client of its own": func() []imbot.Option { return []imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: memory{}})} },
		"with a limiter and a retry": func() []imbot.Option {
			return []imbot.Option{imbot.WithLimiter(nil), imbot.WithRetry(imbot.Retry{MaxAttempts: 2})}
		},
		"that observes and says nothing": func() []imbot.Option {
			return []imbot.Option{imbot.WithObserver(func(context.Context, imbot.CallInfo) {})}
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Less(t, perClient(t, func(i int) *imbot.Client {
				client, err := imbot.NewClient(imbot.Webhook{URL: fmt.Sprintf("https://portal-%d.example.com/rest/1/secret/", i), ClientID: "bot-secret-1"}, opts()...)
				require.NoError(t, err)
				return client
			}), int64(615)) // 0.6 KiB
		})
	}
}

// anyGrant is a store in which every portal is.
type anyGrant struct{}

func (anyGrant) Load(_ context.Context, id string) (imbot.Grant, error) {
	return imbot.DecodeGrant(imbot.Grant{
		MemberID: id, Domain: id[:8] + ".bitrix24.com", ClientEndpoint: "https://" + id[:8] + ".bitrix24.com/rest/", ServerEndpoint: "https://oauth.bitrix.info/rest/",
		AccessToken: id + strings.Repeat("a", 38), RefreshToken: id + strings.Repeat("r", 38), Expires: time.Now(), UserID: 1, Scope: "im,imbot", Status: "L", ApplicationToken: id,
	}.Encode())
}

func (anyGrant) Swap(context.Context, imbot.Grant, imbot.Grant) error { return nil }

func TestMemoryOfAnOAuthPortalThatHasCalled(t *testing.T) {
	for name, opts := range map[string][]imbot.Option{"by themselves": nil, "with automatic batches": {imbot.WithAutoBatch()}} {
		t.Run(name, func(t *testing.T) {
			app := &imbot.OAuthApp{ClientID: "app.1", ClientSecret: "a secret", Store: anyGrant{}, Options: append(opts,
				imbot.WithHTTPClient(&http.Client{Transport: memory{}}), imbot.WithLimiter(imbot.NewLimiter(2, 50)))} // not that of the process, which has the portals of all tests
			require.Less(t, perClient(t, func(i int) *imbot.Client {
				client, err := app.Client(t.Context(), fmt.Sprintf("%032d", i*12345678))
				require.NoError(t, err)
				_, err = client.Message.Add(t.Context(), benchMessage)
				require.NoError(t, err)
				return client
			}), int64(2048))
		})
	}
}
