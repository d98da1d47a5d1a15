package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot/imbottest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/meminbox"
)

// slowServer makes the authorization server take its time for app.info.
type slowServer struct {
	http.RoundTripper
	d time.Duration
}

func (s slowServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/app.info") {
		time.Sleep(s.d)
	}
	return s.RoundTripper.RoundTrip(r)
}

// slow is app with an authorization server that takes d for a check.
func (c *cloud) slow(store imbot.TokenStore, d time.Duration) *imbot.OAuthApp {
	app := c.app(store)
	app.Options = []imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: slowServer{c, d}}), imbot.WithLimiter(nil)}
	return app
}

// journalOf is a handler that notes the texts of the messages it handles.
func journalOf(app *imbot.OAuthApp) (h *imbot.EventHandler, texts *[]string, failures *[]error) {
	h, failures, _ = eventsOf(app)
	texts = new([]string)
	h.Workers = 1
	var mu sync.Mutex
	h.OnMessage = func(_ context.Context, ev *imbot.MessageAddEvent) error {
		mu.Lock()
		defer mu.Unlock()
		*texts = append(*texts, ev.Params.Message)
		return nil
	}
	h.OnError = func(_ context.Context, _ imbot.Event, err error) {
		mu.Lock()
		defer mu.Unlock()
		*failures = append(*failures, err)
	}
	return h, texts, failures
}

// inBothWays runs a test in bubbles, with events that are accepted into memory and into an inbox.
func inBothWays(t *testing.T, test func(t *testing.T, in func() driver.Inbox)) {
	t.Helper()
	for name, kept := range map[string]bool{"in memory": false, "in an inbox": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				test(t, func() driver.Inbox {
					if !kept {
						return nil
					}
					in := meminbox.New().Open()
					t.Cleanup(func() { require.NoError(t, in.Close()) }) // which ends the handler's taker
					return in
				})
			})
		})
	}
}

// unstored leaves out what only an inbox counts.
func unstored(s imbot.EventStats) imbot.EventStats {
	s.Stored = 0
	return s
}

// say is a message of a dialog with an application token.
func (t *cloudToken) say(id int, token, dialog, text string, more ...string) *http.Request {
	return t.event("ONIMBOTMESSAGEADD", append([]string{"auth[application_token]", token, "data[PARAMS][DIALOG_ID]", dialog,
		"data[PARAMS][MESSAGE_ID]", fmt.Sprint(id), "data[PARAMS][MESSAGE]", text}, more...)...)
}

func unpinned(t *testing.T, c *cloud, hosts ...string) imbot.TokenStore {
	t.Helper()
	store := imbot.NewMemoryStore()
	for _, host := range hosts {
		g := c.issue(host, 1, appID).grant()
		g.ApplicationToken = ""
		require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, g))
	}
	return store
}

