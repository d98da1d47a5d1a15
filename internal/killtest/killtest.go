// Package killtest kills bots while people write to them, and counts what became of each event. It
// has what the tests of engines share: replicas that are processes of their own, a portal that posts
// to them, and a journal in which every callback writes.
package killtest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

// Config says what happens. Zero values are those of the comments.
type Config struct {
	Replicas int            // that serve at a time; 1
	PostTo   int            // how many of them get each event; 1
	Rounds   int            // in each of which one replica is killed and started again; 0: none
	Events   int            // that are posted, those of all rounds together; 1000
	Dialogs  int            // that write side by side; 64
	Workers  int            // of each replica; 8
	Callback time.Duration  // that one takes on the average; 5 ms
	Signal   syscall.Signal // that ends a replica; SIGKILL. SIGTERM: it drains

	// Halfway is called in each round before the kill, with the numbers of rounds from 0 on: to stop
	// the engine for a while, for instance. The portal goes on posting.
	Halfway func(round int)
	Spare   bool // nobody is killed in a round, only Halfway is called

	giveUp time.Duration // in which no callback starts or ends while some are missing; 15 s
}

// Result is what became of the events. An event is acknowledged when a replica answered 200. One
// whose post broke off, because the replica died, may be handled and counts nowhere else.
type Result struct {
	Rounds       int
	Acknowledged int
	BrokenOff    int
	Refused      int // with another answer than 200
	Lost         int // acknowledged, and no callback for it ended
	Twice        int // starts of callbacks for acknowledged events, less the first of each
	Silent       int // those of Twice to whom imbot.Redelivered said no
	OutOfOrder   int // starts before one of the dialog was through that was acknowledged earlier than the event was sent
	Stuck        int // items that are left in the inbox, when all replicas have ended
	TakeOver     []time.Duration
	Took         time.Duration
}

// String is one line.
func (r Result) String() string {
	line := fmt.Sprintf("%d acknowledged, %d broken off, %d refused, %d rounds in %v: %d lost, %d twice, %d silent, %d out of order, %d stuck",
		r.Acknowledged, r.BrokenOff, r.Refused, r.Rounds, r.Took.Round(100*time.Millisecond), r.Lost, r.Twice, r.Silent, r.OutOfOrder, r.Stuck)
	if n := len(r.TakeOver); n > 0 {
		line += fmt.Sprintf("; taken over after %v, %v at most", r.TakeOver[n/2].Round(time.Millisecond), r.TakeOver[n-1].Round(time.Millisecond))
	}
	return line
}

const (
	look     = 2 * time.Millisecond   // how often something is looked at
	quiet    = 300 * time.Millisecond // after which nothing is expected any more
	patience = 30 * time.Second       // in which something has to happen
)

// Run does what cfg says and counts. It is the first that a test of its own calls, because a replica
// is the test binary once more, with this test alone: start is called once, in the process that stays,
// and returns where the store is; fill is called in each replica with that, and gives the handler
// its Inbox, or whatever is tried. The result is in the log of the test, which says what must hold.
func Run(t *testing.T, cfg Config, start func(testing.TB) string, fill func(t testing.TB, where string, h *imbot.EventHandler)) Result {
	t.Helper()
	serveIfReplica(t, fill)
	cfg.Replicas, cfg.PostTo = cmp.Or(cfg.Replicas, 1), cmp.Or(cfg.PostTo, 1)
	cfg.Events, cfg.Dialogs = cmp.Or(cfg.Events, 1000), cmp.Or(cfg.Dialogs, 64)
	cfg.Workers, cfg.Callback = cmp.Or(cfg.Workers, 8), cmp.Or(cfg.Callback, 5*time.Millisecond)
	cfg.Signal = cmp.Or(cfg.Signal, syscall.SIGKILL)
	cfg.giveUp = cmp.Or(cfg.giveUp, 15*time.Second)
	r := &run{cfg: cfg, t: t, orders: orders{
		Test: t.Name(), Store: start(t), Journal: filepath.Join(t.TempDir(), "journal"),
		Workers: cfg.Workers, Callback: cfg.Callback,
	}}
	begun := time.Now()
	for range cfg.Replicas {
		r.replicas = append(r.replicas, startReplica(t, r.orders))
	}
	p := newPortal(r)
	kills := r.rounds(p)
	p.wg.Wait()
	r.idle(p)
	for _, one := range r.replicas {
		if err := one.end(syscall.SIGTERM); err != nil {
			t.Errorf("a replica that was told to end did not drain: %v\n%s", err, one.said())
		}
	}
	result := count(t, r.orders.Journal, p.acknowledged, kills)
	result.Took = time.Since(begun)
	result.Rounds, result.Acknowledged = cfg.Rounds, len(p.acknowledged)
	result.BrokenOff, result.Refused = int(p.broken.Load()), int(p.refused.Load())
	result.Stuck = stuck(t, r.orders.Store, fill)
	t.Log(result)
	return result
}

