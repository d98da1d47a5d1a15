package imbottest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// An Exchange is one REST call, or one event on its way to a handler, with what
// was sent and answered. All secrets in it are masked.
type Exchange struct {
	ID       int64
	Event    bool   // false for a call
	Name     string // of the method or the event
	URL      string // of the handler, without its query
	Time     time.Time
	Duration time.Duration
	Done     bool   // false while it is under way
	Status   int    // of the answer; 0 when there was none
	Error    string // a code, or what went wrong; "" when all is well
	Batch    int64  // the id of the batch of which it is a command, else 0
	Replay   int64  // the id of the event that was sent again, else 0
	Polls    int    // how many polls, one after another, that brought nothing this stands for; 0: it is none
	Fetched  bool   // an event in the queue of a bot: Done when the bot has acknowledged it

	// The bodies: indented JSON, where they can be written so, with long texts cut.
	// Only [Portal.Exchange] fills them in.
	Sent   string
	Answer string
}

// How many exchanges the log keeps, how large a body, and how many bytes of bodies
// altogether. A larger body is left out as a whole, because secrets in half a body
// would not be recognised.
const (
	maxExchanges = 2000
	maxKeptBody  = 1 << 20
	maxKeptTotal = 16 << 20
)

// logEntry is an exchange in the log. Its bodies are kept as they are and masked when
// somebody reads them, because nobody reads most of them.
type logEntry struct {
	Exchange
	sent   string // JSON of a call, the form of an event
	answer any    // the bytes of an answer, or the result of a command
	large  bool   // a body was left out because it is too large
	to     world.Binding

	poll string // which queues a poll asks; empty: it is none
	kept bool   // it is in the log
}

// exchangeLog keeps the last exchanges in the order of their ids, which have no gaps.
type exchangeLog struct {
	list  []*logEntry
	last  int64
	size  int
	polls map[string]*logEntry // the last poll that brought nothing, by what it asks
}

func (t *exchangeLog) find(id int64) *logEntry {
	i := id - (t.last - int64(len(t.list)) + 1)
	if i < 0 || i >= int64(len(t.list)) {
		return nil
	}
	return t.list[i]
}

// add gives an exchange its id and keeps it.
func (t *exchangeLog) add(x *logEntry) {
	t.last++
	x.ID, x.kept = t.last, true
	t.list = append(t.list, x)
	t.grow(len(x.sent))
}

func (t *exchangeLog) grow(n int) {
	t.size += n
	for len(t.list) > 1 && (len(t.list) > maxExchanges || t.size > maxKeptTotal) {
		t.size -= t.list[0].bytes()
		t.list[0].kept = false
		t.list[0] = nil
		t.list = t.list[1:]
	}
}

// bytes is the size that counts for maxKeptTotal. Results of commands do not count:
// they are small, and in the answer of their batch already.
func (x *logEntry) bytes() int {
	answer, _ := x.answer.([]byte)
	return len(x.sent) + len(answer)
}

// beginExchange logs an exchange that begins; the lock is held.
func (p *Portal) beginExchange(x *logEntry) *logEntry {
	x.Time = time.Now()
	x.Name, x.URL = fmt.Sprintf("%.200s", x.Name), fmt.Sprintf("%.500s", x.URL) // callers choose both and can make them as long as they like
	if len(x.sent) > maxKeptBody {
		x.sent, x.large = "", true
	}
	if x.poll != "" && p.log.polls[x.poll] != nil && p.log.polls[x.poll].kept {
		return x // endExchange decides whether it counts on the line of the one before
	}
	p.keepExchange(x)
	return x
}

func (p *Portal) keepExchange(x *logEntry) {
	p.log.add(x)
	p.addToFeed(feedEntry{kind: ChangeExchange, exchange: x.ID})
}

