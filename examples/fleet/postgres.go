package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

var errNoPostgres = errors.New("no PostgreSQL here (apt-get install postgresql, or -postgres DSN): one process on a file")

// startPostgres starts a server of its own in a directory, on a socket in it.
func startPostgres(ctx context.Context, dir string) (dsn string, stop func(), err error) {
	bin, err := postgresBin()
	if err != nil {
		return "", nil, err
	}
	as, err := notRoot(dir)
	if err != nil {
		return "", nil, err
	}
	command := func(name string, args ...string) *exec.Cmd {
		args = append(slices.Clone(as), append([]string{filepath.Join(bin, name)}, args...)...)
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = dir
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := command("initdb", "-D", data, "-U", "fleet", "-A", "trust", "-N").CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	server := command("postgres", "-D", data, "-k", dir, "-c", "listen_addresses=")
	var said strings.Builder
	server.Stderr = &said
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	for {
		if state, err := os.ReadFile(filepath.Join(data, "postmaster.pid")); err == nil && bytes.Contains(state, []byte("\nready")) {
			break
		}
		select {
		case err := <-ended:
			return "", nil, fmt.Errorf("postgres: %w\n%s", err, said.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
	stop = func() {
		_ = server.Process.Signal(os.Interrupt) // "fast": it throws its clients out
		<-ended
	}
	return "host=" + dir + " user=fleet dbname=postgres", stop, nil
}

// postgresBin finds the programs of the newest version.
func postgresBin() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is right
	if len(found) == 0 {
		return "", errNoPostgres
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// notRoot makes a directory for the server, and returns what to put before its commands: it does not
// run as root.
func notRoot(dir string) (before []string, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil || os.Geteuid() != 0 {
		return nil, err
	}
	postgres, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w: nor a user postgres, and it does not run as root", errNoPostgres)
	}
	uid, err := strconv.Atoi(postgres.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(postgres.Gid)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { //nolint:gosec // so that postgres reaches what is its own
		return nil, err
	}
	return []string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}, os.Chown(dir, uid, gid)
}
