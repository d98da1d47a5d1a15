package imbotv2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// A hearer notes what its callbacks hear.
type hearer struct {
	EventHandler

	mu    sync.Mutex
	texts []string
	log   bytes.Buffer
}

func newHearer() *hearer {
	h := new(hearer)
	h.Logger = slog.New(slog.NewTextHandler(h, nil))
	h.OnMessage = func(_ context.Context, ev *MessageAddEvent) error { h.note(ev.Message.Text); return nil }
	h.OnBotDelete = func(_ context.Context, ev *BotDeleteEvent) error {
		h.note(fmt.Sprint("deleted ", ev.Bot.ID))
		return nil
	}
	h.OnEvent = func(_ context.Context, ev imbot.Event) error { h.note(strings.ToLower(ev.Meta().Name)); return nil }
	return h
}

func (h *hearer) note(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.texts = append(h.texts, text)
}

// Write implements [io.Writer] for the log.
func (h *hearer) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(p)
}

func (h *hearer) logged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

func (h *hearer) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	texts := slices.Clone(h.texts)
	slices.Sort(texts)
	return texts
}

// running runs a Poller until the test ends, or stop is called.
func running(t *testing.T, p *Poller) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = stop() })
	return stop
}

func TestBotsWithTokensOfTheirOwnTravelTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		portal.tokens = map[string]string{"7": "token-of-7", "8": "token-of-8", "9": "token-of-9"}
		first := portal.client(t, "token-of-7")
		p := &Poller{Handler: &h.EventHandler, Clients: []*Client{
			first.WithBot(7), first.WithBot(8).WithBotToken("token-of-8"), portal.client(t, "token-of-9").WithBot(9),
		}}
		portal.say("7", "1", "to seven")
		portal.say("8", "1", "to eight")
		portal.say("9", "1", "to nine")
		stop := running(t, p)
		time.Sleep(10 * time.Second)
		require.Equal(t, []string{"to eight", "to nine", "to seven"}, h.heard())
		for _, request := range portal.asked() {
			require.Equal(t, "batch of 3", request)
		}
		require.NoError(t, stop())
		require.Zero(t, portal.left("7")+portal.left("8")+portal.left("9"), "all are acknowledged")
		stats := p.Stats()
		require.Equal(t, 3, stats.Events)
		require.Equal(t, 3*stats.Requests, stats.Polls)
		require.NotContains(t, h.logged(), "token-of")
	})
}

func TestABotIsPolledOnceInAProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		c := portal.client(t, "token").WithBot(7)
		stop := running(t, &Poller{Handler: &h.EventHandler, Clients: []*Client{c}})
		synctest.Wait()
		err := Poll(t.Context(), &h.EventHandler, portal.client(t, "token").WithBot(7))
		require.ErrorIs(t, err, imbot.ErrConflict)
		require.ErrorContains(t, err, "bot 7 of ")
		require.NoError(t, stop())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, Poll(ctx, &h.EventHandler, c), "now it is free")
	})
}

func TestPollIsRefusedWithout(t *testing.T) {
	t.Parallel()
	portal, h := newOddPortal(), newHearer()
	c := portal.client(t, "token")
	for name, p := range map[string]*Poller{
		"Poller.Handler":                {Clients: []*Client{c.WithBot(7)}},
		"Client.WithBot":                {Handler: &h.EventHandler, Clients: []*Client{c}},
		"a client without":              {Handler: &h.EventHandler, Clients: []*Client{nil}},
		"Poller.Warm":                   {Handler: &h.EventHandler, Clients: []*Client{c.WithBot(7)}, Warm: time.Millisecond},
		"Poller.Idle are one second at": {Handler: &h.EventHandler, Clients: []*Client{c.WithBot(7)}, Idle: -time.Second},
		"Poller.MaxAge":                 {Handler: &h.EventHandler, Clients: []*Client{c.WithBot(7)}, MaxAge: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := p.Run(t.Context())
			require.ErrorIs(t, err, imbot.ErrInvalid)
			require.ErrorContains(t, err, name)
		})
	}
	require.ErrorIs(t, Poll(t.Context(), &h.EventHandler), imbot.ErrInvalid)
	require.Empty(t, portal.asked())
}

