package imbotbolt

import (
	"context"
	"fmt"
	"io"
	"time"

	"go.etcd.io/bbolt"

	"github.com/imbot-go/imbot/driver"
)

const claimTime = 2 * time.Hour

// Claims returns the claims of the file, which outlive a restart. An event handler with an Inbox asks
// none.
func (db *DB) Claims() driver.Claims { return claims{db} }

type claims struct{ db *DB }

// Format implements [fmt.Formatter].
func (c claims) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotbolt.Claims") }

// Claim implements [driver.Claims].
func (c claims) Claim(ctx context.Context, key string) (first bool, err error) {
	var is bool
	err = c.db.update(ctx, func(tx *bbolt.Tx) error {
		known, at := claimed.get(tx, []byte(key))
		if is = known == nil || c.db.now().Sub(at) >= claimTime; !is {
			return errNothing
		}
		return claimed.put(tx, []byte(key), c.db.now(), nil)
	}, nil)
	if err != nil {
		return false, err
	}
	return is, nil
}

// Release implements [driver.Claims].
func (c claims) Release(ctx context.Context, key string) error {
	return c.db.update(ctx, func(tx *bbolt.Tx) error { return claimed.remove(tx, []byte(key)) }, nil)
}
