package imbotpg_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
)

// BenchmarkInbox puts events of 2 kB from 16 goroutines, and handles them beside.
func BenchmarkInbox(b *testing.B) {
	db := open(b, pgtest.Start(b), imbotpg.Options{Keys: keys(b, 'k')})
	in := db.Inbox()
	body := bytes.Repeat([]byte("event"), 400)
	var next, handled atomic.Int64
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				_, err := in.Put(b.Context(), driver.InboxItem{Key: fmt.Sprintf("%064x", i), Line: fmt.Sprintf("%032x", c*8+int(i)%8), Body: body})
				require.NoError(b, err)
			}
		})
	}
	ctx, cancel := context.WithCancel(b.Context())
	free := make(chan struct{}, 16)
	for range cap(free) {
		free <- struct{}{}
	}
	for handled.Load() < int64(b.N) {
		n := 1
		<-free
		for ; len(free) > 0; n++ {
			<-free
		}
		items, err := in.Take(ctx, n)
		if ctx.Err() != nil {
			break
		}
		require.NoError(b, err)
		for range n - len(items) {
			free <- struct{}{}
		}
		for _, it := range items {
			wg.Go(func() {
				require.NoError(b, in.Done(b.Context(), it, driver.InboxHandled))
				if handled.Add(1) == int64(b.N) {
					cancel()
				}
				free <- struct{}{}
			})
		}
	}
	cancel()
	wg.Wait()
}
