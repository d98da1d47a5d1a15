//go:build unix

package pgtest

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
	"testing"

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
