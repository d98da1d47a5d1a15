package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- run(ctx, portal.Webhook("a-random-token"), imbot.WithHTTPClient(portal.HTTPClient())) }()
		defer func() { stop(); require.NoError(t, errors.Join(<-ended, portal.Err())) }()
		bot, err := portal.WaitBot(ctx, "echo")
		require.NoError(t, err)
		answer, err := portal.Ask(ctx, portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(bot), "hello")
		require.NoError(t, err)
		require.Equal(t, "You said: hello", answer.Plain())
	})
}
