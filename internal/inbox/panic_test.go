package inbox

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// wildClaims do something else instead of answering.
type wildClaims struct{ claim, release func() }

func (c wildClaims) Claim(context.Context, string) (bool, error) { c.claim(); return true, nil }
func (c wildClaims) Release(context.Context, string) error       { c.release(); return nil }

func fine() {}

// receive runs Receive in a goroutine of its own, as a server does. returned is false
// when the goroutine has ended without a result.
func (j *journal) receive(a Arrival[string]) (err error, returned bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = j.Receive(context.Background(), a)
		returned = true
	}()
	<-done
	return err, returned
}

// Whatever code of the user does: the process goes on, the event is counted once, the
// next one of its line is handled, and the bytes of the first are free again.
func TestCodeOfTheUserThatDoesNotReturnEndsNothing(t *testing.T) {
	t.Parallel()
	const boom, exit = "boom", "runtime.Goexit in "
	for way, ends := range map[string]func(){"panics": func() { panic(boom) }, "ends its goroutine": runtime.Goexit} {
		late := Verdict{Later: func(context.Context) error { return nil }}
		rows := map[string]struct {
			arrival  Arrival[string]
			change   func(*Config[string])
			where    string // as the log says it
			want     Stats  // after a panic
			wantExit Stats  // after runtime.Goexit
		}{
			"Verify": {
				arrival: func() Arrival[string] {
					a := genuine("line", "first")
					a.Verify = func(context.Context) (Verdict, error) { ends(); return Verdict{}, nil }
					return a
				}(),
				where: "the Verifier", want: Stats{Refused: 1}, wantExit: Stats{Refused: 1},
			},
			"Later": {
				arrival: arrival("line", "first", Verdict{Later: func(context.Context) error { ends(); return nil }}),
				where:   callback, want: Stats{Accepted: 1, Failed: 1}, wantExit: Stats{Accepted: 1, Failed: 1},
			},
			"Handle": {
				arrival: genuine("line", "first"),
				change: func(cfg *Config[string]) {
					cfg.Handle = func(_ context.Context, text string) error {
						if text == "first" {
							ends()
						}
						return nil
					}
				},
				where: callback, want: Stats{Accepted: 1, Failed: 1}, wantExit: Stats{Accepted: 1, Failed: 1},
			},
			"Failed": {
				arrival: genuine("line", "first"),
				change: func(cfg *Config[string]) {
					cfg.Handle = func(_ context.Context, text string) error {
						if text == "first" {
							return errForged
						}
						return nil
					}
					cfg.Failed = func(context.Context, string, error) { ends() }
				},
				where: callback, want: Stats{Accepted: 1, Failed: 1}, wantExit: Stats{Accepted: 1, Failed: 1},
			},
			"Claim": {
				arrival: genuine("line", "first"),
				change:  func(cfg *Config[string]) { cfg.Claims = wildClaims{first(ends), fine} },
				where:   "Claims", want: Stats{Accepted: 1, Handled: 1}, wantExit: Stats{Dropped: 1},
			},
			"Claim, after a late verification": {
				arrival: arrival("line", "first", late),
				change:  func(cfg *Config[string]) { cfg.Claims = wildClaims{first(ends), fine} },
				where:   "Claims", want: Stats{Accepted: 1, Handled: 1}, wantExit: Stats{Accepted: 1, Failed: 1},
			},
			"SideWork": {
				arrival: arrival("line", "first", Verdict{SideWork: func(context.Context) { ends() }}),
				where:   "the side work of an event", want: Stats{Accepted: 1, Handled: 1}, wantExit: Stats{Accepted: 1, Handled: 1},
			},
		}
		for name, row := range rows {
			t.Run(name+" "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					j := newJournal(func(cfg *Config[string]) {
						if row.change != nil {
							row.change(cfg)
						}
					})
					row.arrival.Size = 1000
					err, returned := j.receive(row.arrival)
					require.NoError(t, j.Idle(t.Context()))
					want := row.want
					if way != "panics" {
						want = row.wantExit
						require.Contains(t, j.log.String(), exit+row.where)
						require.Equal(t, name != "Verify" && name != "Claim", returned)
					} else {
						require.True(t, returned)
						require.Contains(t, j.log.String(), "panic in "+row.where)
						require.Contains(t, j.log.String(), "panic="+boom)
						if name == "Verify" {
							require.ErrorAs(t, err, new(*PanicError))
							require.EqualError(t, err, "imbot: panic in the Verifier: boom")
						}
					}
					require.Contains(t, j.log.String(), "panic_test.go", "the stack leads to the culprit")
					require.Equal(t, want, j.Stats())
					require.Zero(t, j.held.Load())

					require.NoError(t, j.Receive(t.Context(), genuine("line", "next")))
					require.NoError(t, j.Shutdown(t.Context()))
					require.Equal(t, "next", j.handled[len(j.handled)-1])
					require.Empty(t, j.waiting.checks)
					require.Empty(t, j.waiting.orders)
					require.Empty(t, j.waiting.sideWork)
				})
			})
		}
	}
}