// endExchange logs how an exchange ended. Status 0 means that there was no answer.
func (p *Portal) endExchange(x *logEntry, status int, answer any, fault string) {
	p.w.Lock()
	defer p.w.Unlock()
	if body, ok := answer.([]byte); ok && len(body) > maxKeptBody {
		answer, x.large = nil, true
	}
	if fault != "" {
		fault = p.scrub(fault)
	}
	x.answer, x.Done, x.Status, x.Error, x.Duration = answer, true, status, fault, time.Since(x.Time)
	if x.poll != "" {
		x = p.countPoll(x)
	}
	if x.kept {
		p.log.grow(x.bytes() - len(x.sent))
		p.addToFeed(feedEntry{kind: ChangeExchange, exchange: x.ID})
	}
}

// countPoll lets a poll that brought nothing count on the line of the one before it, so that a
// bot which asks every few seconds does not push everything else out of the log. It
// returns the entry of that line.
func (p *Portal) countPoll(x *logEntry) *logEntry {
	last := p.log.polls[x.poll]
	if x.Error != "" || !foundNothing(x.answer) {
		delete(p.log.polls, x.poll)
		if !x.kept {
			p.keepExchange(x)
		}
		return x
	}
	if last == nil || !last.kept || last == x {
		if p.log.polls == nil {
			p.log.polls = map[string]*logEntry{}
		}
		if !x.kept {
			p.keepExchange(x)
		}
		x.Polls = 1
		p.log.polls[x.poll] = x
		return x
	}
	last.Polls++
	last.Time, last.Duration, last.answer = x.Time, x.Duration, x.answer
	return last
}

// foundNothing reports whether polls have found their queues empty, from the answer of a call
// or a batch, or the result of a command.
func foundNothing(answer any) bool {
	if body, ok := answer.([]byte); ok {
		return !bytes.Contains(body, []byte(`"eventId"`)) && !bytes.Contains(body, []byte(`"error"`))
	}
	result, _ := answer.(*php.Array)
	return result.Array("events").Len() == 0
}

// pollOf names what a call polls, "" when it does something else: all commands of a batch
// have to be polls.
func pollOf(method string, params *php.Array) string {
	switch strings.ToLower(method) {
	case "imbot.v2.event.get":
		return "poll of " + php.Text(params.Get("botId"))
	case "im.v2.event.get":
		return "poll of people"
	case "batch":
		commands := params.Array("cmd")
		for i := range commands.Len() {
			if !strings.EqualFold(php.Text(commands.Values[commands.Keys[i]]), "imbot.v2.event.get") {
				return ""
			}
		}
		if commands.Len() > 0 {
			return "polls"
		}
	}
	return ""
}

// logQueued logs an event that waits for a bot to fetch it; the lock is held.
func (p *Portal) logQueued(name string, data *php.Array) *logEntry {
	sent, _ := json.Marshal(data) // PHP values can always be written
	return p.beginExchange(&logEntry{Exchange: Exchange{Event: true, Fetched: true, Name: name}, sent: string(sent)})
}

// endQueued logs that an event is in no queue any more: acknowledged, or gone for a reason.
func (p *Portal) endQueued(x *logEntry, reason string) {
	x.Done, x.Error, x.Duration = true, reason, time.Since(x.Time)
	if reason == "" {
		x.Status = http.StatusOK
	}
	if x.kept {
		p.addToFeed(feedEntry{kind: ChangeExchange, exchange: x.ID})
	}
}

// endCall logs the answer of a call that is no command of a batch.
func (p *Portal) endCall(x *logEntry, a *answer) {
	p.endExchange(x, a.status, a.body, a.fault())
}

// fault says in short what is wrong with an answer, "" when nothing is.
func (a *answer) fault() string {
	switch {
	case a.status == 0, a.truncated:
		return "connection cut"
	case a.file != nil:
		return ""
	case a.status >= http.StatusBadRequest, bytes.HasPrefix(a.body, []byte(`{"error`)):
		var found struct{ Error json.RawMessage }
		var code string
		if json.Unmarshal(a.body, &found) == nil && json.Unmarshal(found.Error, &code) == nil && code != "" {
			return code
		}
		return fmt.Sprintf("HTTP %d", a.status)
	case len(a.body) == 0 || a.body[0] != '{':
		return "not JSON"
	}
	return ""
}

