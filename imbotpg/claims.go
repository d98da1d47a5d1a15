package imbotpg

import (
	"context"
	"fmt"
	"io"

	"github.com/imbot-go/imbot/driver"
)

// Claims returns the claims of event handlers without an Inbox. They share their keys with the
// inbox, so while a deploy changes from one to the other an event is handled once, too.
func (db *DB) Claims() driver.Claims { return claims{db} }

type claims struct{ db *DB }

// Format implements [fmt.Formatter]; fmt would print what is behind the pointer for some verbs.
func (claims) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotpg.Claims") }

// Claim implements [driver.Claims].
func (c claims) Claim(ctx context.Context, key string) (first bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	// A server that crashes forgets the last claims, which is worth less than a write to the disk each.
	tag, err := c.db.exec(ctx, `insert into {}.seen (key, at)
		select $1, clock_timestamp() from set_config('synchronous_commit', 'off', true) on conflict do nothing`, key)
	return tag.RowsAffected() == 1, failed("Claims.Claim", err)
}

// Release implements [driver.Claims].
func (c claims) Release(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := c.db.exec(ctx, `delete from {}.seen where key = $1`, key)
	return failed("Claims.Release", err)
}
