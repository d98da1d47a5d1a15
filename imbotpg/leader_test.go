package imbotpg_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
)

func TestAKilledLeaderIsFollowedWithinASecond(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	db := open(t, s, imbotpg.Options{})
	var most time.Duration
	for range 5 {
		process := leader(t, s.DSN)
		led := make(chan time.Time, 1)
		ended := make(chan error, 1)
		go func() {
			ended <- db.Leader().Lead(t.Context(), "a", func(context.Context) error { led <- time.Now(); return nil })
		}()
		require.Never(t, func() bool { return len(led) > 0 }, 300*time.Millisecond, 50*time.Millisecond, "two lead")
		killed := time.Now()
		require.NoError(t, process.Kill())
		require.NoError(t, <-ended)
		most = max(most, (<-led).Sub(killed))
	}
	t.Logf("take-over after kill -9, 5 times: at most %v", most.Round(time.Millisecond))
	require.Less(t, most, time.Second)
}

func TestALeadEndsWithItsSessionAndIsWonAgain(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(s *pgtest.Server){
		"the server ends it": func(s *pgtest.Server) {
			s.Exec(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'imbot locks'`)
		},
		"the server crashes, and is back soon": func(s *pgtest.Server) { s.StopHard(); s.Start() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := pgtest.Start(t)
			db, runs := open(t, s, imbotpg.Options{}), 0
			require.NoError(t, db.Leader().Lead(t.Context(), "a", func(ctx context.Context) error {
				if runs++; runs == 2 {
					return nil
				}
				lose(s)
				<-ctx.Done()
				require.ErrorContains(t, context.Cause(ctx), "the lead is lost")
				return ctx.Err()
			}))
			require.Equal(t, 2, runs)
		})
	}
}

func TestALeadEndsWhileItsSessionHangs(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	db := open(t, s, imbotpg.Options{})
	err := db.Leader().Lead(t.Context(), "a", func(ctx context.Context) error {
		goOn := s.Hang(`application_name = 'imbot locks'`)
		defer goOn()
		begun := time.Now()
		<-ctx.Done()
		require.Less(t, time.Since(begun), 6*time.Second, "the server gives the lock of a machine that vanished to others after 11 s")
		go func() { _ = db.Close() }()
		return ctx.Err()
	})
	require.ErrorIs(t, err, driver.ErrClosed)
}

func TestAServerThatRefusesALeaderIsAnError(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	s.Exec(`create role bot login superuser`)
	db, err := imbotpg.Open(t.Context(), s.DSN+" user=bot", imbotpg.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	err = db.Leader().Lead(t.Context(), "a", func(ctx context.Context) error {
		s.Exec(`alter role bot nologin`)
		s.Exec(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'bot'`)
		<-ctx.Done()
		return ctx.Err()
	})
	require.ErrorContains(t, err, "imbotpg: Lead: ")
	require.ErrorContains(t, err, `role "bot" is not permitted to log in`)
}

func TestWhoWaitsForAServerThatIsAwayLeavesWithItsContextOrTheDatabase(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	db := open(t, s, imbotpg.Options{})
	s.StopHard()
	never := func(context.Context) error { panic("it leads") }
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, db.Leader().Lead(ctx, "a", never), context.DeadlineExceeded)
	_, err := db.Tokens().Lock(t.Context(), "portal")
	require.ErrorContains(t, err, "imbotpg: Tokens.Lock: failed to connect", "a renewal does not wait")
	ended := make(chan error, 1)
	go func() { ended <- db.Leader().Lead(t.Context(), "a", never) }()
	require.NoError(t, db.Close())
	require.ErrorIs(t, <-ended, driver.ErrClosed)
}
