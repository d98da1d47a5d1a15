package storetest_test

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbottest/storetest"
	"github.com/imbot-go/imbot/internal/meminbox"
)

func TestTokenStores(t *testing.T) {
	t.Parallel()
	t.Run("in memory", func(t *testing.T) {
		s := imbot.NewMemoryStore()
		storetest.TokenStore(t, func(testing.TB) imbot.TokenStore { return s })
	})
	t.Run("in files", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "grants")
		storetest.TokenStore(t, func(testing.TB) imbot.TokenStore { return imbot.NewFileStore(dir) })
	})
}

func TestStateStores(t *testing.T) {
	t.Parallel()
	t.Run("in memory", func(t *testing.T) {
		s := imbot.NewStateStore()
		storetest.StateStore(t, func(testing.TB) driver.StateStore { return s })
	})
	t.Run("in files", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "states")
		storetest.StateStore(t, func(testing.TB) driver.StateStore { return imbot.NewFileStates(dir) })
	})
}

func TestLimiters(t *testing.T) {
	t.Parallel()
	var once sync.Once
	var l imbot.Limiter
	storetest.Limiter(t, func(_ testing.TB, perSecond float64, burst int) imbot.Limiter {
		once.Do(func() { l = imbot.NewLimiter(perSecond, burst) })
		return l
	})
}

func TestClaims(t *testing.T) {
	t.Parallel()
	c := imbot.NewClaims(10_000)
	storetest.Claims(t, func(testing.TB) driver.Claims { return c })
}

func TestLeaders(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "leads")
	storetest.Leader(t, func(testing.TB) driver.Leader { return imbot.FileLeader(dir) })
}

func TestInboxes(t *testing.T) {
	t.Parallel()
	t.Run("of many processes", func(t *testing.T) {
		t.Parallel()
		s := meminbox.New()
		storetest.Inbox(t, func(testing.TB) driver.Inbox { return s.Open() })
	})
	t.Run("of one process at a time", func(t *testing.T) {
		t.Parallel()
		s := meminbox.New()
		storetest.Inbox(t, func(testing.TB) driver.Inbox { return s.Open() }, storetest.Single())
	})
}
