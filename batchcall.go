package imbot

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imbot-go/imbot/internal/secret"
)

// maxBatch is the number of commands that the portal runs of one batch.
const maxBatch = 50

// batchSize is how many commands a batch may have: the portal cuts a request
// after 60 s, so a slow batch halves the next ones, and fast ones let them grow
// back one by one.
type batchSize struct {
	mu  sync.Mutex
	cut int // what is missing to maxBatch
}

const (
	slowBatch = 20 * time.Second
	fastBatch = 10 * time.Second
)

func (s *batchSize) now() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maxBatch - s.cut
}

// took notes how long a batch of n commands took. One that failed says nothing
// about how fast the portal is, only how slow.
func (s *batchSize) took(n int, d time.Duration, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case d > slowBatch:
		s.cut = max(s.cut, maxBatch-max(n/2, 1))
	case !failed && d < fastBatch && n >= maxBatch-s.cut && s.cut > 0:
		s.cut--
	}
}

// limit notes that the portal ran only n commands of a longer batch.
func (s *batchSize) limit(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = max(s.cut, maxBatch-max(n, 1))
}

// key is the name of the i-th command. It begins with a letter: with numbers
// PHP would make lists of the answer.
func key(i int) string { return "c" + strconv.Itoa(i) }

// batchCall is the call that carries items. Their order is that of the object,
// so it is written by hand; commands hold nothing that JSON would escape.
func (c *core) batchCall(items []*item) *call {
	size := len(`{"halt":0,"cmd":{}}`)
	secrets := slices.Clip(c.secrets)
	for _, it := range items {
		size += len(it.command) + len(`"c10":"",`)
		secrets = append(secrets, it.call.secrets[:len(it.call.secrets)-len(c.secrets)]...) // of the request
	}
	params := make([]byte, 0, size)
	params = append(params, `{"halt":0,"cmd":{`...)
	for i, it := range items {
		if i > 0 {
			params = append(params, ',')
		}
		params = append(params, `"c`...)
		params = strconv.AppendInt(params, int64(i), 10)
		params = append(params, `":"`...)
		params = append(params, it.command...)
		params = append(params, '"')
	}
	params = append(params, `}}`...)
	return &call{method: "batch", params: params, batch: len(items), secrets: secrets}
}

// sendBatch sends items in one request and notes what became of each. The error
// is that of the request as a whole.
func (c *core) sendBatch(ctx context.Context, items []*item, cl *call) error {
	result, err := c.send(ctx, cl)
	for _, it := range items {
		it.next, it.err = finished, nil
		it.call.attempts += cl.attempts
		it.call.inBatch = true
	}
	if err == nil {
		if err = c.distribute(cl, items, result); err == nil {
			return nil
		}
	}
	var e *Error
	if !errors.As(err, &e) { // send returns nothing else
		e = &Error{Description: "not sent", cause: err}
	}
	tooLong := e.Is(ErrBatchLengthExceeded) && len(items) > 1 && cl.attempts < c.retry.MaxAttempts
	for _, it := range items {
		if c.failed(it, e); tooLong {
			it.next = rejoin
		}
	}
	if tooLong {
		c.size.limit(len(items) / 2)
		return nil
	}
	return err
}

// failed is what becomes of an item when its batch failed as a whole.
func (c *core) failed(it *item, e *Error) {
	it.err = &Error{Method: it.call.method, Code: e.Code, Description: e.Description,
		Attempts: it.call.attempts, InBatch: true, kind: e.kind, cause: e.cause}
	switch {
	case e.kind == nil:
		it.err.(*Error).kind = ErrNotRun
	case e.kind == ErrOutcomeUnknown && it.call.repeatable:
		it.err.(*Error).kind = nil
		it.again(c)
	}
}

// again lets an item be sent once more, if it has attempts left.
func (it *item) again(c *core) {
	if it.call.attempts < c.retry.MaxAttempts {
		it.next = alone
	}
}

