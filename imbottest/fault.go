package imbottest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Fault is what goes wrong with a call, see [Portal.Fail].
type Fault struct {
	Status      int           // HTTP status; 0: 400 with a Code, else 200
	Code        string        // error code of the answer
	Description string        // its text
	Body        string        // the whole answer, instead of Code and Description
	Delay       time.Duration // waits before everything else
	Cut         Cut           // ends the connection without an answer
	Times       int           // calls it befalls: 0 is one, negative is all that follow
}

// Cut says when a connection ends.
type Cut int

// When a connection ends. A client cannot tell the last two apart.
const (
	NoCut     Cut = iota
	BeforeRun     // the method does not run
	AfterRun      // the method has run; with a Body, the connection ends behind it
)

// maxKept bounds what a portal remembers for Calls and Err.
const maxKept = 100_000

type fault struct {
	Fault
	method string
}

// Fail lets the next call of a method fail; the method "" stands for every one.
//
// With a Status, Code or Body the portal answers that and the method does not
// run. With [AfterRun] it runs, and the client sees a broken connection, behind
// the Body if there is one. A fault with nothing but a Delay makes a call slow. Faults of one method are used up
// in the order in which they were set. Of commands inside a batch only Delay,
// Code and Description can fail; the rest needs a fault of "batch" itself.
func (p *Portal) Fail(method string, f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	p.faults = append(p.faults, &fault{f, method})
}

// fault takes the next fault of a method; the lock is held.
func (p *Portal) fault(method string) Fault {
	for i, f := range p.faults {
		if f.method != "" && !strings.EqualFold(f.method, method) {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				p.faults = slices.Delete(p.faults, i, i+1)
			}
		}
		return f.Fault
	}
	return Fault{}
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
	return answer{status: status, contentType: contentType, body: []byte(f.Body), truncated: f.Cut == AfterRun}
}

// A Call is one call of a REST method that reached the portal.
type Call struct {
	Method string          // as it was sent
	Params json.RawMessage // as they were sent, without credentials and CLIENT_ID
	Batch  bool            // a command of a batch; the batch is a call of its own, before its commands
}

// Calls returns the calls of a method in their order, all calls for "". Refused
// ones and those that met a fault count, the ones beyond the rate limit do not.
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

// scrub hides the portal's secrets in a text, wherever they got into it; the
// lock is held. Short client ids are left alone: they are in ordinary words.
func (p *Portal) scrub(text string) string {
	text = strings.ReplaceAll(text, p.secret, hidden)
	for _, g := range p.tokens {
		text = strings.ReplaceAll(strings.ReplaceAll(text, g.access, hidden), g.refresh, hidden)
	}
	for code := range p.codes {
		text = strings.ReplaceAll(text, code, hidden)
	}
	for _, app := range p.apps {
		if len(app.secret) >= minSecret {
			text = strings.ReplaceAll(text, app.secret, hidden)
		}
		if len(app.token) >= minSecret {
			text = strings.ReplaceAll(text, app.token, hidden)
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
	case "auth", "access_token", "client_id", "client_secret", "refresh_token", "ap", "aplogin":
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
