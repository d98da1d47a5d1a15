package inbox

import (
	"context"
	"sync"
	"time"

	"github.com/imbot-go/imbot/driver"
)

const (
	claimTime  = 250 * time.Millisecond // for each question; the portal waits
	claimsRest = 5 * time.Second        // after an error nothing is asked
	remembered = 8192                   // keys that an inbox itself remembers
)

// once runs accept for an event that was not taken before. Of two deliveries at a time one
// waits for the other, and goes on when that was not accepted. Claims that fail are left alone
// for a while, and the memory of this inbox decides: twice is better than never.
func (in *Inbox[E]) once(ctx context.Context, a *Arrival[E], accept func() error) error {
	key := in.cfg.Key(a.event)
	if key == "" {
		return accept()
	}
	in.turns.enter(key)
	defer in.turns.leave(key)
	first, shared := in.claim(ctx, a, key)
	if !first {
		in.memory.add(key) // for when Claims are away
		in.cameAgain(ctx, a)
		return nil
	}
	if err := accept(); err != nil {
		if shared {
			in.ask(ctx, a, func(ctx context.Context) error { return in.cfg.Claims.Release(ctx, key) })
		}
		return err
	}
	in.memory.add(key)
	return nil
}

// claim reports whether an event was not taken before, and whether that is what Claims say.
func (in *Inbox[E]) claim(ctx context.Context, a *Arrival[E], key string) (first, shared bool) {
	if in.askable() && in.ask(ctx, a, func(ctx context.Context) (err error) { first, err = in.cfg.Claims.Claim(ctx, key); return err }) {
		return first, true
	}
	return !in.memory.has(key), false
}

// askable reports whether there are Claims that answer.
func (in *Inbox[E]) askable() bool {
	return in.cfg.Claims != nil && time.Now().UnixNano() >= in.claimsRest.Load()
}

// ask asks Claims something, and leaves them alone after an error.
func (in *Inbox[E]) ask(ctx context.Context, a *Arrival[E], question func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTime)
	defer cancel()
	err := in.guard(ctx, "Claims", func() error { return question(ctx) })
	if err != nil {
		in.claimsRest.Store(time.Now().Add(claimsRest).UnixNano())
		in.cfg.Logger().WarnContext(ctx, "imbot: Claims cannot be asked, so for 5 s this process alone tells what came again", "event", a.Name, "error", err)
	}
	return err == nil
}

// wasTaken reports whether this inbox itself knows that an event was taken before, and counts it
// then. It asks no Claims: what is not verified yet may claim nothing.
func (in *Inbox[E]) wasTaken(ctx context.Context, a *Arrival[E]) bool {
	if in.askable() || !in.memory.has(in.cfg.Key(a.event)) {
		return false
	}
	in.cameAgain(ctx, a)
	return true
}

func (in *Inbox[E]) cameAgain(ctx context.Context, a *Arrival[E]) {
	in.duplicate.Add(1)
	in.cfg.Logger().DebugContext(ctx, "imbot: event came again", "event", a.Name)
}

// turns lets one at a time do something about a key.
type turns struct {
	mu   sync.Mutex
	next *sync.Cond // a turn has ended
	busy map[string]struct{}
}

func newTurns() *turns {
	t := &turns{busy: map[string]struct{}{}}
	t.next = sync.NewCond(&t.mu)
	return t
}

func (t *turns) enter(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		if _, busy := t.busy[key]; !busy {
			t.busy[key] = struct{}{}
			return
		}
		t.next.Wait()
	}
}

func (t *turns) leave(key string) {
	t.mu.Lock()
	delete(t.busy, key)
	t.mu.Unlock()
	t.next.Broadcast()
}

// NewClaims returns claims of this process that hold at least the last n keys and at most twice
// as many.
func NewClaims(n int) driver.Claims { return newMemory(n) }

// memory holds two generations of keys. When the newer one is full, it becomes the older
// one, and the older one is forgotten.
type memory struct {
	limit int

	mu           sync.Mutex
	newer, older map[string]struct{}
}

func newMemory(n int) *memory { return &memory{limit: max(n, 1)} }

// Claim implements [driver.Claims].
func (m *memory) Claim(ctx context.Context, key string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return m.add(key), nil
}

// Release implements [driver.Claims].
func (m *memory) Release(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.newer, key)
	delete(m.older, key)
	return nil
}

func (m *memory) has(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.holds(key)
}

func (m *memory) holds(key string) bool {
	_, newer := m.newer[key]
	_, older := m.older[key]
	return newer || older
}

// add reports whether a key is new.
func (m *memory) add(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.holds(key) {
		return false
	}
	if len(m.newer) >= m.limit {
		m.newer, m.older = nil, m.newer
	}
	if m.newer == nil {
		m.newer = make(map[string]struct{})
	}
	m.newer[key] = struct{}{}
	return true
}
