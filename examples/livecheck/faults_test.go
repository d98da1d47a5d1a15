package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// On a portal of which a part of the calls goes wrong in every way, nothing stays behind and nothing false is told.
func TestAPortalOfFaults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		for _, tier := range []tier{tierWrite, tierPerson} {
			synctest.Test(t, func(t *testing.T) {
				portal := imbottest.NewPortal(imbottest.WithSeed(seed))
				defer portal.Close()
				portal.Chaos(0.2)
				cfg, h := newConfig(t, portal, "1", tierRead, tier)
				cfg.pace, cfg.retry = time.Second, imbot.Retry{MaxAttempts: 2, MaxBackoff: 5 * time.Second}
				err := run(t.Context(), cfg)
				for id, verdict := range reported(h.seen()) {
					if id != "time-numbers" { // the clock of this test has none
						require.NotEqual(t, otherwise, verdict, "seed %d, %s: %s", seed, id, said(t, h.seen(), id))
					}
				}
				for n := 0; err != nil; n++ {
					require.Less(t, n, 20, err)
					err = cleanUp(t.Context(), cfg)
				}
				requireNothingLeft(t, portal)
				requireNothingSeen(t, portal)
				require.NoFileExists(t, cfg.journalPath)
			})
		}
	}
}