// One handler may hear of bots on many portals.
func TestTheEventOfADeletedBotTellsItsPortal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, gone := newOddPortal(), make(chan *BotDeleteEvent, 1)
		h := newHearer()
		h.OnBotDelete = func(_ context.Context, ev *BotDeleteEvent) error { gone <- ev; return nil }
		done := make(chan error, 1)
		client := portal.client(t, "token").WithBot(7)
		go func() { done <- Poll(t.Context(), &h.EventHandler, client) }()
		time.Sleep(time.Minute)
		portal.mu.Lock()
		portal.refuse = func(string, bool) (string, string) { return string(ErrBotNotFound), "gone" }
		portal.mu.Unlock()
		require.ErrorIs(t, <-done, ErrBotNotFound)
		ev := <-gone
		require.Equal(t, client.Base().Portal(), ev.MemberID())
		require.Equal(t, imbot.ID(7), ev.ForBot())
	})
}

func TestAddTakesNoClientWithoutABot(t *testing.T) {
	t.Parallel()
	p := &Poller{Handler: new(EventHandler)}
	for name, c := range map[string]*Client{"nil": nil, "zero": {}, "without a bot": newOddPortal().client(t, "token")} {
		require.ErrorIs(t, p.Add(c), imbot.ErrInvalid, name)
	}
	require.ErrorIs(t, p.Remove(1), imbot.ErrNotFound)
}

// A program may be stopped before it has begun to poll.
func TestPollEndsWithoutAnErrorWhenItsContextHas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := newOddPortal()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, Poll(ctx, &newHearer().EventHandler, portal.client(t, "token").WithBot(1)))
		require.NoError(t, Poll(ctx, &newHearer().EventHandler, portal.client(t, "token").WithBot(1)), "the bot is free again")
		p := &Poller{Handler: &newHearer().EventHandler, Clients: []*Client{portal.client(t, "token").WithBot(1)}, Leader: imbot.FileLeader(t.TempDir())}
		require.NoError(t, p.Run(ctx))
		require.Empty(t, portal.asked())
	})
}

func TestWhatEndsTheQueueOfABot(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		code  string
		want  error
		after time.Duration // good polls go before
		heard []string
	}{
		"a bot that is gone":             {"BOT_NOT_FOUND", ErrBotNotFound, time.Minute, []string{"deleted 7"}},
		"a bot that never was":           {"BOT_NOT_FOUND", ErrBotNotFound, 0, nil},
		"a foreign bot":                  {"BOT_OWNERSHIP_ERROR", ErrBotOwnership, time.Minute, nil},
		"no token":                       {"BOT_TOKEN_NOT_SPECIFIED", ErrBotTokenNotSpecified, 0, nil},
		"no scope":                       {"insufficient_scope", imbot.ErrInsufficientScope, 0, nil},
		"a webhook that was deleted":     {"INVALID_CREDENTIALS", imbot.ErrInvalidCredentials, time.Minute, nil},
		"an application that is gone":    {"APPLICATION_NOT_FOUND", imbot.ErrApplicationNotFound, 0, nil},
		"a portal before generation two": {"ERROR_METHOD_NOT_FOUND", imbot.ErrMethodNotFound, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				portal, h := newOddPortal(), newHearer()
				start := time.Now()
				portal.refuse = func(string, bool) (string, string) {
					if time.Since(start) < row.after {
						return "", ""
					}
					return row.code, "says the portal"
				}
				err := Poll(t.Context(), &h.EventHandler, portal.client(t, "token").WithBot(7))
				require.ErrorIs(t, err, row.want)
				require.ErrorContains(t, err, "bot 7 of ")
				require.LessOrEqual(t, time.Since(start), row.after+6*time.Second)
				require.Equal(t, row.heard, h.heard())
			})
		})
	}
}

