package imbotredis

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/redis/go-redis/v9"

	"github.com/imbot-go/imbot"
)

// Tokens keeps the grants of an application in one hash, sealed with the keys of [Options]. It is a
// lock, too, which is free half a minute after its process has died.
//
// Set appendfsync always: a grant that is lost after its renewal means a new installation.
type Tokens struct{ db *DB }

var (
	_ imbot.TokenStore  = (*Tokens)(nil)
	_ imbot.TokenLister = (*Tokens)(nil)
	_ imbot.TokenLocker = (*Tokens)(nil)
)

// Tokens returns the store of grants.
func (db *DB) Tokens() *Tokens { return &Tokens{db} }

// Format implements [fmt.Formatter]; fmt would print what is behind the pointer for some verbs.
func (s *Tokens) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotredis.Tokens") }

// Load implements [imbot.TokenStore].
func (s *Tokens) Load(ctx context.Context, memberID string) (imbot.Grant, error) {
	g, _, err := s.read(ctx, memberID)
	return g, err
}

// read returns a grant, and the value as it is stored.
func (s *Tokens) read(ctx context.Context, memberID string) (g imbot.Grant, stored string, err error) {
	stored, err = ask(ctx, func() (string, error) { return s.db.client.HGet(ctx, s.db.key("grant"), memberID).Result() })
	if errors.Is(err, redis.Nil) {
		return imbot.Grant{}, "", imbot.ErrNotFound
	}
	if err != nil {
		return imbot.Grant{}, "", failed("Tokens", err)
	}
	plain, err := s.db.options.Keys.Open("grant/"+memberID, []byte(stored))
	if err == nil {
		g, err = imbot.DecodeGrant(plain)
	}
	if err == nil && g.MemberID != memberID {
		err = errors.New("it is that of another portal")
	}
	if err != nil {
		return imbot.Grant{}, "", fmt.Errorf("imbotredis: Tokens: the field %q of %s does not open; give Options.Keys its key, or delete it and install again: %w", memberID, s.db.key("grant"), err)
	}
	return g, stored, nil
}

// replaceGrant is replaceState for a field of the hash.
var replaceGrant = redis.NewScript(`
if redis.call('exists', KEYS[2]) == 1 then return 1 end
local stored = redis.call('hget', KEYS[1], ARGV[1])
if ARGV[2] == 'none' then
	if stored then return 0 end
elseif stored ~= ARGV[3] then
	return 0
end
if ARGV[4] == 'delete' then
	redis.call('hdel', KEYS[1], ARGV[1])
else
	redis.call('hset', KEYS[1], ARGV[1], ARGV[5])
end
redis.call('set', KEYS[2], '', 'px', ARGV[6])
return 1`)

// Swap implements [imbot.TokenStore].
func (s *Tokens) Swap(ctx context.Context, old, new imbot.Grant) error {
	memberID, none := cmp.Or(old.MemberID, new.MemberID), imbot.Grant{}
	if memberID == "" || old != none && new != none && old.MemberID != new.MemberID {
		return fmt.Errorf("imbotredis: Tokens.Swap: %w: the grants have no MemberID or different ones", imbot.ErrInvalid)
	}
	for asked := rand.Text(); ; {
		g, stored, err := s.read(ctx, memberID)
		found := err == nil
		if err != nil && !errors.Is(err, imbot.ErrNotFound) {
			return err
		}
		if !bytes.Equal(g.Encode(), old.Encode()) {
			return imbot.ErrConflict
		}
		has, does, sealed := "some", "write", []byte(nil)
		if !found {
			has = "none"
		}
		if new == none {
			does = "delete"
		} else {
			sealed = s.db.options.Keys.Seal("grant/"+memberID, new.Encode())
		}
		done, err := ask(ctx, func() (bool, error) { return s.replace(ctx, asked, memberID, has, stored, does, sealed) })
		if err != nil || done {
			return failed("Tokens.Swap", err)
		}
		// Somebody has written it since it was read, maybe the same grant with another nonce.
	}
}

// replace runs the script, and waits for the copies on the same connection.
func (s *Tokens) replace(ctx context.Context, asked, memberID, has, stored, does string, sealed []byte) (bool, error) {
	keys, args := []string{s.db.key("grant"), s.db.key("done", asked)}, []any{memberID, has, stored, does, sealed, millis(doneTime)}
	if s.db.options.Wait == 0 {
		return replaceGrant.Run(ctx, s.db.client, keys, args...).Bool()
	}
	pipe := s.db.client.Pipeline()
	script := replaceGrant.Eval(ctx, pipe, keys, args...)
	copies := pipe.Do(ctx, "wait", s.db.options.Wait, 1000)
	if _, err := pipe.Exec(ctx); err != nil {
		return false, err
	}
	if done, err := script.Bool(); err != nil || !done {
		return false, err
	}
	if n, err := copies.Int(); err != nil || n < s.db.options.Wait {
		return false, fmt.Errorf("%d of %d copies of the server have it after a second: %w", n, s.db.options.Wait, cmp.Or(err, errCopies))
	}
	return true, nil
}

var errCopies = errors.New("it is stored, but a fail-over may lose it")

// Members implements [imbot.TokenLister].
func (s *Tokens) Members(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		seen := map[string]bool{} // a scan may show one twice
		for cursor := uint64(0); ; {
			var next uint64
			page, err := ask(ctx, func() (page []string, err error) {
				page, next, err = s.db.client.HScan(ctx, s.db.key("grant"), cursor, "", 1000).Result()
				return page, err
			})
			if err != nil {
				yield("", failed("Tokens.Members", err))
				return
			}
			for i := 0; i < len(page); i += 2 {
				if seen[page[i]] {
					continue
				}
				seen[page[i]] = true
				if !yield(page[i], nil) {
					return
				}
			}
			if cursor = next; cursor == 0 {
				return
			}
		}
	}
}

// Lock implements [imbot.TokenLocker].
func (s *Tokens) Lock(ctx context.Context, memberID string) (unlock func(), err error) {
	key, token := s.db.key("lock", memberID), rand.Text()
	since, err := s.db.lock(ctx, key, token, grantTimes)
	if err != nil {
		return nil, failed("Tokens.Lock", err)
	}
	return s.db.hold(ctx, key, token, grantTimes, since, func() {}), nil
}
