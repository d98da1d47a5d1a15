package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// held is a late verification that ends with err when release is closed.
func held(release <-chan struct{}, err error) func(context.Context) error {
	return func(context.Context) error { <-release; return err }
}

func TestALateVerificationDecidesAfterTheAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		release := make(chan struct{})
		boom := func(context.Context) error { panic("boom") }
		require.NoError(t, j.Receive(t.Context(), arrival("line", "forged", Verdict{Later: held(release, errForged)})))
		require.NoError(t, j.Receive(t.Context(), arrival("line", "panics", Verdict{Later: boom})))
		require.NoError(t, j.Receive(t.Context(), arrival("line", "fine", Verdict{Later: held(release, nil)})))
		synctest.Wait()
		require.Empty(t, j.handled)
		require.Equal(t, Stats{Accepted: 3, Queued: 2}, j.Stats(), "one of a sender is verified at a time")
		close(release)
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, []string{"fine"}, j.handled)
		require.Equal(t, []string{"forged: forged", "panics: imbot: panic in an event callback: boom"}, j.failed)
	})
}

func TestOrderHoldsBehindAnEventThatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(func(cfg *Config[string]) {
			cfg.Handle = func(context.Context, string) error { return nil }
		})
		release := make(chan struct{})
		require.NoError(t, j.Receive(t.Context(), arrival("line", "1", Verdict{Later: held(release, nil)})))
		require.NoError(t, j.Receive(t.Context(), genuine("line", "2")))
		require.NoError(t, j.Receive(t.Context(), genuine("line", "3")))
		require.NoError(t, j.Receive(t.Context(), genuine("other line", "of another line")))
		synctest.Wait()
		require.Equal(t, []string{"of another line"}, j.handled)

		otherProof := genuine("line", "with another proof")
		otherProof.Proof = "other"
		require.NoError(t, j.Receive(t.Context(), otherProof))
		synctest.Wait()
		require.Equal(t, []string{"of another line", "with another proof"}, j.handled, "a forged event holds no genuine one up")

		close(release)
		require.NoError(t, j.Idle(t.Context()))
		require.Equal(t, []string{"1", "2", "3"}, j.handled[2:])
		require.NoError(t, j.Receive(t.Context(), genuine("line", "4")))
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, "4", j.handled[5])
	})
}

func TestWhatMayBeJunkHasLittleRoom(t *testing.T) {
	t.Parallel()
	oneSender := func(int) string { return "sender" }
	manySenders := func(i int) string { return fmt.Sprint(i % 100) }
	rows := map[string]struct {
		queue, size int
		sender      func(i int) string
		want        int
	}{
		"of one sender":                     {1000, 1, oneSender, junkOfSender},
		"of one sender, with a short queue": {10, 1, oneSender, 5},
		"of all senders":                    {1000, 1, manySenders, 500},
		"of all senders, with an odd queue": {5, 1, manySenders, 3},
		"in bytes":                          {1000, junkBytes / 10, manySenders, 10},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(func(cfg *Config[string]) { cfg.Queue = row.queue })
				release := make(chan struct{})
				receive := func(i int, v Verdict) error {
					a := arrival("", fmt.Sprint(i), v)
					a.Sender, a.Size = row.sender(i), row.size
					return j.Receive(t.Context(), a)
				}
				n := 0
				for ; n < 2000; n++ {
					if err := receive(n, Verdict{Later: held(release, errForged)}); err != nil {
						require.ErrorAs(t, err, new(*DroppedError))
						require.ErrorIs(t, err, errUnverified)
						break
					}
				}
				require.Equal(t, row.want, n)
				require.NoError(t, receive(n+1, Verdict{ProofKnown: true, Later: held(release, nil)}), "this one is no junk")
				require.NoError(t, receive(n+2, Verdict{}), "and genuine events have the other pool")
				close(release)
				require.NoError(t, j.Idle(t.Context()))
				require.Len(t, j.handled, 2)
				require.NoError(t, receive(n, Verdict{Later: held(release, nil)}), "there is room again")
				require.NoError(t, j.Shutdown(t.Context()))
				require.Zero(t, j.waiting.junk)
				require.Zero(t, j.waiting.bytes)
				require.Empty(t, j.waiting.junkOf)
				require.Empty(t, j.waiting.checks)
				require.Empty(t, j.waiting.orders)
			})
		})
	}
}

