package imbotpg

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// readCommitted comes first in a transaction that writes. A database or role may begin others, in which a
// statement does not see what was committed while it waited for a row. A setting of the connection would
// not do: PgBouncer takes it from nobody, or gives it to everybody. SET LOCAL would log a warning each
// time; of this parameter, SET does not outlive the transaction either.
const readCommitted = `set transaction_isolation = 'read committed'`

// newBatch begins statements that are one transaction.
func newBatch() *pgx.Batch {
	b := &pgx.Batch{}
	b.Queue(readCommitted)
	return b
}

// exec runs a statement that writes.
func (db *DB) exec(ctx context.Context, statement string, args ...any) (tag pgconn.CommandTag, err error) {
	b := newBatch()
	b.Queue(db.sql(statement), args...).Exec(func(t pgconn.CommandTag) error {
		tag = t
		return nil
	})
	err = db.pool.SendBatch(ctx, b).Close()
	return tag, err
}

// row runs a statement that writes and returns a row.
func (db *DB) row(ctx context.Context, statement string, args []any, into ...any) error {
	b := newBatch()
	b.Queue(db.sql(statement), args...).QueryRow(func(row pgx.Row) error { return row.Scan(into...) })
	return db.pool.SendBatch(ctx, b).Close()
}
