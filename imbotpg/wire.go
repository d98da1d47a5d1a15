package imbotpg

import (
	"context"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
)

// closeTime is how long Close waits for a server. pgx by itself gives one that hangs 15 s for each
// connection whose question was called off.
const closeTime = 4 * time.Second

// wire makes the connections of a config end with the DB, those that call a question off, too.
func (db *DB) wire(config *pgx.ConnConfig) {
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer context.AfterFunc(db.live, cancel)()
		defer cancel()
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return wire{conn, context.AfterFunc(db.live, func() { _ = conn.Close() })}, nil
	}
}

// A wire is a connection that a DB ends which is closed.
type wire struct {
	net.Conn
	forget func() bool
}

// Close implements [net.Conn].
func (w wire) Close() error {
	w.forget()
	return w.Conn.Close()
}
