package driver

import "context"

// Claims tell the programs that share the events of a portal which of them handles an event, when it
// comes to several or more than once. They must be safe for concurrent use.
//
// Claim takes a key for whoever asks first, in one step, and reports whether that was this call.
// Release gives a key back, because its event could not be accepted after all; one that nobody has
// is no error. A key is kept for an hour at least. Keys are at most 64 letters [0-9a-z].
//
// Both have to return when ctx ends, which it does after 250 ms, because the portal waits for its
// answer.
type Claims interface {
	Claim(ctx context.Context, key string) (first bool, err error)
	Release(ctx context.Context, key string) error
}
