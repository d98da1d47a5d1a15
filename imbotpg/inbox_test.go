package imbotpg_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
	"github.com/imbot-go/imbot/imbottest/storetest"
)

// process is an inbox that ends with its database, as a process does.
type process struct {
	*imbotpg.Inbox
	db *imbotpg.DB
}

func (p process) Close() error { return p.db.Close() }

func openInbox(t testing.TB, dsn string, o imbotpg.Options) driver.Inbox {
	t.Helper()
	db, err := imbotpg.Open(t.Context(), dsn, o)
	require.NoError(t, err)
	return process{db.Inbox(), db}
}

func TestInboxKit(t *testing.T) {
	s := pgtest.Start(t)
	o := imbotpg.Options{Schema: "kit", Keys: keys(t, 1)}
	storetest.Inbox(t, func(t testing.TB) driver.Inbox { return openInbox(t, s.DSN, o) })
}

func TestInboxKill(t *testing.T) {
	storetest.Kill(t, func(t testing.TB) string { return pgtest.Start(t).DSN },
		func(t testing.TB, dsn string) driver.Inbox { return openInbox(t, dsn, imbotpg.Options{}) })
}
