package imbotpg_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
)

func TestOpenSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	open(t, s, imbotpg.Options{Schema: "plain"})
	open(t, s, imbotpg.Options{Schema: "sealed", Keys: keys(t, 'a')})
	open(t, s, imbotpg.Options{Schema: "rotated", Keys: keys(t, 'a')})
	open(t, s, imbotpg.Options{Schema: "rotated", Keys: keys(t, 'b', 'a')})
	open(t, s, imbotpg.Options{Schema: "next"})
	s.Exec(`insert into next.schema_version values (2)`)
	open(t, s, imbotpg.Options{Schema: "newer"})
	s.Exec(`insert into newer.schema_version values (99)`)
	for name, row := range map[string]struct {
		dsn  string
		o    imbotpg.Options
		says string
	}{
		"the same keys":              {s.DSN, imbotpg.Options{Schema: "sealed", Keys: keys(t, 'a')}, ""},
		"a key behind the old":       {s.DSN, imbotpg.Options{Schema: "sealed", Keys: keys(t, 'a', 'b')}, ""},
		"a key that has taken over":  {s.DSN, imbotpg.Options{Schema: "rotated", Keys: keys(t, 'b')}, ""},
		"a key that was replaced":    {s.DSN, imbotpg.Options{Schema: "rotated", Keys: keys(t, 'a')}, "not in Options.Keys"},
		"tables of the next version": {s.DSN, imbotpg.Options{Schema: "next"}, ""},
		"another key":                {s.DSN, imbotpg.Options{Schema: "sealed", Keys: keys(t, 'c')}, "not in Options.Keys"},
		"no key":                     {s.DSN, imbotpg.Options{Schema: "sealed"}, "give Options.Keys"},
		"a key for what is plain":    {s.DSN, imbotpg.Options{Schema: "plain", Keys: keys(t, 'a')}, "begin another schema"},
		"tables of a newer version":  {s.DSN, imbotpg.Options{Schema: "newer"}, "update it"},
		"no tables":                  {s.DSN, imbotpg.Options{Schema: "none", NoMigrate: true}, "run what Schema returns"},
		"no DSN":                     {"postgres://bot:secret@[", imbotpg.Options{}, "the DSN is neither"},
		"no DSN of sessions":         {s.DSN, imbotpg.Options{SessionDSN: "password=secret x"}, "SessionDSN"},
		"no such database":           {s.DSN + " password=secret dbname=none", imbotpg.Options{}, `"none" does not exist`},
	} {
		db, err := imbotpg.Open(t.Context(), row.dsn, row.o)
		if row.says == "" {
			require.NoError(t, err, name)
			require.NoError(t, db.Close(), name)
			continue
		}
		require.ErrorContains(t, err, row.says, name)
		require.NotContains(t, err.Error(), "secret", name)
	}
}

func TestOpenRefusesAServerThatOnlyReads(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	open(t, s, imbotpg.Options{})
	refused := func(dsn, sessions, says string) string {
		t.Helper()
		_, err := imbotpg.Open(t.Context(), dsn, imbotpg.Options{SessionDSN: sessions})
		require.ErrorContains(t, err, says)
		return err.Error()
	}
	const isOn, reads = "default_transaction_read_only is on", " default_transaction_read_only=on"
	refused(s.DSN+reads, s.DSN, isOn)
	refused(s.DSN, s.DSN+reads, isOn)
	s.Set("default_transaction_read_only", "on")
	_, todo, _ := strings.Cut(refused(s.DSN, "", isOn), "run ")
	s.Exec(todo)
	open(t, s, imbotpg.Options{})
}

func TestOpenRefusesAStandby(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	s.StopHard()
	s.Standby()
	_, err := imbotpg.Open(t.Context(), s.DSN, imbotpg.Options{})
	require.ErrorContains(t, err, "the server is a standby")
}

func TestReplicasThatStartTogetherMakeTheTablesOnce(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	opened := make(chan error, 8)
	for range cap(opened) {
		go func() {
			db, err := imbotpg.Open(t.Context(), s.DSN, imbotpg.Options{Keys: keys(t, 'k')})
			if err == nil {
				err = db.Close()
			}
			opened <- err
		}()
	}
	for range cap(opened) {
		require.NoError(t, <-opened)
	}
}

func TestTablesOfAToolAreTaken(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	s.Exec(imbotpg.Schema())
	open(t, s, imbotpg.Options{NoMigrate: true})
}

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	s.DSN += " password=secret"
	o := imbotpg.Options{SessionDSN: s.DSN, Keys: keys(t, 'k')}
	db := open(t, s, o)
	for _, v := range []any{o, &o, db, db.Tokens(), db.States(), db.Claims(), db.Leader(), db.Limiter(2, 50)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			text := fmt.Sprintf(verb, v)
			require.NotContains(t, text, "secret")
			require.NotContains(t, text, fmt.Sprintf("%x", "secret"))
		}
	}
}
