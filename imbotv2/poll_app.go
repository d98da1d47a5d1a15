package imbotv2

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/imbot-go/imbot"
)

// PollApp polls the bots of every portal of an application until ctx ends: those that are
// in fetch mode. What [Poll] promises and does at the end holds here, too; ForEvent gives a
// callback the client of its portal.
//
// The store of the application must be an [imbot.TokenLister], as those of this module
// are. It is read every five seconds, so a portal is polled from its installation on and
// until it is removed. Its bots are asked for then and every ten minutes, and more often while it
// has none. A portal that does not answer holds no other one up, and a bot or a portal that
// fails for good ends nothing: it is looked for again.
//
// REST methods: imbot.v2.Bot.list, imbot.v2.Event.get.
func PollApp(ctx context.Context, app *imbot.OAuthApp, h *EventHandler) error {
	switch {
	case app == nil:
		return invalid("PollApp: the application is nil")
	case h == nil:
		return invalid("PollApp: the handler is nil")
	}
	store, ok := app.Store.(imbot.TokenLister)
	if !ok {
		return invalid("PollApp: OAuthApp.Store is no TokenLister, so nobody knows the portals")
	}
	a := &appPoller{app: app, store: store, poller: &Poller{Handler: h, forever: true}, portals: map[string]*appPortal{}}
	looking, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.poller.Run(ctx); cancel() }()
	a.watch(looking)
	return <-done
}

// How often PollApp looks.
const (
	storeTime = 5 * time.Second  // for portals
	firstLook = 10 * time.Second // for the bots of a portal that has none, doubled each time up to
	lastLook  = 10 * time.Minute // the time between two looks at a portal that has some
	deadLook  = time.Minute      // for a new installation, which asks only the store
	lookApart = 5 * time.Millisecond
)

// appPoller knows the portals of a PollApp.
type appPoller struct {
	app    *imbot.OAuthApp
	store  imbot.TokenLister
	poller *Poller

	mu      sync.Mutex
	portals map[string]*appPortal // by member id
	looks   sync.WaitGroup        // under way
}

type appPortal struct {
	timer *time.Timer
	pause time.Duration // before the next look
	fails bool          // the last look did
}

// watch follows the store until ctx ends.
func (a *appPoller) watch(ctx context.Context) {
	tick := time.NewTicker(storeTime)
	defer tick.Stop()
	failing := false
	for ctx.Err() == nil {
		err := a.read(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			a.poller.Handler.logger().WarnContext(ctx, "imbot: the portals of the application cannot be read", "error", err)
		}
		failing = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	a.mu.Lock()
	for _, p := range a.portals {
		p.timer.Stop()
	}
	a.mu.Unlock()
	a.looks.Wait()
}

// read compares the store with the portals that are known.
func (a *appPoller) read(ctx context.Context) error {
	there := map[string]bool{}
	for member, err := range a.store.Members(ctx) {
		if err != nil {
			return err
		}
		there[member] = true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	fresh := 0
	for member := range there {
		if a.portals[member] == nil {
			p := &appPortal{pause: firstLook}
			a.portals[member] = p
			p.timer = time.AfterFunc(time.Duration(fresh)*lookApart, func() { a.look(ctx, member, p) })
			fresh++
		}
	}
	for member, p := range a.portals {
		if !there[member] {
			p.timer.Stop()
			delete(a.portals, member)
			a.poller.remove(func(k botKey) bool { return k.portal == member })
		}
	}
	return nil
}

// look adds the bots of a portal.
func (a *appPoller) look(ctx context.Context, member string, p *appPortal) {
	a.mu.Lock()
	if ctx.Err() != nil || a.portals[member] != p {
		a.mu.Unlock()
		return
	}
	a.looks.Add(1)
	a.mu.Unlock()
	defer a.looks.Done()

	bots, err := a.bots(ctx, member)
	a.mu.Lock()
	defer a.mu.Unlock()
	if ctx.Err() != nil || a.portals[member] != p {
		return
	}
	if err != nil && !p.fails {
		a.poller.Handler.logger().WarnContext(ctx, "imbot: the bots of a portal cannot be polled", "portal", member, "error", err)
	}
	p.fails = err != nil
	found := 0
	for _, c := range bots {
		if err := a.poller.Add(c); err == nil || errors.Is(err, imbot.ErrConflict) { // it is polled already
			found++
		}
	}
	pause := p.pause
	switch {
	case errors.Is(err, imbot.ErrReinstall):
		pause = deadLook
	case found > 0:
		p.pause, pause = firstLook, lastLook
	default:
		p.pause = min(2*p.pause, lastLook)
	}
	p.timer.Reset(pause + time.Duration(rand.Float64()*float64(pause)/20))
}

// bots returns a client for each bot of a portal that is in fetch mode.
func (a *appPoller) bots(ctx context.Context, member string) (found []*Client, err error) {
	base, err := a.app.Client(ctx, member)
	if err != nil {
		return nil, err
	}
	c := From(base)
	for r, err := range c.Bot.All(ctx, BotListRequest{}) {
		if err != nil {
			return found, err
		}
		if r.Bot.Owned() && r.Bot.EventMode == EventModeFetch {
			found = append(found, c.WithBot(r.Bot.ID))
		}
	}
	return found, nil
}
