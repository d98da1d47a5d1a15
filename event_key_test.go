package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

// bodies of events as two deliveries or two events may differ.
func dedupMessage(bots, message, more string) string {
	return "event=ONIMBOTMESSAGEADD&ts=100&auth[member_id]=m&data[PARAMS][DIALOG_ID]=27&data[PARAMS][MESSAGE_ID]=" + message + bots + more
}

func dedupV2(bot, message, more string) string {
	return "event=ONIMBOTV2MESSAGEADD&auth[member_id]=m&data[chat][dialogId]=27&data[bot][id]=" + bot + "&data[message][id]=" + message + more
}

func dedupPress(user, ts, more string) string {
	return "event=ONIMCOMMANDADD&ts=" + ts + "&auth[member_id]=m&data[COMMAND][11][COMMAND]=order&data[COMMAND][11][COMMAND_CONTEXT]=KEYBOARD&data[COMMAND][11][MESSAGE_ID]=900" +
		"&data[PARAMS][DIALOG_ID]=chat5&data[PARAMS][FROM_USER_ID]=" + user + "&data[USER][ID]=" + user + more
}

func dedupEdit(ts, text string) string {
	return "event=ONIMBOTMESSAGEUPDATE&ts=" + ts + "&auth[member_id]=m&data[PARAMS][DIALOG_ID]=27&data[PARAMS][MESSAGE_ID]=900&data[PARAMS][MESSAGE]=" + text
}

