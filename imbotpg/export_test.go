package imbotpg

import "context"

// Clean cleans as is done every minute.
func (db *DB) Clean(ctx context.Context) error { return db.clean(ctx) }

// Channel is what the replicas listen to.
func (b *Inbox) Channel() string { return b.channel() }