type run struct {
	cfg    Config
	t      *testing.T
	orders orders

	mu       sync.Mutex
	replicas []*replica // the live ones
}

// kill is when which process was killed.
type kill struct {
	pid int
	at  time.Time
}

// rounds kills and starts replicas while the portal posts, at the same distance in events.
func (r *run) rounds(p *portal) []kill {
	var kills []kill
	for round := range r.cfg.Rounds {
		part := r.cfg.Events * round / r.cfg.Rounds
		p.reach(part + r.cfg.Events/r.cfg.Rounds/3)
		if r.cfg.Halfway != nil {
			r.cfg.Halfway(round)
		}
		if r.cfg.Spare {
			continue
		}
		p.reach(part + r.cfg.Events/r.cfg.Rounds/2)
		r.mu.Lock()
		victim := r.replicas[0] // who has lived longest
		if r.cfg.Signal != syscall.SIGKILL {
			r.replicas = r.replicas[1:] // whoever stops a process tells the balancer
		}
		r.mu.Unlock()
		kills = append(kills, kill{victim.pid(), time.Now()})
		err := victim.end(r.cfg.Signal)
		if r.cfg.Signal == syscall.SIGKILL {
			r.mu.Lock()
			r.replicas = r.replicas[1:]
			r.mu.Unlock()
		} else if err != nil {
			r.t.Errorf("a replica did not drain: %v\n%s", err, victim.said())
		}
		next := startReplica(r.t, r.orders)
		r.mu.Lock()
		r.replicas = append(r.replicas, next)
		r.mu.Unlock()
	}
	return kills
}

// some returns n different replicas; fewer when no more are alive.
func (r *run) some(turn, n int) []*replica {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := len(r.replicas)
	if all == 0 {
		return nil
	}
	doubled := slices.Concat(r.replicas, r.replicas)
	return doubled[turn%all:][:min(n, all)]
}

// idle waits until all that was acknowledged is handled and a little longer, or gives up.
func (r *run) idle(p *portal) {
	var size int64
	for since := time.Now(); time.Since(since) < r.cfg.giveUp; time.Sleep(10 * look) {
		info, err := os.Stat(r.orders.Journal)
		if err == nil && info.Size() != size {
			size, since = info.Size(), time.Now()
		}
		if time.Since(since) > quiet && count(r.t, r.orders.Journal, p.acknowledged, nil).Lost == 0 {
			return
		}
	}
}

// stuck is how many items the inbox has when everybody has gone.
func stuck(t testing.TB, where string, fill func(t testing.TB, where string, h *imbot.EventHandler)) int {
	t.Helper()
	h := new(imbot.EventHandler)
	fill(t, where, h)
	meter, is := h.Inbox.(driver.InboxMeter)
	if !is {
		return 0
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stats, err := meter.InboxStats(ctx)
	if err != nil {
		t.Errorf("InboxStats: %v", err)
	}
	if err := h.Inbox.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	return int(stats.Waiting + stats.Running)
}
