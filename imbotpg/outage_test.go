package imbotpg_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
	"github.com/imbot-go/imbot/imbottest"
)

// installed is an application of a portal in memory, whose grants are in the database.
func installed(t *testing.T, store imbot.TokenStore) (*imbottest.Application, *imbot.Client) {
	t.Helper()
	portal := imbottest.NewPortal()
	t.Cleanup(portal.Close)
	app := portal.Application("local.1", "secret")
	var client *imbot.Client
	mine := &imbot.OAuthApp{
		ClientID: "local.1", ClientSecret: "secret", Store: store, AuthServers: []string{portal.AuthServer()},
		Options:   []imbot.Option{imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil)},
		OnInstall: func(_ context.Context, c *imbot.Client, _ imbot.Grant) error { client = c; return nil },
	}
	handler := &imbot.EventHandler{Verifier: mine.Verifier()}
	portal.Serve("https://bot.example.com/events", handler)
	portal.Serve("https://bot.example.com/page", mine.InstallPage())
	require.NoError(t, app.Install(t.Context(), "https://bot.example.com/events"))
	_, err := app.OpenPage(t.Context(), portal.AddUser("Anna", "Ivanova"), "https://bot.example.com/page")
	require.NoError(t, err)
	require.NoError(t, handler.Idle(t.Context()))
	require.NotNil(t, client)
	return app, client
}

func ping(t *testing.T, client *imbot.Client) error {
	t.Helper()
	return client.Call(t.Context(), "app.info", nil, nil)
}

func TestAServerThatDoesNotWriteCostsNoGrant(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		rounds int
		refuse func(t *testing.T, s *pgtest.Server) (again func())
		fails  string // "" where the call may work
	}{
		"it only reads": {10, func(_ *testing.T, s *pgtest.Server) func() {
			s.ReadOnly(true)
			return func() { s.ReadOnly(false) }
		}, "25006"},
		"it has no room": {90, func(_ *testing.T, s *pgtest.Server) func() {
			s.Exec(`create or replace function full_disk() returns trigger language plpgsql as $$ begin raise 'No space left on device' using errcode = '53100'; end $$`)
			s.Exec(`create trigger full_disk before update on imbot.grant_ execute function full_disk()`)
			return func() { s.Exec(`drop trigger full_disk on imbot.grant_`) }
		}, "53100"},
		"its disk is full": {5, fullDisk, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := pgtest.Start(t)
			store := open(t, s, imbotpg.Options{Keys: keys(t, 'k')}).Tokens()
			app, client := installed(t, store)
			for round := range row.rounds {
				again := row.refuse(t, s)
				app.ExpireTokens()
				require.Eventually(t, func() bool {
					err := ping(t, client)
					require.NotErrorIs(t, err, imbot.ErrReinstall, "round %d", round)
					if err != nil {
						require.ErrorContains(t, err, "does not write", "round %d", round)
						require.ErrorContains(t, err, row.fails, "round %d", round)
						return true
					}
					app.ExpireTokens()
					return row.fails == "" // sessions learn a little later that they only read
				}, 10*time.Second, 10*time.Millisecond)
				again()
				require.Eventually(t, func() bool { return ping(t, client) == nil }, 10*time.Second, 10*time.Millisecond, "round %d", round)
			}
			t.Logf("%d renewals that could not be stored: no grant is lost", row.rounds)
		})
	}
}

// fullDisk moves the grants to a disk of 8 MiB and fills that.
func fullDisk(t *testing.T, s *pgtest.Server) func() {
	dir, err := os.MkdirTemp("", "disk") //nolint:usetesting // of the same owner as the server
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = exec.Command("umount", "-l", dir).Run() // also when the test has failed
		_ = os.Remove(dir)
	})
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=8m,mode=0777", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be mounted: %s", out)
	}
	s.Own(dir)
	s.Exec(`create tablespace small location '` + dir + `'`)
	s.Exec(`alter table imbot.grant_ set tablespace small`)
	s.Exec(`create table junk (body bytea) tablespace small`)
	conn, err := pgx.Connect(t.Context(), s.DSN)
	require.NoError(t, err)
	for _, rows := range []int{100, 1} {
		for err = nil; err == nil; {
			_, err = conn.Exec(t.Context(), `insert into junk select decode(repeat(md5(random()::text), 50), 'hex') from generate_series(1, $1)`, rows)
		}
		require.ErrorContains(t, err, "53100")
	}
	require.NoError(t, conn.Close(t.Context()))
	return func() {
		s.Exec(`drop table junk`)
		s.Exec(`alter table imbot.grant_ set tablespace pg_default`)
		s.Exec(`drop tablespace small`)
	}
}