// endCommand logs the result of a command of a batch.
func (p *Portal) endCommand(x *logEntry, result any, fail *world.Refusal) {
	if fail != nil {
		p.endExchange(x, fail.Status, fail.Value(), fail.Code)
		return
	}
	p.endExchange(x, http.StatusOK, result, "")
}

// logRefused logs a call that was refused before its parameters were read.
func (p *Portal) logRefused(r *http.Request, a answer) answer {
	_, _, method, ok := splitPath(r.URL.EscapedPath())
	if !ok {
		method = pathShape(r.URL.Path)
	}
	p.w.Lock()
	x := p.beginExchange(&logEntry{Exchange: Exchange{Name: p.scrub(method)}})
	p.w.Unlock()
	p.endCall(x, &a)
	return a
}

// beginEvent logs an event that is sent to a handler.
func (p *Portal) beginEvent(d delivery) *logEntry {
	p.w.Lock()
	defer p.w.Unlock()
	return p.beginExchange(&logEntry{
		Exchange: Exchange{Event: true, Name: d.event, URL: p.scrub(publicURL(d.to.URL)), Replay: d.replay},
		sent:     d.body, to: d.to,
	})
}

// endEvent logs what a handler answered; why is the reason when it did not.
func (p *Portal) endEvent(x *logEntry, status int, body, why string) {
	fault := ""
	switch {
	case status == 0:
		fault = cmp.Or(why, "no answer")
	case status < 200 || status > 299:
		fault = fmt.Sprintf("HTTP %d", status)
	}
	p.endExchange(x, status, []byte(body), fault)
}

// Exchanges returns the newest calls and events with ids less than before, the
// newest first and at most limit of them; with before 0, the newest of all. The portal
// keeps the last 2000, fewer when they are large.
func (p *Portal) Exchanges(before int64, limit int) []Exchange {
	p.w.Lock()
	defer p.w.Unlock()
	list := p.log.list
	if first := p.log.last - int64(len(list)) + 1; before > 0 {
		list = list[:min(max(0, before-first), int64(len(list)))]
	}
	var found []Exchange
	for _, x := range slices.Backward(list[max(0, len(list)-max(0, limit)):]) {
		found = append(found, x.Exchange)
	}
	return found
}

// Exchange returns one call or event with its bodies. ok is false when there is none,
// or no longer.
func (p *Portal) Exchange(id int64) (found Exchange, ok bool) {
	p.w.Lock()
	x := p.log.find(id)
	if x == nil {
		p.w.Unlock()
		return found, false
	}
	found = x.Exchange
	sent, answer, event, large := x.sent, x.answer, x.Event, x.large
	secrets := p.secretReplacer()
	p.w.Unlock()

	m := masker{secrets}
	if event && !found.Fetched {
		found.Sent = m.value(parseForm([]byte(sent)))
	} else {
		found.Sent = m.body([]byte(sent))
	}
	if body, raw := answer.([]byte); raw {
		found.Answer = m.body(body)
	} else if v, err := php.ToValue(answer); err == nil && found.Done {
		found.Answer = m.value(v)
	}
	if large && found.Sent == "" {
		found.Sent = "(too large to be kept)"
	}
	if large && found.Answer == "" {
		found.Answer = "(too large to be kept)"
	}
	return found, true
}

