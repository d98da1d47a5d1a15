// Package states keeps the states of dialogues, in memory and in files.
package states

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// Errors are what a store says to the users of the SDK.
type Errors struct {
	NotFound error
	Conflict error
	File     func(error) error // about a file
}

// NewMemory returns a store that forgets everything with the process.
func NewMemory(errs Errors) *Memory { return &Memory{errs: errs, states: map[string]*state{}} }

// Memory keeps states in memory.
type Memory struct {
	errs   Errors
	mu     sync.Mutex
	states map[string]*state
	ends   endOfStates
}

type state struct {
	key   string
	value []byte
	until time.Time
	at    int // in ends
}

// Format implements [fmt.Formatter]; fmt would print what people have told the bot.
func (s *Memory) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "imbot.memoryStates{***}")
}

// Load implements driver.StateStore.
func (s *Memory) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	st, ok := s.states[key]
	if !ok {
		return nil, s.errs.NotFound
	}
	return bytes.Clone(st.value), nil
}

// Swap implements driver.StateStore.
func (s *Memory) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	st, ok := s.states[key]
	if ok != (old != nil) || ok && !bytes.Equal(st.value, old) {
		return s.errs.Conflict
	}
	switch {
	case new == nil && ok:
		heap.Remove(&s.ends, st.at)
		delete(s.states, key)
	case new == nil:
	case ok:
		st.value, st.until = bytes.Clone(new), time.Now().Add(ttl)
		heap.Fix(&s.ends, st.at)
	default:
		st = &state{key: key, value: bytes.Clone(new), until: time.Now().Add(ttl)}
		s.states[key] = st
		heap.Push(&s.ends, st)
	}
	return nil
}

// sweep removes the states whose time is up.
func (s *Memory) sweep() {
	for now := time.Now(); len(s.ends) > 0 && !now.Before(s.ends[0].until); {
		delete(s.states, heap.Pop(&s.ends).(*state).key)
	}
}

// endOfStates is a heap: the state that ends first is the first.
type endOfStates []*state

func (e endOfStates) Len() int           { return len(e) }
func (e endOfStates) Less(i, j int) bool { return e[i].until.Before(e[j].until) }
func (e endOfStates) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].at, e[j].at = i, j
}
func (e *endOfStates) Push(x any) {
	last := x.(*state)
	last.at = len(*e)
	*e = append(*e, last)
}
func (e *endOfStates) Pop() any {
	last := len(*e) - 1
	popped := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return popped
}
