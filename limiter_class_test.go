package imbot_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// sight is a portal whose commands take time, and which knows when people saw each
// message.
type sight struct {
	bucket
	each time.Duration

	seen     sync.Map // by MESSAGE, the time.Time
	mu       sync.Mutex
	requests int
	ran      []string
}

func (s *sight) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.requests++
	s.mu.Unlock()
	if !s.fits() {
		return reply(503, queryLimit), nil
	}
	run := func(message string) {
		time.Sleep(s.each)
		s.seen.Store(message, time.Now())
		s.mu.Lock()
		s.ran = append(s.ran, message)
		s.mu.Unlock()
	}
	if !strings.HasSuffix(r.URL.Path, "/batch") {
		_, message, _ := strings.Cut(string(body), `"MESSAGE":"`)
		message, _, _ = strings.Cut(message, `"`)
		run(message)
		return reply(200, `{"result":7}`), nil
	}
	var results []string
	for i, command := range strings.Split(string(body), "MESSAGE=")[1:] {
		message, _, _ := strings.Cut(command, `"`)
		message, _, _ = strings.Cut(message, "&")
		run(message)
		results = append(results, fmt.Sprintf(`"c%d":7`, i))
	}
	return reply(200, `{"result":{"result":{`+strings.Join(results, ",")+`},"result_error":[]}}`), nil
}

// broadcasts are the ways to write to many people.
var broadcasts = map[string]func(context.Context, *imbot.Client, int){
	"automatic batches": func(ctx context.Context, c *imbot.Client, n int) {
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { _, _ = c.Message.Add(ctx, to(i+1000, fmt.Sprintf("b%d", i))) })
		}
		wg.Wait()
	},
	"64 workers": func(ctx context.Context, c *imbot.Client, n int) {
		var wg sync.WaitGroup
		for w := range 64 {
			wg.Go(func() {
				for i := w; i < n && ctx.Err() == nil; i += 64 {
					_, _ = c.Message.Add(ctx, to(i+1000, fmt.Sprintf("b%d", i)))
				}
			})
		}
		wg.Wait()
	},
	"DoAll": func(ctx context.Context, c *imbot.Client, n int) {
		for range imbot.DoAll(ctx, c, numbered(n), imbot.Ahead(8)) {
		}
	},
}

// numbered are messages to different people.
func numbered(n int) iter.Seq[imbot.MessageAddRequest] {
	return func(yield func(imbot.MessageAddRequest) bool) {
		for i := range n {
			if !yield(to(i+1000, fmt.Sprintf("b%d", i))) {
				return
			}
		}
	}
}

// TestAnswersGoFirst: somebody writes to the bot while a broadcast runs.
func TestAnswersGoFirst(t *testing.T) {
	for name, tt := range map[string]struct {
		every  time.Duration
		people int // at once
		most   time.Duration
	}{
		"one answer a second":                 {time.Second, 1, 60 * time.Millisecond},
		"twenty answers every twenty seconds": {20 * time.Second, 20, 300 * time.Millisecond},
		"one answer in ten seconds":           {10 * time.Second, 1, 60 * time.Millisecond},
	} {
		for way, broadcast := range broadcasts {
			t.Run(name+", "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					portal := &sight{bucket: bucket{last: time.Now()}, each: 50 * time.Millisecond}
					opts := []imbot.Option{imbot.WithLimiter(imbot.NewLimiter(2, 50))}
					if way == "automatic batches" {
						opts = append(opts, imbot.WithAutoBatch())
					}
					client := over(t, hook, portal, opts...)
					bot := client // of the same process and portal, so it shares the limiter
					if tt.people > 1 {
						bot = over(t, hook, portal, append(opts, imbot.WithAutoBatch())...)
					}
					ctx, stop := context.WithCancel(t.Context())
					var wg sync.WaitGroup
					wg.Go(func() { broadcast(ctx, client, 15_000) })
					time.Sleep(time.Minute) // the burst is over

					const period = 60 * time.Second
					portal.mu.Lock()
					requests, ran := portal.requests, len(portal.ran)
					portal.mu.Unlock()
					var waits []time.Duration
					answers := 0
					for start := time.Now(); time.Since(start) < period; time.Sleep(tt.every) {
						asked := time.Now()
						for range tt.people {
							answers++
							text, person := fmt.Sprintf("a%d", answers), answers+100_000
							wg.Go(func() {
								_, err := bot.Message.Add(imbot.WithClass(t.Context(), imbot.ClassAnswer), to(person, text))
								require.NoError(t, err)
								at, _ := portal.seen.Load(text)
								portal.mu.Lock()
								waits = append(waits, at.(time.Time).Sub(asked))
								portal.mu.Unlock()
							})
						}
					}
					portal.mu.Lock()
					requests = portal.requests - requests
					sent := 0
					for _, text := range portal.ran[ran:] {
						if text[0] == 'b' {
							sent++
						}
					}
					portal.mu.Unlock()
					stop()
					wg.Wait()
					time.Sleep(time.Minute) // what is under way ends
					require.Len(t, waits, answers)
					t.Logf("longest wait %v, %d requests, %d messages of the broadcast", slices.Max(waits), requests, sent)
					require.LessOrEqual(t, slices.Max(waits), tt.most)
					require.LessOrEqual(t, portal.refused, 2)
					allowed := 2 * period.Seconds()
					if way != "automatic batches" {
						require.GreaterOrEqual(t, float64(requests)/allowed, 0.95)
						return
					}
					least := 0.92
					if tt.every == time.Second {
						least = 0.90 // its calls ride behind the answers
					} else if tt.people > 1 {
						least = 0.85 // five requests of forty are answers
					}
					require.GreaterOrEqual(t, float64(sent)/50/allowed, least)
				})
			})
		}
	}
}