func TestADeliveryIsHandledOnce(t *testing.T) {
	t.Parallel()
	const one, two = "&data[BOT][567][BOT_ID]=567", "&data[BOT][571][BOT_ID]=571"
	rows := map[string]struct {
		first, second string
		same          bool
	}{
		"the same message":                       {dedupMessage(one, "5", ""), dedupMessage(one, "5", ""), true},
		"a message at another time":              {dedupMessage(one, "5", ""), dedupMessage(one, "5", "&ts=101"), true},
		"a message with other tokens":            {dedupMessage(one, "5", "&auth[access_token]=a&data[BOT][567][access_token]=a"), dedupMessage(one, "5", "&auth[access_token]=b"), true},
		"a message from another binding":         {dedupMessage(one, "5", "&event_handler_id=1"), dedupMessage(one, "5", "&event_handler_id=2"), true},
		"a message with its bots in other order": {dedupMessage(one+two, "5", ""), dedupMessage(two+one, "5", ""), true},
		"a message for another bot":              {dedupMessage(one, "5", ""), dedupMessage(two, "5", ""), false},
		"a message for one bot more":             {dedupMessage(one, "5", ""), dedupMessage(one+two, "5", ""), false},
		"another message":                        {dedupMessage(one, "5", ""), dedupMessage(one, "6", ""), false},
		"a message of another portal":            {dedupMessage(one, "5", ""), dedupMessage(one, "5", "&auth[member_id]=n"), false},
		"of the second generation":               {dedupV2("456", "5", "&ts=100"), dedupV2("456", "5", "&ts=101"), true},
		"of the second, for another bot":         {dedupV2("456", "5", "&ts=100"), dedupV2("457", "5", "&ts=100"), false},
		"of the second, another message":         {dedupV2("456", "5", "&ts=100"), dedupV2("456", "6", "&ts=100"), false},
		"two messages without an id":             {dedupMessage(one, "0", ""), dedupMessage(one, "0", "&ts=101"), false},
		"one button, the same press":             {dedupPress("27", "100", ""), dedupPress("27", "100", ""), true},
		"the same press with other tokens": {
			dedupPress("27", "100", "&data[COMMAND][11][access_token]=a&data[COMMAND][11][AUTH][access_token]=a&data[COMMAND][11][expires]=1&auth[access_token]=a"),
			dedupPress("27", "100", "&data[COMMAND][11][access_token]=b&data[COMMAND][11][AUTH][access_token]=b&auth[access_token]=b"), true,
		},
		"one button, two people":                 {dedupPress("27", "100", ""), dedupPress("28", "100", ""), false},
		"one button, one person, twice":          {dedupPress("27", "100", ""), dedupPress("27", "101", ""), false},
		"one message, the same edit":             {dedupEdit("100", "a"), dedupEdit("100", "a"), true},
		"one message, two edits":                 {dedupEdit("100", "a"), dedupEdit("101", "b"), false},
		"one message, two edits in a second":     {dedupEdit("100", "a"), dedupEdit("100", "b"), false},
		"an edit and its way back":               {dedupEdit("100", "a"), dedupEdit("102", "a"), false},
		"keys in another order":                  {"event=X&ts=1&data[A][B]=1&data[A][C]=2", "event=X&ts=1&data[A][C]=2&data[A][B]=1", true},
		"a text and a map":                       {"event=X&ts=1&data[A]=1", "event=X&ts=1&data[A][1]=", false},
		"keys that run into their values":        {"event=X&ts=1&data[AB]=C", "event=X&ts=1&data[A]=BC", false},
		"no time that tells deliveries apart":    {"event=X&data[A]=1", "event=X&data[A]=1", false},
		"another event with the same data":       {"event=X&ts=1&data[A]=1", "event=Y&ts=1&data[A]=1", false},
		"an event without data, another portal":  {"event=X&ts=1&auth[member_id]=m", "event=X&ts=1&auth[member_id]=n", false},
		"a bot's block that is no map":           {"event=X&ts=1&data[BOT]=1", "event=X&ts=1&data[BOT]=2", false},
		"the same bot deleted, and another one":  {deleteEvent + "&ts=1", "event=ONIMBOTDELETE&ts=1&data[BOT_ID]=568", false},
		"the same bot deleted, delivered twice":  {deleteEvent + "&ts=1", deleteEvent + "&ts=1", true},
		"a bot joins two chats":                  {joinEvent + "&ts=1", joinEvent + "&ts=1&data[PARAMS][CHAT_ID]=6", false},
		"a bot joins a chat, delivered twice":    {joinEvent + "&ts=1", joinEvent + "&ts=1", true},
		"an edit with other tokens in it":        {dedupEdit("100", "a&data[auth][x]=1&data[PARAMS][A][Access_Token]=a"), dedupEdit("100", "a&data[auth][x]=2&data[auth][y]=2&data[PARAMS][A][Access_Token]=b&data[PARAMS][A][REFRESH_TOKEN]=b&data[application_token]=b"), true},
		"an edit with another signed address":    {dedupEdit("100", "a&data[PARAMS][FILES][1][urlDownload]=https://p/1?auth%3Da"), dedupEdit("100", "a&data[PARAMS][FILES][1][urlDownload]=https://p/1?auth%3Db"), true},
		"an edit with another address":           {dedupEdit("100", "a&data[PARAMS][FILES][1][urlDownload]=https://p/1?a"), dedupEdit("100", "a&data[PARAMS][FILES][1][urlDownload]=https://p/2?a"), false},
		"an edit with other signed addresses":    {dedupEdit("100", "a&data[PARAMS][urls][0]=https://p/1?auth%3Da&data[PARAMS][urls][x][y]=https://p/1?a"), dedupEdit("100", "a&data[PARAMS][urls][0]=https://p/1?auth%3Db&data[PARAMS][urls][x][y]=https://p/1?b"), true},
		"an edit with other addresses in a list": {dedupEdit("100", "a&data[PARAMS][urls][0]=https://p/1?a"), dedupEdit("100", "a&data[PARAMS][urls][0]=https://p/2?a"), false},
		"one person, twice in a second":          {dedupPress("27", "100", ""), dedupPress("27", "100", "&event_handler_id=7"), true}, // nothing on the wire tells it from a delivery
		"a question mark in another field":       {dedupEdit("100", "a?b"), dedupEdit("100", "a?c"), false},
		"form and JSON are the same message":     {dedupMessage(one, "5", ""), `{"event":"ONIMBOTMESSAGEADD","auth":{"member_id":"m"},"data":{"BOT":[{"BOT_ID":567}],"PARAMS":{"MESSAGE_ID":5}}}`, true},
		"an installation, delivered twice":       {"event=ONAPPINSTALL&ts=1&auth[application_token]=a&auth[access_token]=a", "event=ONAPPINSTALL&ts=1&auth[application_token]=a&auth[access_token]=b", true},
		"two installations in a second":          {"event=ONAPPINSTALL&ts=1&auth[application_token]=a", "event=ONAPPINSTALL&ts=1&auth[application_token]=b", false},
		"an event while the token changes":       {"event=X&ts=1&auth[application_token]=a", "event=X&ts=1&auth[application_token]=b", true},
		"the members of a portal and its events": {"event=AB&ts=1&auth[member_id]=C", "event=B&ts=1&auth[member_id]=CA", false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &imbot.EventHandler{Verifier: trustAll{}}
				for _, body := range []string{row.first, row.second} {
					require.Equal(t, http.StatusOK, deliver(h, body))
				}
				require.NoError(t, h.Idle(t.Context()))
				want := imbot.EventStats{Accepted: 2, Handled: 2}
				if row.same {
					want.Handled, want.Duplicate = 1, 1
				}
				require.Equal(t, want, h.Stats())
			})
		})
	}
}

func TestAnEventThatWasRefusedMayComeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := &imbot.EventHandler{
			Verifier: trustAll{}, Workers: 1, Queue: 1, Logger: slog.New(slog.DiscardHandler),
			OnMessage: func(context.Context, *imbot.MessageAddEvent) error { <-release; return nil },
		}
		for _, message := range []string{"1", "2"} {
			require.Equal(t, http.StatusOK, deliver(h, dedupMessage("", message, "")))
		}
		require.Equal(t, http.StatusServiceUnavailable, deliver(h, dedupMessage("", "3", "")))
		require.Equal(t, http.StatusServiceUnavailable, deliver(h, dedupMessage("", "3", "")))
		close(release)
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, http.StatusOK, deliver(h, dedupMessage("", "3", "")))
		require.Equal(t, http.StatusOK, deliver(h, dedupMessage("", "3", "")))
		require.NoError(t, h.Shutdown(t.Context()))
		require.Equal(t, imbot.EventStats{Accepted: 4, Handled: 3, Duplicate: 1, Dropped: 2}, h.Stats())
		require.Equal(t, http.StatusOK, deliver(h, dedupMessage("", "1", "")), "it was handled, so nothing is lost")
	})
}

