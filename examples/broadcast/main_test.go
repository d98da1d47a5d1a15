package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// The demo starts itself again: in a test that is the test binary.
func TestMain(m *testing.M) {
	if os.Getenv("BROADCAST_DEMO") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestKilledAndResumed(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out, 3_000))
	require.Equal(t, `first run: killed
second run: sent 1950, failed 0, sent or failed before 1000, in doubt 50
in doubt: users 1102 to 1151
of 3000 people 2958 got it once, 0 twice, 0 with another name than their own
`, out.String(), "of those in doubt, 8 got it and 42 did not")
}

func TestATerminalGetsABarAndAPipeGetsLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		next, end := showProgress(w, 30)
		for range 30 {
			time.Sleep(time.Second)
			next()
		}
		end()
		require.NoError(t, w.Close())
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, "sending: 10 of 30\nsending: 20 of 30\nsending: 30 of 30\n", string(got))
	})
	var screen bytes.Buffer
	next := bar(&screen, 2)
	next()
	next()
	require.Contains(t, screen.String(), "sending 100%")
	require.Contains(t, screen.String(), "(2/2)")
}

func TestJournalOfAProgramThatDied(t *testing.T) {
	for _, tt := range []struct {
		name, before, after string
		state               map[imbot.ID]string
	}{
		{"no journal yet", "", "5 sent\n", map[imbot.ID]string{}},
		{"between two lines", "1 trying\n1 sent\n", "1 trying\n1 sent\n5 sent\n", map[imbot.ID]string{1: sent}},
		{"in the middle of a number", "1 trying\n17", "1 trying\n5 sent\n", map[imbot.ID]string{1: trying}},
		{"in the middle of a state", "1 trying\n2 not-run\n1 se", "1 trying\n2 not-run\n5 sent\n", map[imbot.ID]string{1: trying, 2: notRun}},
		{"in the first line", "1 tryin", "5 sent\n", map[imbot.ID]string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal")
			require.NoError(t, os.WriteFile(path, []byte(tt.before), 0o600))
			j, err := openJournal(path)
			require.NoError(t, err)
			require.Equal(t, tt.state, j.state)
			require.NoError(t, j.note(5, sent))
			require.NoError(t, j.file.Close())
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, tt.after, string(data))
		})
	}
}
