package imbot_test

import (
	"context"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

const timeLimit = `{"error":"OPERATION_TIME_LIMIT","error_description":"Method is blocked due to operation time limit."}`

// tired refuses imbot.message.add for its operating time until the given
// instant and answers everything else.
func tired(until *time.Time) *wire {
	return &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/imbot.message.add") && time.Now().Before(*until) {
			return reply(429, timeLimit), nil
		}
		return reply(200, `{"result":7,"time":{"finish":1000,"operating_reset_at":1100}}`), nil
	}}
}

func TestTimeLimitHoldsOneMethod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var until time.Time
		rt := tired(&until)
		client := over(t, hook, rt)
		add := func(ctx context.Context) error {
			_, err := client.Message.Add(ctx, imbot.MessageAddRequest{DialogID: "1", Message: "x"})
			return err
		}
		require.NoError(t, add(t.Context()))
		until = time.Now().Add(90 * time.Second)
		start := time.Now()
		done := make(chan error)
		go func() { done <- add(t.Context()) }()
		synctest.Wait()

		// Another call of the method waits, too; a deadline before the end of the
		// hold returns at once.
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := add(ctx)
		require.ErrorIs(t, err, imbot.ErrOperationTimeLimit)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, time.Since(start))
		require.Len(t, rt.requests, 2, "it was not sent")

		// Another method goes on.
		_, err = client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "x"})
		require.NoError(t, err)
		require.Zero(t, time.Since(start))

		require.NoError(t, <-done)
		require.Equal(t, 100*time.Second, time.Since(start), "the end of the portal's window")
	})
}

func TestTimeLimitWithAShortDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		until := time.Now().Add(time.Hour)
		client := over(t, hook, tired(&until))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		start := time.Now()
		_, err := client.Message.Add(ctx, imbot.MessageAddRequest{DialogID: "1", Message: "x"})
		var e *imbot.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, imbot.ErrOperationTimeLimit, e.Code)
		require.Equal(t, 1, e.Attempts)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, time.Since(start))
	})
}

// slower is the optional method of a limiter.
type slower interface {
	imbot.Limiter
	Refused(portal string)
}

// rate counts what a limiter lets through in a time.
func rate(t *testing.T, l imbot.Limiter, d time.Duration) int {
	ctx, cancel := context.WithTimeout(imbot.WithClass(t.Context(), imbot.ClassAnswer), d) // others leave a reserve
	defer cancel()
	n := 0
	for l.Wait(ctx, "portal") == nil {
		n++
	}
	<-ctx.Done()
	return n
}

func TestLimiterSlowsDownWhenSomebodyElseFillsTheBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := imbot.NewLimiter(2, 50).(slower)
		l.Refused("portal") // unknown so far, or forgotten: it counts all the same
		require.NoError(t, l.Wait(imbot.WithClass(t.Context(), imbot.ClassAnswer), "portal"))
		for range 30 { // one burst was refused
			l.Refused("portal")
		}
		require.InDelta(t, 20, rate(t, l, 20*time.Second), 1, "half, and nothing is left of the burst")
		time.Sleep(10 * time.Second)
		rate(t, l, time.Minute) // empties the bucket
		require.InDelta(t, 40, rate(t, l, 20*time.Second), 1, "recovered")
	})
}

func TestLimiterSlowsDownToAnEighth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := imbot.NewLimiter(2, 1).(slower)
		for range 10 {
			require.NoError(t, l.Wait(t.Context(), "portal"))
			time.Sleep(5 * time.Second)
			l.Refused("portal")
		}
		require.InDelta(t, 5, rate(t, l, 20*time.Second), 1)
		time.Sleep(15 * time.Second) // one halving is over
		require.InDelta(t, 10, rate(t, l, 20*time.Second), 1, "comes back slowly")
		time.Sleep(40 * time.Second)
		require.InDelta(t, 40, rate(t, l, 20*time.Second), 1)
	})
}

func TestLimiterForgivesJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := imbot.NewLimiter(2, 1).(slower)
		require.NoError(t, l.Wait(t.Context(), "portal"))
		l.Refused("portal")
		require.InDelta(t, 40, rate(t, l, 20*time.Second), 1, "the bucket had no room: full pace")
	})
}

func TestLimiterRefusesWhoWouldWaitTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := imbot.NewLimiter(2, 1)
		require.NoError(t, l.Wait(t.Context(), "portal"))
		for range 10 {
			go func() { _ = l.Wait(t.Context(), "portal") }()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, l.Wait(ctx, "portal"), context.DeadlineExceeded)
		require.Zero(t, time.Since(start))
		ctx, cancel = context.WithTimeout(t.Context(), 6*time.Second)
		defer cancel()
		require.NoError(t, l.Wait(ctx, "portal"))
		require.Equal(t, 5500*time.Millisecond, time.Since(start))
	})
}

func TestNewLimiterTakesNoRateForTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, perSecond := range []float64{0, -1, math.NaN()} {
			limiter, start := imbot.NewLimiter(perSecond, 0), time.Now()
			for range 3 {
				require.NoError(t, limiter.Wait(t.Context(), "portal"))
			}
			require.Equal(t, time.Second, time.Since(start))
		}
	})
}
