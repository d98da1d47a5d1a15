package imbot_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

var soakSeed = flag.Uint64("soak.seed", 0, "run TestSoak with this seed, and all of it under the race detector, too")

// TestSoak is a long bad day in a few seconds: people talk to three bots on one
// portal, which fails in every way that it knows. Everything that was said,
// sent and acknowledged is counted, and at the end the books have to balance.
func TestSoak(t *testing.T) {
	days := []struct {
		seed          uint64
		people, steps int
	}{{1, 25, 10_000}, {2, 5, 500}, {3, 50, 500}, {4, 1, 200}}
	for _, day := range days {
		switch {
		case *soakSeed != 0:
			day.seed = *soakSeed
		case raceDetector:
			day.steps = min(day.steps, 2000) // it is five times slower
		}
		t.Run(fmt.Sprintf("%d people, %d steps", day.people, day.steps), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSoak(t, day.seed, imbottest.WithRateLimit(imbottest.PlanEnterprise.RateLimit()),
					imbottest.WithOperatingLimit(2*time.Minute))
				s.badDay()
				var people sync.WaitGroup
				for range day.people {
					p := s.person()
					people.Go(func() {
						for range day.steps / day.people {
							s.act(p)
							if p.rand.IntN(3) == 0 {
								s.call(p, true)
							}
							time.Sleep(time.Duration(p.rand.IntN(1000)) * time.Millisecond)
						}
					})
				}
				people.Wait()
				s.settle()
				s.balance()
				if day.steps > 5000 {
					s.saw("QUERY_LIMIT_EXCEEDED", "INTERNAL_SERVER_ERROR", "OPERATION_TIME_LIMIT", "expired_token",
						"moved", "page", "no answer", "half an answer", "reinstalled", "duplicate", "lost", "refused", "never posted", "unknown", "deadline", "slow")
					require.Less(t, s.moments["lost"], day.steps/5, "seed %d: people were patient, mostly", day.seed)
				}
			})
		})
	}
}

// TestSoakRepeats: one step after the other, the same seed is the same day.
func TestSoakRepeats(t *testing.T) {
	day := func(seed uint64) (calls string) {
		synctest.Test(t, func(t *testing.T) {
			s := newSoak(t, seed)
			s.portal.Chaos(0.3) // and nothing that depends on the time: backoffs differ
			p := s.person()
			for range 100 {
				s.act(p)
				s.settle()
				s.call(p, false)
				s.settle()
			}
			s.balance()
			for _, c := range s.portal.Calls("") {
				calls += c.Method + "\n"
			}
		})
		return calls
	}
	first := day(7)
	require.True(t, first == day(7), "the same seed, another day")
	require.False(t, first == day(8), "another seed, the same day")
}

// soak is one day with its books.
type soak struct {
	t       *testing.T
	seed    uint64
	portal  *imbottest.Portal
	bots    []*soaker
	people  []*soakPerson
	install *imbottest.Application
	limiter imbot.Limiter
	member  string

	mu       sync.Mutex
	moments  map[string]int
	outcomes map[string]string // of each message that a bot sent, by its text: done, unknown or not run
	statuses map[string]int    // of each message that bots change: the last change that was acknowledged
	fired    map[string]bool   // events, by key
	accepted map[string]int    // answers 200
	refused  map[string]bool   // answers 503
	handled  map[string]int
	repaired time.Time
}

// soaker is a bot.
type soaker struct {
	id      imbot.ID
	url     string
	handler *imbot.EventHandler
	mu      sync.Mutex
	current *imbot.Client
	connect func() (*imbot.Client, error)
}

// soakPerson talks to all bots.
type soakPerson struct {
	id       imbot.ID
	rand     *rand.Rand
	said     []imbottest.Message
	statuses map[*soaker]imbot.ID // a message of each bot that changes
	steps    int
}

const soakSecret = "a-long-random-client-secret"

