package imbotv2_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
	"github.com/imbot-go/imbot/internal/meminbox"
)

// A mortal transport answers until its process is killed.
type mortal struct {
	http.RoundTripper

	dead atomic.Bool
}

var errKilled = errors.New("killed")

func (m *mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.dead.Load() {
		_ = r.Body.Close()
		return nil, errKilled
	}
	return m.RoundTripper.RoundTrip(r)
}

// pollOptions are those of clients over a portal: bubbles that run side by side have clocks of
// their own, so they share no limiter.
func pollOptions(transport http.RoundTripper) []imbot.Option {
	return []imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: transport}), imbot.WithLimiter(imbot.NewLimiter(2, 50))}
}

// register makes bots and returns a client for each.
func register(t *testing.T, portal *imbottest.Portal, n int) (clients []*imbotv2.Client) {
	t.Helper()
	c, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), pollOptions(portal.HTTPClient().Transport)...)
	require.NoError(t, err)
	for i := range n {
		r, err := c.Bot.Register(t.Context(), imbotv2.BotRegisterRequest{Code: fmt.Sprint("bot", i), Properties: imbotv2.BotProperties{Name: fmt.Sprint("Bot ", i)}})
		require.NoError(t, err)
		clients = append(clients, c.WithBot(r.Bot.ID))
	}
	return clients
}

// A life is that of a process which polls, from its start to its death or end.
type life struct {
	handler   *imbotv2.EventHandler
	transport *mortal
	cancel    context.CancelFunc
	done      chan error

	mu    sync.Mutex
	heard []string // texts whose callback returned, in this order
}

// live starts a process with a small pool, whose callbacks take a moment.
func live(t *testing.T, portal *imbottest.Portal, bots []imbot.ID) *life {
	l := &life{transport: &mortal{RoundTripper: portal.HTTPClient().Transport}, done: make(chan error, 1)}
	c, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), pollOptions(l.transport)...)
	require.NoError(t, err)
	var clients []*imbotv2.Client
	for _, bot := range bots {
		clients = append(clients, c.WithBot(bot))
	}
	l.handler = &imbotv2.EventHandler{
		Workers: 2, Queue: 16, Logger: slog.New(slog.DiscardHandler),
		OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
			select {
			case <-time.After(time.Duration(ev.EventID%7) * 10 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			if !l.transport.dead.Load() {
				l.heard = append(l.heard, ev.Text())
			}
			return nil
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go func() { l.done <- imbotv2.Poll(ctx, l.handler, clients...); close(l.done) }()
	t.Cleanup(func() { _ = l.end() })
	return l
}

// end ends the process as its context does.
func (l *life) end() error { l.cancel(); return <-l.done }

// kill ends it as SIGKILL does: nothing reaches the portal any more, and callbacks come to
// nothing.
func (l *life) kill() {
	l.transport.dead.Store(true)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = l.handler.Shutdown(ended)
	_ = l.end()
}

func TestNoMessageToABotThatPollsIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const people, kills = 20, 20
		messages := 2500 // a run of CI has 10,000, which take a quarter of a minute; internal/poll always has
		if os.Getenv("CI") == "true" {
			messages = 10_000
		}
		portal := imbottest.NewPortal(imbottest.WithLateEvents(0.5, 2500*time.Millisecond), imbottest.WithSeed(14))
		defer portal.Close()
		var bots []imbot.ID
		for _, c := range register(t, portal, 3) {
			bots = append(bots, c.BotID())
		}
		for _, method := range []string{"batch", "imbot.v2.Event.get"} {
			for _, fault := range []imbottest.Fault{
				{Cut: imbottest.BeforeRun}, {Cut: imbottest.AfterRun}, {Code: "INTERNAL_SERVER_ERROR", Status: 500},
				{Code: "QUERY_LIMIT_EXCEEDED", Status: 503}, {Body: "<html>502</html>", Status: 502}, {Late: 5 * time.Second},
			} {
				fault.Chance, fault.Times = 0.05, -1
				portal.Fail(method, fault)
			}
		}
		ids := make([]imbot.ID, people)
		for i := range ids {
			ids[i] = portal.AddUser("Anna", fmt.Sprint(i))
		}
		writing := make(chan struct{})
		go func() {
			defer close(writing)
			random := rand.New(rand.NewPCG(1, 14))
			for i := range messages {
				time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
				_, err := portal.Say(context.Background(), ids[random.IntN(people)], imbot.UserDialog(bots[random.IntN(len(bots))]), fmt.Sprint(i))
				require.NoError(t, err)
			}
		}()
		random := rand.New(rand.NewPCG(2, 14))
		var lives []*life
		for range kills {
			l := live(t, portal, bots)
			lives = append(lives, l)
			time.Sleep(time.Duration(random.IntN(3*messages)) * time.Millisecond) // 20 lives are as long as the writing
			l.kill()
		}
		last := live(t, portal, bots)
		lives = append(lives, last)
		<-writing
		left := func() (n int) {
			for _, bot := range bots {
				n += len(portal.Queued(bot))
			}
			return n
		}
		for start := time.Now(); left() > 0; time.Sleep(time.Second) {
			require.Less(t, time.Since(start), time.Hour)
		}
		require.NoError(t, last.end())
		heard := map[string]bool{}
		for _, l := range lives {
			once := map[string]bool{}
			for _, text := range l.heard {
				require.False(t, once[text], "twice in one life")
				once[text], heard[text] = true, true
			}
		}
		require.Len(t, heard, messages)
		require.NoError(t, portal.Err())
	})
}

func TestABotThatIsUnregisteredIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		c := register(t, portal, 1)[0]
		deleted := make(chan imbot.ID, 1)
		h := &imbotv2.EventHandler{
			Logger:      slog.New(slog.DiscardHandler),
			OnBotDelete: func(_ context.Context, ev *imbotv2.BotDeleteEvent) error { deleted <- ev.ForBot(); return nil },
		}
		time.AfterFunc(time.Minute, func() { _ = c.Bot.Unregister(context.Background(), imbotv2.BotUnregisterRequest{}) })
		require.ErrorIs(t, imbotv2.Poll(t.Context(), h, c), imbotv2.ErrBotNotFound)
		require.Equal(t, c.BotID(), <-deleted)
	})
}

// One person talks to one of two bots, and writes 3 to 12 s after the answer.
func TestTheTimeToACallback(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		opts []imbottest.Option
		most time.Duration
	}{
		"in batches": {nil, 2100 * time.Millisecond},
		"on a portal that takes no polls in a batch": {[]imbottest.Option{imbottest.WithOther(imbottest.DoubtV2InBatch)}, 2100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				portal := imbottest.NewPortal(row.opts...)
				defer portal.Close()
				clients, anna := register(t, portal, 2), portal.AddUser("Anna", "Ivanova")
				heard := make(chan struct{})
				h := &imbotv2.EventHandler{
					Logger:    slog.New(slog.DiscardHandler),
					OnMessage: func(context.Context, *imbotv2.MessageAddEvent) error { heard <- struct{}{}; return nil },
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- imbotv2.Poll(ctx, h, clients...) }()
				random := rand.New(rand.NewPCG(3, 14))
				var sum, most time.Duration
				const n = 400
				for i := range n + 1 {
					said := time.Now()
					_, err := portal.Say(t.Context(), anna, imbot.UserDialog(clients[0].BotID()), "hello")
					require.NoError(t, err)
					<-heard
					if i > 0 { // the first one comes after silence
						sum, most = sum+time.Since(said), max(most, time.Since(said))
					}
					time.Sleep(3*time.Second + time.Duration(random.IntN(9000))*time.Millisecond)
				}
				cancel()
				require.NoError(t, <-done)
				t.Logf("mean %v, most %v", sum/n, most)
				require.LessOrEqual(t, sum/n, time.Second)
				require.LessOrEqual(t, most, row.most)
			})
		})
	}
}

func TestADialogThatIsPolledKeepsItsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const messages, people = 800, 10
		portal := imbottest.NewPortal(imbottest.WithSeed(5))
		defer portal.Close()
		var bots []imbot.ID
		for _, c := range register(t, portal, 2) {
			bots = append(bots, c.BotID())
		}
		portal.Fail("batch", imbottest.Fault{Cut: imbottest.AfterRun, Chance: 0.2, Times: -1})
		l := live(t, portal, bots)
		var ids []imbot.ID
		for i := range people {
			ids = append(ids, portal.AddUser("Anna", fmt.Sprint(i)))
		}
		random, said := rand.New(rand.NewPCG(4, 14)), map[string][]int{}
		for i := range messages {
			time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
			who, bot := random.IntN(people), random.IntN(len(bots))
			_, err := portal.Say(t.Context(), ids[who], imbot.UserDialog(bots[bot]), fmt.Sprintf("%d/%d %d", who, bot, i))
			require.NoError(t, err)
			dialog := fmt.Sprintf("%d/%d", who, bot)
			said[dialog] = append(said[dialog], i)
		}
		time.Sleep(5 * time.Minute)
		require.NoError(t, l.end())
		heard := map[string][]int{}
		for _, text := range l.heard {
			var dialog string
			var i int
			_, err := fmt.Sscan(text, &dialog, &i)
			require.NoError(t, err)
			heard[dialog] = append(heard[dialog], i)
		}
		require.Equal(t, said, heard)
	})
}

// Somebody asks, and says stop while the bot thinks; every worker is busy with others.
func TestSomebodyStopsABotThatPolls(t *testing.T) {
	t.Parallel()
	for name, inbox := range map[string]func() driver.Inbox{
		"without an inbox": func() driver.Inbox { return nil },
		"with one":         func() driver.Inbox { return meminbox.New().Open() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				portal := imbottest.NewPortal()
				defer portal.Close()
				c, anna, boris := register(t, portal, 1)[0], portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov")
				stops := func(ev imbot.Event) bool {
					said, is := ev.(*imbotv2.MessageAddEvent)
					return is && said.Text() == "stop"
				}
				h := &imbotv2.EventHandler{Workers: 2, Inbox: inbox(), Beside: stops, OnError: func(_ context.Context, _ imbot.Event, err error) { t.Error(err) }}
				var pressed, late time.Time
				h.OnMessage = func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
					if stops(ev) {
						pressed = time.Now()
						require.True(t, h.Interrupt(ev))
						return nil
					}
					if ev.Text() == "thanks" {
						_, err := c.Reply(ctx, ev, "You are welcome.")
						return err
					}
					select {
					case <-ctx.Done():
						late = time.Now()
						_, err := c.Reply(context.WithoutCancel(ctx), ev, "Stopped.")
						return errors.Join(err, ctx.Err())
					case <-time.After(5 * time.Minute):
						return nil
					}
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- imbotv2.Poll(ctx, h, c) }()
				dialog := imbot.UserDialog(c.BotID())
				say := func(user imbot.ID, text string) {
					_, err := portal.Say(t.Context(), user, dialog, text)
					require.NoError(t, err)
					time.Sleep(10 * time.Second)
				}
				say(boris, "a long question")
				say(anna, "another one")
				say(anna, "stop")
				say(anna, "thanks")
				require.Zero(t, late.Sub(pressed))
				var texts []string
				for _, m := range portal.Messages(anna, dialog) {
					texts = append(texts, m.Plain())
				}
				require.Equal(t, []string{"another one", "stop", "Stopped.", "thanks", "You are welcome."}, texts)
				time.Sleep(5 * time.Minute)
				cancel()
				require.NoError(t, <-done)
				require.NoError(t, h.Shutdown(t.Context()))
				require.NoError(t, portal.Err())
			})
		})
	}
}
