package inbox

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/internal/dispatch"
)

var errForged = errors.New("forged")

// A journal is an inbox of texts and notes what becomes of them. A text is its own
// key; the text "" has none.
type journal struct {
	*Inbox[string]
	log bytes.Buffer

	mu              sync.Mutex
	handled, failed []string
}

// newJournal returns an inbox whose callback takes a second, unless change says
// otherwise. It has room for 4 callbacks at a time, and 1000 events that wait.
func newJournal(change func(*Config[string])) *journal {
	j := new(journal)
	note := func(to *[]string, text string) {
		j.mu.Lock()
		defer j.mu.Unlock()
		*to = append(*to, text)
	}
	logger := slog.New(slog.NewTextHandler(&j.log, nil))
	cfg := Config[string]{
		Key:     func(text string) string { return text },
		Handle:  func(context.Context, string) error { time.Sleep(time.Second); return nil },
		Failed:  func(_ context.Context, text string, err error) { note(&j.failed, text+": "+err.Error()) },
		Logger:  func() *slog.Logger { return logger },
		Workers: 4, Queue: 1000, Bytes: 1 << 30,
	}
	if change != nil {
		change(&cfg)
	}
	handle := cfg.Handle
	cfg.Handle = func(ctx context.Context, text string) error {
		err := handle(ctx, text)
		note(&j.handled, text)
		return err
	}
	j.Inbox = New(cfg)
	return j
}

// genuine is an event that needs no late verification.
func genuine(line, text string) Arrival[string] {
	return arrival(line, text, Verdict{})
}

func arrival(line, text string, v Verdict) Arrival[string] {
	return Arrival[string]{
		Name: "TEXT", Sender: "sender", Line: line, Proof: "proof",
		Verify: func(context.Context) (Verdict, error) { return v, nil },
		Decode: func() string { return text },
	}
}

func TestWhatIsRefusedIsNotDecoded(t *testing.T) {
	t.Parallel()
	j := newJournal(nil)
	a := genuine("line", "text")
	a.Verify = func(context.Context) (Verdict, error) { return Verdict{}, errForged }
	a.Decode = func() string { t.Error("decoded"); return "" }
	require.Equal(t, errForged, j.Receive(t.Context(), a), "the error of Verify, as it is")
	require.NoError(t, j.Shutdown(t.Context()))
	require.Empty(t, j.handled)
	require.Equal(t, Stats{Refused: 1}, j.Stats())
}

func TestVerifyHasFiveSecondsAlsoWhenTheSenderHasHungUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		ctx, hangUp := context.WithCancel(t.Context())
		hangUp()
		require.NoError(t, j.Receive(ctx, genuine("line", "text")))

		slow := genuine("line", "slow")
		slow.Verify = func(ctx context.Context) (Verdict, error) { <-ctx.Done(); return Verdict{}, ctx.Err() }
		start := time.Now()
		require.ErrorIs(t, j.Receive(ctx, slow), context.DeadlineExceeded)
		require.Equal(t, VerifyTime, time.Since(start))
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, []string{"text"}, j.handled)
	})
}

func TestEventsOfALineKeepTheirOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		takes := map[string]time.Duration{"a": 3 * time.Second, "b": 2 * time.Second, "c": time.Second}
		j := newJournal(func(cfg *Config[string]) {
			cfg.Handle = func(_ context.Context, text string) error { time.Sleep(takes[text]); return nil }
		})
		start := time.Now()
		for _, text := range []string{"a", "b", "c"} {
			require.NoError(t, j.Receive(t.Context(), genuine("line", text)))
		}
		require.Zero(t, time.Since(start), "the sender waits for no callback")
		require.NoError(t, j.Idle(t.Context()))
		require.Equal(t, 6*time.Second, time.Since(start))
		require.Equal(t, []string{"a", "b", "c"}, j.handled)
		require.NoError(t, j.Shutdown(t.Context()))
	})
}

func TestDifferentLinesGoSideBySide(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][2]string{"two lines": {"a", "b"}, "no line": {"", ""}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(nil)
				start := time.Now()
				require.NoError(t, j.Receive(t.Context(), genuine(lines[0], "1")))
				require.NoError(t, j.Receive(t.Context(), genuine(lines[1], "2")))
				require.NoError(t, j.Shutdown(t.Context()))
				require.Equal(t, time.Second, time.Since(start))
			})
		})
	}
}

