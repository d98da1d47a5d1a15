package imbotbolt

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/imbot-go/imbot"
)

// Tokens is an [imbot.TokenStore] with a lock, and a list of its portals.
type Tokens struct{ db *DB }

// Format implements [fmt.Formatter].
func (s Tokens) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotbolt.Tokens") }

var (
	_ imbot.TokenLocker = Tokens{}
	_ imbot.TokenLister = Tokens{}
	_ imbot.TokenStore  = Tokens{}
)

// Tokens returns the grants of an application in the file. A Swap is on the disk when it returns.
func (db *DB) Tokens() Tokens { return Tokens{db} }

// Load implements [imbot.TokenStore].
func (s Tokens) Load(ctx context.Context, memberID string) (g imbot.Grant, err error) {
	err = s.db.view(ctx, func(tx *bbolt.Tx) (err error) {
		g, err = s.read(tx, memberID)
		return err
	})
	if err == nil && g == (imbot.Grant{}) {
		err = imbot.ErrNotFound
	}
	return g, err
}

func (s Tokens) read(tx *bbolt.Tx, memberID string) (imbot.Grant, error) {
	sealed := tx.Bucket(inGrants).Get([]byte(memberID))
	if sealed == nil {
		return imbot.Grant{}, nil
	}
	text, err := s.db.keys.Open("grant "+memberID, sealed)
	if err != nil {
		return imbot.Grant{}, err
	}
	return imbot.DecodeGrant(bytes.Clone(text))
}

// Swap implements [imbot.TokenStore].
func (s Tokens) Swap(ctx context.Context, old, new imbot.Grant) error {
	memberID := old.MemberID
	if old == (imbot.Grant{}) {
		memberID = new.MemberID
	}
	if memberID == "" || new != (imbot.Grant{}) && new.MemberID != memberID {
		return fmt.Errorf("imbotbolt: Swap: the grants have no MemberID or different ones: %w", imbot.ErrInvalid)
	}
	return s.db.update(ctx, func(tx *bbolt.Tx) error {
		stored, err := s.read(tx, memberID)
		if err != nil {
			return refusal{err}
		}
		if (stored == imbot.Grant{}) != (old == imbot.Grant{}) || !bytes.Equal(stored.Encode(), old.Encode()) {
			return refusal{imbot.ErrConflict}
		}
		if new == (imbot.Grant{}) {
			return tx.Bucket(inGrants).Delete([]byte(memberID))
		}
		return tx.Bucket(inGrants).Put([]byte(memberID), s.db.keys.Seal("grant "+memberID, new.Encode()))
	}, nil)
}

// Members implements [imbot.TokenLister].
func (s Tokens) Members(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var members []string
		err := s.db.view(ctx, func(tx *bbolt.Tx) error {
			return tx.Bucket(inGrants).ForEach(func(k, _ []byte) error {
				members = append(members, string(k))
				return nil
			})
		})
		if err != nil {
			yield("", err)
			return
		}
		for _, member := range members {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(member, nil) {
				return
			}
		}
	}
}

// Lock implements [imbot.TokenLocker]. One process has the file, so the lock is one of this process.
func (s Tokens) Lock(ctx context.Context, memberID string) (unlock func(), err error) {
	return s.db.grants.lock(ctx, memberID)
}

// locks are held by name.
type locks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the lock is free
}

func (l *locks) lock(ctx context.Context, name string) (unlock func(), err error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l.mu.Lock()
		free, taken := l.held[name]
		if !taken {
			if l.held == nil {
				l.held = map[string]chan struct{}{}
			}
			mine := make(chan struct{})
			l.held[name] = mine
			l.mu.Unlock()
			return sync.OnceFunc(func() {
				l.mu.Lock()
				delete(l.held, name)
				l.mu.Unlock()
				close(mine)
			}), nil
		}
		l.mu.Unlock()
		select {
		case <-free:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
