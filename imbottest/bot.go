package imbottest

import (
	"context"
	"errors"
	"fmt"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// MakeFetching makes a bot one that was registered through imbot.v2 and fetches
// its events: it can have no handlers.
func (p *Portal) MakeFetching(bot imbot.ID) error {
	p.w.Lock()
	defer p.w.Unlock()
	b := p.w.Bots[bot]
	if b == nil {
		return fmt.Errorf("imbottest: there is no bot %d", bot)
	}
	b.Mode = world.ModeFetch
	return nil
}

// WaitBot waits until a bot with this code is registered, and returns its id. It waits until ctx
// ends, or for one minute when ctx has no deadline. The error includes that of [Portal.Err].
func (p *Portal) WaitBot(ctx context.Context, code string) (imbot.ID, error) {
	var id imbot.ID
	err := p.await(ctx, func() bool {
		b := p.w.BotByCode(code)
		if b == nil {
			return false
		}
		id = b.ID
		return true
	})
	if err != nil {
		err = errors.Join(fmt.Errorf("imbottest: no bot with the code %q: %w", code, err), p.Err())
	}
	return id, err
}
