package imbot

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/imbot-go/imbot/internal/inbox"
)

// Callback handles one event.
type Callback = func(ctx context.Context, ev Event) error

// Middleware wraps the handling of events, of both generations: it runs around every event
// that an EventHandler accepts, also one without a callback, in the order of its dialog. It is
// called once, before the first event; what it returns may run many times at once. It may
// answer without calling next, and a value that it puts into ctx reaches the callback:
//
//	func onlyStaff(next imbot.Callback) imbot.Callback {
//		return func(ctx context.Context, ev imbot.Event) error {
//			if !staff[ev.AuthorID()] {
//				return nil
//			}
//			return next(ctx, ev)
//		}
//	}
type Middleware = func(next Callback) Callback

// LogEvents writes one record for each event when its callback has ended, at level Info whatever
// became of it: event, portal, bot, dialog and user as far as the event has them, took, and error.
// It writes no text of a person. A nil logger is [slog.Default].
func LogEvents(logger *slog.Logger) Middleware {
	return func(next Callback) Callback {
		return func(ctx context.Context, ev Event) (err error) {
			start := time.Now()
			err = errNoReturn
			defer func() {
				attrs := append(eventAttrs(ev), "took", time.Since(start))
				if err != nil {
					attrs = append(attrs, "error", err)
				}
				to := logger
				if to == nil {
					to = slog.Default()
				}
				calm(to).InfoContext(ctx, "imbot: event", attrs...)
			}()
			return next(ctx, ev)
		}
	}
}

// errNoReturn is what LogEvents says of a callback that panicked; who recovers says how.
var errNoReturn = errors.New("imbot: the callback did not return")

// eventAttrs is what a log says of an event.
func eventAttrs(ev Event) []any {
	return inbox.Attrs(ev.Meta().Name, ev.MemberID(), string(ev.Dialog()), int64(ev.ForBot()), int64(ev.AuthorID()))
}
