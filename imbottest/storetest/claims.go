package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/imbot-go/imbot/driver"
)

// Claims checks [driver.Claims]. That they outlive an hour it does not wait for.
func Claims(t *testing.T, open func(testing.TB) driver.Claims) {
	t.Helper()
	run(t, claimChecks, open)
}

var claimChecks = []check[driver.Claims]{
	{"a key is claimed once, by all processes together", claimsAreShared},
	{"of many who claim a key at once one is the first", claimsContend},
	{"what was released can be claimed again", claimsReleased},
	{"ended contexts are obeyed", claimsObey},
}

func claims(t testing.TB, what string, c driver.Claims, key string, expected bool) {
	t.Helper()
	first, err := c.Claim(t.Context(), key)
	want(t, what, err, nil)
	if first != expected {
		t.Fatalf("%s: first is %t", what, first)
	}
}

func claimsAreShared(t testing.TB, open func() driver.Claims) {
	a, b, key := open(), open(), newKey()
	claims(t, "Claim", a, key, true)
	claims(t, "Claim once more", a, key, false)
	claims(t, "Claim in another process", b, key, false)
	claims(t, "Claim after a restart", open(), key, false)
	for range 1000 { // the first must outlive many others
		claims(t, "Claim of another key", b, newKey(), true)
	}
	claims(t, "Claim after a thousand others", a, key, false)
}

func claimsContend(t testing.TB, open func() driver.Claims) {
	processes := []driver.Claims{open(), open()}
	for range 5 {
		key := newKey()
		var firsts atomic.Int32
		var wg sync.WaitGroup
		begin := make(chan struct{})
		for i := range 20 {
			wg.Go(func() {
				<-begin
				first, err := processes[i%2].Claim(t.Context(), key)
				if err != nil {
					t.Errorf("Claim: %v", err)
				}
				if first {
					firsts.Add(1)
				}
			})
		}
		close(begin)
		wg.Wait()
		if firsts.Load() != 1 {
			t.Fatalf("of 20 who claimed a key at once %d were the first", firsts.Load())
		}
	}
}

func claimsReleased(t testing.TB, open func() driver.Claims) {
	a, b, key, other := open(), open(), newKey(), newKey()
	want(t, "Release of what nobody has", a.Release(t.Context(), key), nil)
	claims(t, "Claim", a, key, true)
	claims(t, "Claim of another key", a, other, true)
	want(t, "Release", a.Release(t.Context(), key), nil)
	claims(t, "Claim of what was released, in another process", b, key, true)
	claims(t, "Claim of what was claimed again", a, key, false)
	claims(t, "Claim of what was not released", b, other, false)
}

func claimsObey(t testing.TB, open func() driver.Claims) {
	c, key := open(), newKey()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Claim(ended, key)
	want(t, "Claim with an ended context", err, context.Canceled)
	want(t, "Release with an ended context", c.Release(ended, key), context.Canceled)
	claims(t, "Claim after one whose context had ended", c, key, true)
}
