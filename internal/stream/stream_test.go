package stream

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// portal answers what a Set sends.
type portal struct {
	*Set[string]
	answer func(op *Op[string]) // after it was told that the op ran; nil: nothing
	takes  func(ops []*Op[string]) time.Duration
	leave  func(ctx context.Context) error // the limiter; nil: at once

	part int // the longest message, in characters

	mu     sync.Mutex
	sent   []request
	shows  map[string][]string // texts by Calls
	boards map[string][]Board
}

type request struct {
	at  time.Duration // since the beginning
	ops []Op[string]
}

// String is "1.4s update a 0 text" for each op.
func (p *portal) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []string
	for _, r := range p.sent {
		for _, op := range r.ops {
			what := [...]string{"notice", "add", "update"}[op.Kind]
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("%v %s %s %s", r.at, what, op.Calls, op.Text)))
		}
	}
	return strings.Join(lines, "\n")
}

func newPortal() *portal {
	p := &portal{part: 20_000, shows: map[string][]string{}, boards: map[string][]Board{}}
	begin := time.Now()
	p.Set = NewSet(Way[string]{
		Send: func(ctx context.Context, _ bool, load func() ([]*Op[string], time.Duration)) error {
			if p.leave != nil {
				if err := p.leave(ctx); err != nil {
					return err
				}
			}
			ops, limit := load()
			if len(ops) == 0 {
				return nil
			}
			r := request{at: time.Since(begin)}
			for _, op := range ops {
				r.ops = append(r.ops, *op)
			}
			p.mu.Lock()
			p.sent = append(p.sent, r)
			p.mu.Unlock()
			if p.takes != nil {
				ctx, cancel := context.WithTimeout(ctx, limit)
				defer cancel()
				select {
				case <-time.After(p.takes(ops)):
				case <-ctx.Done():
					for _, op := range ops {
						op.Outcome, op.Err = Failed, ctx.Err()
					}
					return nil
				}
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			for _, op := range ops {
				op.Outcome = Ran
				if op.Kind == Add {
					op.ID = int64(len(p.sent))
				}
				if p.answer != nil {
					p.answer(op)
				}
				switch {
				case op.Outcome != Ran || op.Kind == Notice:
				case op.Kind == Add:
					p.shows[op.Calls] = append(p.shows[op.Calls], op.Text)
					p.boards[op.Calls] = append(p.boards[op.Calls], op.Board)
				default:
					p.shows[op.Calls][op.N] = op.Text
					p.boards[op.Calls][op.N] = op.Board
				}
			}
			return nil
		},
		Render: func(text string) (parts []string) {
			for runes := []rune(strings.TrimSpace(text)); len(runes) > 0; {
				n := min(p.part, len(runes))
				parts, runes = append(parts, string(runes[:n])), runes[n:]
			}
			return parts
		},
	})
	return p
}

// play runs a test in fake time. It fails when a goroutine is left.
func play(t *testing.T, test func(t *testing.T, p *portal)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newPortal()) })
}

// pause lets time pass, and what happens at its end.
func pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func write(t *testing.T, st *Stream[string], text string) {
	t.Helper()
	_, err := st.Write(text)
	require.NoError(t, err)
}

func TestAnAnswer(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		st := p.New(t.Context(), "a", true, true)
		time.Sleep(9 * time.Second)
		write(t, st, "one")
		time.Sleep(500 * time.Millisecond)
		write(t, st, " two")
		time.Sleep(2 * time.Second)
		require.NoError(t, st.Close("", true))
		require.Equal(t, "600ms notice a\n8.6s notice a\n9.4s add a one\n10.4s update a one two\n11.525s update a one two", p.String())
		require.Equal(t, []Board{Final}, p.boards["a"])
		require.Equal(t, []int64{3}, st.IDs())
	})
}

func TestTheTextIsRenderedOncePerChange(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		texts := map[string]bool{}
		render := p.way.Render
		p.way.Render = func(text string) []string {
			require.False(t, texts[text], text)
			texts[text] = true
			return render(text)
		}
		st := p.New(t.Context(), "a", true, true)
		for i := range 2000 {
			write(t, st, fmt.Sprint(i%10))
			time.Sleep(10 * time.Millisecond)
		}
		require.NoError(t, st.Close("", false))
		require.Equal(t, strings.Repeat("0123456789", 200), strings.Join(p.shows["a"], ""))
		require.LessOrEqual(t, len(texts), len(p.sent))
	})
}

