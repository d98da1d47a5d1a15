package imbotpg_test

import (
	"testing"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
	"github.com/imbot-go/imbot/imbottest/storetest"
)

func TestEnginesHoldWhateverTransactionsBeginWith(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			s := pgtest.Start(t)
			s.Set("default_transaction_isolation", level)
			engines(t, s, imbotpg.Options{})
			t.Run("inbox", func(t *testing.T) {
				storetest.Inbox(t, func(t testing.TB) driver.Inbox { return openInbox(t, s.DSN, imbotpg.Options{}) })
			})
		})
	}
}
