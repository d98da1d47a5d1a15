package driver

import "context"

// Shutdowner is what a server ends with itself: an event handler, or a
// provider of telemetry that has something to flush. Shutdown returns when what was accepted
// is done, or when ctx ends. One that also has Degraded() bool says with true that it works,
// but not as it should.
type Shutdowner interface {
	Shutdown(ctx context.Context) error
}