func TestWhatHasNoRoomIsDroppedAndCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(func(cfg *Config[string]) { cfg.Workers, cfg.Queue = 1, 1 })
		require.NoError(t, j.Receive(t.Context(), genuine("line", "runs")))
		require.NoError(t, j.Receive(t.Context(), genuine("line", "waits")))
		err := j.Receive(t.Context(), genuine("line", "lost"))
		require.ErrorAs(t, err, new(*DroppedError))
		require.ErrorIs(t, err, dispatch.ErrFull)
		require.Equal(t, dispatch.ErrFull.Error(), err.Error())
		require.Equal(t, Stats{Accepted: 2, Dropped: 1, Queued: 1}, j.Stats())

		require.NoError(t, j.Idle(t.Context()))
		require.NoError(t, j.Receive(t.Context(), genuine("line", "lost")), "it was not marked, so it may come again")
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, []string{"runs", "waits", "lost"}, j.handled)

		err = j.Receive(t.Context(), genuine("line", "late"))
		require.ErrorAs(t, err, new(*DroppedError))
		require.ErrorIs(t, err, dispatch.ErrClosed)
		require.Equal(t, Stats{Accepted: 3, Handled: 3, Dropped: 2}, j.Stats())
	})
}

func TestAnErrorOrPanicOfTheCallbackIsReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(func(cfg *Config[string]) {
			report := cfg.Failed
			cfg.Handle = func(_ context.Context, text string) error {
				switch text {
				case "fails", "fails twice":
					return errors.New("no")
				case "panics":
					panic("boom")
				}
				return nil
			}
			cfg.Failed = func(ctx context.Context, text string, err error) {
				report(ctx, text, err)
				if text == "fails twice" {
					panic("again")
				}
			}
		})
		for _, text := range []string{"fails", "panics", "fails twice", "fine"} {
			require.NoError(t, j.Receive(t.Context(), genuine("line", text)))
		}
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, []string{"fails: no", "panics: imbot: panic in an event callback: boom", "fails twice: no"}, j.failed)
		require.Equal(t, Stats{Accepted: 4, Handled: 1, Failed: 3}, j.Stats())
		require.Equal(t, 2, strings.Count(j.log.String(), "stack="))
	})
}

func TestShutdownDrainsWhatIsVerifiedLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		late := func(context.Context) error { time.Sleep(time.Minute); return nil }
		require.NoError(t, j.Receive(t.Context(), arrival("line", "text", Verdict{Later: late})))
		start := time.Now()
		done := make(chan error, 1)
		go func() { done <- j.Shutdown(t.Context()) }()
		synctest.Wait()
		require.ErrorIs(t, j.Receive(t.Context(), genuine("other line", "too late")), dispatch.ErrClosed)
		require.ErrorIs(t, j.Receive(t.Context(), arrival("other line", "too late", Verdict{Later: late})), dispatch.ErrClosed)
		require.NoError(t, <-done)
		require.Equal(t, time.Minute+time.Second, time.Since(start))
		require.Equal(t, []string{"text"}, j.handled)
		require.Equal(t, Stats{Accepted: 1, Handled: 1, Dropped: 2}, j.Stats())
	})
}

func TestShutdownGivesUpWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		obeys := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		j := newJournal(func(cfg *Config[string]) {
			cfg.Handle = func(ctx context.Context, _ string) error { return obeys(ctx) }
		})
		for _, text := range []string{"1", "2"} {
			require.NoError(t, j.Receive(t.Context(), genuine("line", text)))
			require.NoError(t, j.Receive(t.Context(), arrival("other", "late "+text, Verdict{Later: obeys})))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := j.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 2, strings.Count(err.Error(), "1 events were dropped, 1 interrupted"), "in each of the two pools")
		require.NoError(t, j.Idle(t.Context()))
		require.ElementsMatch(t, []string{"1: context canceled", "late 1: context canceled"}, j.failed)
		require.Equal(t, Stats{Accepted: 4, Failed: 2}, j.Stats())
	})
}

func TestIdleWaitsForBothPools(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		require.NoError(t, j.Idle(t.Context()), "nothing has come yet")
		late := func(context.Context) error { time.Sleep(time.Minute); return nil }
		require.NoError(t, j.Receive(t.Context(), arrival("line", "text", Verdict{Later: late})))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, j.Idle(ctx), context.DeadlineExceeded)
		require.NoError(t, j.Idle(t.Context()))
		require.Equal(t, []string{"text"}, j.handled)
	})
}
