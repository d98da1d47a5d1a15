package imbotv2

import (
	"context"
	"sync"
	"time"

	"github.com/imbot-go/imbot"
)

// How long an action is asked to be shown, and when it is asked again.
const (
	actionTime  = time.Minute
	actionAgain = 50 * time.Second
)

// KeepAction shows what the bot does in a dialog until stop is called or ctx ends:
//
//	stop := imbotv2.KeepAction(ctx, client, ev.Dialog(), imbotv2.ActionThinking)
//	defer stop()
//
// It asks at once and every 50 s, and never fails: an error only means that nothing is shown. The
// bot's next message ends what is shown, so call stop before it is sent; stop returns when no call is
// under way.
//
// REST method: imbot.v2.Chat.InputAction.notify.
func KeepAction(ctx context.Context, c *Client, dialog imbot.DialogID, status ActionStatus) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(actionAgain)
		defer tick.Stop()
		for {
			_ = c.Chat.NotifyAction(ctx, ChatNotifyActionRequest{DialogID: dialog, Status: status, Duration: actionTime})
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}
