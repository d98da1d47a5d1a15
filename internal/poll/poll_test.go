package poll

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnEventIsHandledOnceAndThenAcknowledged(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		r := s.start(t, 1, nil)
		time.Sleep(time.Minute)
		id := s.add(0, "a", 0)
		time.Sleep(5*time.Second + 300*time.Millisecond)
		require.Equal(t, []int64{id}, r.events())
		require.Equal(t, 1, s.queued(0))
		time.Sleep(10 * time.Second)
		require.Zero(t, s.queued(0))
		require.Equal(t, []int64{id}, r.events())
		require.Zero(t, r.Stats().Unacknowledged)
		require.Equal(t, 1, r.Stats().Events)
		require.NoError(t, r.stop())
	})
}

func TestNothingIsAcknowledgedBeforeItsCallbackReturns(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		r := s.start(t, 1, func(r *run, _ *Config[int, stubEvent]) {
			r.callback = func(_ context.Context, ev stubEvent) {
				if ev.id == 2 {
					time.Sleep(time.Hour)
				}
			}
		})
		for range 3 {
			s.add(0, "", 0)
		}
		time.Sleep(59 * time.Minute)
		require.Equal(t, 2, s.queued(0))
		require.Equal(t, 59*time.Minute, r.Stats().Behind)
		require.Equal(t, 2, r.Stats().Unacknowledged)
		time.Sleep(2 * time.Minute)
		require.Zero(t, s.queued(0))
		require.NoError(t, r.stop())
	})
}

// Half of the events appear late, a fifth of the polls fail, some after they have run,
// the pool is small, callbacks take their time, and the process is killed 20 times.
func TestNoEventIsLost(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				const events, bots, kills = 10_000, 3, 20
				s, random, faults := newStub(), dice(seed), dice(seed+200)
				s.answered = func(asks []Ask[int], answers []Answer[stubEvent]) {
					for i := range answers {
						if faults.IntN(5) == 0 {
							answers[i] = Answer[stubEvent]{Err: errBroken}
						}
					}
				}
				writing := make(chan struct{})
				go func() {
					defer close(writing)
					writer := dice(seed + 100)
					for range events {
						time.Sleep(time.Duration(writer.IntN(60)) * time.Millisecond)
						late := time.Duration(0)
						if writer.IntN(2) == 0 {
							late = time.Duration(writer.IntN(2500)) * time.Millisecond
						}
						s.add(writer.IntN(bots), fmt.Sprint(writer.IntN(20)), late)
					}
				}()
				var lives []*run
				live := func() {
					lives = append(lives, s.start(t, bots, func(r *run, _ *Config[int, stubEvent]) {
						r.pool = newPool(2, 16)
						r.callback = func(_ context.Context, ev stubEvent) {
							time.Sleep(time.Duration(ev.id%7) * 10 * time.Millisecond)
							require.False(t, s.passedBy(ev.id), "acknowledged before its callback returned")
						}
					}))
				}
				for range kills {
					live()
					time.Sleep(time.Duration(random.IntN(30_000)) * time.Millisecond)
					lives[len(lives)-1].kill()
				}
				live()
				<-writing
				for s.queued(0)+s.queued(1)+s.queued(2) > 0 {
					time.Sleep(time.Second)
				}
				require.NoError(t, lives[len(lives)-1].stop())

				handled := map[int64]bool{}
				for _, r := range lives {
					once, lines := map[int64]bool{}, map[string][]stubEvent{}
					for _, id := range r.events() {
						require.False(t, once[id], "twice in one life")
						once[id], handled[id] = true, true
						ev := s.all[id]
						for _, before := range lines[ev.line] { // a lower one that was there sooner is read sooner
							require.False(t, id < before.id && !ev.shown.After(before.shown), "%d came after %d", id, before.id)
						}
						lines[ev.line] = append(lines[ev.line], ev)
					}
				}
				require.Len(t, handled, events)
			})
		})
	}
}

func TestADialogKeepsItsOrder(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, random := newStub(), dice(1)
		r := s.start(t, 2, func(r *run, _ *Config[int, stubEvent]) {
			r.pool = newPool(2, 8)
			r.callback = func(_ context.Context, ev stubEvent) { time.Sleep(time.Duration(ev.id*31%5) * time.Millisecond) }
		})
		lines := map[string][]int64{}
		of := map[int64]string{}
		for range 2000 {
			bot, dialog := random.IntN(2), fmt.Sprint(random.IntN(5))
			id := s.add(bot, dialog, 0)
			line := fmt.Sprint(bot, "/", dialog)
			lines[line], of[id] = append(lines[line], id), line
		}
		time.Sleep(10 * time.Minute)
		got := map[string][]int64{}
		for _, id := range r.events() {
			got[of[id]] = append(got[of[id]], id)
		}
		require.Equal(t, lines, got)
		require.NoError(t, r.stop())
	})
}

func TestACallbackThatHangsHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		r := s.start(t, 1, func(r *run, _ *Config[int, stubEvent]) {
			r.callback = func(_ context.Context, ev stubEvent) {
				if ev.id == 1 {
					time.Sleep(350 * time.Second)
				}
			}
		})
		s.add(0, "hangs", 0)
		for i := range 300 {
			s.add(0, fmt.Sprint(i), 0)
		}
		time.Sleep(time.Minute)
		require.Len(t, r.events(), 300)
		require.Equal(t, 301, s.queued(0))
		time.Sleep(6 * time.Minute)
		require.Len(t, r.events(), 301)
		require.Zero(t, s.queued(0))
		require.NoError(t, r.stop())
	})
}

func TestAWindowThatIsFullPausesThePollsOfItsBot(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		r := s.start(t, 2, func(r *run, _ *Config[int, stubEvent]) {
			r.callback = func(_ context.Context, ev stubEvent) {
				if ev.id == 1 {
					time.Sleep(time.Hour)
				}
			}
		})
		s.add(0, "hangs", 0)
		for range 1200 {
			s.add(0, "", 0)
		}
		time.Sleep(5 * time.Minute)
		require.Len(t, r.events(), mostEvents-1)
		require.Equal(t, 1, count(r.logged(), "WARN imbot: a callback that does not return"))
		require.Contains(t, fmt.Sprint(r.logged()), "dialog=0/hangs")
		s.polled()
		time.Sleep(10 * time.Minute)
		for _, f := range s.polled() {
			require.Equal(t, []Ask[int]{{Bot: 1, Limit: 100}}, f.asks, "the other bot goes on")
		}
		time.Sleep(time.Hour)
		require.Len(t, r.events(), 1201)
		require.NoError(t, r.stop())
	})
}

func TestNothingIsPolledWhileThereIsNoRoom(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		r := s.start(t, 1, func(r *run, _ *Config[int, stubEvent]) {
			r.pool = newPool(1, 2)
			r.callback = func(context.Context, stubEvent) { time.Sleep(time.Minute) }
		})
		for range 10 {
			s.add(0, "a", 0)
		}
		time.Sleep(5 * time.Minute)
		require.Len(t, s.polled(), 1)
		time.Sleep(3 * time.Minute)
		require.NotEmpty(t, s.polled())
		time.Sleep(5 * time.Minute)
		require.Equal(t, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, r.events())
		require.NoError(t, r.stop())
	})
}

func TestThePaceOfPolls(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		bots       int
		talk       bool // one bot gets an event every 10 s
		low, most  float64
		inRequests int
	}{
		"one idle bot":             {1, false, 0.19, 0.2, 1},
		"ten idle bots":            {10, false, 0.19, 0.2, 10},
		"fifty idle bots":          {50, false, 0.19, 0.2, 50},
		"a hundred idle bots":      {100, false, 0.38, 0.4, 50},
		"a thousand idle bots":     {1000, false, 0.9, 1, 50},
		"one bot in conversation":  {1, true, 0.5, 0.53, 1},
		"one of fifty is":          {50, true, 0.5, 0.53, 50},
		"one of a hundred is also": {100, true, 0.68, 0.74, 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				s := newStub()
				r := s.start(t, row.bots, nil)
				time.Sleep(time.Minute)
				s.polled()
				start := time.Now()
				for range 100 {
					time.Sleep(10 * time.Second)
					if row.talk {
						s.add(0, "a", 0)
					}
				}
				fetches := s.polled()
				rate := float64(len(fetches)) / time.Since(start).Seconds()
				require.GreaterOrEqual(t, rate, row.low)
				require.LessOrEqual(t, rate, row.most)
				longest := 0
				for i, f := range fetches {
					longest = max(longest, len(f.asks))
					if i > 0 && row.bots <= 50 {
						require.GreaterOrEqual(t, f.at.Sub(fetches[i-1].at), 1900*time.Millisecond)
					}
				}
				require.Equal(t, row.inRequests, longest)
				require.NoError(t, r.stop())
			})
		})
	}
}

