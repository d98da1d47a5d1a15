package imbotpg_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
	"github.com/imbot-go/imbot/imbottest/storetest"
)

// open opens a database as another process would.
func open(t testing.TB, s *pgtest.Server, o imbotpg.Options) *imbotpg.DB {
	t.Helper()
	db, err := imbotpg.Open(t.Context(), s.DSN, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func keys(t testing.TB, letters ...byte) *imbot.Keyring {
	t.Helper()
	var all [][]byte
	for _, b := range letters {
		all = append(all, bytes.Repeat([]byte{b}, 32))
	}
	ring, err := imbot.NewKeyring(all...)
	require.NoError(t, err)
	return ring
}

func TestEngines(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	for name, o := range map[string]imbotpg.Options{"plain": {}, "sealed": {Schema: "Sealed Tables", Keys: keys(t, 'k')}} {
		t.Run(name, func(t *testing.T) { engines(t, s, o) })
	}
}

// engines runs the kits of all but the inbox.
func engines(t *testing.T, s *pgtest.Server, o imbotpg.Options) {
	t.Helper()
	t.Run("grants", func(t *testing.T) {
		storetest.TokenStore(t, func(t testing.TB) imbot.TokenStore { return open(t, s, o).Tokens() })
	})
	t.Run("states", func(t *testing.T) {
		storetest.StateStore(t, func(t testing.TB) driver.StateStore { return open(t, s, o).States() })
	})
	t.Run("claims", func(t *testing.T) {
		storetest.Claims(t, func(t testing.TB) driver.Claims { return open(t, s, o).Claims() })
	})
	t.Run("pace", func(t *testing.T) {
		storetest.Limiter(t, func(t testing.TB, perSecond float64, burst int) imbot.Limiter {
			return open(t, s, o).Limiter(perSecond, burst)
		})
	})
	t.Run("leads", func(t *testing.T) {
		storetest.Leader(t, func(t testing.TB) driver.Leader { return open(t, s, o).Leader() })
	})
}
