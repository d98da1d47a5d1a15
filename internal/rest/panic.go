package rest

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/imbot-go/imbot/internal/secret"
)

// errGoexit is what a call fails with when code of the user ended the goroutine.
var errGoexit = errors.New("code of the user (a limiter, an observer, a transport) ended the goroutine with runtime.Goexit")

// guarded calls code of the user in a goroutine that is not the user's, where a panic
// would end the program. The panic is reported and becomes the error.
func (c *Core) guarded(secrets *[]string, f func() error) (err error) {
	defer func() {
		thrown := recover()
		if thrown == nil {
			return
		}
		text := fmt.Sprintf("panic in code of the user (a limiter, an observer, a transport): %v", thrown)
		text = secret.Scrub(text, *secrets)
		err = errors.New(text)
		if c.config.Watcher != nil {
			c.config.Watcher.Panicked(text, debug.Stack())
		}
	}()
	return f()
}

// crash ends a batch that code of the user has cut off. Whoever rides in it is told so.
func (a *autoBatch) crash(r *ride, attempts int, cause error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, j := range r.waiters {
		f := &Failure{Method: j.call.method, Description: "not sent", Attempts: j.call.attempts, Kind: NotRun, Cause: cause}
		if r.flying {
			j.call.attempts += attempts
			j.call.inBatch = true
			f.Description, f.Attempts, f.InBatch, f.Kind = "the batch was cut off", j.call.attempts, true, Answered
			if !j.call.repeatable {
				f.Kind = OutcomeUnknown
			}
		}
		j.next, j.Failure = finished, f
	}
	a.land(r)
}

// stopped makes good for a pump that code of the user has ended: its calls fail, and
// the next one gets another pump.
func (a *autoBatch) stopped(q *queue) {
	a.mu.Lock()
	if q.round != nil {
		q.round.cancel()
	}
	q.pumping, q.round = false, nil
	a.mu.Unlock()
	a.fail(q, errGoexit)
}
