package imbotv2

import (
	"context"

	"github.com/imbot-go/imbot"
)

// ForEvent returns a client for the portal and the bot of an event, as [imbot.OAuthApp.ForEvent]
// does.
func ForEvent(ctx context.Context, app *imbot.OAuthApp, ev imbot.Event) (*Client, error) {
	base, err := app.ForEvent(ctx, ev)
	if err != nil {
		return nil, err
	}
	return From(base), nil
}