func TestNoEventIsLostWhileTheApplicationTokenChanges(t *testing.T) {
	t.Parallel()
	const old, fresh = "s3cr3t-application", "s3cr3t-application-2"
	inBothWays(t, func(t *testing.T, in func() driver.Inbox) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		h, texts, failures := journalOf(c.slow(store, time.Second))
		h.Inbox = in()
		pair := c.issue("one.bitrix24.com", 1, appID)

		require.Equal(t, 401, answerOf(h, pair.say(1, fresh, "27", "too early")), "nothing is under way that could make it genuine")
		require.Equal(t, 200, answerOf(h, pair.event("ONAPPUPDATE", "auth[application_token]", fresh)))
		require.Equal(t, 200, answerOf(h, pair.say(2, fresh, "27", "new, before the check is done")))
		require.Equal(t, 200, answerOf(h, pair.say(3, old, "27", "old, sent before")))
		require.Equal(t, 200, answerOf(h, pair.say(4, fresh, "27", "and new again")))
		require.Equal(t, 200, answerOf(h, pair.say(5, old, "28", "of another dialog")))
		synctest.Wait()
		require.ElementsMatch(t, []string{"old, sent before", "of another dialog"}, *texts, "they wait for nothing")
		*texts = nil
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, []string{"new, before the check is done", "and new again"}, *texts)
		require.Equal(t, fresh, load(t, store).ApplicationToken)

		*texts = nil
		require.Equal(t, 200, post(t, h, pair.say(6, old, "27", "old, under way")))
		require.Equal(t, 200, post(t, h, pair.say(12, old, "28", "of before", "auth[client_endpoint]", "https://before.bitrix24.com/rest/")))
		require.Equal(t, "https://one.bitrix24.com/rest/", load(t, store).ClientEndpoint, "an event that is late tells no new address")
		require.Equal(t, 200, post(t, h, pair.say(7, fresh, "27", "new")))
		require.Equal(t, 401, post(t, h, pair.event("ONAPPUNINSTALL", "auth[application_token]", old)), "it may be of the installation before")
		require.Equal(t, 401, post(t, h, pair.say(8, "forged", "27", "forged")))
		require.Equal(t, []string{"old, under way", "of before", "new"}, *texts)

		require.Equal(t, 200, post(t, h, pair.event("ONAPPUPDATE", "auth[application_token]", fresh, "ts", "1696527001")), "the same again")
		require.Equal(t, 200, post(t, h, pair.say(9, old, "27", "still")))
		time.Sleep(10 * time.Minute)
		require.Equal(t, 401, post(t, h, pair.say(10, old, "27", "too late")))
		require.Equal(t, 200, post(t, h, pair.say(11, fresh, "27", "new")))
		require.Empty(t, *failures)
		require.Zero(t, h.Stats().Dropped)
	})
}

func TestEventsRightBehindAnInstallationAreHandled(t *testing.T) {
	t.Parallel()
	inBothWays(t, func(t *testing.T, in func() driver.Inbox) {
		c := newCloud()
		h, texts, failures := journalOf(c.slow(imbot.NewMemoryStore(), time.Second))
		h.Inbox = in()
		pair := c.issue("one.bitrix24.com", 1, appID)
		require.Equal(t, 401, answerOf(h, pair.say(1, "s3cr3t-application", "27", "too early")))
		require.Equal(t, 200, answerOf(h, pair.event("ONAPPINSTALL")))
		require.Equal(t, 200, answerOf(h, pair.say(2, "s3cr3t-application", "27", "hello")))
		require.Equal(t, 200, answerOf(h, pair.say(3, "forged", "27", "forged")))
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, []string{"hello"}, *texts)
		require.Len(t, *failures, 1)
		require.ErrorContains(t, (*failures)[0], "not the stored one")
		require.Equal(t, imbot.EventStats{Accepted: 3, Handled: 2, Failed: 1, Refused: 1}, unstored(h.Stats()))
	})
}

func TestForgeriesBehindACheckAreBounded(t *testing.T) {
	t.Parallel()
	inBothWays(t, func(t *testing.T, in func() driver.Inbox) {
		c := newCloud()
		h, texts, failures := journalOf(c.slow(c.installed(t, "one.bitrix24.com"), time.Second))
		h.Inbox = in()
		pair := c.issue("one.bitrix24.com", 1, appID)
		require.Equal(t, 200, answerOf(h, pair.event("ONAPPUPDATE", "auth[access_token]", "forged", "auth[application_token]", "forged")))
		codes := map[int]int{}
		for i := range 2000 {
			codes[answerOf(h, pair.say(i+1, "forged", "27", "forged"))]++
		}
		require.Equal(t, map[int]int{200: 63, 503: 1937}, codes)
		for i := range 1000 {
			require.Equal(t, 200, answerOf(h, pair.say(5000+i, "s3cr3t-application", fmt.Sprint(27+i%2), "genuine")))
		}
		require.Equal(t, 200, answerOf(h, pair.event("ONAPPUNINSTALL")), "also what takes long is no junk")
		require.NoError(t, h.Idle(t.Context()))
		require.Len(t, *texts, 1000)
		require.Len(t, *failures, 64)
		require.Equal(t, 1, c.asked("oauth.bitrix.info/rest/app.info"))
	})
}

