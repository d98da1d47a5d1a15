//go:build !race

package messenger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// This file is built without the race detector, which makes everything ten times slower.
func TestThePageAnswersAtOnce(t *testing.T) {
	w := newLargePage(t)
	for _, path := range requests {
		best := time.Hour
		for range 10 {
			start := time.Now()
			require.Equal(t, 200, w.serve("GET", path, "").Code, path)
			best = min(best, time.Since(start))
		}
		t.Log(best, path)
		require.Less(t, best, 50*time.Millisecond, path)
	}
}
