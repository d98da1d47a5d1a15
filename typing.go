package imbot

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// typingEvery is less than the ten seconds or so for which people see a notice.
const typingEvery = 8 * time.Second

// KeepTyping shows that the bot of the client is writing, about every eight
// seconds anew, until stop is called, ctx ends, or a message is sent to the dialog
// through the same client: that is what takes the notice away for people. (The
// answer to a command does not count, because it does not name its dialog.) It
// returns at once. stop may be called more than once.
//
//	stop := imbot.KeepTyping(ctx, client, ev.Params.DialogID)
//	defer stop()
//
// What fails on the way is not reported; an error of the portal ends it.
func KeepTyping(ctx context.Context, client *Client, dialog DialogID) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	t := &keptTyping{bot: client.bot, dialog: dialog, stop: cancel}
	client.core.typing.add(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer client.core.typing.remove(t)
		defer cancel()
		for {
			err := client.Chat.SendTyping(ctx, ChatSendTypingRequest{DialogID: dialog})
			if e := (*Error)(nil); errors.As(err, &e) && e.Code != "" {
				return
			}
			if sleep(ctx, typingEvery) != nil {
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// keptTyping is one notice that is kept up.
type keptTyping struct {
	bot    ID
	dialog DialogID
	stop   context.CancelFunc
}

// typing are the notices of a client.
type typing struct {
	mu   sync.Mutex
	kept []*keptTyping
}

func (ts *typing) add(t *keptTyping) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.kept = append(ts.kept, t)
}

func (ts *typing) remove(t *keptTyping) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.kept = slices.DeleteFunc(ts.kept, func(k *keptTyping) bool { return k == t })
}

// said ends the notices of a dialog: the bot has something to say there. A bot
// that is not named is any bot.
func (ts *typing) said(bot ID, dialog DialogID) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, t := range ts.kept {
		if t.dialog == dialog && (t.bot == bot || t.bot == 0 || bot == 0) {
			t.stop()
		}
	}
}