func TestJunkForOnePortalDoesNotStallOthers(t *testing.T) {
	t.Parallel()
	inBothWays(t, func(t *testing.T, in func() driver.Inbox) {
		c := newCloud()
		c.portal("two", "two.bitrix24.com")
		h, texts, failures := journalOf(c.slow(unpinned(t, c, "one.bitrix24.com", "two.bitrix24.com"), 100*time.Millisecond))
		h.Inbox = in()
		h.Workers = 4
		one, two := c.issue("one.bitrix24.com", 5, appID), c.issue("two.bitrix24.com", 5, appID)
		codes := map[int]int{}
		for i := range 1000 {
			codes[answerOf(h, one.say(i+1, fmt.Sprint("forged", i), fmt.Sprint("chat", i), "junk", "auth[access_token]", fmt.Sprint("forged", i)))]++
		}
		require.Equal(t, map[int]int{200: 64, 503: 936}, codes)
		for i := range 10 {
			require.Equal(t, 200, answerOf(h, two.say(i+1, "s3cr3t-two", "27", fmt.Sprint(i))))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, *texts, "in order, though only the first was checked")
		require.NoError(t, h.Idle(t.Context()))
		require.Len(t, *failures, 64)
		require.Equal(t, 65, c.asked("oauth.bitrix.info/rest/app.info"))
	})
}

func TestChecksHoldNoWorkerOfTheBot(t *testing.T) {
	t.Parallel()
	inBothWays(t, func(t *testing.T, in func() driver.Inbox) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		for i := range 100 {
			host := fmt.Sprintf("p%d.bitrix24.com", i)
			c.portal(fmt.Sprint("member", i), host)
			g := c.issue(host, 1, appID).grant()
			g.ApplicationToken = ""
			require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, g))
		}
		h, texts, _ := journalOf(c.slow(store, time.Minute))
		h.Inbox = in()
		for i := range 100 {
			require.Equal(t, 200, answerOf(h, c.issue(fmt.Sprintf("p%d.bitrix24.com", i), 5, appID).say(1, "s3cr3t-other", "27", "")))
		}
		require.Equal(t, 200, answerOf(h, c.issue("one.bitrix24.com", 5, appID).say(1, "s3cr3t-application", "27", "hello")))
		synctest.Wait()
		require.Equal(t, []string{"hello"}, *texts)
		if h.Inbox == nil {
			require.EqualValues(t, 92, h.Stats().Queued, "eight are being checked")
		}
		require.NoError(t, h.Shutdown(t.Context()), "it drains both")
		if h.Inbox == nil { // else others go on
			require.Equal(t, h.Stats().Accepted, h.Stats().Handled+h.Stats().Failed)
		}
		require.Equal(t, 503, answerOf(h, c.issue("one.bitrix24.com", 5, appID).say(2, "s3cr3t-application", "27", "late")))
	})
}

func TestShutdownGivesUpChecksWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		h, texts, failures := journalOf(c.slow(unpinned(t, c, "one.bitrix24.com"), time.Hour))
		for i := range 3 {
			require.Equal(t, 200, answerOf(h, c.issue("one.bitrix24.com", 5, appID).say(i+1, "s3cr3t-application", "27", "")))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorContains(t, h.Shutdown(ctx), "2 events were dropped, 1 interrupted")
		require.NoError(t, h.Idle(t.Context()))
		require.Empty(t, *texts)
		require.Len(t, *failures, 1)
	})
}

// lateStore takes a minute to store.
type lateStore struct{ imbot.TokenStore }

func (s lateStore) Swap(ctx context.Context, old, new imbot.Grant) error {
	time.Sleep(time.Minute)
	return s.TokenStore.Swap(ctx, old, new)
}

func TestARenamedPortalTakesAThousandEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		acting := c.issue("one.bitrix24.com", 5, appID)
		release := make(chan struct{})
		handled := 0
		h := &imbot.EventHandler{
			Verifier: c.app(lateStore{store}).Verifier(), Workers: 1, Logger: slog.New(slog.DiscardHandler),
			OnMessage: func(context.Context, *imbot.MessageAddEvent) error { <-release; handled++; return nil },
		}
		start := time.Now()
		for i := range 1000 {
			require.Equal(t, 200, answerOf(h, acting.say(i+1, "s3cr3t-application", fmt.Sprint("chat", i%7), "", "auth[client_endpoint]", "https://two.bitrix24.com/rest/")))
		}
		require.Zero(t, time.Since(start))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, "https://two.bitrix24.com/rest/", load(t, store).ClientEndpoint, "it does not wait for the bot")
		close(release)
		require.NoError(t, h.Shutdown(t.Context()))
		require.Equal(t, 1000, handled)
	})
}

