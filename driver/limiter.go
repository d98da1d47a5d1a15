package driver

import (
	"context"
	"time"
)

// Refuser is what an imbot.Limiter may be, too. Refused is called when the portal
// refuses a request that Wait has let through: somebody else calls the portal, too.
type Refuser interface {
	Refused(portal string)
}

// Holder is what an imbot.Limiter may be, too. It tells the processes that share it which methods a
// portal has blocked, because they used up its time, so that each learns it once.
//
// Hold notes that a method of a scope must not be called until then; a later time wins over an
// earlier one. Holds returns what is held now. A scope is one application or webhook on one portal:
// at most 64 letters [0-9a-z]. The times are those of the caller's clock; what has ended may be
// forgotten.
//
// Hold is called after a refusal, Holds before the first call and before one every 30 s; the call
// waits 100 ms at most, when ctx ends. After an error nobody asks or tells for 30 s, and the calls go
// on with what this process knows. A client with imbot.OAuth has no scope: who knows its application?
type Holder interface {
	Hold(ctx context.Context, scope, method string, until time.Time) error
	Holds(ctx context.Context, scope string) (map[string]time.Time, error)
}
