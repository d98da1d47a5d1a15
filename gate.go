package imbot

import (
	"context"
	"sync"

	"github.com/imbot-go/imbot/internal/dispatch"
)

const (
	checkers     = 8       // checks at a time
	checksMember = 64      // events of one portal that may be junk and wait for a check
	checksBytes  = 8 << 20 // of the bodies of all such events; a real one has a few KiB
)

// gate is where events wait that are not verified yet, in a line for each portal.
// It has a pool of its own: however many wait, they hold no worker of the others.
type gate struct {
	pool *dispatch.Pool

	mu      sync.Mutex
	unknown int             // events whose application token is not known to be right
	bytes   int             // of their bodies
	members map[string]int  // of these, by portal
	checks  map[string]int  // checks, by portal
	dialogs map[string]int  // events, by waitKey
	beside  map[string]bool // portals with other work
}

func newGate(queue int) *gate {
	return &gate{
		pool: dispatch.New(checkers, queue), members: map[string]int{}, checks: map[string]int{},
		dialogs: map[string]int{}, beside: map[string]bool{},
	}
}

// checking reports whether a check is under way that may make events genuine.
func (g *gate) checking(member string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.checks[member] > 0
}

// enter puts an event into the line of its portal. The caller holds the lock.
func (g *gate) enter(m *EventMeta, st staged, work func(context.Context)) error {
	err := g.pool.Submit(m.Auth.MemberID, func(ctx context.Context) {
		defer func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.count(-1, m, st)
		}()
		work(ctx)
	})
	if err == nil {
		g.count(1, m, st)
	}
	return err
}

// count counts an event in, or with -1 out.
func (g *gate) count(n int, m *EventMeta, st staged) {
	add := func(to map[string]int, key string) {
		if to[key] += n; to[key] == 0 {
			delete(to, key)
		}
	}
	if !st.known {
		g.unknown += n
		g.bytes += n * st.size
		add(g.members, m.Auth.MemberID)
	}
	if st.checks {
		add(g.checks, m.Auth.MemberID)
	}
	if key := waitKey(m); key != "" {
		add(g.dialogs, key)
	}
}

// waitKey names the events of a dialog that keep their order here: those with one
// application token, so that a forgery holds no genuine event up.
func waitKey(m *EventMeta) string {
	key := orderKey(m)
	if key == "" {
		return ""
	}
	return key + "\x00" + m.Auth.ApplicationToken
}

// doBeside starts what is to be done beside the events of a portal, unless it is
// under way. What there is no room for the next event brings again.
func (g *gate) doBeside(member string, work func(context.Context)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.beside[member] {
		return
	}
	err := g.pool.Submit(member, func(ctx context.Context) {
		defer func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			delete(g.beside, member)
		}()
		work(ctx)
	})
	if err == nil {
		g.beside[member] = true
	}
}
