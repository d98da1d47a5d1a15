package imbotpg_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/imbotpg"
)

// TestMain makes the test binary another replica when a test says so.
func TestMain(m *testing.M) {
	if dsn := os.Getenv("IMBOTPG_LEADS"); dsn != "" {
		db, err := imbotpg.Open(context.Background(), dsn, imbotpg.Options{})
		if err == nil {
			err = db.Leader().Lead(context.Background(), "a", func(ctx context.Context) error {
				fmt.Println("leads")
				<-ctx.Done()
				return ctx.Err()
			})
		}
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// leader starts a process that leads "a", and returns when it does.
func leader(t *testing.T, dsn string) *os.Process {
	t.Helper()
	other := exec.CommandContext(t.Context(), os.Args[0])
	other.Env = append(os.Environ(), "IMBOTPG_LEADS="+dsn)
	out, err := other.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, other.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "leads\n", line)
	t.Cleanup(func() {
		_ = other.Process.Kill()
		_ = other.Wait()
	})
	return other.Process
}
