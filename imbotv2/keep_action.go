package imbotv2

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/imbot-go/imbot"
)

// How long an action is asked to be shown, and when it is asked again.
const (
	actionTime  = time.Minute
	actionAgain = 50 * time.Second
)

// KeepAction shows what the bot does in a dialog:
//
//	stop := imbotv2.KeepAction(ctx, client, ev.Dialog(), imbotv2.ActionThinking)
//	defer stop()
//
// It asks at once and every 50 s, until the first [MessageService.Send] of this bot to the
// dialog, until stop is called, or until ctx ends. It never fails: an error only means that
// nothing is shown. stop returns when no call is under way, and may be called more than once.
//
// REST method: imbot.v2.Chat.InputAction.notify.
func KeepAction(ctx context.Context, c *Client, dialog imbot.DialogID, status ActionStatus) (stop func()) {
	if c == nil || c.base == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	forget := c.kept.add(place{c.BotID(), dialog}, cancel)
	var running sync.WaitGroup
	running.Go(func() {
		defer forget()
		defer func() {
			if thrown := recover(); thrown != nil { // by a transport or limiter of the user; nobody waits for this call
				slog.Default().Error("imbot: panic in KeepAction", "panic", thrown, "stack", string(debug.Stack()))
			}
		}()
		tick := time.NewTicker(actionAgain)
		defer tick.Stop()
		for ctx.Err() == nil {
			_ = c.Chat.NotifyAction(ctx, ChatNotifyActionRequest{DialogID: dialog, Status: status, Duration: actionTime})
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// A place is where a bot shows what it does.
type place struct {
	bot    imbot.ID
	dialog imbot.DialogID
}

// keptActions are the actions that a client and its copies keep up.
type keptActions struct {
	mu   sync.Mutex
	last int
	ends map[place]map[int]context.CancelFunc
}

func (k *keptActions) add(at place, end context.CancelFunc) (forget func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last++
	id := k.last
	if k.ends == nil {
		k.ends = map[place]map[int]context.CancelFunc{}
	}
	if k.ends[at] == nil {
		k.ends[at] = map[int]context.CancelFunc{}
	}
	k.ends[at][id] = end
	return func() {
		end()
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.ends[at], id)
		if len(k.ends[at]) == 0 {
			delete(k.ends, at)
		}
	}
}

// sent ends what is shown there: the message is there.
func (k *keptActions) sent(at place) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, end := range k.ends[at] {
		end()
	}
}