func newSoak(t *testing.T, seed uint64, opts ...imbottest.Option) *soak {
	s := &soak{
		t: t, seed: seed, portal: imbottest.NewPortal(append(opts, imbottest.WithSeed(seed))...), limiter: imbot.NewLimiter(5, 250),
		moments: map[string]int{}, outcomes: map[string]string{}, statuses: map[string]int{},
		fired: map[string]bool{}, accepted: map[string]int{}, refused: map[string]bool{}, handled: map[string]int{},
	}
	t.Cleanup(s.portal.Close)
	for i, opts := range [][]imbot.Option{nil, {imbot.WithAutoBatch()}} {
		name := fmt.Sprintf("a-long-random-client-id-%d", i)
		s.add(imbot.ApplicationToken(name), func() (*imbot.Client, error) {
			return imbot.NewClient(s.portal.Webhook(name), s.options(opts...)...)
		})
	}
	s.install = s.portal.Application("local.soak", soakSecret)
	app := &imbot.OAuthApp{
		ClientID: "local.soak", ClientSecret: soakSecret, Store: imbot.NewMemoryStore(),
		AuthServers: []string{s.portal.AuthServer()}, Options: s.options(),
	}
	s.portal.Serve("https://bot.example.com/app", &imbot.EventHandler{Verifier: app.Verifier(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, s.install.Install(t.Context(), "https://bot.example.com/app"))
	require.NoError(t, s.portal.Idle(t.Context()))
	query, err := s.install.Authorize(imbottest.Admin, "")
	require.NoError(t, err)
	s.member = query.Get("member_id")
	synctest.Wait() // the installation is verified in the pool
	s.add(app.Verifier(), func() (*imbot.Client, error) { return app.Client(t.Context(), s.member) })
	return s
}

func (s *soak) options(more ...imbot.Option) []imbot.Option {
	return append(more, imbot.WithHTTPClient(s.portal.HTTPClient()), imbot.WithLimiter(s.limiter), imbot.WithObserver(s.observe))
}

// add registers a bot with a command.
func (s *soak) add(v imbot.Verifier, connect func() (*imbot.Client, error)) {
	b := &soaker{url: fmt.Sprintf("https://bot.example.com/%d", len(s.bots)), connect: connect}
	client, err := connect()
	require.NoError(s.t, err)
	b.id, err = client.Bot.Register(s.t.Context(), imbot.BotRegisterRequest{Code: b.url, EventMessageAdd: b.url,
		EventMessageUpdate: b.url, EventMessageDelete: b.url, EventWelcomeMessage: b.url, EventBotDelete: b.url, Properties: imbot.BotProperties{Name: "Soak"}})
	require.NoError(s.t, err)
	_, err = client.Command.Register(s.t.Context(), imbot.CommandRegisterRequest{BotID: b.id, Command: "soak", EventCommandAdd: b.url,
		Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Soak"}}})
	require.NoError(s.t, err)
	b.current = client.WithBot(b.id)
	b.handler = &imbot.EventHandler{
		Verifier: v, Logger: slog.New(slog.DiscardHandler), OnError: func(context.Context, imbot.Event, error) {},
		Workers: 16, Queue: 16,
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			key := s.handle(ev, ev.Params.MessageID, ev.Params.Message)
			return s.send(b, "re "+key, func(c *imbot.Client) error {
				_, err := c.Message.Add(ctx, ev.Reply("re "+key))
				return err
			})
		},
		OnCommand: func(ctx context.Context, ev *imbot.CommandAddEvent) error {
			key := s.handle(ev, ev.Params.MessageID, ev.Params.Message)
			return s.send(b, "re "+key, func(c *imbot.Client) error {
				_, err := c.Command.Answer(ctx, imbot.CommandAnswerRequest{CommandID: ev.Commands[0].CommandID, MessageID: ev.Params.MessageID, Message: "re " + key})
				return err
			})
		},
		OnMessageUpdate: func(_ context.Context, ev *imbot.MessageUpdateEvent) error {
			s.handle(ev, ev.Params.MessageID, ev.Params.Message)
			return nil
		},
		OnMessageDelete: func(_ context.Context, ev *imbot.MessageDeleteEvent) error {
			s.handle(ev, ev.Params.MessageID, "")
			return nil
		},
	}
	s.portal.Serve(b.url, s.watch(b.handler))
	s.bots = append(s.bots, b)
}

// badDay lets everything go wrong from now on.
func (s *soak) badDay() {
	s.portal.Chaos(0.1)
	for _, f := range []struct {
		name  string
		fault imbottest.Fault
	}{
		{"imbot.message.add", imbottest.Fault{Delay: 20 * time.Second, Chance: 0.01, Times: -1}}, // the operating time
		{"imbot.*", imbottest.Fault{Delay: 2 * time.Minute, Chance: 0.002, Times: -1}},           // longer than anybody waits
		{"imbot.*", imbottest.Fault{Late: 2 * time.Minute, Chance: 0.002, Times: -1}},
		{"batch", imbottest.Fault{Late: 2 * time.Minute, Chance: 0.002, Times: -1}},
		{"imbot.*", imbottest.Fault{Rename: true, Nth: 50}},
		{"imbot.*", imbottest.Fault{Rename: true, Nth: 1000, Chance: 0.001, Times: -1}},
		{"oauth/token", imbottest.Fault{Status: 502, Body: "<html>", Chance: 0.1, Times: -1}},
		{"oauth/token", imbottest.Fault{Cut: imbottest.BeforeRun, Chance: 0.1, Times: -1}},
		{"oauth/token", imbottest.Fault{Cut: imbottest.AfterRun, Nth: 7}}, // the pair is lost, and the grant is dead
	} {
		s.portal.Fail(f.name, f.fault)
	}
}

// client is that of a bot; one of a webhook does not outlive the portal's name.
func (b *soaker) client() (*imbot.Client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current != nil {
		return b.current, nil
	}
	client, err := b.connect()
	if err == nil {
		b.current = client.WithBot(b.id)
	}
	return b.current, err
}

// send lets a bot send something with a text of its own, and keeps account of it.
func (s *soak) send(b *soaker, text string, do func(*imbot.Client) error) error {
	client, err := b.client()
	if err == nil {
		err = do(client)
	}
	s.note(text, err)
	s.repair(b, err)
	return err
}

// repair does what the bot's operator would.
func (s *soak) repair(b *soaker, err error) {
	switch {
	case errors.Is(err, imbot.ErrPortalMoved):
		b.mu.Lock()
		b.current = nil
		b.mu.Unlock()
	case errors.Is(err, imbot.ErrReinstall):
		s.mu.Lock()
		again := time.Since(s.repaired) > time.Minute
		if again {
			s.repaired = time.Now()
		}
		s.mu.Unlock()
		if again {
			s.count("reinstalled")
			_ = s.install.Install(context.Background(), "https://bot.example.com/app")
		}
	}
}

func (s *soak) person() *soakPerson {
	n := len(s.people)
	p := &soakPerson{id: s.portal.AddUser("Anna", fmt.Sprint(n)), rand: rand.New(rand.NewPCG(s.seed, uint64(n))), statuses: map[*soaker]imbot.ID{}}
	s.people = append(s.people, p)
	return p
}

// call is what bots do by themselves, sometimes in a hurry.
func (s *soak) call(p *soakPerson, hurry bool) {
	ctx := s.t.Context()
	if hurry && p.rand.IntN(10) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(p.rand.IntN(20_000))*time.Millisecond)
		defer cancel()
	}
	b := s.bots[p.rand.IntN(len(s.bots))]
	text := func(i int) string { return fmt.Sprintf("sent %d %d %d", p.id, p.steps, i) }
	switch n := p.rand.IntN(10); {
	case n == 0: // a batch
		client, err := b.client()
		batch := imbot.NewBatch()
		pending := make([]*imbot.Pending[imbot.ID], 1+p.rand.IntN(10))
		for i := range pending {
			pending[i] = imbot.Queue(batch, imbot.MessageAddRequest{BotID: b.id, DialogID: imbot.UserDialog(p.id), Message: text(i)})
		}
		if err == nil {
			err = client.DoBatch(ctx, batch)
		}
		s.repair(b, err)
		for i := range pending {
			if client != nil {
				_, err = pending[i].Result()
			}
			s.note(text(i), err)
		}
	case n < 4: // a change
		s.change(ctx, p, b)
	default:
		_ = s.send(b, text(0), func(c *imbot.Client) error {
			_, err := c.Message.Add(ctx, imbot.MessageAddRequest{DialogID: imbot.UserDialog(p.id), Message: text(0)})
			return err
		})
	}
}

// change lets a bot change its message about the person: to a higher number.
func (s *soak) change(ctx context.Context, p *soakPerson, b *soaker) {
	client, err := b.client()
	if err != nil {
		return
	}
	status := fmt.Sprintf("status %d %d", p.id, b.id)
	text := fmt.Sprintf("%s: %d", status, p.steps)
	if p.statuses[b] == 0 {
		p.statuses[b], err = client.Message.Add(ctx, imbot.MessageAddRequest{DialogID: imbot.UserDialog(p.id), Message: text})
	} else {
		text := text // the request wants a pointer
		err = client.Message.Update(ctx, imbot.MessageUpdateRequest{MessageID: p.statuses[b], Message: &text})
	}
	s.repair(b, err)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.statuses[status] = p.steps
	}
}

