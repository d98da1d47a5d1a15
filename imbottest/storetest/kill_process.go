package storetest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/inboxrpc"
)

// What the environment tells a test binary that is to be killed.
const (
	envTest   = "IMBOT_STORETEST_KILL"
	envStore  = "IMBOT_STORETEST_STORE"
	envParent = "IMBOT_STORETEST_PARENT"
)

// serve does what the parent says until it kills this process, or is dead itself.
func serve(t testing.TB, b driver.Inbox) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", os.Getenv(envParent))
	want(t, "the parent of a process to be killed", err, nil)
	inboxrpc.Serve(conn, b)
	os.Exit(0) // without Close: nobody is there who counts on it
}

// victim is a process of its own.
type victim struct {
	*inboxrpc.Inbox
	stop func()
}

func (v *victim) kill() {
	v.stop()
	_ = v.Close() // of this end
}

// newVictim runs the test binary with the named test alone, which calls serve.
func newVictim(t testing.TB, name, where string) mortal {
	t.Helper()
	alone := "^" + strings.ReplaceAll(regexp.QuoteMeta(name), "/", "$/^") + "$"
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	want(t, "a listener for a process to be killed", err, nil)
	defer l.Close()
	var out bytes.Buffer
	cmd := exec.Command(os.Args[0], "-test.run="+alone, "-test.count=1") //nolint:gosec,noctx // itself, and it is killed
	cmd.Env = append(os.Environ(), envTest+"="+name, envStore+"="+where, envParent+"="+l.Addr().String())
	cmd.Stdout, cmd.Stderr = &out, &out
	want(t, "a process to be killed", cmd.Start(), nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it was killed
		_ = l.Close()
	}()
	stop := func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	t.Cleanup(stop)
	conn, err := l.Accept()
	if err != nil {
		stop()
		t.Fatalf("a process to be killed ends before that:\n%s", out.String())
	}
	return &victim{inboxrpc.New(conn), stop}
}
