package imbotpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

// States returns the states of conversations, for [imbot.State]. The clock is that of the server.
func (db *DB) States() driver.StateStore { return states{db} }

type states struct{ db *DB }

// Format implements [fmt.Formatter]; fmt would print what is behind the pointer for some verbs.
func (states) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotpg.States") }

// Load implements [driver.StateStore].
func (s states) Load(ctx context.Context, key string) ([]byte, error) {
	value, _, err := s.read(ctx, key)
	return value, err
}

// read returns a state, and the row as it is stored.
func (s states) read(ctx context.Context, key string) (value, row []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	err = s.db.pool.QueryRow(ctx, s.db.sql(`select body from {}.state where key = $1 and until > clock_timestamp()`), key).Scan(&row)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, imbot.ErrNotFound
	}
	if err != nil {
		return nil, nil, failed("States", err)
	}
	value, err = s.db.options.Keys.Open(stateContext(key), row)
	if err != nil {
		return nil, nil, failed("States", fmt.Errorf("the row %s in table state does not open; give Options.Keys its key, or delete the row: %w", key, err))
	}
	return value, row, nil
}

// Swap implements [driver.StateStore].
func (s states) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	for {
		stored, row, err := s.read(ctx, key)
		found := err == nil
		if err != nil && !errors.Is(err, imbot.ErrNotFound) {
			return err
		}
		if found != (old != nil) || !bytes.Equal(stored, old) {
			return imbot.ErrConflict
		}
		done, err := s.replace(ctx, key, row, new, ttl)
		if err != nil || done {
			return err
		}
		// Somebody has written the row since it was read, maybe the same state with another nonce.
	}
}

// replace writes a state where a row is stored; nil: none whose time is not up. It tells whether
// that was still so.
func (s states) replace(ctx context.Context, key string, row, new []byte, ttl time.Duration) (bool, error) {
	var statement string
	var args []any
	switch {
	case row == nil && new == nil:
		return true, nil
	case new == nil:
		statement, args = `delete from {}.state where key = $1 and body = $2`, []any{key, row}
	case row == nil:
		statement, args = `insert into {}.state as s (key, body, until) values ($1, $2, clock_timestamp() + $3 * interval '1 microsecond')
			on conflict (key) do update set body = excluded.body, until = clock_timestamp() + $3 * interval '1 microsecond' where s.until <= clock_timestamp()`,
			[]any{key, s.db.options.Keys.Seal(stateContext(key), new), ttl.Microseconds()}
	default:
		statement, args = `update {}.state set body = $3, until = clock_timestamp() + $4 * interval '1 microsecond' where key = $1 and body = $2 and until > clock_timestamp()`,
			[]any{key, row, s.db.options.Keys.Seal(stateContext(key), new), ttl.Microseconds()}
	}
	tag, err := s.db.exec(ctx, statement, args...)
	return tag.RowsAffected() == 1, failed("States.Swap", err)
}

func stateContext(key string) string { return "state/" + key }