func TestWhatIsWaitedOut(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"QUERY_LIMIT_EXCEEDED", "INTERNAL_SERVER_ERROR", "OVERLOAD_LIMIT", "ERROR_CORE", "PORTAL_DELETED", "PAYMENT_REQUIRED", "NO_AUTH_FOUND", "METHOD_CONFIRM_WAITING", "SOMETHING_NEW", ""} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				portal, h := newOddPortal(), newHearer()
				start := time.Now()
				portal.refuse = func(string, bool) (string, string) {
					if time.Since(start) < 5*time.Minute {
						return code, "not now"
					}
					return "", ""
				}
				portal.say("7", "1", "hello")
				stop := running(t, &Poller{Handler: &h.EventHandler, Clients: []*Client{portal.client(t, "token").WithBot(7)}})
				time.Sleep(8 * time.Minute)
				require.Equal(t, []string{"hello"}, h.heard())
				require.NoError(t, stop())
			})
		})
	}
}

// The core may give the code of another command's error in a batch, so nothing is believed
// of a batch that would end a bot.
func TestAHintInABatchEndsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		portal.refuse = func(bot string, batch bool) (string, string) {
			if batch && bot == "8" {
				return "BOT_NOT_FOUND", "of somebody else"
			}
			return "", ""
		}
		c := portal.client(t, "token")
		stop := running(t, &Poller{Handler: &h.EventHandler, Clients: []*Client{c.WithBot(7), c.WithBot(8)}})
		time.Sleep(time.Minute)
		portal.say("8", "1", "alive")
		time.Sleep(6 * time.Second)
		require.Equal(t, []string{"alive"}, h.heard())
		require.NoError(t, stop())
	})
}

// Nor of an automatic one, which carries other calls, too.
func TestAHintInAnAutomaticBatchEndsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		hints := 0
		portal.refuse = func(bot string, batch bool) (string, string) {
			if batch && bot == "7" {
				hints++
				return "BOT_NOT_FOUND", "of somebody else"
			}
			return "", ""
		}
		hook := imbot.Webhook{URL: "https://" + portal.name + ".test/rest/1/secret0/", BotToken: "token"}
		c, err := NewClient(hook, append(portal.options(), imbot.WithAutoBatch())...)
		require.NoError(t, err)
		stop := running(t, &Poller{Handler: &h.EventHandler, Clients: []*Client{c.WithBot(7)}})
		busy, end := context.WithTimeout(imbot.WithClass(t.Context(), imbot.ClassAnswer), time.Minute)
		defer end()
		for range 20 {
			go func() {
				for busy.Err() == nil {
					_, _ = c.Event.Get(busy, EventGetRequest{BotID: 8})
				}
			}()
		}
		<-busy.Done()
		require.Positive(t, hints)
		portal.say("7", "1", "alive")
		time.Sleep(time.Minute)
		require.Equal(t, []string{"alive"}, h.heard())
		require.NoError(t, stop())
	})
}

// A bot that is really gone ends at once, however busy the client is.
func TestARefusalInAnAutomaticBatchEndsABotThatIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		start, inBatch := time.Now(), false
		portal.refuse = func(bot string, batch bool) (string, string) {
			if gone := time.Since(start) > time.Minute; !gone || bot != "7" {
				return "", ""
			}
			inBatch = inBatch || batch
			return "BOT_NOT_FOUND", "says the portal"
		}
		hook := imbot.Webhook{URL: "https://" + portal.name + ".test/rest/1/secret0/", BotToken: "token"}
		c, err := NewClient(hook, append(portal.options(), imbot.WithAutoBatch())...)
		require.NoError(t, err)
		busy, end := context.WithCancel(imbot.WithClass(t.Context(), imbot.ClassAnswer))
		defer end()
		for range 20 {
			go func() {
				for busy.Err() == nil {
					_, _ = c.Event.Get(busy, EventGetRequest{BotID: 8})
				}
			}()
		}
		require.ErrorIs(t, Poll(t.Context(), &h.EventHandler, c.WithBot(7)), ErrBotNotFound)
		require.True(t, inBatch)
		require.LessOrEqual(t, time.Since(start), 75*time.Second)
	})
}

