package inbox

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/internal/meminbox"
)

func TestAPutterOutlivesAStoreThatPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r := newReplica(server, nil)
		server.Intercept(func(context.Context, string, func() error) error { panic("oops") })
		time.AfterFunc(3*time.Second, func() { server.Fail(nil) })
		p := NewPutter(r.store, 5, r.cfg.Logger)
		done := false
		_, err := p.Put(r.itemOf("l1e1"), func() { done = true })
		require.NoError(t, err)
		require.NoError(t, p.Idle(t.Context()))
		require.True(t, done)
		require.NoError(t, p.Shutdown(t.Context()))
		r.shutdown(t)
	})
}
