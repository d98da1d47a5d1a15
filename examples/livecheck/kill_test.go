package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A killer stops a run at one of its calls, as kill -9 does: nothing of it happens any more. The portal may
// have answered the call or not.
type killer struct {
	next     http.RoundTripper
	at       int
	answered bool
	killed   chan struct{} // closed by the call
	end      chan struct{} // closed by the test

	mu    sync.Mutex
	calls int
}

var errKilled = errors.New("killed")

func (k *killer) RoundTrip(r *http.Request) (*http.Response, error) {
	k.mu.Lock()
	k.calls++
	n := k.calls
	k.mu.Unlock()
	if n < k.at {
		return k.next.RoundTrip(r)
	}
	if n == k.at {
		if k.answered {
			if resp, err := k.next.RoundTrip(r); err == nil {
				_ = resp.Body.Close()
			}
		}
		close(k.killed)
		<-k.end
	}
	return nil, errKilled
}

// killedAt runs until a call, removes what is left, and reports whether there was such a call.
func killedAt(t *testing.T, at int, answered bool, tiers ...tier) bool {
	portal := newPortal(t)
	cfg, _ := newConfig(t, portal, "1", tiers...)
	k := &killer{next: cfg.transport, at: at, answered: answered, killed: make(chan struct{}), end: make(chan struct{})}
	victim := cfg
	victim.transport = k
	done := make(chan error, 1)
	go func() { done <- run(t.Context(), victim) }()
	select {
	case err := <-done:
		require.NoError(t, err)
		requireNothingLeft(t, portal)
		return false
	case <-k.killed:
	}
	s := &spy{next: cfg.transport, portal: portal}
	cfg.transport = s
	require.NoError(t, cleanUp(t.Context(), cfg))
	requireNothingLeft(t, portal)
	require.Empty(t, s.left)
	require.NoFileExists(t, cfg.journalPath)
	close(k.end)
	require.Error(t, <-done)
	return true
}

func TestARunThatIsKilledAtAnyCallLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, tier := range []tier{tierWrite, tierPerson, tierListen} {
		for _, answered := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, answered %t", tier, answered), func(t *testing.T) {
				t.Parallel()
				n := 1
				for killedAt(t, n, answered, tierRead, tier) {
					n++
				}
				t.Logf("killed at each of %d calls", n-1)
				require.Greater(t, n, 20)
			})
		}
	}
}

// A run is killed late, -clean at each of its calls, and a further -clean removes the rest.
func TestACleaningThatIsKilledIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	for tier, at := range map[tier]int{tierWrite: 50, tierPerson: 19, tierListen: 18} {
		for _, answered := range []bool{false, true} {
			n := 1
			for cleaningKilledAt(t, tier, at, n, answered) {
				n++
			}
			require.Greater(t, n, 5, tier)
		}
	}
}

// cleaningKilledAt reports whether -clean had such a call.
func cleaningKilledAt(t *testing.T, tier tier, at, n int, answered bool) bool {
	portal := newPortal(t)
	cfg, _ := newConfig(t, portal, "1", tierRead, tier)
	killed := func(at int, run func(context.Context, config) error) bool {
		k := &killer{next: cfg.transport, at: at, answered: answered, killed: make(chan struct{}), end: make(chan struct{})}
		victim := cfg
		victim.transport = k
		done := make(chan error, 1)
		go func() { done <- run(t.Context(), victim) }()
		select {
		case err := <-done:
			require.NoError(t, err)
			return false
		case <-k.killed:
			journal, err := os.ReadFile(cfg.journalPath)
			require.NoError(t, err)
			close(k.end)
			require.Error(t, <-done)
			require.NoError(t, os.WriteFile(cfg.journalPath, journal, 0o600)) // as it was when it died
			return true
		}
	}
	require.True(t, killed(at, run))
	if !killed(n, cleanUp) {
		return false
	}
	s := &spy{next: cfg.transport, portal: portal, leaving: true}
	cfg.transport = s
	require.NoError(t, cleanUp(t.Context(), cfg))
	requireNothingLeft(t, portal)
	requireNothingSeen(t, portal)
	require.Empty(t, s.left)
	require.NoFileExists(t, cfg.journalPath)
	return true
}

// childArgs makes the test binary be the program.
const childArgs = "LIVECHECK_ARGS"

func TestMain(m *testing.M) {
	if args := os.Getenv(childArgs); args != "" {
		if err := start(context.Background(), strings.Fields(args), 0); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestAProcessThatIsKilledLeavesNothing(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	require.NoError(t, portal.Listen("127.0.0.1:0"))
	journal := filepath.Join(t.TempDir(), "journal")
	child := func(args string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childArgs+"="+args+" -journal "+journal, "BITRIX24_WEBHOOK_URL="+portal.Webhook("").URL)
		cmd.Stderr = os.Stderr
		return cmd
	}
	for _, at := range []string{"templateid", "v1-to-fetch", "text-cut", "file-object"} {
		victim := child("-write -yes")
		out, err := victim.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, victim.Start())
		lines := bufio.NewScanner(out)
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "  "+at) {
		}
		require.NoError(t, victim.Process.Kill())
		require.Error(t, victim.Wait())
		require.FileExists(t, journal)
		second := child("-write -yes")
		second.Stderr = nil
		refused, err := second.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(refused), "another livecheck runs, or one was killed")
		cleaned, err := child("-clean").Output()
		require.NoError(t, err)
		require.Equal(t, "All is removed.\n", string(cleaned))
		requireNothingLeft(t, portal)
		require.NoFileExists(t, journal)
	}
	// The README's command.
	report, err := child("-yes").Output()
	require.NoError(t, err)
	require.Contains(t, string(report), "| revision | REST revision 33 or later, which reads JSON booleans | as assumed: revision 36 |")
}
