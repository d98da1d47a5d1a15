package driver

import "context"

// Leader lets one process at a time do something. It must be safe for concurrent use.
//
// Lead waits until nobody else leads the name, runs f, and returns what f returns. The context
// of f ends with ctx and when the lead is lost; then Lead waits for the lead again and
// runs f once more. An error of the engine itself is returned when it cannot be waited out. A
// process that dies loses its leads.
type Leader interface {
	Lead(ctx context.Context, name string, f func(context.Context) error) error
}
