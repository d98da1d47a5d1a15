package main

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestTheBotKeepsItsDialogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, demo(t.Context(), &out))
		require.Equal(t, `bot 102 before, bot 102 after
Anna Ivanova: are you there?
Helper: first generation: are you there?
Anna Ivanova: and now?
Helper: second generation: and now?
`, out.String())
	})
}

func TestWhatPeopleWriteDuringTheMoveIsAnsweredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		hook, options := portal.Webhook(secret), imbot.WithHTTPClient(portal.HTTPClient())
		old, err := startFirst(ctx, hook, options)
		require.NoError(t, err)
		portal.Serve(handlerURL, old.handler)
		anna, dialog, said := portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(old.id), make(chan error)
		go func() {
			var err error
			for range 20 {
				_, failed := portal.Say(ctx, anna, dialog, "hello")
				err = errors.Join(err, failed)
				time.Sleep(100 * time.Millisecond)
			}
			said <- err
		}()
		time.Sleep(450 * time.Millisecond)
		fresh, err := startSecond(ctx, hook, options)
		require.NoError(t, err)
		time.Sleep(450 * time.Millisecond)
		require.NoError(t, old.handler.Shutdown(ctx))
		require.NoError(t, <-said)
		time.Sleep(time.Minute)
		stop()
		require.NoError(t, errors.Join(<-fresh.polled, portal.Err()))
		generations := map[string]int{}
		for _, m := range portal.Messages(anna, dialog) {
			generations[m.Plain()]++
		}
		require.Equal(t, map[string]int{"hello": 20, "first generation: hello": 5, "second generation: hello": 15}, generations)
	})
}
