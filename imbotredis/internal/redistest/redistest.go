//go:build unix

// Package redistest starts a Redis of its own for a test.
package redistest

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// A Server listens on a socket in a temporary folder, or is that of IMBOT_TEST_REDIS, a URL.
type Server struct {
	Options *redis.Options

	t        testing.TB
	program  string // "" for a server of somebody else
	dir      string
	settings []string
	life     io.Closer // the server ends when it is closed, so also with this process
	cmd      *exec.Cmd
	pid      int // of the server itself
}

// Start returns the server of IMBOT_TEST_REDIS, or starts one: for tests that leave it as it is, but for
// keys.
func Start(t testing.TB) *Server {
	t.Helper()
	url := os.Getenv("IMBOT_TEST_REDIS")
	if url == "" {
		return Own(t)
	}
	o, err := redis.ParseURL(url)
	require.NoError(t, err)
	return &Server{t: t, Options: o}
}

// Own starts a server that keeps what it is given, or has other settings: name, value, name, …. The test
// may kill it and change it.
func Own(t testing.TB, settings ...string) *Server {
	t.Helper()
	s := &Server{t: t, settings: settings}
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil && s.program == "" {
			s.program = path
		}
	}
	if s.program == "" {
		const none = "no Redis: apt-get install redis-server, or set IMBOT_TEST_REDIS for some of the tests"
		if os.Getenv("CI") != "" {
			t.Fatal(none)
		}
		t.Skip(none)
	}
	var err error
	s.dir, err = os.MkdirTemp("", "redis") //nolint:usetesting // the name of a socket must be short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(s.dir)) })
	s.Options = &redis.Options{Network: "unix", Addr: filepath.Join(s.dir, "s"), MaxRetries: -1, DialerRetries: 1}
	t.Cleanup(s.Kill)
	s.Start()
	return s
}

// Client connects, as another process would.
func (s *Server) Client(t testing.TB) *redis.Client {
	t.Helper()
	o := *s.Options
	c := redis.NewClient(&o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Start starts a server that was killed, and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	// The shell kills the server when its input ends, so none outlives a test that was killed.
	const until = `"$0" "$@" & read -r _; kill -KILL $!; wait $!`
	args := slices.Concat([]string{"-c", until, s.program}, settingsOf([]string{
		"port", "0", "unixsocket", s.Options.Addr, "dir", s.dir, "save", "", "appendonly", "yes", "appendfsync", "always",
	}, s.settings))
	s.cmd = exec.Command("sh", args...) //nolint:gosec,noctx // ours; Kill ends it
	var err error
	s.life, err = s.cmd.StdinPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, s.cmd.Start())
	c := redis.NewClient(s.Options)
	defer func() { _ = c.Close() }()
	require.Eventually(s.t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return c.Ping(ctx).Err() == nil
	}, 30*time.Second, 10*time.Millisecond, "the server does not answer")
	pid := c.InfoMap(context.Background(), "server").Item("Server", "process_id")
	s.pid, err = strconv.Atoi(pid)
	require.NoError(s.t, err)
}

// Hang stops the server without an end of its connections: what is asked gets no answer until GoOn.
func (s *Server) Hang() { s.signal(syscall.SIGSTOP) }

// GoOn ends Hang.
func (s *Server) GoOn() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	require.NoError(s.t, syscall.Kill(s.pid, sig))
}

func settingsOf(lists ...[]string) (args []string) {
	for _, list := range lists {
		for i := 0; i+1 < len(list); i += 2 {
			args = append(args, "--"+list[i], list[i+1])
		}
	}
	return args
}

// Kill is kill -9.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.life.Close()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Forget deletes what a server that was killed has stored.
func (s *Server) Forget() {
	s.t.Helper()
	require.NoError(s.t, os.RemoveAll(filepath.Join(s.dir, "appendonlydir")))
	require.NoError(s.t, os.RemoveAll(filepath.Join(s.dir, "appendonly.aof"))) // before Redis 7
}
