package driver

import (
	"context"
	"time"
)

// StateStore keeps what a bot knows of its conversations: some bytes for each key, for a
// time. It must be safe for concurrent use; when several processes share it, Swap has to
// be atomic between them. Keys are 64 letters [0-9a-f].
//
// Load returns imbot.ErrNotFound for a key that is not there or whose time is up. Swap
// replaces old by new if old is what Load would return, and returns imbot.ErrConflict
// otherwise. A nil old inserts, a nil new deletes. What was swapped in lives for ttl, which
// is always positive; the clock is the store's, not the caller's.
type StateStore interface {
	Load(ctx context.Context, key string) ([]byte, error)
	Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error
}
