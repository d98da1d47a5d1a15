package imbotredis

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

// States keeps what bots know of their conversations, sealed with the keys of [Options]. The clock is
// that of the server.
type States struct{ db *DB }

var _ driver.StateStore = (*States)(nil)

// States returns the store for an [imbot.State].
func (db *DB) States() *States { return &States{db} }

// Format implements [fmt.Formatter]; fmt would print what is behind the pointer for some verbs.
func (s *States) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotredis.States") }

// Load implements [driver.StateStore].
func (s *States) Load(ctx context.Context, key string) ([]byte, error) {
	value, _, err := s.read(ctx, key)
	return value, err
}

// read returns a state, and the value as it is stored.
func (s *States) read(ctx context.Context, key string) (value []byte, stored string, err error) {
	stored, err = ask(ctx, func() (string, error) { return s.db.client.Get(ctx, s.db.key("state", key)).Result() })
	if errors.Is(err, redis.Nil) {
		return nil, "", imbot.ErrNotFound
	}
	if err != nil {
		return nil, "", failed("States", err)
	}
	value, err = s.db.options.Keys.Open("state/"+key, []byte(stored))
	if err != nil {
		return nil, "", fmt.Errorf("imbotredis: States: the value of %s does not open; give Options.Keys its key, or delete it: %w", s.db.key("state", key), err)
	}
	return value, stored, nil
}

// replaceState writes a value, or deletes it without one, if what is stored is what was read. A second key
// tells for doneTime that it has: go-redis repeats a question whose answer got lost.
var replaceState = redis.NewScript(`
if redis.call('exists', KEYS[2]) == 1 then return 1 end
local stored = redis.call('get', KEYS[1])
if ARGV[1] == 'none' then
	if stored then return 0 end
elseif stored ~= ARGV[2] then
	return 0
end
if ARGV[3] == 'delete' then
	redis.call('del', KEYS[1])
else
	redis.call('set', KEYS[1], ARGV[4], 'px', ARGV[5])
end
redis.call('set', KEYS[2], '', 'px', ARGV[6])
return 1`)

// doneTime is longer than a client repeats a question.
const doneTime = time.Minute

// Swap implements [driver.StateStore].
func (s *States) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	for asked := rand.Text(); ; {
		value, stored, err := s.read(ctx, key)
		found := err == nil
		if err != nil && !errors.Is(err, imbot.ErrNotFound) {
			return err
		}
		if found != (old != nil) || !bytes.Equal(value, old) {
			return imbot.ErrConflict
		}
		has, does, sealed := "some", "write", []byte(nil)
		if !found {
			has = "none"
		}
		if new == nil {
			does = "delete"
		} else {
			sealed = s.db.options.Keys.Seal("state/"+key, new)
		}
		done, err := ask(ctx, func() (bool, error) {
			return replaceState.Run(ctx, s.db.client, []string{s.db.key("state", key), s.db.key("done", asked)},
				has, stored, does, sealed, millis(ttl), millis(doneTime)).Bool()
		})
		if err != nil || done {
			return failed("States.Swap", err)
		}
		// Somebody has written it since it was read, maybe the same state with another nonce.
	}
}
