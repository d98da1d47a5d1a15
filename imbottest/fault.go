package imbottest

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// A Fault is what goes wrong with a call or an event, and when, see [Portal.Fail].
//
// The parts may be combined. A call waits for Delay. Then BeforeRun, Expire or
// Rename ends it, in this order, or Status, Code and Body take its method's
// place. Else the method runs, and its answer waits for Late.
//
// With AfterRun the method runs, and its result is lost: the connection ends without an
// answer; or Status or Code are answered in its place, as by a proxy whose time was up;
// or, without a Status and Code, the Body comes and the connection ends behind it.
type Fault struct {
	// Calls:
	Status      int    // HTTP status; 0: 400 with a Code, else 200
	Code        string // error code of the answer
	Description string // its text
	Body        string // the whole answer, instead of Code and Description
	Expire      bool   // the call's access token expires; does not befall calls without a token
	Rename      bool   // the portal gets another host, as by Portal.Rename, and redirects the call there (302)

	// Events; with Duplicate, everything else happens to the second delivery:
	Duplicate bool // is delivered twice
	Reorder   bool // is overtaken by the next event of its dialog, if that is fired within a second

	// Both; the events that follow in the same dialog wait, too:
	Delay time.Duration // waits before everything else; counts as operating time
	Late  time.Duration // the answer comes so much later: the method, or the bot's handler, has run by then
	Cut   Cut           // ends the connection without an answer

	// When, counted from Fail on:
	Nth    int     // not before the n-th call or event; 0 means the first
	Chance float64 // for each the probability, see WithSeed; 0 means always
	Times  int     // for how many; 0 means one, a negative number all that follow
}

// Cut says when a connection ends.
type Cut int

// When a connection ends. A client cannot tell the last two apart.
const (
	NoCut     Cut = iota
	BeforeRun     // the method does not run; an event is lost
	AfterRun      // the method has run; the handler of an event is at work
)

// Fail lets calls of a method, or events, go wrong: the next one unless the fault
// says which. A method is named as in [Portal.Calls], an event by its name
// (ONIMBOTMESSAGEADD). A name may end in a star: "imbot.message.*" means all names that
// begin with imbot.message., and "ON*" every event. "" means every call, those to the
// authorization server included, and no event.
//
//	portal.Fail("imbot.message.add", Fault{Cut: AfterRun})                    // the next one
//	portal.Fail("imbot.message.add", Fault{Cut: AfterRun, Nth: 7})            // the seventh
//	portal.Fail("imbot.*", Fault{Late: time.Minute, Chance: 0.01, Times: -1}) // one in a hundred
//	portal.Fail("ONIMBOTMESSAGEADD", Fault{Duplicate: true, Times: 3})        // three in a row
//
// One fault at most befalls a call or event: the first that is due, in the order in
// which they were set. The other faults count it all the same.
//
// A command inside a batch can have a Delay, and a Code with its Description or a Body, with
// AfterRun or without. The Body has to be what a portal answers a call, JSON with a result or an
// error, of which the batch takes its part. Everything else needs a fault of "batch" itself. A fault that
// does not fit a call or event waits for the next one. A fault that can fit nothing of
// that name is not set and shows up in [Portal.Err].
func (p *Portal) Fail(method string, f Fault) {
	kind := kindCall
	switch {
	case isEvent(method):
		kind = kindEvent
	case strings.HasPrefix(method, "oauth/"):
		kind = kindAuth
	}
	if !f.canBefall(kind) {
		p.problem("a fault of %.80q that cannot befall it", method)
		return
	}
	p.w.Lock()
	defer p.w.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	p.faults = append(p.faults, &fault{Fault: f, name: method, event: kind == kindEvent, chance: p.newChance()})
}

// fault is a Fault that was set and is not used up.
type fault struct {
	Fault
	name   string
	event  bool
	seen   int
	chance *rand.Rand
	chaos  bool // set by Portal.Chaos
}

// kind is the kind of a call or event, as far as it decides which faults fit.
type kind int

const (
	kindCall    kind = iota
	kindWebhook      // a call without a token
	kindAuth         // a call to the authorization server
	kindCommand      // in a batch
	kindEvent
)

// isEvent reports whether a name is that of an event.
func isEvent(name string) bool { return len(name) > 2 && strings.EqualFold(name[:2], "on") }

// canBefall reports whether a fault can befall something of this kind.
func (f Fault) canBefall(k kind) bool {
	waits, ofEvents := f.Delay > 0 || f.Late > 0, f.Duplicate || f.Reorder
	switch k {
	case kindEvent:
		return (waits || f.Cut != NoCut || ofEvents) && !f.replacesAnswer() && !f.Expire && !f.Rename
	case kindCommand:
		cut := f.Cut == BeforeRun || f.Cut == AfterRun && f.Code == "" && (f.Status == 0 || f.Body == "") // would end the connection of the whole batch
		return (f.Delay > 0 || f.answersCommand()) && f.Late == 0 && !cut && (f.Body == "" || f.bodyOfCommand() != nil) && !f.Expire && !f.Rename && !ofEvents
	case kindAuth:
		return (waits || f.Cut != NoCut || f.replacesAnswer()) && !f.Expire && !f.Rename && !ofEvents
	case kindWebhook:
		return !f.Expire && f.canBefall(kindCall)
	}
	return (waits || f.Cut != NoCut || f.replacesAnswer() || f.Expire || f.Rename) && !ofEvents
}