// A person writes 3 to 12 s after the answer.
func TestAConversationIsQuick(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, random := newStub(), dice(5)
		var sum, most time.Duration
		n := 0
		r := s.start(t, 1, func(r *run, _ *Config[int, stubEvent]) {
			r.callback = func(_ context.Context, ev stubEvent) {
				if ev.id > 1 {
					d := time.Since(ev.stored)
					sum, most, n = sum+d, max(most, d), n+1
				}
			}
		})
		for range 2000 {
			s.add(0, "a", 0)
			before := len(r.events())
			for len(r.events()) == before {
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(3*time.Second + time.Duration(random.IntN(9000))*time.Millisecond)
		}
		require.NoError(t, r.stop())
		t.Logf("mean %v, most %v", sum/time.Duration(n), most)
		require.LessOrEqual(t, sum/time.Duration(n), time.Second)
		require.LessOrEqual(t, most, 2100*time.Millisecond)
	})
}

func TestTheOffsetIsSentWhileItMatters(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		r := s.start(t, 1, nil)
		time.Sleep(time.Minute)
		s.add(0, "a", 0)
		time.Sleep(20 * time.Second)
		require.EqualValues(t, 2, lastOffset(s), "a warm queue is asked with one each time")
		time.Sleep(40 * time.Second)
		require.Zero(t, lastOffset(s), "an idle one is not")
		s.add(0, "a", 0)
		time.Sleep(20 * time.Second)
		require.EqualValues(t, 3, lastOffset(s))
		require.NoError(t, r.stop())
	})
}

// lastOffset is that of the last poll.
func lastOffset(s *stub) int64 {
	fetches := s.polled()
	return fetches[len(fetches)-1].asks[0].Offset
}

func TestFailuresAreWaitedOut(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		broken := true // under the lock of s
		s.answered = func(_ []Ask[int], answers []Answer[stubEvent]) {
			if broken {
				answers[0] = Answer[stubEvent]{Err: errBroken}
			}
		}
		r := s.start(t, 1, nil)
		id := s.add(0, "a", 0)
		time.Sleep(time.Hour)
		require.InDelta(t, 62, len(s.polled()), 4, "at most one a minute")
		require.Equal(t, 1, count(r.logged(), "WARN"), "one line for all of them")
		s.mu.Lock()
		broken = false
		s.mu.Unlock()
		time.Sleep(time.Minute + 3*time.Second)
		require.Equal(t, []int64{id}, r.events())
		require.Equal(t, 1, count(r.logged(), "INFO imbot: polling works again"))
		require.NoError(t, r.stop())
	})
}

func TestOneQueueThatFailsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		s.answered = func(asks []Ask[int], answers []Answer[stubEvent]) {
			for i, ask := range asks {
				if ask.Bot == 3 {
					answers[i] = Answer[stubEvent]{Err: errBroken}
				}
			}
		}
		r := s.start(t, 50, nil)
		time.Sleep(time.Minute)
		s.add(4, "a", 0)
		time.Sleep(5300 * time.Millisecond)
		require.Len(t, r.events(), 1)
		require.NoError(t, r.stop())
	})
}

func TestALongPageIsFollowedByShorterOnes(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		s.answered = func(asks []Ask[int], answers []Answer[stubEvent]) {
			if len(answers[0].Items) > 30 {
				answers[0] = Answer[stubEvent]{Err: errBroken, Means: TooLong}
			}
		}
		r := s.start(t, 1, nil)
		for range 200 {
			s.add(0, "a", 0)
		}
		time.Sleep(2 * time.Minute)
		require.Len(t, r.events(), 200)
		require.NoError(t, r.stop())
	})
}

func TestAPortalThatTakesNoBatchIsPolledSingly(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		s.answered = func(asks []Ask[int], answers []Answer[stubEvent]) {
			for i := range asks {
				if len(asks) > 1 {
					answers[i] = Answer[stubEvent]{Err: errBroken, Means: Unbatched}
				}
			}
		}
		r := s.start(t, 120, nil)
		time.Sleep(10 * time.Minute)
		require.Equal(t, 1, count(r.logged(), "WARN"), "%v", r.logged())
		s.polled()
		for bot := range 120 {
			s.add(bot, "a", 0)
		}
		time.Sleep(10 * time.Minute)
		require.Len(t, r.events(), 120)
		require.InDelta(t, 1, float64(len(s.polled()))/600, 0.1, "half of the rate")
		require.NoError(t, r.stop())
	})
}