// TestClassOf: a limiter of somebody's own sees the class of each call.
func TestClassOf(t *testing.T) {
	for name, tt := range map[string]struct {
		ctx  context.Context
		want imbot.Class
	}{
		"a context of its own":    {t.Context(), imbot.ClassNormal},
		"a broadcast":             {imbot.WithClass(t.Context(), imbot.ClassBulk), imbot.ClassBulk},
		"the last one wins":       {imbot.WithClass(imbot.WithClass(t.Context(), imbot.ClassBulk), imbot.ClassAnswer), imbot.ClassAnswer},
		"a class beyond the best": {imbot.WithClass(t.Context(), 99), imbot.ClassAnswer},
		"a class below the worst": {imbot.WithClass(t.Context(), -99), imbot.ClassBulk},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, imbot.ClassOf(tt.ctx))
			seen := classes(nil)
			require.NoError(t, over(t, hook, always(200, `{"result":true}`), imbot.WithLimiter(&seen)).Call(tt.ctx, "profile", nil, nil))
			require.Equal(t, classes{tt.want}, seen)
		})
	}
}

func TestClassIsPrintedAsAWord(t *testing.T) {
	t.Parallel()
	got := fmt.Sprint(imbot.ClassBulk, imbot.ClassNormal, imbot.ClassAnswer, imbot.Class(-99), imbot.Class(99))
	require.Equal(t, "bulk normal answer bulk answer", got)
}

// classes is a limiter that notes who asks.
type classes []imbot.Class

func (c *classes) Wait(ctx context.Context, _ string) error {
	*c = append(*c, imbot.ClassOf(ctx))
	return nil
}

func TestDoAllIsBulkUnlessItsContextHasAClass(t *testing.T) {
	for want, ctx := range map[imbot.Class]context.Context{
		imbot.ClassBulk:   t.Context(),
		imbot.ClassNormal: imbot.WithClass(t.Context(), imbot.ClassNormal),
	} {
		seen := classes(nil)
		for range imbot.DoAll(ctx, over(t, hook, newBatches(t, ids, nil), imbot.WithLimiter(&seen)), numbered(3)) {
		}
		require.Equal(t, classes{want}, seen)
	}
}

// TestACallbackThatBroadcasts: its first calls are answers, the others are not.
func TestACallbackThatBroadcasts(t *testing.T) {
	seen, seenBulk := classes(nil), classes(nil)
	client := over(t, hook, always(200, `{"result":7}`), imbot.WithLimiter(&seen))
	bulk := over(t, hook, newBatches(t, ids, nil), imbot.WithLimiter(&seenBulk))
	h := &imbot.EventHandler{Verifier: hook.Verifier(), OnMessage: func(ctx context.Context, _ *imbot.MessageAddEvent) error {
		for i := range 30 {
			if _, err := client.Message.Add(ctx, to(i+1, "hi")); err != nil {
				return err
			}
		}
		for range imbot.DoAll(ctx, bulk, numbered(200)) {
		}
		_, err := client.Message.Add(imbot.WithClass(ctx, imbot.ClassAnswer), to(1, "hi"))
		return err
	}}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("event=ONIMBOTMESSAGEADD&data[PARAMS][MESSAGE_ID]=1&data[PARAMS][DIALOG_ID]=1&auth[application_token]=bot-secret-1"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
	require.NoError(t, h.Shutdown(t.Context()))
	require.Equal(t, slices.Concat(slices.Repeat(classes{imbot.ClassAnswer}, 20), slices.Repeat(classes{imbot.ClassNormal}, 10), classes{imbot.ClassAnswer}), seen)
	require.Equal(t, slices.Repeat(classes{imbot.ClassBulk}, 4), seenBulk, "a broadcast takes nothing from the answers of others")
}

// TestLimiterWithManyWhoLeave: a hundred thousand waiting calls whose contexts end.
func TestLimiterWithManyWhoLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := imbot.NewLimiter(2, 50)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 100_000 {
			wg.Go(func() { _ = l.Wait(imbot.WithClass(ctx, imbot.Class(i%3-1)), "portal") })
		}
		time.Sleep(10 * time.Second)
		cancel()
		wg.Wait()
		start := time.Now()
		require.NoError(t, l.Wait(t.Context(), "portal"))
		require.LessOrEqual(t, time.Since(start), 4*time.Second, "who left took nothing along")
	})
}

// TestLimiterKeepsAReserve: the worse classes leave room for the better ones.
func TestLimiterKeepsAReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := imbot.NewLimiter(2, 50)
		atOnce := func(class imbot.Class) (n int) {
			ctx, cancel := context.WithTimeout(imbot.WithClass(t.Context(), class), time.Nanosecond)
			defer cancel()
			for l.Wait(ctx, "portal") == nil {
				n++
			}
			return n
		}
		require.Equal(t, 40, atOnce(imbot.ClassBulk))
		require.Equal(t, 5, atOnce(imbot.ClassNormal))
		require.Equal(t, 5, atOnce(imbot.ClassAnswer))
	})
}
