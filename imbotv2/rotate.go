package imbotv2

import (
	"context"
	"errors"

	"github.com/imbot-go/imbot"
)

// RotateToken gives a bot of a webhook another token and returns a client that has it. The old
// one is dead at once: for posted events trust both meanwhile ([imbot.AnyOf]).
// A [Poll] with the old client ends with [ErrBotOwnership]: poll with the new one then, which with a
// [Poller] is Remove before and Add after.
//
// When the answer gets lost, RotateToken asks with the new token whether the bot is its
// owner's, and then with the old one, so the error says which of them counts: the new one does
// unless there is an error; with [imbot.ErrOutcomeUnknown] nobody knows.
//
// REST methods: imbot.v2.Bot.update, imbot.v2.Bot.get; their errors, and
// [ErrBotTokenRotationFailed], when another bot has the token for example.
func RotateToken(ctx context.Context, c *Client, bot imbot.ID, next string) (*Client, error) {
	if c == nil || c.base == nil {
		return nil, invalid("RotateToken: there is no client")
	}
	fresh := c.WithBotToken(next)
	if fresh == c {
		return nil, invalid("RotateToken: with OAuth a bot has no token")
	}
	update := func() error {
		_, err := c.Bot.Update(ctx, BotUpdateRequest{BotID: bot, NewBotToken: next})
		return err
	}
	owns := func(c *Client) bool {
		r, err := c.Bot.Get(ctx, BotGetRequest{BotID: bot})
		return err == nil && r.Bot.Owned()
	}
	err := update()
	switch {
	case err == nil:
		return fresh, nil
	case !errors.Is(err, imbot.ErrOutcomeUnknown):
		return nil, err
	case owns(fresh):
		return fresh, nil
	case !owns(c):
		return nil, err
	}
	if err = update(); err == nil || owns(fresh) { // the first one may have run meanwhile
		return fresh, nil
	}
	return nil, err
}