func TestChangesBecomeSeldom(t *testing.T) {
	for name, row := range map[string]struct {
		alone bool
		gaps  [5]time.Duration // of ten requests each
	}{
		"a second, doubled after ten, at most eight":      {false, [5]time.Duration{1, 2, 4, 8, 8}},
		"at least four when it cannot travel with others": {true, [5]time.Duration{4, 4, 4, 8, 8}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, p *portal) {
				p.answer = func(op *Op[string]) { op.Alone = row.alone }
				st := p.New(t.Context(), "a", false, true)
				for range 3000 {
					write(t, st, "x")
					time.Sleep(100 * time.Millisecond)
				}
				synctest.Wait()
				for i, r := range p.sent[1:] {
					if i < 48 {
						require.Equal(t, row.gaps[(i+1)/10]*time.Second, r.at-p.sent[i].at, i)
					}
				}
				require.Greater(t, len(p.sent), 40)
				require.NoError(t, st.Close("", false))
			})
		})
	}
}

// A request that takes long holds up only the streams in it: were one of them changed again
// meanwhile, the older text might arrive last.
func TestASlowRequestHoldsUpNobodyElse(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		p.takes = func(ops []*Op[string]) time.Duration {
			if ops[0].Calls == "slow" && ops[0].Text == "ab" {
				return 12 * time.Second
			}
			return 0
		}
		slow := p.New(t.Context(), "slow", false, false)
		write(t, slow, "a")
		time.Sleep(500 * time.Millisecond)
		write(t, slow, "b")
		other := p.New(t.Context(), "other", false, false)
		for range 80 {
			write(t, other, "x")
			time.Sleep(100 * time.Millisecond)
		}
		write(t, slow, "c")
		write(t, other, "y")
		require.NoError(t, other.Close("", false))
		require.NoError(t, slow.Close("", false))
		require.Equal(t, []string{"abc"}, p.shows["slow"])
		text := p.String()
		require.Contains(t, text, "1.4s update slow ab\n6.4s update other", "changes go on after five seconds")
		require.Contains(t, text, "8.525s update other", "the last changes go at once")
		require.Contains(t, text, "13.4s update slow abc", "behind the slow one")
	})
}

func TestWhatTheLimiterRefuses(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		full := errors.New("no")
		p.leave = func(context.Context) error { return full }
		st := p.New(t.Context(), "a", false, true)
		time.Sleep(time.Minute)
		write(t, st, "text")
		time.Sleep(time.Minute)
		begin := time.Now()
		require.ErrorIs(t, st.Close("", false), full)
		require.Less(t, time.Since(begin), time.Minute)
		_, err := st.Write("more")
		require.ErrorIs(t, err, full)
		require.Empty(t, p.sent)
	})
}

func TestCodeOfTheUserThatEndsTheGoroutine(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		p.answer = func(op *Op[string]) { op.Outcome = NotSent; runtime.Goexit() }
		st := p.New(t.Context(), "a", false, true)
		write(t, st, "text")
		require.Error(t, st.Close("", false))
	})
}

func TestCloseReturnsSoonAfterTheEndOfTheContext(t *testing.T) {
	for name, hangs := range map[string]func(p *portal){
		"the limiter gives no leave": func(p *portal) {
			p.leave = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		},
		"the portal refuses for the time being": func(p *portal) {
			p.answer = func(op *Op[string]) { op.Outcome, op.Later = NotSent, time.Now().Add(time.Hour) }
		},
		"the portal does not answer": func(p *portal) { p.takes = func([]*Op[string]) time.Duration { return time.Hour } },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, p *portal) {
				hangs(p)
				ctx, cancel := context.WithCancelCause(t.Context())
				st := p.New(ctx, "a", true, true)
				write(t, st, "text")
				time.AfterFunc(10*time.Second, func() { cancel(errors.New("gone")) })
				begin := time.Now()
				require.ErrorContains(t, st.Close(" …", false), "gone")
				require.LessOrEqual(t, time.Since(begin), 40*time.Second)
			})
		})
	}
}

