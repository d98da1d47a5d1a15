package imbotpg

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/imbot-go/imbot"
)

// Tokens keeps the grants of an application, one row for each portal, sealed with the keys of
// [Options].
//
// It is a lock, too: that of a portal belongs to a session of the server and ends with the process
// that holds it. A server that only reads, or has no room, refuses before a refresh token is spent.
type Tokens struct{ db *DB }

var (
	_ imbot.TokenStore  = Tokens{}
	_ imbot.TokenLister = Tokens{}
	_ imbot.TokenLocker = Tokens{}
)

// Tokens returns the store of grants.
func (db *DB) Tokens() Tokens { return Tokens{db} }

// Format implements [fmt.Formatter]; fmt would print what is behind the pointer for some verbs.
func (Tokens) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotpg.Tokens") }

// Load implements [imbot.TokenStore]. A row that no key of [Options] opens is an error: put the
// key back, or delete the row and install again.
func (s Tokens) Load(ctx context.Context, memberID string) (imbot.Grant, error) {
	g, _, err := s.read(ctx, memberID)
	return g, err
}

// read returns a grant, and the row as it is stored.
func (s Tokens) read(ctx context.Context, memberID string) (g imbot.Grant, row []byte, err error) {
	if err := ctx.Err(); err != nil {
		return imbot.Grant{}, nil, err
	}
	if !storable(memberID) {
		return imbot.Grant{}, nil, imbot.ErrNotFound
	}
	err = s.db.pool.QueryRow(ctx, s.db.sql(`select body from {}.grant_ where member = $1`), memberID).Scan(&row)
	if errors.Is(err, pgx.ErrNoRows) {
		return imbot.Grant{}, nil, imbot.ErrNotFound
	}
	if err != nil {
		return imbot.Grant{}, nil, failed("Tokens", err)
	}
	plain, err := s.db.options.Keys.Open(grantContext(memberID), row)
	if err == nil {
		g, err = imbot.DecodeGrant(plain)
	}
	if err == nil && g.MemberID != memberID {
		err = errors.New("it is that of another portal")
	}
	if err != nil {
		return imbot.Grant{}, nil, failed("Tokens", fmt.Errorf("the row of %q in table grant_ does not open; give Options.Keys its key, or delete the row and install again: %w", memberID, err))
	}
	return g, row, nil
}

// Swap implements [imbot.TokenStore].
func (s Tokens) Swap(ctx context.Context, old, new imbot.Grant) error {
	memberID := cmp.Or(old.MemberID, new.MemberID)
	if none := (imbot.Grant{}); !storable(memberID) || old != none && new != none && old.MemberID != new.MemberID {
		return fmt.Errorf("imbotpg: Tokens.Swap: %w: the grants have no MemberID or different ones, or one that Postgres does not store", imbot.ErrInvalid)
	}
	for {
		stored, row, err := s.read(ctx, memberID)
		if err != nil && !errors.Is(err, imbot.ErrNotFound) {
			return err
		}
		if !bytes.Equal(stored.Encode(), old.Encode()) {
			return imbot.ErrConflict
		}
		done, err := s.replace(ctx, memberID, row, new)
		if err != nil || done {
			return err
		}
		// Somebody has written the row since it was read, maybe the same grant with another nonce.
	}
}

// replace writes a grant where a row is stored; nil: none. It tells whether the row was still there.
func (s Tokens) replace(ctx context.Context, memberID string, row []byte, new imbot.Grant) (bool, error) {
	sealed := s.db.options.Keys.Seal(grantContext(memberID), new.Encode())
	statement, args := `update {}.grant_ set body = $3 where member = $1 and body = $2`, []any{memberID, row, sealed}
	switch {
	case row == nil && new == imbot.Grant{}: // nothing to delete
		return true, nil
	case row == nil:
		statement, args = `insert into {}.grant_ (member, body) values ($1, $2) on conflict do nothing`, []any{memberID, sealed}
	case new == imbot.Grant{}:
		statement, args = `delete from {}.grant_ where member = $1 and body = $2`, []any{memberID, row}
	}
	tag, err := s.db.exec(ctx, statement, args...)
	return tag.RowsAffected() == 1, failed("Tokens.Swap", err)
}

// memberPage is how many portals are read at a time, so that no connection is held while the
// caller works.
const memberPage = 1000

// Members implements [imbot.TokenLister].
func (s Tokens) Members(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for last := ""; ; {
			rows, err := s.db.pool.Query(ctx, s.db.sql(`select member from {}.grant_ where member > $1 order by member limit $2`), last, memberPage)
			var page []string
			if err == nil {
				page, err = pgx.CollectRows(rows, pgx.RowTo[string])
			}
			if err != nil {
				yield("", failed("Tokens.Members", err))
				return
			}
			for _, last = range page {
				if err := ctx.Err(); err != nil {
					yield("", err)
					return
				}
				if !yield(last, nil) {
					return
				}
			}
			if len(page) < memberPage {
				return
			}
		}
	}
}

// Lock implements [imbot.TokenLocker]. All locks of a process share one connection, so the pool is
// free for those who hold one.
func (s Tokens) Lock(ctx context.Context, memberID string) (unlock func(), err error) {
	h, err := s.db.sessions.acquire(ctx, "grant", memberID, false)
	if err != nil {
		return nil, failed("Tokens.Lock", err)
	}
	return h.release, nil
}

func grantContext(memberID string) string { return "grant_/" + memberID }

// storable reports whether Postgres takes a text for a key of an index; one of a portal always is.
func storable(key string) bool {
	return key != "" && len(key) <= 1024 && utf8.ValidString(key) && !strings.Contains(key, "\x00")
}
