package imbotpg_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
	"github.com/imbot-go/imbot/imbottest/storetest"
	"github.com/imbot-go/imbot/internal/killtest"
)

func TestEnginesHoldWhateverTransactionsBeginWith(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ level, dsn string }{
		"repeatable read":                     {"repeatable read", ""},
		"serializable in the simple protocol": {"serializable", " default_query_exec_mode=simple_protocol"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := pgtest.Start(t)
			s.Set("default_transaction_isolation", row.level)
			s.DSN += row.dsn
			engines(t, s, imbotpg.Options{})
			t.Run("inbox", func(t *testing.T) {
				storetest.Inbox(t, func(t testing.TB) driver.Inbox { return openInbox(t, s.DSN, imbotpg.Options{}) })
			})
		})
	}
}

func TestNoEventIsLostWhereTransactionsBeginRepeatableRead(t *testing.T) {
	r := killtest.Run(t, killtest.Config{Replicas: 2, Rounds: 2, Events: 2000}, func(t testing.TB) string {
		s := pgtest.Start(t)
		s.Set("default_transaction_isolation", "repeatable read")
		return s.DSN
	}, fill)
	killed(t, r, 8)
	require.Zero(t, r.OutOfOrder)
}
