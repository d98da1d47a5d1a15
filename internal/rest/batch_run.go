package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imbot-go/imbot/internal/phpform"
	"github.com/imbot-go/imbot/internal/secret"
)

// maxBatch is the number of commands that the portal runs of one batch.
const maxBatch = 50

// batchSize is how many commands, and of how many bytes, a batch may have. The
// portal cuts a request after 60 s, so a slow batch halves the number of the next
// ones, and fast ones let it grow back one by one. Servers in front of a portal
// refuse long bodies (1 MiB is a usual limit), so a refusal halves the bytes, and
// long batches that pass let them grow back by a sixteenth.
type batchSize struct {
	mu       sync.Mutex
	cut      int       // what is missing to maxBatch
	cutBytes int       // what is missing to maxBatchBytes
	off      time.Time // until then nothing travels in a batch

	refused map[string]time.Time // methods that the portal does not run in a batch, until then
}

const (
	slowBatch = 20 * time.Second
	fastBatch = 10 * time.Second

	maxBatchBytes = 900_000
	minBatchBytes = 10_000           // who refuses less than twice this refuses batch itself
	batchPause    = 10 * time.Minute // between two tries of a batch where batch itself is refused
)

// now returns how many commands and bytes the next batch may have.
func (s *batchSize) now() (commands, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maxBatch - s.cut, maxBatchBytes - s.cutBytes
}

// took notes how long a batch of n commands took. One that failed says nothing
// about how fast the portal is, only how slow.
func (s *batchSize) took(n, bytes int, d time.Duration, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case d > slowBatch:
		s.cut = max(s.cut, maxBatch-max(n/2, 1))
	case !failed && d < fastBatch && n >= maxBatch-s.cut && s.cut > 0:
		s.cut--
	}
	if room := maxBatchBytes - s.cutBytes; !failed && bytes > room*3/4 {
		s.cutBytes = max(s.cutBytes-room/16, 0)
	}
}

// limit notes that the portal ran only n commands of a longer batch.
func (s *batchSize) limit(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = max(s.cut, maxBatch-max(n, 1))
}

// tooLong notes that a batch of so many bytes was refused for its length.
func (s *batchSize) tooLong(bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cutBytes = max(s.cutBytes, maxBatchBytes-bytes/2)
}

// pause notes that the portal refuses batch itself.
func (s *batchSize) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off = time.Now().Add(batchPause)
}

// refuse notes that the portal does not run a method in a batch. What a portal has of
// these are methods of a program, so they are few.
func (s *batchSize) refuse(method string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused == nil {
		s.refused = map[string]time.Time{}
	}
	s.refused[method] = time.Now().Add(batchPause)
}

// refuses reports whether the portal does not run a method in a batch.
func (s *batchSize) refuses(method string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.refused[method])
}

// rides reports whether a call may travel in a batch, as far as it goes by the call.
func (c *Core) rides(it *Item) bool {
	return it.command != "" && !c.used().size.refuses(it.call.method)
}

// noBatch reports whether calls have to go singly for now, because the portal
// refuses batch itself or has put it on hold.
func (c *Core) noBatch() bool {
	c.used().size.mu.Lock()
	off := time.Now().Before(c.used().size.off)
	c.used().size.mu.Unlock()
	return off || c.used().holds.holding("batch")
}

// refusesBatch reports whether a failure refuses batch itself before anything ran,
// so that the calls in it may have better luck singly: it has used up its own
// operating time, an administrator has to confirm it, the portal does not know it or
// what is in it, or a firewall lets nobody there. A refusal of the credentials concerns
// every call.
func (f *Failure) refusesBatch() bool {
	switch strings.ToUpper(f.Code) {
	case operationTimeLimit, batchMethodNotAllowed, "ERROR_METHOD_NOT_FOUND", "METHOD_CONFIRM_WAITING", "METHOD_CONFIRM_DENIED":
		return true
	case "":
		return !f.FromPortal && f.StatusCode >= 400 && f.StatusCode < 500 && f.StatusCode != http.StatusTooManyRequests &&
			f.StatusCode != http.StatusUnauthorized && f.StatusCode != http.StatusProxyAuthRequired
	}
	return false
}

