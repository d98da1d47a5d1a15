package imbotpg

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/imbot-go/imbot/driver"
)

// Leader returns the leader, for the poller of imbotv2 and for whatever else one replica does. Who
// leads holds a lock of a session, which ends with the process at once, and with a machine that
// vanishes after about 11 s; the context of who lost the session has ended by then.
//
// A server that does not answer is waited for; that it refuses this user or database is an error.
func (db *DB) Leader() driver.Leader { return leader{db} }

type leader struct{ db *DB }

// Format implements [fmt.Formatter]; fmt would print what is behind the pointer for some verbs.
func (leader) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotpg.Leader") }

// errLeadLost is why the context of f has ended.
var errLeadLost = errors.New("imbotpg: the lead is lost: the session that held it has ended")

// Lead implements [driver.Leader].
func (l leader) Lead(ctx context.Context, name string, f func(context.Context) error) error {
	for {
		h, err := l.db.sessions.acquire(ctx, "lead", name, true)
		if err != nil {
			return failed("Lead", err)
		}
		lost, err := lead(ctx, h, f)
		if !lost || ctx.Err() != nil {
			return err
		}
	}
}

// lead runs f until it returns. Its context ends when the session is lost.
func lead(ctx context.Context, h *hold, f func(context.Context) error) (lost bool, err error) {
	defer h.release()
	leads, end := context.WithCancelCause(ctx)
	defer end(nil)
	done := make(chan error, 1)
	go func() {
		defer close(done) // also when f ends its goroutine
		done <- f(leads)
	}()
	select {
	case err := <-done:
		return false, err
	case <-h.lost:
		end(errLeadLost)
		return true, <-done
	}
}