func TestAPortalThatTakesNoPollsInABatch(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		code  string
		known bool // by other calls, which have met it
	}{
		"because it is not found there": {"ERROR_METHOD_NOT_FOUND", false},
		"because it is not allowed":     {"ERROR_BATCH_METHOD_NOT_ALLOWED", false},
		"which is known":                {"ERROR_BATCH_METHOD_NOT_ALLOWED", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				portal, h := newOddPortal(), newHearer()
				portal.refuse = func(_ string, batch bool) (string, string) {
					if batch {
						return row.code, "not in a batch"
					}
					return "", ""
				}
				c := portal.client(t, "token")
				if row.known {
					b := imbot.NewBatch()
					asked := []*imbot.Pending[EventGetResult]{imbot.Queue(b, EventGetRequest{BotID: 9}), imbot.Queue(b, EventGetRequest{BotID: 9})}
					require.NoError(t, c.Base().DoBatch(t.Context(), b))
					for _, p := range asked {
						_, err := p.Result()
						require.NoError(t, err)
					}
				}
				p := &Poller{Handler: &h.EventHandler}
				for id := imbot.ID(101); id <= 120; id++ {
					require.NoError(t, p.Add(c.WithBot(id)))
					portal.say(id.String(), "1", "hello")
				}
				stop := running(t, p)
				time.Sleep(time.Minute)
				require.Len(t, h.heard(), 20)
				require.Equal(t, 1, strings.Count(h.logged(), "level=WARN"), h.logged())
				portal.asked()
				time.Sleep(10 * time.Minute)
				requests := portal.asked()
				require.NotContains(t, strings.Join(requests, " "), "batch")
				require.InDelta(t, 600, len(requests), 60, "half of the rate")
				require.NoError(t, stop())
			})
		})
	}
}

