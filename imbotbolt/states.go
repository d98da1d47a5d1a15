package imbotbolt

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"go.etcd.io/bbolt"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

// States returns the states of conversations in the file.
func (db *DB) States() driver.StateStore { return stateStore{db} }

type stateStore struct{ db *DB }

// Format implements [fmt.Formatter].
func (s stateStore) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotbolt.States") }

// Load implements [driver.StateStore].
func (s stateStore) Load(ctx context.Context, key string) (value []byte, err error) {
	err = s.db.view(ctx, func(tx *bbolt.Tx) (err error) {
		value, err = s.read(tx, key)
		return err
	})
	if err == nil && value == nil {
		err = imbot.ErrNotFound
	}
	return value, err
}

// read returns a copy of a value, or nil.
func (s stateStore) read(tx *bbolt.Tx, key string) ([]byte, error) {
	sealed, ends := states.get(tx, []byte(key))
	if sealed == nil || !s.db.now().Before(ends) {
		return nil, nil
	}
	value, err := s.db.keys.Open("state "+key, sealed)
	if err != nil {
		return nil, err
	}
	return append([]byte{}, value...), nil
}

// Swap implements [driver.StateStore].
func (s stateStore) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	old, sealed := bytes.Clone(old), bytes.Clone(s.db.keys.Seal("state "+key, new)) // the caller may go before it is made
	return s.db.update(ctx, func(tx *bbolt.Tx) error {
		value, err := s.read(tx, key)
		switch {
		case err != nil:
			return refusal{err}
		case (value == nil) != (old == nil), !bytes.Equal(value, old):
			return refusal{imbot.ErrConflict}
		case new == nil:
			return states.remove(tx, []byte(key))
		}
		ends := s.db.now().Add(ttl)
		if last := time.Unix(0, math.MaxInt64); ends.After(last) { // a key has no room for a later one
			ends = last
		}
		return states.put(tx, []byte(key), ends, sealed)
	}, nil)
}
