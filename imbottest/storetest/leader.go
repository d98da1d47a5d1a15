package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imbot-go/imbot/driver"
)

// Leader checks a [driver.Leader]. That the lead of a process that dies is free has to be
// tried with processes.
func Leader(t *testing.T, open func(testing.TB) driver.Leader) {
	t.Helper()
	run(t, leaderChecks, open)
}

var leaderChecks = []check[driver.Leader]{
	{"one leads at a time, and all do in the end", leadersTakeTurns},
	{"another name has another leader", leadersOfNames},
	{"Lead returns what its function returns", leadersReturn},
	{"the context of the function ends with that of Lead", leadersEnd},
	{"who waits leaves with its context", leadersLeave},
}

func leadersTakeTurns(t testing.TB, open func() driver.Leader) {
	name := newKey()
	var leading, most atomic.Int32
	ended := make(chan error, 4)
	processes := []driver.Leader{open(), open()}
	for i := range cap(ended) {
		go func() {
			ended <- processes[i%2].Lead(t.Context(), name, func(context.Context) error {
				n := leading.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				time.Sleep(50 * time.Millisecond)
				leading.Add(-1)
				return nil
			})
		}()
	}
	for range cap(ended) {
		want(t, "Lead", await(t, ended, "a lead that is free is taken by nobody who waits"), nil)
	}
	if most.Load() != 1 {
		t.Fatalf("%d led at the same time", most.Load())
	}
}

func leadersOfNames(t testing.TB, open func() driver.Leader) {
	a, b := open(), open()
	ended := make(chan error, 1)
	err := a.Lead(t.Context(), newKey(), func(ctx context.Context) error {
		go func() { ended <- b.Lead(ctx, newKey(), func(context.Context) error { return nil }) }()
		return await(t, ended, "somebody leads another name, and this one waits")
	})
	want(t, "Lead", err, nil)
}

func leadersReturn(t testing.TB, open func() driver.Leader) {
	l, failed := open(), errors.New("failed")
	name, runs := newKey(), 0
	err := l.Lead(t.Context(), name, func(context.Context) error { runs++; return failed })
	want(t, "Lead, whose function fails", err, failed)
	if runs != 1 {
		t.Fatalf("the function ran %d times", runs)
	}
	want(t, "Lead after a function that failed", l.Lead(t.Context(), name, func(context.Context) error { return nil }), nil)
}

func leadersEnd(t testing.TB, open func() driver.Leader) {
	ctx, cancel := context.WithCancel(t.Context())
	name := newKey()
	ended := make(chan error, 1)
	l := open()
	go func() {
		ended <- l.Lead(ctx, name, func(leads context.Context) error {
			cancel()
			select {
			case <-leads.Done():
				return leads.Err()
			case <-time.After(patience):
				return errors.New("the context goes on")
			}
		})
	}()
	want(t, "Lead", await(t, ended, "Lead does not return"), context.Canceled)
	want(t, "Lead with an ended context", l.Lead(ctx, name, neverLeads), context.Canceled)
	want(t, "Lead of another process afterwards", open().Lead(t.Context(), name, func(context.Context) error { return nil }), nil)
}

func leadersLeave(t testing.TB, open func() driver.Leader) {
	name := newKey()
	a, b := open(), open()
	err := a.Lead(t.Context(), name, func(context.Context) error {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- b.Lead(ctx, name, neverLeads) }()
		return await(t, ended, "who waits for the lead stays when its context ends")
	})
	want(t, "Lead of who waits", err, context.DeadlineExceeded)
}

func neverLeads(context.Context) error { return errors.New("it leads") }

// await returns what comes within the patience of a test.
func await(t testing.TB, ended <-chan error, otherwise string) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		t.Errorf("%s", otherwise)
		return nil
	}
}
