package rest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHoldEndsWhenThePortalSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Holds
		// The portal's clock is years away from ours.
		h.ran("slow", []byte(`{"finish":1000.75, "operating_reset_at": 1090}`))
		require.False(t, h.holding("slow"))
		sent := time.Now()
		time.Sleep(time.Second)
		h.refused("slow", sent)
		require.True(t, h.holding("slow"))
		require.True(t, h.holding(""))
		require.False(t, h.holding("other"), "other methods go on")
		start := time.Now()
		require.NoError(t, h.wait(t.Context(), "slow"))
		require.Equal(t, 89*time.Second, time.Since(start))
		require.False(t, h.holding(""))
	})
}

func TestHoldGrowsWhenThePortalSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Holds
		refuse := func() time.Duration {
			time.Sleep(time.Millisecond)
			h.refused("slow", time.Now())
			time.Sleep(time.Millisecond)
			h.refused("slow", time.Now().Add(-2*time.Millisecond)) // was under way
			start := time.Now().Add(-time.Millisecond)
			require.NoError(t, h.wait(t.Context(), "slow"))
			return time.Since(start)
		}
		for _, want := range []time.Duration{30, 60, 120, 240, 480, 600, 600} {
			require.Equal(t, want*time.Second, refuse())
		}
		h.ran("slow", []byte(`{}`))
		require.Equal(t, 30*time.Second, refuse(), "a success starts it anew")
		h.ran("slow", []byte(`{"finish":1000,"operating_reset_at":999999}`))
		require.InDelta(t, 600, refuse().Seconds(), 0.01, "never longer than the portal's window")
	})
}

func TestHoldsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Holds
		for i := range 10 * maxHolds {
			h.refused(fmt.Sprint("method", i), time.Now())
			h.ran(fmt.Sprint("other", i), []byte(`{"finish":1,"operating_reset_at":60}`))
			require.LessOrEqual(t, len(h.known), maxHolds)
		}
		time.Sleep(time.Hour)
		h.refused("new", time.Now())
		require.True(t, h.holding("new"), "those that have ended make room")
	})
}

func TestHoldsForgetWhatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portals := make([]Holds, 10_000)
		for i := range portals {
			h := &portals[i]
			for method := range 20 {
				h.ran(fmt.Sprint("method", method), []byte(`{"finish":1,"operating_reset_at":301}`))
			}
			time.Sleep(time.Millisecond)
			h.refused("method7", time.Now())
		}
		time.Sleep(9 * time.Minute)
		for i := range portals {
			portals[i].ran("other", nil)
			require.Len(t, portals[i].known, 21, "the portal still counts them")
		}
		require.NoError(t, portals[0].wait(t.Context(), "method7"))
		time.Sleep(11 * time.Minute)
		for i := range portals {
			portals[i].ran("other", nil)
			require.Len(t, portals[i].known, 1)
		}
		h := &portals[0]
		h.refused("method7", time.Now())
		require.True(t, h.holding("method7"), "and it begins anew")
		require.Equal(t, minHold, time.Until(h.end("method7")))
	})
}

func TestUntilReset(t *testing.T) {
	for raw, want := range map[string]time.Duration{
		`{"finish":12,"operating_reset_at":40}`:                      28 * time.Second,
		`{"operating_reset_at" : "40.9", "finish" : "12.9"}`:         28 * time.Second,
		`{"finish":40,"operating_reset_at":12}`:                      0,
		`{"finish":12}`:                                              0,
		`{"finish":12,"operating_reset_at":null}`:                    0,
		`{"finish":12,"operating_reset_at":""}`:                      0,
		`{"finish":1,"operating_reset_at":9000}`:                     maxHold,
		`{"finish":1,"operating_reset_at":99999999999999999999999}`:  maxHold,
		`{"r":"\"operating_reset_at\":7","y":1}`:                     0,
		`{"finish":12,"operating":[],"operating_reset_at":42,"x":1}`: 30 * time.Second,
		`"operating_reset_at"`:                                       0,
		`[]`:                                                         0,
		``:                                                           0,
	} {
		require.Equal(t, want, untilReset([]byte(raw)), raw)
	}
}