func TestWhatIsStoredOutlivesACrashOfTheServer(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	db := open(t, s, imbotpg.Options{Keys: keys(t, 'k')})
	g := imbot.Grant{MemberID: "portal", AccessToken: "x"}
	require.NoError(t, db.Tokens().Swap(t.Context(), imbot.Grant{}, g))
	require.NoError(t, db.States().Swap(t.Context(), "key", nil, []byte("state"), time.Hour))
	unlock, err := db.Tokens().Lock(t.Context(), "portal")
	require.NoError(t, err)
	s.StopHard()
	for _, err := range []error{
		errorOf(db.Tokens().Load(t.Context(), "portal")),
		db.Tokens().Swap(t.Context(), g, g),
		errorOf(db.States().Load(t.Context(), "key")),
		errorOf(db.Claims().Claim(t.Context(), "key")),
	} {
		require.ErrorContains(t, err, "imbotpg: ")
		require.NotErrorIs(t, err, imbot.ErrNotFound)
		require.NotErrorIs(t, err, imbot.ErrConflict)
	}
	s.Start()
	require.NoError(t, db.Tokens().Swap(t.Context(), g, g))
	state, err := db.States().Load(t.Context(), "key")
	require.NoError(t, err)
	require.Equal(t, "state", string(state))
	again, err := db.Tokens().Lock(t.Context(), "portal")
	require.NoError(t, err, "the lock has ended with the session")
	unlock()
	again()
}

func errorOf[T any](_ T, err error) error { return err }

func TestARowThatDoesNotOpenIsAnError(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	db := open(t, s, imbotpg.Options{Keys: keys(t, 'k')})
	for _, id := range []string{"moved", "damaged", "good"} {
		require.NoError(t, db.Tokens().Swap(t.Context(), imbot.Grant{}, imbot.Grant{MemberID: id, RefreshToken: "s3cr3t"}))
		require.NoError(t, db.States().Swap(t.Context(), id, nil, []byte("s3cr3t"), time.Hour))
	}
	s.Exec(`update imbot.grant_ set body = (select body from imbot.grant_ where member = 'good') where member = 'moved'`)
	s.Exec(`update imbot.grant_ set body = '\x00' where member = 'damaged'`)
	s.Exec(`update imbot.state set body = (select body from imbot.state where key = 'good') where key = 'moved'`)
	s.Exec(`update imbot.state set body = '\x00' where key = 'damaged'`)
	for _, id := range []string{"moved", "damaged"} {
		g, err := db.Tokens().Load(t.Context(), id)
		require.ErrorContains(t, err, `imbotpg: Tokens: the row of "`+id+`" in table grant_ does not open`)
		require.Zero(t, g)
		require.NotErrorIs(t, err, imbot.ErrNotFound)
		require.Equal(t, err.Error(), db.Tokens().Swap(t.Context(), imbot.Grant{}, imbot.Grant{MemberID: id}).Error(), "nothing is written over it")
		_, err = db.States().Load(t.Context(), id)
		require.ErrorContains(t, err, "imbotpg: States: the row "+id+" in table state does not open")
		require.NotContains(t, fmt.Sprint(err), "s3cr3t")
	}
	require.NoError(t, errorOf(db.Tokens().Load(t.Context(), "good")))
}

func TestAMemberIDThatPostgresCannotStoreIsUnknown(t *testing.T) {
	t.Parallel()
	tokens := open(t, pgtest.Start(t), imbotpg.Options{}).Tokens()
	for _, id := range []string{"", "a\x00b", "\xff", string(make([]byte, 5000))} {
		require.ErrorIs(t, errorOf(tokens.Load(t.Context(), id)), imbot.ErrNotFound)
		require.ErrorIs(t, tokens.Swap(t.Context(), imbot.Grant{}, imbot.Grant{MemberID: id, AccessToken: "x"}), imbot.ErrInvalid)
	}
}

func TestManyLocksLeaveThePoolFree(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	config, err := pgxpool.ParseConfig(s.DSN)
	require.NoError(t, err)
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	db, err := imbotpg.OpenPool(t.Context(), pool, imbotpg.Options{})
	require.NoError(t, err)
	for i := range 64 {
		unlock, err := db.Tokens().Lock(t.Context(), fmt.Sprint("portal", i))
		require.NoError(t, err)
		defer unlock()
	}
	require.NoError(t, db.Tokens().Swap(t.Context(), imbot.Grant{}, imbot.Grant{MemberID: "portal0", AccessToken: "x"}))
	require.NoError(t, errors.Join(db.Close(), db.Close()))
	require.NoError(t, pool.Ping(t.Context()), "it is not ours")
}