func TestAForgeryDoesNotHoldUpTheDialogThatItNames(t *testing.T) {
	t.Parallel()
	inBothWays(t, func(t *testing.T, in func() driver.Inbox) {
		c := newCloud()
		h, texts, _ := journalOf(c.slow(c.installed(t, "one.bitrix24.com"), 30*time.Second))
		h.Inbox = in()
		pair := c.issue("one.bitrix24.com", 1, appID)
		forged := []string{"auth[access_token]", "forged", "auth[application_token]", "forged", "data[PARAMS][DIALOG_ID]", "27"}
		require.Equal(t, 200, answerOf(h, pair.event("ONAPPINSTALL", forged...)))
		require.Equal(t, 200, answerOf(h, pair.say(1, "forged", "27", "forged")))
		require.Equal(t, 200, answerOf(h, pair.say(2, "s3cr3t-application", "27", "hello")))
		synctest.Wait()
		require.Equal(t, []string{"hello"}, *texts)
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, []string{"hello"}, *texts)
	})
}

func TestJunkHoldsLittleMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		h, _, failures := journalOf(c.slow(imbot.NewMemoryStore(), time.Second))
		pair := c.issue("one.bitrix24.com", 1, appID)
		junk := func(i int) *http.Request {
			return pair.event("ONAPPINSTALL", "auth[access_token]", "forged", "auth[member_id]", fmt.Sprint("member", i), "junk", strings.Repeat("x", 3<<20))
		}
		codes := map[int]int{}
		for i := range 5 {
			codes[answerOf(h, junk(i))]++
		}
		require.Equal(t, map[int]int{200: 2, 503: 3}, codes)
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, 200, post(t, h, junk(5)), "what has been checked holds none")
		require.Len(t, *failures, 3)
		require.Equal(t, int64(3), h.Stats().Dropped)
	})
}

func TestAnUninstallationProvesNothingBeforeTheApplicationTokenIsKnown(t *testing.T) {
	t.Parallel()
	c := newCloud()
	store := imbot.NewMemoryStore()
	g := c.issue("one.bitrix24.com", 1, appID).grant()
	g.ApplicationToken = ""
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, g))
	app := c.app(store)
	app.OnUninstall = func(context.Context, imbot.Grant) error { t.Error("OnUninstall"); return nil }
	h, _, seen := eventsOf(app)
	visitor := c.issue("one.bitrix24.com", 5, appID)
	for _, token := range []string{"made up", ""} {
		require.Equal(t, 401, post(t, h, visitor.event("ONAPPUNINSTALL", "auth[application_token]", token)))
	}
	require.Empty(t, *seen)
	require.Equal(t, string(g.Encode()), string(load(t, store).Encode()))
	require.Empty(t, c.requests)
}

func TestEventsNeverReplaceTheInstallersGrant(t *testing.T) {
	t.Parallel()
	c := newCloud()
	store := c.installed(t, "one.bitrix24.com")
	before := load(t, store)
	app := c.app(store)
	h, failures, seen := eventsOf(app)
	acting := c.issue("one.bitrix24.com", 5, appID)
	require.Equal(t, 200, post(t, h, acting.event("ONIMBOTMESSAGEADD")))
	require.Empty(t, *failures)
	require.Equal(t, []string{"ONIMBOTMESSAGEADD"}, *seen)
	require.Equal(t, string(before.Encode()), string(load(t, store).Encode()))
	require.Empty(t, c.requests, "a known application token is enough")

	ev, err := imbot.ParseEvent(acting.event("ONIMBOTMESSAGEADD", "data[BOT][39][BOT_ID]", "39"), app.Verifier())
	require.NoError(t, err)
	client, err := app.ForEvent(t.Context(), ev)
	require.NoError(t, err)
	c.expire()
	require.NoError(t, ping(t.Context(), client), "the stored grant is used, and renewed")
	require.EqualValues(t, 1, load(t, store).UserID)
}