// Fewer than fifty of a hundred streams fit: those that end go first, those that people
// have seen nothing of next, then the one that was changed longest ago.
func TestWhoGoesFirst(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		var grown, fresh []*Stream[string]
		for i := range 60 {
			grown = append(grown, p.New(t.Context(), fmt.Sprint("grown", i), false, false))
			write(t, grown[i], "a")
		}
		time.Sleep(time.Second)
		for i := range 20 {
			fresh = append(fresh, p.New(t.Context(), fmt.Sprint("fresh", i), false, false))
			write(t, fresh[i], "a")
		}
		for _, st := range grown {
			write(t, st, "b")
		}
		time.Sleep(375 * time.Millisecond)
		var all sync.WaitGroup
		for _, st := range append(grown[50:], fresh[15:]...) {
			all.Go(func() { require.NoError(t, st.Close("", false)) })
		}
		all.Wait()
		synctest.Wait()
		mixed := p.sent[2]
		if len(mixed.ops) < 50 { // the rest went beside it
			mixed = p.sent[3]
		}
		require.Len(t, mixed.ops, 50)
		for i, op := range mixed.ops {
			switch {
			case i < 15:
				require.True(t, op.Calls >= "grown50" && op.Calls <= "grown59" || op.Calls > "fresh14" || op.Calls == "fresh5", op.Calls)
			case i < 30:
				require.Contains(t, op.Calls, "fresh")
			default:
				require.Contains(t, op.Calls, "grown")
			}
		}
	})
}

func TestATextThatBecomesShorter(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		p.part = 500
		render := p.way.Render
		p.way.Render = func(text string) []string { return render(strings.ReplaceAll(text, "x!", "")) }
		st := p.New(t.Context(), "a", true, true)
		write(t, st, strings.Repeat("x", 900))
		pause(3 * time.Second)
		require.Len(t, p.shows["a"], 2)
		require.Equal(t, []Board{NoBoard, Growing}, p.boards["a"])
		p.way.Render = func(string) []string { return render("short") }
		write(t, st, "!")
		require.NoError(t, st.Close("", true))
		require.Equal(t, []string{"short", "…"}, p.shows["a"])
		require.Equal(t, []Board{Final, NoBoard}, p.boards["a"])
	})
}

// Of a next message nothing is shown before it has some words.
func TestTheNextMessageBeginsLate(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		p.part = 500
		st := p.New(t.Context(), "a", true, true)
		write(t, st, strings.Repeat("x", 500+fewest-1))
		pause(3 * time.Second)
		require.Len(t, p.shows["a"], 1)
		require.Equal(t, []Board{Growing}, p.boards["a"])
		write(t, st, "x")
		pause(3 * time.Second)
		require.Len(t, p.shows["a"], 2)
		require.NoError(t, st.Close("", false))
	})
}

func TestWhatFails(t *testing.T) {
	broken := errors.New("broken")
	for _, row := range []struct {
		name   string
		fails  func(op *Op[string], n int) Outcome
		err    error
		events string
	}{
		{"a change is not repeated: the next one has it", func(op *Op[string], n int) Outcome {
			if n == 2 {
				return Failed
			}
			return Ran
		}, nil, "400ms add a a\n1.4s update a ab\n5.025s update a ab"},
		{"a first message is, and changed because another try may have been the one that ran", func(op *Op[string], n int) Outcome {
			if n < 3 {
				return Failed
			}
			return Ran
		}, nil, "400ms add a a\n900ms add a ab\n1.9s add a ab\n2.9s update a ab"},
		{"the last change is", func(op *Op[string], n int) Outcome {
			if n == 3 {
				return Failed
			}
			return Ran
		}, nil, "400ms add a a\n1.4s update a ab\n5.025s update a abc\n5.525s update a abc"},
		{"a refusal ends it", func(*Op[string], int) Outcome { return Refused }, broken, "400ms add a a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			play(t, func(t *testing.T, p *portal) {
				n := 0
				p.answer = func(op *Op[string]) {
					n++
					if op.Outcome = row.fails(op, n); op.Outcome != Ran {
						op.Err = broken
					}
				}
				st := p.New(t.Context(), "a", false, true)
				write(t, st, "a")
				time.Sleep(500 * time.Millisecond)
				_, _ = st.Write("b")
				time.Sleep(4500 * time.Millisecond)
				if strings.HasPrefix(row.name, "the last") {
					write(t, st, "c")
				}
				require.ErrorIs(t, st.Close("", false), row.err)
				require.Equal(t, row.events, p.String())
			})
		})
	}
}

func TestAnUrgentRequestTakesAlongWhatIsNearlyDue(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		a, b := p.New(t.Context(), "a", false, false), p.New(t.Context(), "b", false, false)
		write(t, a, "1")
		time.Sleep(time.Second)
		write(t, a, "2")
		time.Sleep(200 * time.Millisecond)
		write(t, b, "1")
		require.NoError(t, b.Close("", false))
		require.Equal(t, "400ms add a 1\n1.225s add b 1\n1.225s update a 12", p.String())
		require.NoError(t, a.Close("", false))
	})
}

