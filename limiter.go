package imbot

import (
	"context"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/rest"
)

// Limiter keeps the calls to a portal within its rate limit.
//
// Wait returns when one more request may be sent to the portal (its host; for
// clients of an [OAuthApp] its member id, which outlives a renaming), or with an
// error when ctx ends or its deadline would come first. A limiter that several
// processes share (in Redis, for example) needs no more than Wait; it may also be
// a [driver.Refuser] and a [driver.Holder].
type Limiter interface {
	Wait(ctx context.Context, portal string) error
}

var _ driver.Refuser = (*rest.Pacer)(nil)

// NewLimiter returns a limiter in memory: each portal has a bucket that lets
// burst requests through at once and perSecond afterwards. Bitrix24 allows 2 and
// 50, the Enterprise plan 5 and 250, counted for all calls from one address to
// one portal: share the limiter between clients.
//
// Who waits longest within the best [Class] goes next. Bulk calls leave a fifth of
// the burst to the others, ordinary ones a tenth to answers.
//
// When the portal refuses a request although the bucket had room, somebody else
// fills it, too: the limiter gives up the rest of the burst and halves its rate,
// down to an eighth, and doubles it again after the time of 60 requests (30 s at
// 2 a second) without a refusal.
//
// A rate that is not a positive number is 2, a burst below 1 is 1.
func NewLimiter(perSecond float64, burst int) Limiter { return rest.NewPacer(perSecond, burst) }

// Class says whose call goes first when calls wait for the limiter. With automatic
// batching a batch holds calls of one class, but for those that ride behind answers.
type Class int

// The classes of a call. A class beyond them is taken for the nearest.
const (
	ClassBulk   = Class(rest.ClassBulk)   // nobody waits for it; the default of [DoAll]
	ClassNormal = Class(rest.ClassNormal) // the default
	ClassAnswer = Class(rest.ClassAnswer) // a person waits for it; the default in a callback of an [EventHandler], for its first 20 calls
)

// String is "bulk", "normal" or "answer".
func (c Class) String() string {
	return [...]string{"bulk", "normal", "answer"}[min(max(c, ClassBulk), ClassAnswer)-ClassBulk]
}

// WithClass returns a context whose calls have a class, whatever they would have
// otherwise. A better class is taken from the others: bulk calls starve while
// answers alone use the whole rate of the portal.
func WithClass(ctx context.Context, c Class) context.Context {
	return rest.WithClass(ctx, rest.Class(c))
}

// ClassOf returns the class of the calls with this context, for a [Limiter] of your
// own: the context of its Wait has that of the call.
func ClassOf(ctx context.Context) Class { return Class(rest.ClassOf(ctx)) }

// sharedLimiter is the default of all clients of the process.
var sharedLimiter = NewLimiter(2, 50)
