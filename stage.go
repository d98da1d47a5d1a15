package imbot

import (
	"context"
	"errors"
	"net/http"
)

// stagedVerifier is a verifier that does what takes long after the answer.
type stagedVerifier interface {
	Verifier

	// stage refuses at once, or returns what is left to do (nil: nothing),
	// which can refuse, too. line is the order key of the work that is slow.
	stage(ctx context.Context, ev *EventMeta) (later func(context.Context) error, line string, err error)
}

// refusal is the error for an event that a verifier has refused.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	if e := (*EventError)(nil); errors.As(err, &e) {
		return err
	}
	return untrusted("not trusted", err)
}

// untrusted is the error for what is refused as not genuine.
func untrusted(reason string, cause error) *EventError {
	return &EventError{StatusCode: http.StatusUnauthorized, reason: reason, cause: cause}
}

// unchecked is the error for what could not be checked.
func unchecked(reason string, cause error) *EventError {
	return &EventError{StatusCode: http.StatusServiceUnavailable, reason: reason, cause: cause}
}

// receive is [ParseEvent], except that it leaves what takes long for later.
func (h *EventHandler) receive(r *http.Request) (ev Event, later func(context.Context) error, line string, err error) {
	v, ok := h.Verifier.(stagedVerifier)
	if !ok {
		ev, err = ParseEvent(r, h.Verifier)
		return ev, nil, "", err
	}
	meta, err := readEvent(r)
	if err != nil {
		return nil, nil, "", err
	}
	if later, line, err = v.stage(r.Context(), meta); err != nil {
		return nil, nil, "", refusal(err)
	}
	return decodeEvent(*meta), later, line, nil
}

// errUnverified keeps forgeries from filling the queue.
var errUnverified = errors.New("too many events wait to be verified")

// submitUnverified queues an event that is verified before it is handled. Such
// events fill at most half of the queue.
func (h *EventHandler) submitUnverified(ev Event, later func(context.Context) error, line string) error {
	if line == "" {
		line = orderKey(ev.Meta())
	}
	pool := h.dispatcher()
	if h.unverified.Add(1) > int64(h.queue()+1)/2 {
		h.unverified.Add(-1)
		return errUnverified
	}
	err := pool.Submit(line, func(ctx context.Context) {
		again := false
		err := h.guard(ctx, func() error {
			if again = h.wasSeen(ctx, ev); again {
				return nil
			}
			return later(ctx)
		})
		h.unverified.Add(-1)
		switch {
		case err != nil:
			h.fail(ctx, ev, err)
			return
		case again:
			return
		}
		fresh := false // marked no sooner: a forgery must not pass for the first delivery
		err = h.guard(ctx, func() error {
			return h.unlessSeen(ctx, ev, func() error { fresh = true; return nil })
		})
		switch {
		case err != nil:
			h.fail(ctx, ev, err)
		case fresh:
			h.handle(ctx, ev)
		}
	})
	if err != nil {
		h.unverified.Add(-1)
	}
	return err
}