// due counts a call or event that the fault fits, and reports whether it is the one
// that the fault befalls.
func (f *fault) due(name string, k kind) bool {
	if (k == kindEvent) != f.event || !f.canBefall(k) || !f.matches(name) {
		return false
	}
	f.seen++
	return f.seen >= f.Nth && (f.Chance <= 0 || f.chance.Float64() < f.Chance)
}

func (f *fault) matches(name string) bool {
	if start, ok := strings.CutSuffix(f.name, "*"); ok {
		return len(name) >= len(start) && strings.EqualFold(name[:len(start)], start)
	}
	return f.name == "" || strings.EqualFold(f.name, name)
}

// takeFault returns the fault that befalls a call or event, the zero Fault when there
// is none; the lock is held.
func (p *Portal) takeFault(name string, k kind) (due Fault) {
	found := false
	p.faults = slices.DeleteFunc(p.faults, func(f *fault) bool {
		if !f.due(name, k) || found {
			return false
		}
		due, found = f.Fault, true
		if f.Times > 0 {
			f.Times--
		}
		return f.Times == 0
	})
	return due
}

// replacesAnswer reports whether the fault has an answer of its own.
func (f Fault) replacesAnswer() bool { return f.Status != 0 || f.Code != "" || f.Body != "" }

// err is the fault as an error of the portal.
func (f Fault) err() *world.Refusal {
	status := f.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	return world.NewRefusal(status, f.Code, f.Description)
}

// answersCommand reports whether the fault has an answer for a command of a batch, which has no
// status of its own.
func (f Fault) answersCommand() bool { return f.Code != "" || f.Body != "" }

// bodyOfCommand is the Body as a PHP value, nil when it cannot be part of a batch.
func (f Fault) bodyOfCommand() *php.Array {
	v, _ := php.ParseJSON([]byte(f.Body))
	body, _ := v.(*php.Array)
	if !body.Has("result") && body.Text("error") == "" {
		return nil
	}
	return body
}

// ofCommand is the fault as the result of a command in a batch.
func (f Fault) ofCommand() (any, *world.Refusal) {
	body := f.bodyOfCommand()
	switch {
	case body == nil:
		return nil, f.err()
	case !body.Has("result"):
		return nil, world.NewRefusal(cmp.Or(f.Status, http.StatusBadRequest), body.Text("error"), body.Text("error_description"))
	case body.Has("total") || body.Has("next"):
		return paged{body.Get("result"), int(body.ID("next")), int(body.ID("total"))}, nil
	}
	return body.Get("result"), nil
}

// answer is the fault as an HTTP answer.
func (f Fault) answer() answer {
	if f.Code != "" && f.Body == "" {
		return refused(f.err())
	}
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	contentType := "application/json; charset=utf-8"
	if strings.HasPrefix(strings.TrimSpace(f.Body), "<") {
		contentType = "text/html; charset=utf-8"
	}
	return answer{status: status, contentType: contentType, body: []byte(f.Body), truncated: f.Cut == AfterRun && f.Status == 0}
}

// WithSeed sets the seed for faults that have a Chance: with it they befall the same
// calls and events when these come in the same order. Without it each portal draws a
// seed, see [Portal.Seed].
func WithSeed(seed uint64) Option { return func(p *Portal) { p.w.Seed = seed } }

// Seed returns the seed of the faults that have a Chance, for the log of a test
// that has failed.
func (p *Portal) Seed() uint64 { return p.w.Seed }

// newChance returns a random source for one more fault; the lock is held.
func (p *Portal) newChance() *rand.Rand {
	p.chances++
	return rand.New(rand.NewPCG(p.w.Seed, p.chances))
}

// Chaos lets a share of all calls and of all events go wrong from now on, from 0 for
// none to 1 for all, in all the ways of a portal in trouble: calls are refused because
// of the rate, fail inside the server, get the page of a proxy, before or after the
// method has run, wait for seconds, lose their answer or half of it, and tokens expire;
// events are lost, come twice, late or in another order. It helps to try a bot by hand,
// too. The share replaces that of an earlier Chaos, so Chaos(0) ends it. Calls to the
// authorization server and to the REST layer itself (profile, event.bind …) do not go
// wrong, and the portal keeps its host, because a webhook does not survive another one.
func (p *Portal) Chaos(rate float64) {
	p.w.Lock()
	defer p.w.Unlock()
	p.faults = slices.DeleteFunc(p.faults, func(f *fault) bool { return f.chaos })
	if !(rate > 0) { // NaN, too; a Fault with Chance 0 would befall everything
		return
	}
	rate = min(rate, 1)
	calls := []Fault{
		{Expire: true}, // first, because it does not fit webhooks: with a rate of 1 the last one has to befall every call that is left
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
		for i, f := range on.faults { // a fault is asked only when none before it was due, so the chances grow
			f.Chance, f.Times = share/(1-float64(i)*share), -1
			p.faults = append(p.faults, &fault{Fault: f, name: on.name, event: isEvent(on.name), chance: p.newChance(), chaos: true})
		}
	}
}