func TestJunkFindsNoPlaceBehindAFullQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(func(cfg *Config[string]) { cfg.Workers, cfg.Queue = 1, 2 })
		for i := range 3 {
			require.NoError(t, j.Receive(t.Context(), genuine("line", fmt.Sprint(i))))
		}
		late := func(context.Context) error { return nil }
		require.ErrorIs(t, j.Receive(t.Context(), arrival("line", "junk", Verdict{Later: late})), errUnverified)
		require.NoError(t, j.Receive(t.Context(), arrival("line", "no junk", Verdict{ProofKnown: true, Later: late})))
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, []string{"0", "1", "2", "no junk"}, j.handled)
	})
}

func TestARefusalWaitsForACheckOfTheSameSender(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		release := make(chan struct{})
		proven := false
		refused := Verdict{Refuse: errForged, Later: func(context.Context) error {
			if !proven {
				return errForged
			}
			return nil
		}}
		require.Equal(t, errForged, j.Receive(t.Context(), arrival("line", "too early", refused)), "no check is under way")

		check := func(context.Context) error { <-release; proven = true; return nil }
		require.NoError(t, j.Receive(t.Context(), arrival("line", "check", Verdict{ProvesOthers: true, Later: check})))
		synctest.Wait()
		require.NoError(t, j.Receive(t.Context(), arrival("line", "proven", refused)))
		require.Equal(t, errForged, j.Receive(t.Context(), arrival("line", "hopeless", Verdict{Refuse: errForged})), "nothing would decide later")
		stranger := arrival("line", "of another sender", refused)
		stranger.Sender = "another"
		require.Equal(t, errForged, j.Receive(t.Context(), stranger))

		close(release)
		require.NoError(t, j.Idle(t.Context()))
		require.Equal(t, []string{"check", "proven"}, j.handled)
		require.Equal(t, errForged, j.Receive(t.Context(), arrival("line", "too late", refused)))
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, Stats{Accepted: 2, Handled: 2, Refused: 4}, j.Stats())
	})
}

// A check that ends while Verify runs may have changed what Verify has read before.
func TestARefusalDoesNotCountWhenACheckEndsMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		check := func(context.Context) error { time.Sleep(time.Second); return nil }
		require.NoError(t, j.Receive(t.Context(), arrival("line", "check", Verdict{ProvesOthers: true, Later: check})))
		a := genuine("line", "text")
		a.Verify = func(context.Context) (Verdict, error) {
			time.Sleep(2 * time.Second)
			return Verdict{Refuse: errForged, Later: func(context.Context) error { return nil }}, nil
		}
		require.NoError(t, j.Receive(t.Context(), a))
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, []string{"check", "text"}, j.handled)
	})
}

func TestSideWorkRunsOnceAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		var runs atomic.Int64
		v := Verdict{SideWork: func(context.Context) { time.Sleep(time.Minute); runs.Add(1) }}
		start := time.Now()
		for i := range 5 {
			require.NoError(t, j.Receive(t.Context(), arrival("line", fmt.Sprint(i), v)))
		}
		other := arrival("line", "5", v)
		other.Sender = "another"
		require.NoError(t, j.Receive(t.Context(), other))
		require.Zero(t, time.Since(start))
		require.NoError(t, j.Idle(t.Context()))
		require.EqualValues(t, 2, runs.Load(), "one for each sender")
		require.Equal(t, time.Minute, time.Since(start))
		require.NoError(t, j.Receive(t.Context(), arrival("line", "6", v)))
		require.NoError(t, j.Shutdown(t.Context()))
		require.EqualValues(t, 3, runs.Load())
		require.Len(t, j.handled, 7)
	})
}

func TestSideWorkIsLeftOutWithoutRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(func(cfg *Config[string]) { cfg.Queue = 0 })
		release := make(chan struct{})
		for i := range lateVerifiers {
			a := arrival("", fmt.Sprint(i), Verdict{ProofKnown: true, Later: held(release, errors.New("no"))})
			a.Sender = fmt.Sprint(i)
			require.NoError(t, j.Receive(t.Context(), a))
		}
		ran := false
		require.NoError(t, j.Receive(t.Context(), arrival("", "text", Verdict{SideWork: func(context.Context) { ran = true }})))
		close(release)
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, []string{"text"}, j.handled)
		require.False(t, ran)
	})
}
