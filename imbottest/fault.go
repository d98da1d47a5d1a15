package imbottest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Fault is what goes wrong with a call or an event, and when, see [Portal.Fail].
//
// The parts may be combined. A call waits for Delay. Then BeforeRun, Expire or
// Rename ends it, in this order, or Status, Code and Body take its method's
// place. Else the method runs, and its answer waits for Late.
//
// With AfterRun the method runs, and nothing comes back; or in place of its
// result a Status or Code, as from a proxy that has lost patience; or only a
// Body, behind which the connection ends.
type Fault struct {
	// Calls:
	Status      int    // HTTP status; 0: 400 with a Code, else 200
	Code        string // error code of the answer
	Description string // its text
	Body        string // the whole answer, instead of Code and Description
	Expire      bool   // the call's access token ends; calls without a token pass by
	Rename      bool   // the portal gets another name, as by Portal.Rename, and says so (302)

	// Events; with Duplicate, all else befalls the second delivery:
	Duplicate bool // is delivered twice
	Reorder   bool // is overtaken by the next event of its dialog, if that is fired within a second

	// Both; what is behind an event in its dialog waits, too:
	Delay time.Duration // waits before everything else; counts as operating time
	Late  time.Duration // the answer comes late: the method, or the bot's handler, has run
	Cut   Cut           // ends the connection without an answer

	// When, counted from Fail on:
	Nth    int     // not before the n-th call or event; 0 is the first
	Chance float64 // each with this chance, see WithSeed; 0: always
	Times  int     // how many it befalls: 0 is one, negative is all that follow
}

// Cut says when a connection ends.
type Cut int

// When a connection ends. A client cannot tell the last two apart.
const (
	NoCut     Cut = iota
	BeforeRun     // the method does not run; an event is lost
	AfterRun      // the method has run; the handler of an event is at work
)

// maxKept bounds what a portal remembers for Calls.
const maxKept = 100_000