// The limiter is full. An answer is let through first, and takes along the change that waits.
func TestAChangeThatWaitsLeavesTheLine(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		a, b := p.New(t.Context(), "a", false, false), p.New(t.Context(), "b", false, false)
		write(t, a, "1")
		pause(time.Second)
		left, asked := 0, 0
		p.leave = func(ctx context.Context) error {
			if asked++; asked > 1 {
				return nil
			}
			<-ctx.Done()
			left++
			return ctx.Err()
		}
		write(t, a, "2")
		pause(time.Second)
		write(t, b, "1")
		require.NoError(t, b.Close("", false))
		require.NoError(t, a.Close("", false))
		synctest.Wait()
		require.Equal(t, 1, left)
		require.Equal(t, "400ms add a 1\n2.025s add b 1\n2.025s update a 12", p.String())
	})
}

func TestARefusedNoticeIsTheLast(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		p.answer = func(op *Op[string]) { op.Outcome = Refused }
		st := p.New(t.Context(), "a", false, true)
		pause(time.Minute)
		require.Len(t, p.sent, 1)
		require.NoError(t, st.Close("", false))
	})
}

func TestCloseTriesAgainAfterAnOutage(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		over := time.Now().Add(10*time.Minute + time.Second)
		p.answer = func(op *Op[string]) {
			if time.Now().Before(over) {
				op.Outcome, op.Err = Failed, errors.New("out")
			}
		}
		st := p.New(t.Context(), "a", false, true)
		write(t, st, "text")
		pause(10 * time.Minute)
		require.Len(t, p.sent, tries)
		require.NoError(t, st.Close("", false))
		require.Equal(t, []string{"text"}, p.shows["a"])
	})
}

func TestNobodyIsForgottenWhereNotAllFit(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		var all []*Stream[string]
		for i := range 2 * mostOps {
			all = append(all, p.New(t.Context(), fmt.Sprint(i), false, false))
		}
		for range 80 {
			for _, st := range all {
				write(t, st, "x")
			}
			time.Sleep(100 * time.Millisecond)
		}
		changed := map[string]int{}
		synctest.Wait()
		for _, r := range p.sent {
			for _, op := range r.ops {
				changed[op.Calls]++
			}
		}
		for name, n := range changed {
			require.GreaterOrEqual(t, n, 4, name)
		}
		var closing sync.WaitGroup
		for _, st := range all {
			closing.Go(func() { require.NoError(t, st.Close("", false)) })
		}
		closing.Wait()
	})
}

// Nobody closes it, and its goroutine is gone all the same.
func TestAStreamThatIsForgotten(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		ctx, cancel := context.WithCancel(t.Context())
		write(t, p.New(ctx, "a", false, true), "text")
		p.New(ctx, "b", false, true)
		time.Sleep(30 * time.Second)
		cancel()
		pause(30 * time.Second)
		require.False(t, p.running)
		require.Empty(t, p.streams)
	})
}

// Hundred people write at once, for the race detector.
func TestManyStreams(t *testing.T) {
	play(t, func(t *testing.T, p *portal) {
		p.takes = func([]*Op[string]) time.Duration { return 100 * time.Millisecond }
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*100*time.Millisecond)
				defer cancel()
				name := fmt.Sprint(i)
				st := p.New(ctx, name, true, true)
				for range 50 {
					if _, err := st.Write("word "); err != nil {
						break
					}
					_ = st.IDs()
					time.Sleep(150 * time.Millisecond)
				}
				require.NoError(t, st.Close("…", true))
				p.mu.Lock()
				defer p.mu.Unlock()
				require.Equal(t, []Board{Final}, p.boards[name])
			})
		}
		all.Wait()
	})
}

func FuzzWhole(f *testing.F) {
	for _, seed := range []string{"", "a", "\xc3", "ä\xf0\x9f\x98", "\xff\xfe", "\x80\x80\x80", "😀", "a\xe2\x82"} {
		f.Add(seed, 1)
	}
	f.Fuzz(func(t *testing.T, text string, cut int) {
		all := whole(text)
		require.True(t, utf8.ValidString(all))
		if utf8.ValidString(text) {
			require.Equal(t, text, all)
			part := whole(text[:min(max(cut, 0), len(text))]) // as a write may end
			require.True(t, strings.HasPrefix(text, part), "what was shown stays")
			require.LessOrEqual(t, min(max(cut, 0), len(text))-len(part), utf8.UTFMax-1)
		}
	})
}
