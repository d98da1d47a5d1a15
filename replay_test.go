package imbot_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestAPageThatIsLoadedAgainDoesNotCostTheNewerPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := imbot.NewMemoryStore()
		app := c.app(store)
		installs := 0
		app.OnInstall = func(context.Context, *imbot.Client, imbot.Grant) error { installs++; return nil }
		first, second := c.issue("one.bitrix24.com", 1, appID), c.issue("one.bitrix24.com", 1, appID)
		open := func(pair *cloudToken, more ...string) {
			t.Helper()
			time.Sleep(time.Minute)
			require.Equal(t, 200, answerOf(app.InstallPage(), pair.page(more...)))
		}
		open(first)
		open(first)
		require.Equal(t, 2, installs, "while its pair is in use, loading it again tries again")
		open(second)
		require.Equal(t, second.access, load(t, store).AccessToken)
		open(first)
		open(first, "APPLICATION_TOKEN", "of another installation")
		require.Equal(t, second.access, load(t, store).AccessToken)
		require.Equal(t, "s3cr3t-application", load(t, store).ApplicationToken)

		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.tokens[second.access].expired = true
		require.NoError(t, ping(t.Context(), client))
		renewed := load(t, store)
		c.tokens[second.access].expired = false // some servers let it live on
		open(second)
		require.Equal(t, string(renewed.Encode()), string(load(t, store).Encode()))
		require.Equal(t, 3, installs)

		for range 10 {
			open(c.issue("one.bitrix24.com", 1, appID))
		}
		require.Len(t, load(t, store).Installs, 8*17-1, "not without end")
		require.Equal(t, 13, installs)
	})
}

func TestJunkOnThePageDoesNotKeepEventsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := imbot.NewMemoryStore()
		app := c.app(store)
		page := app.InstallPage()
		codes := make(chan int, 1000)
		for range cap(codes) {
			go func() {
				w := httptest.NewRecorder()
				page.ServeHTTP(w, c.issue("one.bitrix24.com", 1, appID).page("AUTH_ID", "forged"))
				codes <- w.Code
			}()
		}
		time.Sleep(time.Millisecond)
		h, failures, _ := eventsOf(app)
		start := time.Now()
		require.Equal(t, 200, post(t, h, c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL")))
		require.LessOrEqual(t, time.Since(start), 5*time.Second)
		require.Empty(t, *failures)
		count := map[int]int{}
		for range cap(codes) {
			count[<-codes]++
		}
		require.Greater(t, count[503], 900)
		require.Equal(t, 1000, count[503]+count[401])
	})
}
