package imbotbolt

import (
	"context"
	"time"

	"go.etcd.io/bbolt"

	"github.com/imbot-go/imbot/driver"
)

const claimTime = 2 * time.Hour

// Claims returns the claims of the file, which outlive a restart. An event handler with an Inbox asks
// none.
func (db *DB) Claims() driver.Claims { return claims{db} }

type claims struct{ db *DB }

// Claim implements [driver.Claims].
func (c claims) Claim(ctx context.Context, key string) (first bool, err error) {
	err = c.db.update(ctx, func(tx *bbolt.Tx) error {
		if known, at := claimed.get(tx, []byte(key)); known != nil && c.db.now().Sub(at) < claimTime {
			return nil
		}
		first = true
		return claimed.put(tx, []byte(key), c.db.now(), nil)
	}, nil)
	return first && err == nil, err
}

// Release implements [driver.Claims].
func (c claims) Release(ctx context.Context, key string) error {
	return c.db.update(ctx, func(tx *bbolt.Tx) error { return claimed.remove(tx, []byte(key)) }, nil)
}
