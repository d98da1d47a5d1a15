package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// stopPressed is the press of a Stop button.
func stopPressed(dialog string) string {
	return "event=ONIMCOMMANDADD&data[COMMAND][1][COMMAND]=stop&data[PARAMS][DIALOG_ID]=" + dialog
}

// isCommand is a Beside.
func isCommand(ev imbot.Event) bool { _, is := ev.(*imbot.CommandAddEvent); return is }

func TestStopReachesTheCallbackAtOnceThoughEveryWorkerIsBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var seen []error // by the middleware
		var stopped []bool
		took := map[string]time.Duration{}
		start := time.Now()
		h := &imbot.EventHandler{Verifier: trustAll{}, Workers: 2, Beside: isCommand}
		h.Middleware = []imbot.Middleware{func(next imbot.Callback) imbot.Callback {
			return func(ctx context.Context, ev imbot.Event) error {
				err := next(ctx, ev)
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, err)
				return err
			}
		}}
		h.OnMessage = func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			select {
			case <-ctx.Done():
			case <-time.After(time.Minute):
			}
			mu.Lock()
			defer mu.Unlock()
			took[ev.Params.Message] = time.Since(start)
			return ctx.Err()
		}
		h.OnCommand = func(_ context.Context, ev *imbot.CommandAddEvent) error {
			stopped = append(stopped, h.Interrupt(ev))
			return nil
		}
		h.OnError = func(_ context.Context, _ imbot.Event, err error) { t.Error(err) }
		for _, text := range []string{"first", "second"} { // two questions of one person, one of another
			require.Equal(t, http.StatusOK, deliver(h, messageIn("27", text)))
		}
		require.Equal(t, http.StatusOK, deliver(h, messageIn("28", "other")))
		time.Sleep(5 * time.Second)
		for _, dialog := range []string{"27", "29"} {
			require.Equal(t, http.StatusOK, deliver(h, stopPressed(dialog)))
			synctest.Wait()
		}
		require.NoError(t, h.Shutdown(t.Context()))
		require.Equal(t, []bool{true, false}, stopped)
		require.Equal(t, map[string]time.Duration{"first": 5 * time.Second, "second": 65 * time.Second, "other": time.Minute}, took)
		require.Equal(t, make([]error, 5), seen)
		require.Equal(t, imbot.EventStats{Accepted: 5, Handled: 5}, h.Stats())
	})
}

func TestInterruptTakesAnEventThatWasMadeByHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &imbot.EventHandler{Verifier: trustAll{}, OnMessage: func(ctx context.Context, _ *imbot.MessageAddEvent) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}}
		require.Equal(t, http.StatusOK, deliver(h, messageIn("27", "hi")))
		synctest.Wait()
		for dialog, is := range map[imbot.DialogID]bool{"": false, "28": false, "27": true} {
			require.Equal(t, is, h.Interrupt(&imbot.CommandAddEvent{Params: imbot.MessageParams{DialogID: dialog}}), dialog)
		}
		require.NoError(t, h.Shutdown(t.Context()))
		require.Equal(t, imbot.EventStats{Accepted: 1, Handled: 1}, h.Stats())
	})
}

func TestGoTellsOnErrorAndKeepsTheClass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var classes []imbot.Class
		var told []imbot.Event
		h := &imbot.EventHandler{Verifier: trustAll{}}
		h.OnError = func(ctx context.Context, ev imbot.Event, err error) {
			require.NoError(t, ctx.Err())
			require.ErrorIs(t, err, errCallback)
			mu.Lock()
			defer mu.Unlock()
			told = append(told, ev)
		}
		h.OnMessage = func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			for _, ctx := range []context.Context{ctx, imbot.WithClass(ctx, imbot.ClassBulk)} {
				err := h.Go(ctx, ev, func(ctx context.Context) error {
					time.Sleep(time.Second)
					mu.Lock()
					defer mu.Unlock()
					classes = append(classes, imbot.ClassOf(ctx))
					return errCallback
				})
				if err != nil {
					return err
				}
				time.Sleep(time.Millisecond)
			}
			return nil
		}
		require.Equal(t, http.StatusOK, deliver(h, messageIn("27", "hi")))
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, []imbot.Class{imbot.ClassAnswer, imbot.ClassBulk}, classes)
		require.Len(t, told, 2)
		require.Equal(t, "hi", told[0].(*imbot.MessageAddEvent).Text())
		require.Equal(t, imbot.EventStats{Accepted: 1, Handled: 1}, h.Stats())
		require.NoError(t, h.Shutdown(t.Context()))
		require.ErrorIs(t, h.Go(t.Context(), told[0], nil), imbot.ErrClosed)
	})
}

func TestStopButtonsOfManyPeopleAtOnce(t *testing.T) {
	t.Parallel()
	var answered, stopped atomic.Int64
	h := &imbot.EventHandler{Verifier: trustAll{}, Queue: 1 << 12, Beside: isCommand}
	h.OnMessage = func(ctx context.Context, ev *imbot.MessageAddEvent) error {
		<-ctx.Done()
		answered.Add(1)
		return errors.Join(ctx.Err(), context.Cause(ctx))
	}
	h.OnCommand = func(_ context.Context, ev *imbot.CommandAddEvent) error {
		for !h.Interrupt(ev) { // until the question is there
			time.Sleep(time.Millisecond)
		}
		stopped.Add(1)
		return nil
	}
	const people = 200
	for i := range people {
		require.Equal(t, http.StatusOK, deliver(h, stopPressed(fmt.Sprint(i+1))))
		require.Equal(t, http.StatusOK, deliver(h, messageIn(fmt.Sprint(i+1), "hi")))
	}
	require.NoError(t, h.Shutdown(t.Context()))
	require.EqualValues(t, people, answered.Load())
	require.EqualValues(t, people, stopped.Load())
	require.Equal(t, imbot.EventStats{Accepted: 2 * people, Handled: 2 * people}, h.Stats())
}

// Somebody asks, and stops the answer.
func ExampleEventHandler_Interrupt() {
	ctx := context.Background()
	portal := imbottest.NewPortal()
	defer portal.Close()
	const url = "https://bot.example.com/events"
	hook := portal.Webhook("a-long-random-client-id")
	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}
	id, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
		Code: "thinker", EventHandler: url, Properties: imbot.BotProperties{Name: "Thinker"},
	})
	if err != nil {
		log.Fatal(err)
	}
	thinking := make(chan struct{})
	isStop := func(ev imbot.Event) bool {
		message, is := ev.(*imbot.MessageAddEvent)
		return is && message.Text() == "stop"
	}
	bot := &imbot.EventHandler{Verifier: hook.Verifier(), Beside: isStop}
	bot.OnMessage = func(ctx context.Context, ev *imbot.MessageAddEvent) error {
		if isStop(ev) {
			bot.Interrupt(ev)
			return nil
		}
		close(thinking)
		<-ctx.Done() // a model that takes its time
		fmt.Println(context.Cause(ctx))
		return ctx.Err() // which is no failure
	}
	portal.Serve(url, bot)

	anna := portal.AddUser("Anna", "Ivanova")
	if _, err := portal.Say(ctx, anna, imbot.UserDialog(id), "Why?"); err != nil {
		log.Fatal(err)
	}
	<-thinking
	if _, err := portal.Say(ctx, anna, imbot.UserDialog(id), "stop"); err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(portal.Idle(ctx), bot.Shutdown(ctx)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bot.Stats().Failed, "failed")
	// Output:
	// imbot: the callback was interrupted
	// 0 failed
}
