// Package storetest checks that a store, a limiter or a leader of your own keeps the promises
// of its interface. Each function runs subtests against the real thing:
//
//	func TestTokens(t *testing.T) {
//		db := startDatabase(t)
//		storetest.TokenStore(t, func(t testing.TB) imbot.TokenStore { return connect(t, db) })
//	}
//
// open is called several times and opens the same thing again, as another process would: what
// one has stored the others find. Every check has keys of its own, so nothing has to be empty
// before, and some rows are left; [Inbox] and [Kill] alone need a store of their own. Checks run side
// by side and take a few seconds, because they wait for the clock of the engine.
package storetest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync"
	"testing"
	"time"
)

// patience is how long something may take that has to happen: machines are busy.
const patience = 20 * time.Second

// A check is one promise.
type check[S any] struct {
	name string
	run  func(t testing.TB, open func() S)
}

func run[S any](t *testing.T, checks []check[S], open func(testing.TB) S) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, func() S { return open(t) })
		})
	}
}

// newKey returns a key that no other check has: 64 letters [0-9a-f].
func newKey() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

func want(t testing.TB, what string, err, expected error) {
	t.Helper()
	if !errors.Is(err, expected) {
		t.Fatalf("%s: the error is %v, not %v", what, err, expected)
	}
}

// contend lets both of two processes change something ten times at once, and counts who
// succeeded, who lost it with conflict; any other error fails the test.
func contend(t testing.TB, conflict error, change func(process, i int) error) {
	t.Helper()
	var mu sync.Mutex
	won := 0
	var wrong error
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range 20 {
		wg.Go(func() {
			<-begin
			err := change(i%2, i)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !errors.Is(err, conflict):
				wrong = err
			}
		})
	}
	close(begin)
	wg.Wait()
	if wrong != nil {
		t.Fatalf("20 changes at once: the error is %v, not %v", wrong, conflict)
	}
	if won != 1 {
		t.Fatalf("20 changes at once of the same value: %d succeeded, not one", won)
	}
}
