package rest

import (
	"context"
	"sync/atomic"
)

// Class says whose call goes first when calls wait for the limiter.
type Class int

// The classes of a call. One beyond is the nearest of them.
const (
	ClassBulk   Class = iota - 1 // nobody waits for it: a broadcast
	ClassNormal                  // the default
	ClassAnswer                  // a person waits for it
)

const classes = 3

// line is the index of a class.
func (c Class) line() int { return int(min(max(c, ClassBulk), ClassAnswer) - ClassBulk) }

// classKey is the key of a *classed in a context.
type classKey struct{}

type classed struct {
	class Class
	left  *atomic.Int32 // how many calls may still have the class; nil: all
}

// WithClass returns a context whose calls have a class.
func WithClass(ctx context.Context, class Class) context.Context {
	return context.WithValue(ctx, classKey{}, &classed{class: class})
}

// answersOfCallback is how many calls of one callback are answers. A callback that starts a
// broadcast must not keep others from theirs.
const answersOfCallback = 20

// WithAnswers returns the context of a callback, whose first calls are answers. A class that
// the context has stays.
func WithAnswers(ctx context.Context) context.Context {
	if _, has := ctx.Value(classKey{}).(*classed); has {
		return ctx
	}
	c := &classed{class: ClassAnswer, left: new(atomic.Int32)}
	c.left.Store(answersOfCallback)
	return context.WithValue(ctx, classKey{}, c)
}

// ClassOf returns the class that a call with this context has.
func ClassOf(ctx context.Context) Class {
	c, ok := ctx.Value(classKey{}).(*classed)
	if !ok || c.left != nil && c.left.Load() <= 0 {
		return ClassNormal
	}
	return min(max(c.class, ClassBulk), ClassAnswer)
}

// HasClass reports whether somebody has given the context a class: the one that a
// callback's context has by itself does not count.
func HasClass(ctx context.Context) bool {
	c, ok := ctx.Value(classKey{}).(*classed)
	return ok && c.left == nil
}

// classify fixes the class of one call, so that all its attempts have it, and takes
// it off what a callback may have.
func classify(ctx context.Context) (context.Context, Class) {
	c, ok := ctx.Value(classKey{}).(*classed)
	switch {
	case !ok:
		return ctx, ClassNormal
	case c.left == nil:
		return ctx, ClassOf(ctx)
	case c.left.Add(-1) < 0:
		return WithClass(ctx, ClassNormal), ClassNormal
	}
	return WithClass(ctx, c.class), ClassOf(ctx)
}

// aloneKey is the key of true in the context of a call that travels in no automatic batch.
type aloneKey struct{}

// Alone returns a context whose calls travel in no automatic batch, so that the code of an error is
// their own. They keep no order.
func Alone(ctx context.Context) context.Context { return context.WithValue(ctx, aloneKey{}, true) }
