package imbot

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// stagedVerifier is a verifier that does what takes long after the answer.
type stagedVerifier interface {
	Verifier

	// stage refuses at once, or says what is left to do.
	stage(ctx context.Context, ev *EventMeta) (staged, error)
}

// staged is what a verifier knows at once about an event.
type staged struct {
	later  func(context.Context) error // decides; nil: the event is genuine
	known  bool                        // its application token is right: it is no junk
	checks bool                        // later may make other events of the portal genuine
	refuse error                       // the verdict, unless a check of the portal is under way: then later decides
	beside func(context.Context)       // to be done for a genuine event, some time
	size   int                         // of the body
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

// stageTime bounds what is asked about an event before the answer.
const stageTime = 5 * time.Second

// receive is [ParseEvent], except that it leaves what takes long for later. The
// portal posts an event once, so it counts also when the portal has hung up.
func (h *EventHandler) receive(r *http.Request) (ev Event, st staged, err error) {
	meta, size, err := readEvent(r)
	if err != nil {
		return nil, st, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), stageTime) // the body may have come slowly
	defer cancel()
	v, ok := h.Verifier.(stagedVerifier)
	if !ok {
		ev, err = verifyEvent(ctx, meta, h.Verifier)
		return ev, st, err
	}
	checking := h.gate.checking(meta.Auth.MemberID) // before the store is read: it may be over then
	if st, err = v.stage(ctx, meta); err == nil && st.refuse != nil && !checking {
		err = st.refuse
	}
	if err != nil {
		return nil, st, refusal(err)
	}
	st.size = size
	return decodeEvent(*meta), st, nil
}

// submit queues a genuine event. Behind one of its dialog and application token
// that waits for a check it waits, too, so that the order holds.
func (h *EventHandler) submit(ev Event) error {
	m, g := ev.Meta(), h.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dialogs[waitKey(m)] == 0 {
		return h.pool.Submit(orderKey(m), func(ctx context.Context) { h.handle(ctx, ev) })
	}
	return g.enter(m, staged{known: true}, func(context.Context) { h.pass(ev) })
}

// pass hands over an event that has waited for a check.
func (h *EventHandler) pass(ev Event) {
	h.pool.Hand(orderKey(ev.Meta()), func(ctx context.Context) { h.handle(ctx, ev) })
}

// errUnverified keeps forgeries from filling the queue.
var errUnverified = errors.New("too many events wait to be verified")

// submitUnverified queues an event that is verified before it is handled. Those
// that may be junk fill at most half of the queue, and those of one portal a
// small part of it; they hold little memory.
func (h *EventHandler) submitUnverified(ev Event, st staged) error {
	m, g := ev.Meta(), h.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	most := (h.queue() + 1) / 2
	if !st.known && (g.unknown >= most || g.bytes+st.size > checksBytes || g.members[m.Auth.MemberID] >= min(checksMember, most) || h.pool.Queued() >= h.queue()) {
		return errUnverified
	}
	return g.enter(m, st, func(ctx context.Context) { h.verify(ctx, ev, st) })
}

// verify does what was left, and hands the event over if it is genuine and new.
func (h *EventHandler) verify(ctx context.Context, ev Event, st staged) {
	again := false
	err := h.guard(ctx, func() error {
		if again = h.wasSeen(ctx, ev); again {
			return nil
		}
		return st.later(ctx)
	})
	if err == nil && !again { // marked no sooner: a forgery must not pass for the first delivery
		err = h.guard(ctx, func() error {
			return h.unlessSeen(ctx, ev, func() error { h.pass(ev); return nil })
		})
	}
	if err != nil {
		h.fail(ctx, ev, err)
	}
}