// slowClaims give others the time to ask, too, before they answer.
type slowClaims struct{ driver.Claims }

func (c slowClaims) Claim(ctx context.Context, key string) (bool, error) {
	for range 1000 {
		runtime.Gosched()
	}
	return c.Claims.Claim(ctx, key)
}

func TestDeliveriesAtTheSameTimeAreHandledOnce(t *testing.T) {
	t.Parallel()
	h := &imbot.EventHandler{Verifier: trustAll{}, Claims: slowClaims{imbot.NewClaims(10)}}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { _ = deliver(h, dedupMessage("", "1", "")) })
	}
	wg.Wait()
	require.NoError(t, h.Shutdown(t.Context()))
	require.Equal(t, imbot.EventStats{Accepted: 50, Handled: 1, Duplicate: 49}, h.Stats())
}

// Two programs get every event of a portal.
func TestEachEventIsHandledByOneOfTheProgramsThatShareClaims(t *testing.T) {
	t.Parallel()
	claims := imbot.NewClaims(1000)
	one, two := &imbot.EventHandler{Verifier: trustAll{}, Claims: claims}, &imbot.EventHandler{Verifier: trustAll{}, Claims: claims}
	var wg sync.WaitGroup
	for i := range 100 {
		for _, h := range []*imbot.EventHandler{one, two} {
			wg.Go(func() { _ = deliver(h, dedupMessage("", fmt.Sprint(i+1), "")) })
		}
	}
	wg.Wait()
	require.NoError(t, one.Shutdown(t.Context()))
	require.NoError(t, two.Shutdown(t.Context()))
	a, b := one.Stats(), two.Stats()
	require.EqualValues(t, 100, a.Handled+b.Handled)
	require.EqualValues(t, 100, a.Duplicate+b.Duplicate)
}

// noteClaims fail, and note what they are asked.
type noteClaims struct {
	fail    func(ctx context.Context) error
	claimed []string
}

func (c *noteClaims) Claim(ctx context.Context, key string) (bool, error) {
	c.claimed = append(c.claimed, key)
	return true, c.fail(ctx)
}

func (c *noteClaims) Release(context.Context, string) error { return nil }

func TestClaimsThatFailLetEventsThrough(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(context.Context) error{
		"they fail": func(context.Context) error { return errors.New("down") },
		"they hang": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				claims := &noteClaims{fail: fail}
				h := &imbot.EventHandler{Verifier: trustAll{}, Claims: claims, Logger: slog.New(slog.DiscardHandler)}
				start := time.Now()
				for range 2 {
					require.Equal(t, http.StatusOK, deliver(h, dedupMessage("", "1", "")))
				}
				require.LessOrEqual(t, time.Since(start), 250*time.Millisecond, "the portal waits")
				require.NoError(t, h.Shutdown(t.Context()))
				require.Equal(t, imbot.EventStats{Accepted: 2, Handled: 1, Duplicate: 1}, h.Stats(), "the handler itself knows it")
				require.Len(t, claims.claimed, 1)
				require.Regexp(t, "^[0-9a-f]{64}$", claims.claimed[0])
			})
		})
	}
}

func TestAnEventIsClaimedAlthoughItsSenderHasHungUp(t *testing.T) {
	t.Parallel()
	claims := &noteClaims{fail: func(ctx context.Context) error { return ctx.Err() }}
	var log strings.Builder
	h := &imbot.EventHandler{Verifier: trustAll{}, Claims: claims, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(dedupMessage("", "1", ""))))
	require.NoError(t, h.Shutdown(t.Context()))
	require.Len(t, claims.claimed, 1)
	require.Empty(t, log.String(), "it was not refused")
}

func TestAForgedInstallationDoesNotSuppressTheGenuineOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		h := &imbot.EventHandler{Verifier: c.app(imbot.NewMemoryStore()).Verifier(), OnError: func(context.Context, imbot.Event, error) {}}
		genuine := c.issue("one.bitrix24.com", 1, appID)
		for _, token := range []*cloudToken{c.issue("one.bitrix24.com", 1, "of-another-application"), genuine, genuine} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, token.event("ONAPPINSTALL"))
			require.Equal(t, http.StatusOK, w.Code)
			require.NoError(t, h.Idle(t.Context()))
		}
		require.Equal(t, imbot.EventStats{Accepted: 3, Failed: 1, Handled: 1, Duplicate: 1}, h.Stats())
	})
}