func TestInstallsAreAnsweredAtOnceAndCheckedAtABoundedRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		app := c.app(store)
		h, _, _ := eventsOf(app)
		var handled atomic.Int32
		h.OnMessage = func(context.Context, *imbot.MessageAddEvent) error { handled.Add(1); return nil }
		h.OnError = func(context.Context, imbot.Event, error) {}
		pair := c.issue("one.bitrix24.com", 1, appID)
		start := time.Now()
		codes := map[int]int{}
		for i := range 2000 {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, pair.event("ONAPPINSTALL", "auth[access_token]", "forged", "auth[application_token]", "forged", "auth[member_id]", fmt.Sprint(i%100)))
			codes[w.Code]++
		}
		require.InDelta(t, 512, codes[200], 24, "half of the queue, what was checked meanwhile, and no more")
		require.Equal(t, 2000, codes[200]+codes[503])
		w := httptest.NewRecorder()
		h.ServeHTTP(w, pair.event("ONIMBOTMESSAGEADD"))
		require.Equal(t, 200, w.Code)
		synctest.Wait()
		require.Zero(t, time.Since(start), "nobody has waited")
		require.EqualValues(t, 1, handled.Load(), "forgeries do not keep the bot from its work")
		time.Sleep(5 * time.Second)
		require.LessOrEqual(t, c.asked("oauth.bitrix.info/rest/app.info"), 20+5*10+1)
		require.NoError(t, h.Idle(t.Context()))
	})
}

func TestAStoreThatFailsIsNotAForgery(t *testing.T) {
	t.Parallel()
	c := newCloud()
	down := errors.New("down")
	store := &brokenStore{TokenStore: c.installed(t, "one.bitrix24.com"), load: func() error { return down }}
	h, _, seen := eventsOf(c.app(store))
	require.Equal(t, 503, post(t, h, c.issue("one.bitrix24.com", 1, appID).event("ONIMBOTMESSAGEADD")))
	require.Empty(t, *seen)
}

// The portal posts an event once, and nobody knows how long it waits.
func TestAnEventCountsWhenThePortalHasHungUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, application, app, h := appOn(t)
		require.NoError(t, application.Install(t.Context(), handlerURL))
		settle(t, portal, h)
		client := memberOf(t, portal, app, application)
		portal.Fail("ONIMBOTMESSAGEADD", imbottest.Fault{Cut: imbottest.AfterRun})
		talk(t, portal, client)
		require.Zero(t, h.Stats().Refused)
	})
}

func TestAStoreThatHangsDoesNotHoldEventsForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		app := newCloud().app(hangingStore{imbot.NewMemoryStore()})
		h := &imbot.EventHandler{Verifier: app.Verifier(), Logger: slog.New(slog.DiscardHandler)}
		start := time.Now()
		event := formPost(handlerURL, url.Values{"event": {"ONIMBOTDELETE"}, "ts": {"1"}, "auth[member_id]": {memberOne}, "auth[application_token]": {"x"}})
		require.Equal(t, http.StatusServiceUnavailable, post(t, h, event))
		require.Equal(t, 5*time.Second, time.Since(start))
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func TestABodyThatComesSlowlyLeavesTheStoreItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := imbot.NewFileStore(privateDir(t))
		require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, load(t, c.installed(t, "one.bitrix24.com"))))
		h, _, _ := eventsOf(c.app(store))
		event := c.issue("one.bitrix24.com", 1, appID).event("ONIMBOTDELETE")
		body, slow := io.Pipe()
		whole := event.Body
		event.Body = body
		go func() {
			time.Sleep(20 * time.Second)
			_, err := io.Copy(slow, whole)
			_ = slow.CloseWithError(err)
		}()
		require.Equal(t, http.StatusOK, post(t, h, event))
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

type hangingStore struct{ imbot.TokenStore }

func (hangingStore) Load(ctx context.Context, _ string) (imbot.Grant, error) {
	<-ctx.Done()
	return imbot.Grant{}, ctx.Err()
}
