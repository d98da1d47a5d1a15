package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot/internal/dispatch"
	"github.com/stretchr/testify/require"
)

// A stub is the queues of a portal as its server keeps them.
type stub struct {
	mu       sync.Mutex
	lastID   int64
	queues   map[int][]stubEvent
	fetches  []fetch
	all      map[int64]stubEvent
	deleted  map[int64]bool                                     // by an offset above them
	answered func(asks []Ask[int], answers []Answer[stubEvent]) // may change the answers; nil: leave them
	delay    time.Duration                                      // of an answer
}

type stubEvent struct {
	id     int64
	line   string
	shown  time.Time // from then on the queue shows it
	stored time.Time
}

type fetch struct {
	at   time.Time
	asks []Ask[int]
}

func newStub() *stub {
	return &stub{queues: map[int][]stubEvent{}, all: map[int64]stubEvent{}, deleted: map[int64]bool{}}
}

// add stores an event that the queue shows after a while.
func (s *stub) add(bot int, dialog string, late time.Duration) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	now := time.Now()
	ev := stubEvent{s.lastID, fmt.Sprint(bot, "/", dialog), now.Add(late), now}
	s.queues[bot], s.all[ev.id] = append(s.queues[bot], ev), ev
	return ev.id
}

// Fetch is the Fetch of a Config.
func (s *stub) Fetch(ctx context.Context, asks []Ask[int]) []Answer[stubEvent] {
	s.mu.Lock()
	s.fetches = append(s.fetches, fetch{time.Now(), asks})
	answers := make([]Answer[stubEvent], len(asks))
	for i, ask := range asks {
		answers[i] = s.read(ask)
	}
	if s.answered != nil {
		s.answered(asks, answers)
	}
	delay := s.delay
	s.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		for i := range answers {
			answers[i] = Answer[stubEvent]{Err: ctx.Err()}
		}
	}
	return answers
}

func (s *stub) read(ask Ask[int]) Answer[stubEvent] {
	queue := s.queues[ask.Bot]
	queue = slices.DeleteFunc(queue, func(ev stubEvent) bool {
		if ev.id < ask.Offset { // also one that is not visible yet: no poll with an offset shows it any more
			s.deleted[ev.id] = true
		}
		return ev.id < ask.Offset
	})
	s.queues[ask.Bot] = queue
	var answer Answer[stubEvent]
	for _, ev := range queue {
		if ev.shown.After(time.Now()) {
			continue
		}
		if len(answer.Items) == ask.Limit {
			break
		}
		answer.Items = append(answer.Items, Item[stubEvent]{ID: ev.id, Date: ev.stored, Event: ev})
		answer.Next = ev.id + 1
	}
	answer.More = len(answer.Items) == ask.Limit
	return answer
}

// polled returns the polls since the last call.
func (s *stub) polled() []fetch {
	s.mu.Lock()
	defer s.mu.Unlock()
	fetches := s.fetches
	s.fetches = nil
	return fetches
}

// queued returns how many events a queue has.
func (s *stub) queued(bot int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queues[bot])
}

// A run is one life of a process that polls a stub.
type run struct {
	*Poller[int, stubEvent]
	pool   *dispatch.Pool
	cancel context.CancelFunc
	done   chan error

	mu       sync.Mutex
	handled  []int64 // callbacks that returned
	log      []string
	lasts    []int
	ended    []error
	dead     bool
	callback func(ctx context.Context, ev stubEvent)
}

var errBroken = errors.New("broken")

// start polls the queues of bots. set changes the configuration; nil: leave it.
func (s *stub) start(t *testing.T, bots int, set func(*run, *Config[int, stubEvent])) *run {
	r := &run{pool: dispatch.New(64, 1024), done: make(chan error, 1)}
	cfg := Config[int, stubEvent]{
		Fetch: func(ctx context.Context, asks []Ask[int]) []Answer[stubEvent] {
			if r.isDead() {
				return slices.Repeat([]Answer[stubEvent]{{Err: errBroken}}, len(asks))
			}
			return s.Fetch(ctx, asks)
		},
		Push: func(_ int, ev stubEvent, done func()) (bool, error) {
			err := r.pool.Submit(ev.line, func(ctx context.Context) {
				defer done()
				if r.callback != nil {
					r.callback(ctx, ev)
				}
				r.mu.Lock()
				defer r.mu.Unlock()
				if r.dead {
					return
				}
				r.handled = append(r.handled, ev.id)
			})
			if errors.Is(err, dispatch.ErrFull) {
				return false, nil
			}
			return err == nil, err
		},
		Last: func(bot int, _ error, polled bool) (stubEvent, bool) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if polled {
				r.lasts = append(r.lasts, bot)
			}
			return stubEvent{id: -1}, polled
		},
		Ended: func(_ int, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.ended = append(r.ended, err)
		},
		Dialog: func(ev stubEvent) string { return ev.line },
		Cut:    func() error { return r.pool.Shutdown(ended()) },
		Logger: func() *slog.Logger { return slog.New(logTo{r}) },
		Warm:   2 * time.Second, Idle: 5 * time.Second,
	}
	if set != nil {
		set(r, &cfg)
	}
	r.Poller = New(cfg)
	for bot := range bots {
		require.True(t, r.Add(bot, "portal", "account"))
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() { r.done <- r.Run(ctx); close(r.done) }()
	t.Cleanup(func() { _ = r.pool.Shutdown(ended()); _ = r.stop() }) // for a test that fails
	return r
}

// stop ends a run as its context does.
func (r *run) stop() error { r.cancel(); return <-r.done }

// kill ends a run as the end of a process does: nothing more happens.
func (r *run) kill() {
	r.mu.Lock()
	r.dead = true
	r.mu.Unlock()
	r.Poller.mu.Lock()
	for _, q := range r.Poller.bots {
		q.frozen = true
	}
	r.Poller.mu.Unlock()
	_ = r.pool.Shutdown(ended())
	r.cancel()
	<-r.done
}

func (r *run) isDead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dead
}

// logged returns what was logged.
func (r *run) logged() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}

// ends returns what Last and Ended were told.
func (r *run) ends() (lasts []int, ended []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lasts), slices.Clone(r.ended)
}

func (r *run) events() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.handled)
}

// logTo writes what is logged into a run.
type logTo struct{ r *run }

func (logTo) Enabled(context.Context, slog.Level) bool { return true }
func (l logTo) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l logTo) WithGroup(string) slog.Handler          { return l }
func (l logTo) Handle(_ context.Context, record slog.Record) error {
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	text := record.Level.String() + " " + record.Message
	record.Attrs(func(a slog.Attr) bool { text += fmt.Sprint(" ", a); return true })
	l.r.log = append(l.r.log, text)
	return nil
}

// bubble runs a test in fake time.
func bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// dice are random numbers of a test.
func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 14)) }

func newPool(workers, queue int) *dispatch.Pool { return dispatch.New(workers, queue) }

// ended is a context that is over.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// count returns how many lines begin with a text.
func count(lines []string, text string) (n int) {
	for _, line := range lines {
		if strings.HasPrefix(line, text) {
			n++
		}
	}
	return n
}

// passedBy reports whether an offset has passed an event by.
func (s *stub) passedBy(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deleted[id]
}

// show makes an event visible now.
func (s *stub) show(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, queue := range s.queues {
		for i := range queue {
			if queue[i].id == id {
				queue[i].shown = time.Now()
			}
		}
	}
}

// await waits until so many events are handled.
func (r *run) await(n int) {
	for len(r.events()) < n {
		time.Sleep(10 * time.Millisecond)
	}
}