// Where there are no batches at all, single polls of many bots must not use up the rate, before which nobody
// else's call would go.
func TestManyBotsWithoutBatchesLeaveRoomForOthers(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]trip{
		"a firewall":                       {http.StatusForbidden, "<html>"},
		"a portal that does not know it":   {http.StatusNotFound, `{"error":"ERROR_METHOD_NOT_FOUND"}`},
		"a portal that refuses it with it": {http.StatusMethodNotAllowed, `{"error":"ERROR_BATCH_METHOD_NOT_ALLOWED"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				portal, h := newOddPortal(), newHearer()
				portal.batch = refusal
				c, p := portal.client(t, "token"), &Poller{Handler: &h.EventHandler}
				for id := imbot.ID(101); id <= 120; id++ {
					require.NoError(t, p.Add(c.WithBot(id)))
					portal.say(id.String(), "1", "hello")
				}
				stop := running(t, p)
				time.Sleep(2 * time.Minute)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				_, err := imbot.Do(ctx, c.Base(), imbot.MessageAddRequest{DialogID: "1", Message: "hello"})
				require.NoError(t, err)
				require.Len(t, h.heard(), 20)
				require.NoError(t, stop())
			})
		})
	}
}

func TestAnAnswerThatIsTooLargeIsFollowedBySmallerOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		for range 60 {
			portal.say("7", "1", "hello")
		}
		portal.raw = func(string) string {
			if len(portal.requests) > 2 {
				return ""
			}
			return strings.Repeat(" ", 17<<20) // as pages of 100 and 50 long messages are
		}
		stop := running(t, &Poller{Handler: &h.EventHandler, Clients: []*Client{portal.client(t, "token").WithBot(7)}})
		time.Sleep(3 * time.Minute)
		require.Len(t, h.heard(), 60)
		require.Contains(t, h.logged(), "the next one is shorter\" bot=\"bot 7 of ")
		require.Contains(t, h.logged(), "events=25")
		require.NoError(t, stop())
	})
}

func TestRubbishStopsNoQueue(t *testing.T) {
	t.Parallel()
	const good = `{"eventId":%d,"type":"ONIMBOTV2MESSAGEADD","date":"2026-01-15T10:30:00+02:00","data":{"chat":{"dialogId":"1"},"message":{"id":%d,"text":"good"}}}`
	for name, rubbish := range map[string]string{
		"an id as text":          `{"eventId":"2","type":"ONIMBOTV2MESSAGEADD","date":"2026-01-15T10:30:00+02:00","data":{"message":{"text":"odd"}}}`,
		"no id":                  `{"type":"ONIMBOTV2MESSAGEADD","data":{"message":{"text":"odd"}}}`,
		"a date that is false":   `{"eventId":2,"type":"ONIMBOTV2MESSAGEADD","date":false,"data":{"message":{"text":"odd"}}}`,
		"a type nobody knows":    `{"eventId":2,"type":"ODD","date":null,"data":{}}`,
		"data that are a list":   `{"eventId":2,"type":"ODD","data":[]}`,
		"data that are a text":   `{"eventId":2,"type":"ODD","data":"rubbish"}`,
		"no data":                `{"eventId":2,"type":"ODD"}`,
		"a number far too large": `{"eventId":99999999999999999999,"type":"ODD","data":{}}`,
		"an id below zero":       `{"eventId":-5,"type":"ODD","data":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				portal, h := newOddPortal(), newHearer()
				portal.raw = func(string) string {
					if len(portal.requests) > 1 {
						return ""
					}
					return fmt.Sprintf(`{"events":[`+good+`,%s,`+good+`],"nextOffset":4,"hasMore":false}`, 1, 1001, rubbish, 3, 1003)
				}
				stop := running(t, &Poller{Handler: &h.EventHandler, Clients: []*Client{portal.client(t, "token").WithBot(7)}})
				time.Sleep(time.Minute)
				require.Equal(t, []string{"good", "good", "odd"}, h.heard())
				require.NoError(t, stop())
			})
		})
	}
}

func TestBotsComeAndGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		c := portal.client(t, "token")
		p := &Poller{Handler: &h.EventHandler, Clients: []*Client{c.WithBot(7)}}
		stop := running(t, p)
		time.Sleep(time.Minute)
		require.ErrorIs(t, p.Add(c.WithBot(7)), imbot.ErrConflict)
		require.ErrorIs(t, p.Add(c), imbot.ErrInvalid)
		require.NoError(t, p.Add(c.WithBot(8)))
		portal.say("8", "1", "hello")
		time.Sleep(6 * time.Second)
		require.Equal(t, []string{"hello"}, h.heard())
		require.NoError(t, p.Remove(8))
		require.ErrorIs(t, p.Remove(8), imbot.ErrNotFound)
		portal.say("8", "1", "nobody hears")
		time.Sleep(time.Minute)
		require.Len(t, h.heard(), 1)
		require.NoError(t, stop())
		require.ErrorIs(t, p.Remove(7), imbot.ErrNotFound)
	})
}

// A lead is given and taken by a test.
type lead struct {
	mu   sync.Mutex
	free chan struct{}
	cut  context.CancelFunc
	err  error
}

// Lead implements driver.Leader.
func (l *lead) Lead(ctx context.Context, name string, f func(context.Context) error) error {
	for {
		select {
		case <-l.free:
		case <-ctx.Done():
			return ctx.Err()
		}
		if l.err != nil {
			return l.err
		}
		leads, cut := context.WithCancel(ctx)
		l.mu.Lock()
		l.cut = cut
		l.mu.Unlock()
		err := f(leads)
		lost := leads.Err() != nil && ctx.Err() == nil
		cut()
		l.free <- struct{}{}
		if !lost {
			return err
		}
	}
}

