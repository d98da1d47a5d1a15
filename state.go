package imbot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/states"
)

// State keeps what a bot knows of a dialogue, from one event to the next, whichever
// generation and kind the events are of: a message, a button and a command of the same person
// in the same dialog find the same S, which is any type that encoding/json takes.
//
//	type order struct{ Step, Size string }
//	orders := &imbot.State[order]{Name: "order", Store: store}
//
// The zero value of S means that there is no dialogue: it is what f gets first, after TTL,
// and in place of a state that no longer decodes; what f leaves as zero is deleted. So to
// end a dialogue is *o = order{}. Two values are the same when their JSON is.
//
// Events of one dialog come one after the other, so f needs no lock. When two processes
// change the state of one person at the same time, the slower one gets [ErrConflict] and
// overwrites nothing; f is never run again.
//
// A bot that polls and is killed gets once more what it had handled and not acknowledged: it keeps
// the EventID of the last event in S and skips what is not above it.
//
// A State must not be copied after its first use.
type State[S any] struct {
	Name  string             // tells the states of one store apart: of other kinds, of other programs
	Store driver.StateStore  // default: in memory, forgotten with the process
	TTL   time.Duration      // since the last change; default 1 h
	Key   func(Event) string // whose state it is; default PerPerson

	memory sync.Once
}

// Do loads the state of the one who caused ev, calls f, and stores what f leaves. When f
// returns an error, nothing is stored and Do returns the error.
func (s *State[S]) Do(ctx context.Context, ev Event, f func(*S) error) error {
	if s.Name == "" {
		return invalid("", "State.Do: Name is empty")
	}
	s.memory.Do(func() {
		if s.Store == nil {
			s.Store = NewStateStore()
		}
	})
	key, ttl := s.key(ev), s.TTL
	if ttl <= 0 {
		ttl = time.Hour
	}
	old, err := s.Store.Load(ctx, key)
	if errors.Is(err, ErrNotFound) {
		old, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("imbot: State %s: load: %w", s.Name, err)
	}
	var state, zero S
	if old != nil && json.Unmarshal(old, &state) != nil {
		state = zero
	}
	if err := f(&state); err != nil {
		return err
	}
	next, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("imbot: State %s: %w", s.Name, err)
	}
	nothing, err := json.Marshal(zero)
	if err != nil {
		return fmt.Errorf("imbot: State %s: %w", s.Name, err)
	}
	if bytes.Equal(next, nothing) {
		next = nil
	}
	if (old == nil) == (next == nil) && bytes.Equal(old, next) {
		return nil
	}
	if err := s.Store.Swap(ctx, key, old, next, ttl); err != nil {
		return fmt.Errorf("imbot: State %s: store: %w", s.Name, err)
	}
	return nil
}

// key hashes whose state it is, because portals and people choose what a store would see.
func (s *State[S]) key(ev Event) string {
	whose := s.Key
	if whose == nil {
		whose = PerPerson
	}
	sum := sha256.Sum256([]byte(s.Name + "\x00" + whose(ev)))
	return hex.EncodeToString(sum[:])
}

// PerPerson gives each person a state of their own in each dialog with each bot: in a
// group chat two people order two pizzas.
func PerPerson(ev Event) string { return fmt.Sprintf("%s/%d", PerDialog(ev), ev.AuthorID()) }

// PerDialog lets all people of a group chat share a state.
func PerDialog(ev Event) string {
	return fmt.Sprintf("%q/%d/%q", ev.MemberID(), ev.ForBot(), ev.Dialog())
}

// NewStateStore returns a store that forgets everything with the process. A state whose
// time is up goes with the next call.
func NewStateStore() driver.StateStore { return states.NewMemory(stateErrors) }

// NewFileStates returns a store that keeps each state in a file of its own below dir, which
// is made when it is missing: dialogues survive a restart. Several processes of one machine
// may share dir; modes, locks and what happens in a crash are those of [NewFileStore]. States
// whose time is up are removed little by little, with each change.
func NewFileStates(dir string) driver.StateStore {
	return states.NewFiles(directory(dir), stateErrors)
}

var stateErrors = states.Errors{NotFound: ErrNotFound, Conflict: ErrConflict, File: fileError}