// distribute takes the answer of a batch apart. Its error is that of an answer
// that cannot be read, after which nobody knows what has run.
func (c *core) distribute(cl *call, items []*item, result json.RawMessage) error {
	var a struct {
		Results json.RawMessage `json:"result"`
		Errors  json.RawMessage `json:"result_error"`
		Times   json.RawMessage `json:"result_time"`
	}
	err := json.Unmarshal(result, &a)
	results, ok1 := keyed(a.Results)
	failures, ok2 := keyed(a.Errors)
	times, _ := keyed(a.Times)
	if err != nil || !ok1 || !ok2 || a.Results == nil && a.Errors == nil {
		return &Error{Method: cl.method, Description: "unexpected result of a batch", Attempts: cl.attempts,
			StatusCode: 200, kind: ErrOutcomeUnknown}
	}
	ran, failedBefore := 0, false
	for i, it := range items {
		if raw, ok := failures.at(i); ok {
			if c.commandFailed(it, cl, raw, failedBefore); it.next != rejoin {
				ran = i + 1
			}
			failedBefore = true
			continue
		}
		raw, ok := results.at(i)
		if !ok {
			it.err = &Error{Method: it.call.method, Description: "the portal did not come to it", Attempts: it.call.attempts, InBatch: true, kind: ErrNotRun}
			continue
		}
		ran = i + 1
		it.result = raw
		c.typing.done(it.call)
		if timing, ok := times.at(i); ok {
			c.holds.ran(it.call.method, timing)
		}
	}
	if failedBefore && items[len(items)-1].next == rejoin {
		c.size.limit(ran)
	}
	return nil
}

// commandFailed reads the error of one command. What may be done about it goes
// by its own code, as long as that is its own: after another failure it may be
// the earlier one's, except for those two that the portal gives before it calls
// the method.
func (c *core) commandFailed(it *item, cl *call, raw json.RawMessage, failedBefore bool) {
	e := &Error{Method: it.call.method, Attempts: it.call.attempts, InBatch: true, envelope: true}
	var env envelope
	if json.Unmarshal(raw, &env) == nil && env.Error != nil {
		e.Code, e.Description = errorOf(env)
		e.Argument = text(env.Argument)
	} else if s := text(raw); strings.ContainsAny(s, " \t\n") {
		e.Description = s
	} else {
		e.Code = ErrorCode(s)
	}
	e.Code = ErrorCode(secret.ScrubCode(string(e.Code), cl.secrets))
	e.Description, e.Argument = secret.Scrub(e.Description, cl.secrets), secret.Scrub(e.Argument, cl.secrets)
	it.err = e
	o := outcomeOf(e, true)
	if e.Is(ErrCore) {
		o = unknown // the status would tell
	}
	switch {
	case e.Is(ErrOperationTimeLimit):
		c.holds.refused(it.call.method, cl.sent)
		it.again(c)
	case e.Is(ErrBatchLengthExceeded):
		if it.again(c); it.next == alone {
			it.next = rejoin
		}
	case o == unknown && !it.call.repeatable:
		e.kind = ErrOutcomeUnknown
	case (o == unknown || o == refused) && !failedBefore:
		it.again(c)
	}
}

// keyedMap is a map of a batch's answer by the keys of the commands.
type keyedMap map[string]json.RawMessage

// keyed reads what should be an object. PHP makes a list of an empty one and of
// one whose keys count from zero; others put null or false there.
func keyed(raw json.RawMessage) (keyedMap, bool) {
	if len(raw) == 0 {
		return nil, true
	}
	switch raw[0] {
	case '{':
		var m keyedMap
		err := json.Unmarshal(raw, &m)
		return m, err == nil
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return nil, false
		}
		m := make(keyedMap, len(list))
		for i, v := range list {
			m[strconv.Itoa(i)] = v
		}
		return m, true
	}
	return nil, string(raw) == "null" || string(raw) == "false" || string(raw) == `""`
}

func (m keyedMap) at(i int) (json.RawMessage, bool) {
	v, ok := m[key(i)]
	if !ok {
		v, ok = m[strconv.Itoa(i)]
	}
	return v, ok
}