func TestAQueueThatEndsIsToldSoAfterItsLastEvent(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		over := false
		s.answered = func(asks []Ask[int], answers []Answer[stubEvent]) {
			for i, ask := range asks {
				if ask.Bot == 0 || over {
					answers[i] = Answer[stubEvent]{Err: fmt.Errorf("%d: %w", ask.Bot, errBroken), Means: End}
				}
			}
		}
		r := s.start(t, 2, nil)
		synctest.Wait()
		lasts, errs := r.ends()
		require.Len(t, errs, 1)
		require.Empty(t, lasts, "it could never be polled")
		time.Sleep(time.Minute)
		s.mu.Lock()
		over = true
		s.mu.Unlock()
		time.Sleep(10 * time.Second)
		lasts, errs = r.ends()
		require.Equal(t, []int{1}, lasts)
		require.Equal(t, []int64{-1}, r.events())
		require.Len(t, errs, 2)
		require.ErrorIs(t, errs[1], errBroken)
		require.Zero(t, r.Stats().Unacknowledged)
		require.True(t, r.Add(1, "portal", "account"), "it may come again")
		require.Zero(t, r.Stats().Unacknowledged)
		require.NoError(t, r.stop())
	})
}

func TestAQueueThatShowsTheSamePageForEver(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		s.answered = func(asks []Ask[int], answers []Answer[stubEvent]) {
			for i := range answers {
				answers[i] = Answer[stubEvent]{More: true, Next: 4, Items: []Item[stubEvent]{{ID: 1, Event: stubEvent{id: 1}}, {ID: 2, Event: stubEvent{id: 2}}, {ID: 3, Event: stubEvent{id: 3}}}}
			}
		}
		r := s.start(t, 1, nil)
		time.Sleep(24 * time.Hour)
		require.Len(t, r.events(), 3)
		require.LessOrEqual(t, len(s.polled()), 24*3600/2+1)
		require.NoError(t, r.stop())
	})
}

func TestAPageOfRubbishStopsNothing(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		s.answered = func(_ []Ask[int], answers []Answer[stubEvent]) {
			for i := range answers[0].Items {
				if it := &answers[0].Items[i]; it.ID%3 == 0 {
					it.ID, it.Date = 0, time.Time{}
				}
			}
		}
		r := s.start(t, 1, func(_ *run, cfg *Config[int, stubEvent]) { cfg.MaxAge = time.Hour })
		for range 1000 {
			s.add(0, "", 0)
		}
		time.Sleep(5 * time.Minute)
		got := r.events()
		slices.Sort(got)
		require.Len(t, slices.Compact(got), 1000)
		require.Zero(t, s.queued(0))
		require.NoError(t, r.stop())
	})
}

func TestEventsThatAreTooOldAreOnlyAcknowledged(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		s.add(0, "a", 0)
		time.Sleep(2 * time.Hour)
		fresh := s.add(0, "a", 0)
		r := s.start(t, 1, func(_ *run, cfg *Config[int, stubEvent]) { cfg.MaxAge = time.Hour })
		time.Sleep(time.Minute)
		require.Equal(t, []int64{fresh}, r.events())
		require.Zero(t, s.queued(0))
		require.NoError(t, r.stop())
	})
}

func TestTheClockOfThePortalDecidesNothing(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, random := newStub(), dice(3)
		s.answered = func(_ []Ask[int], answers []Answer[stubEvent]) {
			for i := range answers[0].Items {
				answers[0].Items[i].Date = time.Now().Add(time.Duration(random.IntN(2000)-1000) * time.Hour) // another one each time it is shown
			}
		}
		r := s.start(t, 1, nil)
		for range 300 {
			s.add(0, "", 0)
			time.Sleep(100 * time.Millisecond)
		}
		require.GreaterOrEqual(t, r.Stats().Behind, time.Duration(0))
		time.Sleep(time.Minute)
		require.Len(t, r.events(), 300)
		require.Zero(t, s.queued(0))
		require.NoError(t, r.stop())
	})
}

func TestAddAndRemoveWhileItRuns(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		r := s.start(t, 0, nil)
		time.Sleep(time.Minute)
		require.Empty(t, s.polled())
		require.True(t, r.Add(7, "portal", nil))
		require.False(t, r.Add(7, "other", nil))
		s.add(7, "a", 0)
		time.Sleep(10 * time.Second)
		require.Len(t, r.events(), 1)
		require.True(t, r.Remove(7))
		require.False(t, r.Remove(7))
		s.add(7, "a", 0)
		time.Sleep(time.Minute)
		require.Len(t, r.events(), 1)
		require.Empty(t, r.sources)
		require.Empty(t, r.units)
		require.NoError(t, r.stop())
		require.NoError(t, r.Poller.Run(ended()), "it may run again")
	})
}