// batchCall is the call that carries items.
func (c *Core) batchCall(items []*Item) *Call {
	cl := &Call{method: "batch"}
	c.load(cl, items)
	return cl
}

// load makes a batch carry items. Their order is that of the object, so it is
// written by hand; commands hold nothing that JSON would escape. Keys begin with a
// letter: with numbers PHP would make lists of the answer.
func (c *Core) load(cl *Call, items []*Item) {
	size := len(`{"halt":0,"cmd":{}}`)
	secrets := slices.Clip(c.portal.Secrets)
	for _, it := range items {
		size += it.bytes()
		secrets = append(secrets, it.call.secrets[:len(it.call.secrets)-len(c.portal.Secrets)]...) // of the request
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
	cl.params, cl.items, cl.secrets = params, items, secrets
}

// bytes is how long an item makes a batch.
func (it *Item) bytes() int { return len(it.command) + len(`"c10":"",`) }

// Item is one call on its way through a batch, and then what became of it.
type Item struct {
	Result  json.RawMessage
	Failure *Failure  // nil: there is a Result
	Verdict Verdict   // by SendOnce
	Later   time.Time // by SendOnce, of one that was not sent: when its method may run again

	call    *Call
	command string // what stands for the call inside a batch; "": it is sent by itself
	next    next
}

// next is what has to be done with an item after its batch.
type next int

const (
	finished next = iota
	alone         // to be sent again by itself
	rejoin        // it did not run: to be sent again, in another batch or singly, in its old place
)

// NewItem prepares a call for a batch.
func NewItem(cl *Call) *Item {
	it := &Item{call: cl}
	it.command = cl.command()
	return it
}

// Call returns the call of the item.
func (it *Item) Call() *Call { return it.call }

// Dialog names what the call of the item is about.
func (it *Item) Dialog(c *Core) string { return c.config.Dialog(it.call.params) }

// BatchSize is how many calls may travel together now.
func (c *Core) BatchSize() int {
	commands, _ := c.used().size.now()
	return commands
}

// Run sends items in their order. The failure is that of the first batch that
// failed as a whole.
func (c *Core) Run(ctx context.Context, todo []*Item) *Failure {
	var failed *Failure
	for len(todo) > 0 {
		ctx, _ := classify(ctx) // each request counts: all may have to go singly
		if err := ctx.Err(); err != nil {
			f := notRun(todo, err)
			if failed == nil {
				failed = f
			}
			return failed
		}
		c.used().holds.hear(ctx)
		n := c.fitting(todo)
		if n == 0 {
			if it := todo[0]; it.call.batched && it.command != "" && !c.used().holds.holding("batch") { // of a hold the end is known
				it.unbatched()
			} else {
				c.sendAlone(ctx, it)
			}
			todo = todo[1:]
			continue
		}
		chunk := c.free(ctx, todo[:n])
		todo = todo[n:]
		if len(chunk) == 0 {
			continue
		}
		f := c.sendBatch(ctx, c.batchCall(chunk))
		if f != nil && failed == nil {
			failed = f
		}
		if f != nil && f.Kind != OutcomeUnknown {
			_ = notRun(todo, f) // f says more
			return failed
		}
		var left []*Item
		for _, it := range chunk {
			switch it.next {
			case alone:
				c.sendAlone(ctx, it)
			case rejoin:
				left = append(left, it)
			}
		}
		if len(left) > 0 {
			todo = append(left, todo...)
		}
	}
	return failed
}

// unbatched is what becomes of a [Batched] request that would have to go singly.
func (it *Item) unbatched() {
	f := &Failure{Method: it.call.method, Code: batchMethodNotAllowed, Description: "not sent singly", Attempts: it.call.attempts, InBatch: true, Kind: NotRun}
	if it.Failure != nil {
		f.Cause = it.Failure
	}
	it.Failure = f
}

// fitting is how many of the items, from the first one, may travel in one batch; 0
// when the first one has to go by itself.
func (c *Core) fitting(todo []*Item) (n int) {
	if c.noBatch() {
		return 0
	}
	commands, room := c.used().size.now()
	for n < min(commands, len(todo)) && c.rides(todo[n]) {
		if room -= todo[n].bytes(); room < 0 && n > 0 {
			break
		}
		n++
	}
	return n
}

// notRun is what becomes of calls that were never sent.
func notRun(items []*Item, cause error) *Failure {
	for _, it := range items {
		it.Failure = &Failure{Method: it.call.method, Description: "not sent", Attempts: it.call.attempts, Kind: NotRun, Cause: cause}
	}
	return &Failure{Method: "batch", Description: "not all calls were sent", Kind: NotRun, Cause: cause}
}

// free waits for the methods of a batch that are on hold, and returns the items
// without those whose hold outlasts ctx.
func (c *Core) free(ctx context.Context, items []*Item) []*Item {
	free := make([]*Item, 0, len(items))
	for _, it := range items {
		if err := c.used().holds.wait(ctx, it.call.method); err != nil {
			it.Failure = onHold(it.call, err)
			continue
		}
		free = append(free, it)
	}
	return free
}

// sendAlone sends an item by itself. When there is no time left to send it
// again, what the batch said stays.
func (c *Core) sendAlone(ctx context.Context, it *Item) {
	again := it.next == alone
	it.next = finished
	if again && ctx.Err() != nil {
		return
	}
	it.call.inBatch = false
	it.Result, it.Failure = c.send(ctx, it.call)
}

// sendBatch sends a batch and notes what became of each of its items. The failure
// is that of the request as a whole.
func (c *Core) sendBatch(ctx context.Context, cl *Call) *Failure {
	result, f := c.send(ctx, cl)
	items := cl.items
	if f != nil && f.Kind == Answered && f.StatusCode == http.StatusRequestEntityTooLarge && len(items) > 1 && len(cl.params) >= 2*minBatchBytes {
		c.used().size.tooLong(len(cl.params))
		c.sendAgain(items, f)
		return nil
	}
	if f != nil && f.Kind == Answered && f.refusesBatch() {
		if !f.is(operationTimeLimit) { // whose hold has an end of its own
			c.used().size.pause()
		}
		c.sendAgain(items, f)
		return nil
	}
	for _, it := range items {
		it.next, it.Failure = finished, nil
		it.call.attempts += cl.attempts
		it.call.doubt = it.call.doubt || cl.doubt
		it.call.inBatch = true
	}
	if f == nil {
		if f = c.distribute(ctx, cl, items, result); f == nil {
			return nil
		}
	}
	tooLong := f.is(batchLengthExceeded) && len(items) > 1 && cl.attempts < c.config.Retry.MaxAttempts
	for _, it := range items {
		if c.failed(it, f); tooLong {
			it.next = rejoin
		}
	}
	if tooLong {
		c.used().size.limit(len(items) / 2)
		return nil
	}
	return f
}

// sendAgain puts items back whose batch was refused for what it is. That costs none
// of their attempts.
func (c *Core) sendAgain(items []*Item, f *Failure) {
	for _, it := range items {
		c.failed(it, f)
		it.next = rejoin
	}
}

// failed is what becomes of an item when its batch failed as a whole.
func (c *Core) failed(it *Item, f *Failure) {
	it.Failure = &Failure{Method: it.call.method, Code: f.Code, Description: f.Description,
		Attempts: it.call.attempts, InBatch: true, Kind: f.Kind, Cause: f.Cause, TooLarge: f.TooLarge}
	switch {
	case f.Kind == Answered:
		it.Failure.Kind = NotRun
	case f.Kind == OutcomeUnknown && it.call.repeatable:
		it.Failure.Kind = Answered
		it.again(c)
	}
}

// again lets an item be sent once more, if it has attempts left.
func (it *Item) again(c *Core) {
	if it.call.attempts < c.config.Retry.MaxAttempts {
		it.next = alone
	}
}

// distribute takes the answer of a batch apart. It fails when the answer cannot
// be read: then nobody knows what has run.
func (c *Core) distribute(ctx context.Context, cl *Call, items []*Item, result json.RawMessage) *Failure {
	var r batchResult
	ok := r.read(result)
	results, ok1 := keyed(r.results, len(items))
	failures, ok2 := keyed(r.errors, len(items))
	times, _ := keyed(r.times, len(items))
	if !ok || !ok1 || !ok2 || r.results == nil && r.errors == nil {
		return &Failure{Method: cl.method, Description: "unexpected result of a batch", Attempts: cl.attempts,
			StatusCode: 200, Kind: OutcomeUnknown}
	}
	ran, failedBefore := 0, false // ran: so many commands the portal has looked at
	for i, it := range items {
		if raw := failures[i]; raw != nil {
			if c.commandFailed(ctx, it, cl, raw, failedBefore); it.Failure == nil || !it.Failure.is(batchLengthExceeded) {
				ran = i + 1
			}
			failedBefore = true
			continue
		}
		raw := results[i]
		if raw == nil {
			it.Failure = &Failure{Method: it.call.method, Description: "the portal did not come to it", Attempts: it.call.attempts, InBatch: true, Kind: NotRun}
			continue
		}
		ran = i + 1
		it.Result = raw
		c.done(it.call)
		if timing := times[i]; timing != nil {
			c.used().holds.ran(it.call.method, timing)
		}
	}
	if last := items[len(items)-1]; last.next == rejoin && last.Failure.is(batchLengthExceeded) {
		c.used().size.limit(ran)
	}
	return nil
}

// commandFailed reads the error of one command. Its code decides what is done about
// it, as long as the code is its own: after another command has failed it may be
// that one's, except for the three codes that the portal gives before it calls the method.
func (c *Core) commandFailed(ctx context.Context, it *Item, cl *Call, raw json.RawMessage, failedBefore bool) {
	f := &Failure{Method: it.call.method, Attempts: it.call.attempts, InBatch: true, FromPortal: true}
	if env, ok := readEnvelope(raw); ok && env.Error != nil {
		f.Code, f.Description = ErrorOf(env.Error, env.Description)
		f.Argument = text(env.Argument)
	} else if s := text(raw); strings.ContainsAny(s, " \t\n") {
		f.Description = s
	} else {
		f.Code = s
	}
	f.Code = secret.ScrubCode(f.Code, cl.secrets)
	f.Description, f.Argument = secret.Scrub(f.Description, cl.secrets), secret.Scrub(f.Argument, cl.secrets)
	it.Failure = f
	o := outcomeOf(f, true, connected)
	if f.is(errorCore) {
		o = unknown // the status would tell, and a command has none
	}
	if !failedBefore {
		o = it.call.judge(f, o)
	}
	switch {
	case o == already:
		it.Result, it.Failure = isTrue, nil
		c.done(it.call)
	case f.is(operationTimeLimit):
		c.block(ctx, it.call.method, cl.sent)
		it.again(c)
	case f.is(batchMethodNotAllowed):
		c.used().size.refuse(it.call.method)
		it.call.attempts -= cl.attempts // it was none
		it.next = rejoin
	case f.is(batchLengthExceeded):
		if it.again(c); it.next == alone {
			it.next = rejoin
		}
	case o == unknown && !it.call.repeatable:
		f.Kind = OutcomeUnknown
	case (o == unknown || o == refused) && !failedBefore:
		it.again(c)
	}
}

// batchResult is the result of a batch: three maps by the keys of the commands.
type batchResult struct{ results, errors, times []byte }

// read reports whether result is valid JSON that can hold them.
func (r *batchResult) read(result []byte) bool {
	return phpform.Members(result, func(name, value []byte) bool {
		switch string(name) {
		case `"result"`:
			r.results = value
		case `"result_error"`:
			r.errors = value
		case `"result_time"`:
			r.times = value
		}
		return true
	})
}

// keyed reads what should be an object, into a list by the number of the command of
// which there are n; nil: it has no value. PHP makes a list of an empty object and of one
// whose keys count from zero; others put null or false there.
func keyed(raw []byte, n int) (values []json.RawMessage, ok bool) {
	values = make([]json.RawMessage, n)
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "false" || string(raw) == `""` {
		return values, true
	}
	at := 0
	return values, phpform.Members(raw, func(name, value []byte) bool {
		i := at
		if at++; name != nil {
			var err error
			if i, err = strconv.Atoi(strings.TrimPrefix(string(name[1:len(name)-1]), "c")); err != nil {
				return true
			}
		}
		if i >= 0 && i < n {
			values[i] = value
		}
		return true
	})
}