func TestOneReplicaPollsABot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, one, two := newOddPortal(), newHearer(), newHearer()
		leader := &lead{free: make(chan struct{}, 1)}
		leader.free <- struct{}{}
		c := portal.client(t, "token").WithBot(7)
		stopOne := running(t, &Poller{Handler: &one.EventHandler, Clients: []*Client{c}, Leader: leader})
		synctest.Wait()
		stopTwo := running(t, &Poller{Handler: &two.EventHandler, Clients: []*Client{c}, Leader: leader})
		time.Sleep(time.Minute)
		portal.say("7", "1", "first")
		time.Sleep(6 * time.Second)
		require.Equal(t, []string{"first"}, one.heard())
		require.NoError(t, stopOne())
		require.Zero(t, portal.left("7"), "acknowledged before the lead was given up")
		portal.say("7", "1", "second")
		time.Sleep(time.Minute)
		require.Equal(t, []string{"second"}, two.heard())
		leader.cut() // the lead is lost, and found again
		time.Sleep(time.Minute)
		portal.say("7", "1", "third")
		time.Sleep(time.Minute)
		require.Equal(t, []string{"second", "third"}, two.heard())
		require.NoError(t, stopTwo())
	})
}

func TestABotThatIsThereTwiceEndsTheRunBeforeItBegins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		leader := &lead{free: make(chan struct{}, 1)}
		leader.free <- struct{}{}
		c := portal.client(t, "token")
		p := &Poller{Handler: &h.EventHandler, Clients: []*Client{c.WithBot(7), c.WithBot(7)}, Leader: leader}
		require.ErrorIs(t, p.Run(t.Context()), imbot.ErrConflict)
		p.Clients = p.Clients[:1]
		stop := running(t, p)
		time.Sleep(time.Minute)
		require.NotEmpty(t, portal.asked())
		require.NoError(t, stop())
	})
}

func TestALeaderThatFailsEndsItsBot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		leader := &lead{free: make(chan struct{}, 1), err: errors.New("the disk is full")}
		leader.free <- struct{}{}
		err := (&Poller{Handler: &h.EventHandler, Clients: []*Client{portal.client(t, "token").WithBot(7)}, Leader: leader}).Run(t.Context())
		require.ErrorContains(t, err, "the disk is full")
		require.Empty(t, portal.asked())
	})
}

func TestAHandlerThatIsShutDownEndsPolling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		require.NoError(t, h.Shutdown(t.Context()))
		portal.say("7", "1", "hello")
		err := Poll(t.Context(), &h.EventHandler, portal.client(t, "token").WithBot(7))
		require.ErrorContains(t, err, "imbotv2: Poll: the handler: ")
		require.ErrorContains(t, err, "shut down")
		require.Equal(t, 1, portal.left("7"))
	})
}

// A person writes 3 to 12 s after the bot has heard the last message.
func TestAPersonIsHeardWhile300MessagesWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		c := portal.client(t, "token").WithBot(7)
		heard := make(chan struct{})
		h.OnMessage = func(context.Context, *MessageAddEvent) error { heard <- struct{}{}; return nil }
		stop := running(t, &Poller{Handler: &h.EventHandler, Clients: []*Client{c}})
		portal.say("7", "1", "hello")
		<-heard
		var sends sync.WaitGroup
		for range 300 {
			sends.Go(func() {
				_, err := c.Base().Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: "1", Message: "news"})
				require.NoError(t, err)
			})
		}
		start, random, n := time.Now(), rand.New(rand.NewPCG(1, 2)), 0
		var most, sum time.Duration
		for time.Since(start) < 2*time.Minute {
			time.Sleep(3*time.Second + time.Duration(random.IntN(9000))*time.Millisecond)
			said := time.Now()
			portal.say("7", "1", "hello")
			<-heard
			most, sum, n = max(most, time.Since(said)), sum+time.Since(said), n+1
		}
		sends.Wait()
		require.InDelta(t, 125+60, time.Since(start).Seconds(), 70, "they did wait")
		t.Logf("mean %v, most %v of %d", sum/time.Duration(n), most, n)
		require.LessOrEqual(t, most, 3*time.Second)
		require.NoError(t, stop())
	})
}

func TestACallbackThatFailsHasHandledItsEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		h.OnMessage = func(_ context.Context, ev *MessageAddEvent) error {
			if h.note(ev.Message.Text); ev.Message.Text == "panic" {
				panic("oops")
			}
			return errors.New("no luck")
		}
		h.OnError = func(_ context.Context, ev imbot.Event, _ error) {
			h.note("failed: " + ev.(*MessageAddEvent).Message.Text)
		}
		portal.say("7", "1", "error")
		portal.say("7", "1", "panic")
		stop := running(t, &Poller{Handler: &h.EventHandler, Clients: []*Client{portal.client(t, "token").WithBot(7)}})
		time.Sleep(time.Minute)
		require.Equal(t, []string{"error", "failed: error", "failed: panic", "panic"}, h.heard())
		require.Zero(t, portal.left("7"))
		require.NoError(t, stop())
	})
}

func TestACallbackThatHangsIsCutOffAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, h := newOddPortal(), newHearer()
		h.OnMessage = func(ctx context.Context, ev *MessageAddEvent) error {
			h.note(ev.Message.Text)
			if ev.Message.Text == "hangs" {
				<-ctx.Done()
			}
			return nil
		}
		portal.say("7", "2", "fine")
		portal.say("7", "1", "hangs")
		portal.say("7", "1", "waits behind it")
		stop := running(t, &Poller{Handler: &h.EventHandler, Clients: []*Client{portal.client(t, "token").WithBot(7)}})
		time.Sleep(time.Minute)
		start := time.Now()
		require.ErrorContains(t, stop(), "1 events were dropped, 1 interrupted")
		require.Equal(t, 30*time.Second, time.Since(start))
		require.Equal(t, []string{"fine", "hangs"}, h.heard())
		require.Equal(t, 2, portal.left("7"), "they come again")
	})
}

func TestRepliesToAnEventThatComesAgainHaveTheSameTemplateIDs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := newOddPortal()
		portal.say("7", "1", "hello")
		var before []string
		for range 2 { // lives of a process that dies before it has acknowledged anything
			h := newHearer()
			h.OnMessage = func(_ context.Context, ev *MessageAddEvent) error {
				h.note(ev.Reply("one").TemplateID + " " + ev.Reply("two").TemplateID)
				return nil
			}
			stop := running(t, &Poller{Handler: &h.EventHandler, Clients: []*Client{portal.client(t, "token").WithBot(7)}})
			synctest.Wait()
			portal.mu.Lock()
			portal.refuse = func(string, bool) (string, string) { return "INTERNAL_SERVER_ERROR", "gone" }
			portal.mu.Unlock()
			require.NoError(t, stop())
			portal.mu.Lock()
			portal.refuse = nil
			portal.mu.Unlock()
			require.Len(t, h.heard(), 1)
			require.Len(t, h.heard()[0], 36+1+36)
			require.Subset(t, h.heard(), before)
			before = h.heard()
		}
	})
}

func TestTheFileLeaderLeadsAPoller(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "leads")
	synctest.Test(t, func(t *testing.T) {
		portal, one, two := newOddPortal(), newHearer(), newHearer()
		c := portal.client(t, "token").WithBot(7)
		stopOne := running(t, &Poller{Handler: &one.EventHandler, Clients: []*Client{c}, Leader: imbot.FileLeader(dir)})
		time.Sleep(5 * time.Second)
		stopTwo := running(t, &Poller{Handler: &two.EventHandler, Clients: []*Client{c}, Leader: imbot.FileLeader(dir)})
		portal.say("7", "1", "first")
		time.Sleep(time.Minute)
		require.NoError(t, stopOne())
		portal.say("7", "1", "second")
		time.Sleep(time.Minute)
		require.NoError(t, stopTwo())
		require.Equal(t, []string{"first"}, one.heard())
		require.Equal(t, []string{"second"}, two.heard())
	})
}
