package imbot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imbot-go/imbot/internal/rest"
	"github.com/imbot-go/imbot/internal/secret"
)

// typingEvery is less than the ten seconds or so for which people see a notice.
const typingEvery = 8 * time.Second

// KeepTyping shows that the bot of the client is writing, about every eight
// seconds anew, until stop is called, ctx ends, or imbot.message.add to the dialog
// has succeeded through the same client, because a message takes the notice away.
// (The answer to a command does not count, because it does not name its dialog.)
// It returns at once. stop may be called more than once.
//
//	stop := imbot.KeepTyping(ctx, client, ev.Params.DialogID)
//	defer stop()
//
// Errors are not reported; one that the portal answers ends the notice, and so does a
// panic in code of the user, which is logged.
func KeepTyping(ctx context.Context, client *Client, dialog DialogID) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	t := &keptTyping{bot: client.bot, dialog: dialog, stop: cancel}
	client.typing.add(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer client.typing.remove(t)
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				client.options.Panicked(secret.Scrub(fmt.Sprintf("panic in KeepTyping: %v", p), client.portal.Secrets), debug.Stack())
			}
		}()
		for {
			err := client.Chat.SendTyping(ctx, ChatSendTypingRequest{DialogID: dialog})
			if e := (*Error)(nil); errors.As(err, &e) && e.Code != "" {
				return
			}
			if rest.Sleep(ctx, typingEvery) != nil {
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

// done ends the notices of a dialog when the call that has succeeded was a message
// to it, from the same bot as far as both name one.
func (ts *typing) done(method string, params []byte) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if len(ts.kept) == 0 || !strings.EqualFold(method, "imbot.message.add") {
		return
	}
	var p struct {
		Bot json.RawMessage `json:"BOT_ID"`
	}
	_ = json.Unmarshal(params, &p) // if that fails, no bot is named
	bot, dialog := jsonText(p.Bot), dialogOf(params)
	for _, t := range ts.kept {
		if string(t.dialog) == dialog && (t.bot == 0 || bot == "" || bot == "0" || bot == t.bot.String()) {
			t.stop()
		}
	}
}
