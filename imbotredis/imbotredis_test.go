package imbotredis_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotredis"
	"github.com/imbot-go/imbot/imbotredis/internal/redistest"
	"github.com/imbot-go/imbot/imbottest/storetest"
)

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

// open opens a server as another process would.
func open(t testing.TB, s *redistest.Server, o imbotredis.Options) *imbotredis.DB {
	t.Helper()
	db, err := imbotredis.Open(t.Context(), s.Client(t), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestEngines(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for name, o := range map[string]imbotredis.Options{"plain": {}, "sealed": {Prefix: "sealed", Keys: keys(t, 'k'), Egress: "10.0.0.1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("grants", func(t *testing.T) {
				storetest.TokenStore(t, func(t testing.TB) imbot.TokenStore { return open(t, s, o).Tokens() })
			})
			t.Run("states", func(t *testing.T) {
				storetest.StateStore(t, func(t testing.TB) driver.StateStore { return open(t, s, o).States() })
			})
			t.Run("claims", func(t *testing.T) {
				storetest.Claims(t, func(t testing.TB) driver.Claims { return open(t, s, o).Claims() })
			})
			t.Run("leads", func(t *testing.T) {
				storetest.Leader(t, func(t testing.TB) driver.Leader { return open(t, s, o).Leader() })
			})
			t.Run("limits", func(t *testing.T) {
				storetest.Limiter(t, func(t testing.TB, perSecond float64, burst int) imbot.Limiter {
					return open(t, s, o).Limiter(perSecond, burst)
				})
			})
		})
	}
}
