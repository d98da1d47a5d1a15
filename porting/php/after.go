// Package php is a bot after its port from PHP.
package php

import (
	"context"
	"net/http"

	"github.com/imbot-go/imbot"
)

// after completes an application, which has its id, secret and store, to one with the same bot on every
// portal that installs it.
func after(app *imbot.OAuthApp, eventURL string) (page http.Handler, events *imbot.EventHandler) {
	app.OnInstall = func(ctx context.Context, client *imbot.Client, _ imbot.Grant) error {
		_, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
			Code: "echo", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "Echo"},
		})
		return err
	}
	return app.InstallPage(), &imbot.EventHandler{
		Verifier: app.Verifier(),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			client, err := app.ForEvent(ctx, ev)
			if err != nil {
				return err
			}
			_, err = client.Message.Add(ctx, ev.Reply("You said: "+ev.Text()))
			return err
		},
	}
}