// Replay sends an event once more, exactly as it was, tokens included, and returns the
// new exchange when the handler has answered. When ctx ends Replay returns, but the
// event is delivered all the same. It does not queue behind other events.
func (p *Portal) Replay(ctx context.Context, id int64) (Exchange, error) {
	if err := ctx.Err(); err != nil {
		return Exchange{}, err
	}
	p.w.Lock()
	x := p.log.find(id)
	switch {
	case p.w.Closed:
		p.w.Unlock()
		return Exchange{}, world.ErrClosed
	case x == nil || !x.Event || x.Fetched || x.sent == "":
		p.w.Unlock()
		return Exchange{}, fmt.Errorf("imbottest: there is no event %d that could be sent again", id)
	}
	d := delivery{event: x.Name, to: x.to, body: x.sent, replay: id}
	handler := p.handlers[d.to.URL]
	next := p.log.last
	p.active++
	done := make(chan struct{})
	p.w.Goroutines.Go(func() {
		defer close(done)
		defer p.endActivity()
		p.deliver(d, handler)
	})
	p.w.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return Exchange{}, ctx.Err()
	}
	p.w.Lock()
	defer p.w.Unlock()
	for _, sent := range p.log.list {
		if sent.ID > next && sent.Replay == id && sent.Done {
			return sent.Exchange, nil
		}
	}
	return Exchange{}, fmt.Errorf("imbottest: the replay of %d is forgotten already", id)
}

// endActivity says that a call or event which was counted in active is over.
func (p *Portal) endActivity() {
	p.w.Lock()
	defer p.w.Unlock()
	p.active--
	p.w.Notify()
}

// maxKept is how many calls a portal remembers for [Portal.Calls].
const maxKept = 100_000

// A Call is one call of a REST method that reached the portal.
type Call struct {
	Method string          // as it was sent
	Params json.RawMessage // as they were sent, without credentials, CLIENT_ID and botToken
	Batch  bool            // a command of a batch; the batch is a call of its own, before its commands
}

// Calls returns the calls of a method in their order, for "" those of all methods. Calls
// that were refused or that a [Fault] befell are among them, those above the rate limit
// are not. The portal remembers its first 100000 calls.
func (p *Portal) Calls(method string) []Call {
	p.w.Lock()
	defer p.w.Unlock()
	var calls []Call
	for _, c := range p.calls {
		if method == "" || strings.EqualFold(c.Method, method) {
			calls = append(calls, c)
		}
	}
	return calls
}

// record remembers a call for [Portal.Calls], without its credentials, and logs its
// beginning; the lock is held.
func (p *Portal) record(method string, params *php.Array, batch bool) *logEntry {
	open := php.NewArray()
	var secrets []string
	for _, k := range params.Keys {
		if !isCredential(k) {
			open.Set(k, params.Values[k])
		} else if secret := php.Text(params.Values[k]); len(secret) >= minSecret {
			secrets = append(secrets, secret, hidden)
		}
	}
	if strings.EqualFold(method, "batch") {
		hideCommands(open)
	}
	secrets = append(secrets, hideToken(open)...)
	data := []byte("{}")
	if open.Len() > 0 {
		data, _ = json.Marshal(open) // PHP values can always be written
	}
	hide := strings.NewReplacer(secrets...)
	call := Call{Method: p.scrub(method), Batch: batch}
	masked := p.scrub(hide.Replace(string(data)))
	call.Params = json.RawMessage(masked)
	if len(p.calls) < maxKept {
		p.calls = append(p.calls, call)
	}
	return p.beginExchange(&logEntry{Exchange: Exchange{Name: call.Method}, sent: masked, poll: pollOf(method, open)})
}

// Err returns what a test should not overlook: calls of methods that the portal
// does not have, events that could not be delivered, answers of handlers other
// than 2xx, panics of handlers. It is nil when all is well.
func (p *Portal) Err() error {
	p.w.Lock()
	defer p.w.Unlock()
	return errors.Join(p.problems...)
}

func (p *Portal) problem(format string, args ...any) {
	p.w.Lock()
	defer p.w.Unlock()
	if len(p.problems) < 100 {
		p.problems = append(p.problems, errors.New("imbottest: "+p.scrub(fmt.Sprintf(format, args...))))
	}
}
