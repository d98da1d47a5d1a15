//go:build unix

package pgtest

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// nobody is who runs the server when root runs the test, which the server refuses.
func nobody() (uid, gid int, is bool) {
	u, err := user.Lookup("postgres")
	if os.Geteuid() != 0 || err != nil {
		return 0, 0, false
	}
	uid, _ = strconv.Atoi(u.Uid)
	gid, _ = strconv.Atoi(u.Gid)
	return uid, gid, true
}

func as(cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the keyboard is for the test
	if uid, gid, is := nobody(); is {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} //nolint:gosec // ids of the system
	}
	return cmd
}

func own(t testing.TB, dir string) {
	if uid, gid, is := nobody(); is {
		require.NoError(t, os.Chown(dir, uid, gid))
	}
}

// Freeze stops all processes of the server.
func (s *Server) Freeze() (goOn func()) {
	s.t.Helper()
	s.mustBeOurs()
	file, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	require.NoError(s.t, err)
	first, _, _ := strings.Cut(string(file), "\n")
	pid, err := strconv.Atoi(first)
	require.NoError(s.t, err)
	sessions := s.Hang("pid <> pg_backend_pid()")
	require.NoError(s.t, syscall.Kill(pid, syscall.SIGSTOP))
	goOn = func() {
		_ = syscall.Kill(pid, syscall.SIGCONT)
		sessions()
	}
	s.t.Cleanup(goOn)
	return goOn
}

// Hang stops the processes of the sessions of which a condition on pg_stat_activity is true.
func (s *Server) Hang(where string) (goOn func()) {
	s.t.Helper()
	s.mustBeOurs()
	var pids []int
	s.with(func(ctx context.Context, conn *pgx.Conn) (err error) {
		rows, _ := conn.Query(ctx, `select pid from pg_stat_activity where `+where) // its error is that of the rows
		pids, err = pgx.CollectRows(rows, pgx.RowTo[int])
		return err
	})
	require.NotEmpty(s.t, pids)
	for _, pid := range pids {
		require.NoError(s.t, syscall.Kill(pid, syscall.SIGSTOP))
	}
	return func() {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}
}