func TestReleaseThatDoesNotReturnEndsNothing(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]func(){"panics": func() { panic("boom") }, "ends its goroutine": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(func(cfg *Config[string]) { cfg.Queue, cfg.Workers, cfg.Claims = 0, 1, wildClaims{fine, first(ends)} })
				require.NoError(t, j.Receive(t.Context(), genuine("line", "first")))
				_, _ = j.receive(genuine("line", "lost"))
				require.NoError(t, j.Idle(t.Context()))
				require.Contains(t, j.log.String(), "in Claims")
				require.NoError(t, j.Receive(t.Context(), genuine("line", "lost")), "nobody waits for the end of the first try")
				require.NoError(t, j.Shutdown(t.Context()))
				require.Equal(t, Stats{Accepted: 2, Handled: 2, Dropped: 1}, j.Stats())
			})
		})
	}
}

// first returns a function that does something once.
func first(do func()) func() {
	done := false
	return func() {
		if !done {
			done = true
			do()
		}
	}
}

func TestAcceptedEventsHoldTheirBytesUntilTheyAreHandled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(func(cfg *Config[string]) { cfg.Workers, cfg.Bytes = 1, 1000 })
		sized := func(text string, size int, v Verdict) Arrival[string] {
			a := arrival("line", text, v)
			a.Size = size
			return a
		}
		receive := func(text string, size int) error { return j.Receive(t.Context(), sized(text, size, Verdict{})) }
		require.NoError(t, receive("a", 5000), "one alone may hold more")
		require.ErrorIs(t, receive("lost", 1), errBytes)
		require.ErrorAs(t, receive("lost", 1), new(*DroppedError))
		time.Sleep(time.Second) // it is handled
		synctest.Wait()
		require.NoError(t, receive("b", 500))
		require.NoError(t, receive("b", 500), "it came again, and holds nothing")
		require.NoError(t, j.Receive(t.Context(), sized("c", 400, Verdict{ProofKnown: true, Later: func(context.Context) error { return nil }})))
		require.ErrorIs(t, receive("lost", 101), errBytes)
		require.NoError(t, receive("d", 100))
		require.NoError(t, j.Idle(t.Context()))
		require.Zero(t, j.held.Load())
		require.NoError(t, receive("lost", 1000), "it was not marked, so it may come again")
		require.NoError(t, j.Shutdown(t.Context()))
		require.ElementsMatch(t, []string{"a", "b", "c", "d", "lost"}, j.handled)
		require.Equal(t, Stats{Accepted: 6, Handled: 5, Duplicate: 1, Dropped: 3}, j.Stats())
	})
}

func TestJunkFillsHalfOfASmallQueueInBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(func(cfg *Config[string]) { cfg.Bytes = 1000 })
		release := make(chan struct{})
		junk := func(text string) Arrival[string] {
			a := arrival("", text, Verdict{Later: held(release, errForged)})
			a.Size = 200
			return a
		}
		require.NoError(t, j.Receive(t.Context(), junk("1")))
		require.NoError(t, j.Receive(t.Context(), junk("2")))
		require.ErrorIs(t, j.Receive(t.Context(), junk("3")), errUnverified)
		a := genuine("line", "text")
		a.Size = 600
		require.NoError(t, j.Receive(t.Context(), a))
		close(release)
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, []string{"text"}, j.handled)
		require.Zero(t, j.held.Load())
	})
}
