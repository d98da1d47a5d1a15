package inbox

import (
	"context"
	"hash/fnv"
	"sync"
	"time"
)

// A Memory remembers the keys of the events that were accepted.
type Memory interface {
	Seen(ctx context.Context, key string) (bool, error)
	Mark(ctx context.Context, key string) error
}

// seenTime bounds what the memory is asked about one event.
const seenTime = time.Second

// once runs accept for an event that was not accepted before, and marks the event
// when accept succeeds. Asking, accepting and marking are one step: of two deliveries
// at a time one waits for the other. An error of the memory lets the event through,
// because twice is better than never.
func (in *Inbox[E]) once(ctx context.Context, a *Arrival[E], accept func() error) error {
	key := in.cfg.Key(a.event)
	if key == "" {
		return accept()
	}
	stripe := fnv.New32a()
	_, _ = stripe.Write([]byte(key))
	lock := &in.locks[stripe.Sum32()%uint32(len(in.locks))]
	lock.Lock()
	defer lock.Unlock()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), seenTime)
	defer cancel()
	if in.ask(ctx, a, key) {
		return nil
	}
	if err := accept(); err != nil {
		return err
	}
	if err := in.guard(ctx, "SeenEvents", func() error { return in.cfg.Seen.Mark(ctx, key) }); err != nil {
		in.cfg.Logger().WarnContext(ctx, "imbot: SeenEvents cannot mark", "event", a.Name, "error", err)
	}
	return nil
}

// wasSeen reports whether an event was accepted before, and counts it then.
func (in *Inbox[E]) wasSeen(ctx context.Context, a *Arrival[E]) bool {
	key := in.cfg.Key(a.event)
	if key == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, seenTime)
	defer cancel()
	return in.ask(ctx, a, key)
}

// ask asks the memory about the key of an event.
func (in *Inbox[E]) ask(ctx context.Context, a *Arrival[E], key string) bool {
	var again bool
	err := in.guard(ctx, "SeenEvents", func() (err error) { again, err = in.cfg.Seen.Seen(ctx, key); return err })
	switch {
	case err != nil:
		in.cfg.Logger().WarnContext(ctx, "imbot: SeenEvents cannot be asked", "event", a.Name, "error", err)
		return false
	case again:
		in.duplicate.Add(1)
		in.cfg.Logger().DebugContext(ctx, "imbot: event came again", "event", a.Name)
	}
	return again
}

// NewMemory returns a memory of this process that holds at least the last n keys
// and at most twice as many.
func NewMemory(n int) Memory { return &generations{limit: max(n, 1)} }

// generations holds two generations of keys. When the newer one is full, it becomes
// the older one, and the older one is forgotten.
type generations struct {
	limit int

	mu           sync.Mutex
	newer, older map[string]struct{}
}

func (g *generations) Seen(_ context.Context, key string) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, newer := g.newer[key]
	_, older := g.older[key]
	return newer || older, nil
}

func (g *generations) Mark(_ context.Context, key string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.newer) >= g.limit {
		g.newer, g.older = nil, g.newer
	}
	if g.newer == nil {
		g.newer = make(map[string]struct{})
	}
	g.newer[key] = struct{}{}
	return nil
}