// act is what a person does.
func (s *soak) act(p *soakPerson) {
	p.steps++
	fire := func(name string, m imbottest.Message, text string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fired[soakKey(name, m.ID, text)] = true
	}
	say := func(name, text string) {
		b := s.bots[p.rand.IntN(len(s.bots))]
		for b.handler.Stats().Queued > 12 && p.rand.IntN(100) > 0 { // patience, mostly
			time.Sleep(time.Second)
		}
		m, err := s.portal.Say(s.t.Context(), p.id, imbot.UserDialog(b.id), text)
		if err != nil {
			s.t.Errorf("seed %d: %v", s.seed, err)
			return
		}
		p.said = append(p.said, m)
		fire(name, m, text)
	}
	switch n := p.rand.IntN(10); {
	case n == 0 && len(p.said) > 0:
		m, text := p.said[p.rand.IntN(len(p.said))], fmt.Sprintf("edit %d", p.steps)
		if s.portal.Edit(s.t.Context(), p.id, m, text) == nil {
			fire("ONIMBOTMESSAGEUPDATE", m, text)
		}
	case n == 1 && len(p.said) > 0:
		i := p.rand.IntN(len(p.said))
		if s.portal.Delete(s.t.Context(), p.id, p.said[i]) == nil {
			fire("ONIMBOTMESSAGEDELETE", p.said[i], "")
		}
		p.said = slices.Delete(p.said, i, i+1)
	case n == 2:
		say("ONIMCOMMANDADD", fmt.Sprintf("/soak %d", p.steps))
	default:
		say("ONIMBOTMESSAGEADD", fmt.Sprintf("said %d", p.steps))
	}
}

// settle waits until portal and bots have nothing to do.
func (s *soak) settle() {
	for range 2 { // what bots do last may be an installation
		require.NoError(s.t, s.portal.Idle(s.t.Context()))
		for _, b := range s.bots {
			require.NoError(s.t, b.handler.Idle(s.t.Context()))
		}
	}
}
