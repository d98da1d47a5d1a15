package imbotredis

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/imbot-go/imbot/driver"
)

// claimTime is how long a key is claimed.
const claimTime = 2 * time.Hour

// Claims tells replicas which of them handles an event.
type Claims struct{ db *DB }

var _ driver.Claims = (*Claims)(nil)

// Claims returns the claims of an event handler.
func (db *DB) Claims() *Claims { return &Claims{db} }

// Format implements [fmt.Formatter]; fmt would print what is behind the pointer for some verbs.
func (c *Claims) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotredis.Claims") }

// Claim implements [driver.Claims].
func (c *Claims) Claim(ctx context.Context, key string) (first bool, err error) {
	first, err = c.db.take(ctx, c.db.key("claim", key), rand.Text(), claimTime)
	return first, failed("Claims.Claim", err)
}

// Release implements [driver.Claims].
func (c *Claims) Release(ctx context.Context, key string) error {
	_, err := ask(ctx, func() (int64, error) { return c.db.client.Del(ctx, c.db.key("claim", key)).Result() })
	return failed("Claims.Release", err)
}
