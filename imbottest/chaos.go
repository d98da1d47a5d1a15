package imbottest

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// WithSeed is the seed of the faults that have a Chance. The same calls and
// events in the same order meet the same ones then. Without it each portal
// draws a seed, see [Portal.Seed].
func WithSeed(seed uint64) Option { return func(p *Portal) { p.seed = seed } }

// Seed returns the seed of the faults that have a Chance, for the log of a test
// that has failed.
func (p *Portal) Seed() uint64 { return p.seed }

// newChance is the chance of one more fault; the lock is held.
func (p *Portal) newChance() *rand.Rand {
	p.chances++
	return rand.New(rand.NewPCG(p.seed, p.chances))
}

// Chaos lets about that share of all calls and of all events go wrong from now
// on, in the ways of a portal on a bad day, mixed: calls are refused because of
// the rate, fail inside the server, get the page of a proxy, before or after the
// method has run, wait for seconds, lose their answer or half of it, and tokens
// end; events are lost, come twice, late or in another order. It is for a look at
// a bot by hand, too. A share of 0 is none, 1 is everything; it takes the place of
// that of an earlier Chaos, so that Chaos(0) ends it. Calls to the authorization
// server and to the REST layer itself (profile, event.bind …) are spared, and so is
// the portal's name: a webhook does not survive another one.
func (p *Portal) Chaos(rate float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = slices.DeleteFunc(p.faults, func(f *fault) bool { return f.chaos })
	if !(rate > 0) { // a Fault without a Chance befalls everything
		return
	}
	rate = min(rate, 1)
	calls := []Fault{
		{Expire: true}, // the first, as webhooks do without it
		{Status: http.StatusServiceUnavailable, Code: "QUERY_LIMIT_EXCEEDED", Description: "Too many requests"},
		{Status: http.StatusInternalServerError, Code: "INTERNAL_SERVER_ERROR", Description: "Internal server error"},
		{Status: http.StatusBadGateway, Body: "<html><body><h1>502 Bad Gateway</h1></body></html>"},
		{Delay: 3 * time.Second},
		{Late: 3 * time.Second},
		{Cut: BeforeRun},
		{Cut: AfterRun},
		{Cut: AfterRun, Body: `{"result":`},
		{Cut: AfterRun, Status: http.StatusInternalServerError, Code: "INTERNAL_SERVER_ERROR", Description: "Internal server error"},
		{Cut: AfterRun, Status: http.StatusGatewayTimeout, Body: "<html><body><h1>504 Gateway Timeout</h1></body></html>"},
	}
	events := []Fault{
		{Duplicate: true},
		{Duplicate: true, Reorder: true},
		{Reorder: true},
		{Delay: 3 * time.Second},
		{Late: 3 * time.Second},
		{Cut: BeforeRun},
		{Cut: AfterRun},
	}
	for _, on := range []struct {
		name   string
		faults []Fault
	}{{"imbot.*", calls}, {"imopenlines.*", calls}, {"batch", calls}, {"ON*", events}} {
		share := rate / float64(len(on.faults))
		for i, f := range on.faults { // each is asked only when none before it was due
			f.Chance, f.Times = share/(1-float64(i)*share), -1
			p.faults = append(p.faults, &fault{Fault: f, name: on.name, event: isEvent(on.name), chance: p.newChance(), chaos: true})
		}
	}
}
