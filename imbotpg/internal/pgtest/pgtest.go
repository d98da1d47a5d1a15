// Package pgtest starts a PostgreSQL of its own for a test.
package pgtest

import (
	"context"
	"crypto/rand"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// A Server is an empty database, on a server of its own that listens on a socket in a temporary folder,
// or, with IMBOT_TEST_POSTGRES, on that one.
type Server struct {
	DSN string

	t    testing.TB
	bin  string // where the programs are; "" for a server of somebody else
	dir  string
	life io.Closer // the server ends when it is closed, so also with this process
	cmd  *exec.Cmd
}

const patience = 30 * time.Second

// Start starts a server, which ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, DSN: os.Getenv("IMBOT_TEST_POSTGRES")}
	if s.DSN != "" {
		s.database()
		return s
	}
	if s.bin = programs(); s.bin == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("no PostgreSQL: apt-get install postgresql-15, or set IMBOT_TEST_POSTGRES")
		}
		t.Skip("no PostgreSQL: apt-get install postgresql-15, or set IMBOT_TEST_POSTGRES")
	}
	var err error
	s.dir, err = os.MkdirTemp("", "pg") //nolint:usetesting // the name of a socket must be short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(s.dir)) })
	own(t, s.dir)
	s.DSN = "host=" + s.dir + " user=postgres dbname=postgres"
	out, err := as(exec.Command(filepath.Join(s.bin, "initdb"), "-D", filepath.Join(s.dir, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")).CombinedOutput() //nolint:gosec,noctx // ours, and short
	require.NoError(t, err, string(out))
	t.Cleanup(s.StopHard)
	s.Start()
	return s
}

// programs is the folder of the newest server.
func programs() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(slices.Max(found))
}

// Start starts a server that was stopped, and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	// The shell stops the server when its input ends, so none outlives a test that was killed.
	const until = `"$0" "$@" & read -r _; kill -QUIT $!; wait $!`
	s.cmd = as(exec.Command("sh", "-c", until, filepath.Join(s.bin, "postgres"), //nolint:gosec,noctx // ours; StopHard ends it
		"-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=200"))
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(s.t, err)
	defer func() { _ = log.Close() }()
	s.cmd.Stderr = log
	s.life, err = s.cmd.StdinPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, s.cmd.Start())
	require.Eventually(s.t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, s.DSN)
		if err != nil {
			return false
		}
		_ = conn.Close(ctx)
		return true
	}, patience, 20*time.Millisecond, "the server does not answer")
}

// Standby starts a server that was stopped as a copy of one that never sends anything.
func (s *Server) Standby() {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, "data", "standby.signal"), nil, 0o600))
	own(s.t, filepath.Join(s.dir, "data", "standby.signal"))
	s.Start()
}

// StopHard ends the server as a crash does: nothing is written any more, no client is told in time.
func (s *Server) StopHard() {
	s.mustBeOurs()
	if s.cmd == nil {
		return
	}
	_ = s.life.Close()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// ReadOnly makes all sessions refuse to write, or ends that. They learn it a moment later.
func (s *Server) ReadOnly(on bool) {
	s.t.Helper()
	s.mustBeOurs()
	value := "off"
	if on {
		value = "on"
	}
	s.Exec(`alter system set default_transaction_read_only = ` + value)
	s.Exec(`select pg_reload_conf()`)
	require.Eventually(s.t, func() (is bool) {
		s.with(func(ctx context.Context, conn *pgx.Conn) error {
			return conn.QueryRow(ctx, `select current_setting('default_transaction_read_only') = $1`, value).Scan(&is)
		})
		return is
	}, patience, 20*time.Millisecond)
}

// Set sets a parameter for all who connect to the database from now on.
func (s *Server) Set(parameter, value string) {
	s.t.Helper()
	s.Exec(`do $$ begin execute format('alter database %I set ` + parameter + ` = %L', current_database(), '` + value + `'); end $$`)
}

// Own gives a folder to who runs the server.
func (s *Server) Own(dir string) { own(s.t, dir) }

// Exec runs a statement as the owner of the database.
func (s *Server) Exec(statement string, args ...any) {
	s.t.Helper()
	s.with(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statement, args...)
		return err
	})
}

// Query returns a number.
func (s *Server) Query(statement string, args ...any) (n int) {
	s.t.Helper()
	s.with(func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, statement, args...).Scan(&n)
	})
	return n
}

func (s *Server) with(f func(context.Context, *pgx.Conn) error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN)
	require.NoError(s.t, err)
	defer func() { _ = conn.Close(ctx) }()
	require.NoError(s.t, f(ctx, conn))
}

func (s *Server) mustBeOurs() {
	s.t.Helper()
	if s.bin == "" {
		s.t.Skip("it needs a server of its own")
	}
}

// database makes one on a server of somebody else.
func (s *Server) database() {
	name, outer := "imbot_"+strings.ToLower(rand.Text()), s.DSN
	s.Exec(`create database "` + name + `"`)
	s.t.Cleanup(func() {
		s.DSN = outer
		s.Exec(`drop database "` + name + `" with (force)`)
	})
	if u, err := url.Parse(outer); err == nil && u.Scheme != "" {
		u.Path = "/" + name
		s.DSN = u.String()
		return
	}
	s.DSN += " dbname=" + name // the last one counts
}