// Fail lets calls of a method, or events, go wrong: the next one unless the fault
// says which. A method is named as in [Portal.Calls], an event by its name
// (ONIMBOTMESSAGEADD), and a name may end in a star: "imbot.message.*" is all that
// begins so, "ON*" every event. "" is every call, those to the authorization
// server included, and no event.
//
//	portal.Fail("imbot.message.add", Fault{Cut: AfterRun})                    // the next one
//	portal.Fail("imbot.message.add", Fault{Cut: AfterRun, Nth: 7})            // the seventh
//	portal.Fail("imbot.*", Fault{Late: time.Minute, Chance: 0.01, Times: -1}) // one in a hundred
//	portal.Fail("ONIMBOTMESSAGEADD", Fault{Duplicate: true, Times: 3})        // three in a row
//
// A call or event meets one fault at most: the first that is due, in the order
// in which they were set. It counts for the others all the same.
//
// A command inside a batch can have a Delay and a Code with its Description, with
// AfterRun or without; the rest needs a fault of "batch" itself. A fault that
// cannot befall what it meets waits on, and one that can befall nothing of that
// name ends in [Portal.Err].
func (p *Portal) Fail(method string, f Fault) {
	kind := kindCall
	switch {
	case isEvent(method):
		kind = kindEvent
	case strings.HasPrefix(method, "oauth/"):
		kind = kindAuth
	}
	if !f.suits(kind) {
		p.problem("a fault of %.80q that cannot befall it", method)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	p.faults = append(p.faults, &fault{Fault: f, name: method, event: kind == kindEvent, chance: p.newChance()})
}

// fault is a Fault that waits.
type fault struct {
	Fault
	name   string
	event  bool
	seen   int
	chance *rand.Rand
	chaos  bool // one of Portal.Chaos
}

// kind is what a fault can befall.
type kind int

const (
	kindCall    kind = iota
	kindWebhook      // a call without a token
	kindAuth         // a call to the authorization server
	kindCommand      // in a batch
	kindEvent
)

// isEvent reports whether a name is that of events.
func isEvent(name string) bool { return len(name) > 2 && strings.EqualFold(name[:2], "on") }

// suits reports whether a fault can befall something of this kind.
func (f Fault) suits(k kind) bool {
	waits, ofEvents := f.Delay > 0 || f.Late > 0, f.Duplicate || f.Reorder
	switch k {
	case kindEvent:
		return (waits || f.Cut != NoCut || ofEvents) && !f.answers() && !f.Expire && !f.Rename
	case kindCommand:
		cut := f.Cut == BeforeRun || f.Cut == AfterRun && f.Code == "" // of the connection
		return (f.Delay > 0 || f.Code != "") && f.Late == 0 && !cut && f.Body == "" && !f.Expire && !f.Rename && !ofEvents
	case kindAuth:
		return (waits || f.Cut != NoCut || f.answers()) && !f.Expire && !f.Rename && !ofEvents
	case kindWebhook:
		return !f.Expire && f.suits(kindCall)
	}
	return (waits || f.Cut != NoCut || f.answers() || f.Expire || f.Rename) && !ofEvents
}

// due counts something of a name and kind that could meet the fault.
func (f *fault) due(name string, k kind) bool {
	if (k == kindEvent) != f.event || !f.suits(k) || !f.matches(name) {
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

// fault takes the fault that is due for a call or event; the lock is held.
func (p *Portal) fault(name string, k kind) (due Fault) {
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

// answers reports whether the fault takes the method's place.
func (f Fault) answers() bool { return f.Status != 0 || f.Code != "" || f.Body != "" }

// err is the fault as an error of the portal.
func (f Fault) err() *restError {
	status := f.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	return &restError{status: status, code: f.Code, description: f.Description}
}

// answer is the fault as an HTTP answer.
func (f Fault) answer() answer {
	if f.Code != "" && f.Body == "" {
		return f.err().answer()
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

// A Call is one call of a REST method that reached the portal.
type Call struct {
	Method string          // as it was sent
	Params json.RawMessage // as they were sent, without credentials and CLIENT_ID
	Batch  bool            // a command of a batch; the batch is a call of its own, before its commands
}

// Calls returns the calls of a method in their order, all calls for "". Refused
// ones and those that met a fault count, the ones beyond the rate limit do not.
// The first 100000 calls of a portal are remembered.
func (p *Portal) Calls(method string) []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	var calls []Call
	for _, c := range p.calls {
		if method == "" || strings.EqualFold(c.Method, method) {
			calls = append(calls, c)
		}
	}
	return calls
}

// record remembers a call and begins its exchange; the lock is held.
func (p *Portal) record(method string, params *array, batch bool) *trace {
	open := newArray()
	var secrets []string
	for _, k := range params.keys {
		if !isCredential(k) {
			open.set(k, params.values[k])
		} else if secret := text(params.values[k]); len(secret) >= minSecret {
			secrets = append(secrets, secret, hidden)
		}
	}
	if strings.EqualFold(method, "batch") {
		hideCommands(open)
	}
	data := []byte("{}")
	if open.len() > 0 {
		data, _ = json.Marshal(open) // holds nothing that JSON cannot express
	}
	hide := strings.NewReplacer(secrets...)
	call := Call{Method: p.scrub(method), Batch: batch}
	masked := p.scrub(hide.Replace(string(data)))
	call.Params = json.RawMessage(masked)
	if len(p.calls) < maxKept {
		p.calls = append(p.calls, call)
	}
	return p.begin(&trace{Exchange: Exchange{Name: call.Method}, sent: masked})
}

// scrub hides the portal's credentials in a text, wherever they got into it; the
// lock is held.
func (p *Portal) scrub(text string) string {
	for secret := range p.credentials {
		if strings.Contains(text, secret) { // rarely
			return hides(slices.Collect(p.credentials)).Replace(text)
		}
	}
	return text
}

const (
	hidden    = "***"
	minSecret = 16 // characters
)

func isCredential(name string) bool {
	switch strings.ToLower(name) {
	case "auth", "access_token", "sessid", "client_id", "client_secret", "refresh_token", "ap", "aplogin":
		return true
	}
	return false
}

// Err returns what a test should not overlook: calls of methods that the portal
// does not have, events that could not be delivered, answers of handlers other
// than 2xx, panics of handlers. It is nil when all is well.
func (p *Portal) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.problems...)
}

func (p *Portal) problem(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.problems) < 100 {
		p.problems = append(p.problems, errors.New("imbottest: "+p.scrub(fmt.Sprintf(format, args...))))
	}
}
