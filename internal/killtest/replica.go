package killtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/serve"
)

// env holds the orders of a test binary that is to be a replica.
const env = "IMBOT_KILLTEST"

// orders are what a replica is told.
type orders struct {
	Test, Store, Journal, Parent string
	Workers                      int
	Callback                     time.Duration
}

// serveIfReplica makes this process a replica, if it is to be one, and does not return then.
func serveIfReplica(t *testing.T, fill func(t testing.TB, where string, h *imbot.EventHandler)) {
	t.Helper()
	told := os.Getenv(env)
	if told == "" {
		return
	}
	var o orders
	if err := json.Unmarshal([]byte(told), &o); err != nil {
		t.Fatal(err)
	}
	if o.Test != t.Name() {
		t.Skip("this process is a replica of another test")
	}
	if err := o.serve(t, fill); err != nil {
		t.Fatal(err) // what ends the process, as nothing else runs in it
	}
	t.SkipNow()
}

// serve is the bot: until SIGTERM, or until its parent is dead.
func (o orders) serve(t *testing.T, fill func(t testing.TB, where string, h *imbot.EventHandler)) error {
	ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGTERM)
	defer stop()
	journal, err := os.OpenFile(o.Journal, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer journal.Close()
	h := &imbot.EventHandler{
		Verifier: trusting{}, Workers: o.Workers,
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		OnMessage: o.callback(journal),
	}
	fill(t, o.Store, h)
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	parent, err := new(net.Dialer).DialContext(ctx, "tcp", o.Parent)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(parent, ln.Addr()); err != nil {
		return err
	}
	go func() { // until this process ends
		_, _ = parent.Read(make([]byte, 1))
		os.Exit(3)
	}()
	failed, drained := serve.Run(ctx, ln, serve.Config{
		Handler: h, Events: []serve.Shutdowner{h},
		Linger: 200 * time.Millisecond, // what is on its way arrives
		Polite: 10 * time.Second, Drain: 20 * time.Second, ErrorLog: log.New(os.Stderr, "", 0),
	})
	return errors.Join(failed, drained)
}

// callback writes into the journal when it starts and when it ends, each with one write.
func (o orders) callback(journal *os.File) func(ctx context.Context, ev *imbot.MessageAddEvent) error {
	pid := os.Getpid()
	return func(ctx context.Context, ev *imbot.MessageAddEvent) error {
		var e event
		if _, err := fmt.Sscan(ev.Params.Message, &e.dialog, &e.number); err != nil {
			return err
		}
		again := 0
		if imbot.Redelivered(ctx) {
			again = 1
		}
		if _, err := fmt.Fprintf(journal, "start %d %d %d %d %d\n", pid, time.Now().UnixNano(), e.dialog, e.number, again); err != nil {
			return err
		}
		time.Sleep(o.Callback * time.Duration(1+e.number%3) / 2) // some take longer than others
		_, err := fmt.Fprintf(journal, "end %d %d %d %d %d\n", pid, time.Now().UnixNano(), e.dialog, e.number, again)
		return err
	}
}

// trusting is a Verifier that lets all pass.
type trusting struct{}

// Verify implements [imbot.Verifier].
func (trusting) Verify(context.Context, *imbot.EventMeta) error { return nil }

// replica is the process of a bot, seen from its parent.
type replica struct {
	cmd   *exec.Cmd
	addr  string
	out   *output
	ended chan struct{}
	err   error // of Wait, once it has ended
}

// output is what a process says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text.Len() > 64<<10 {
		o.text.Reset()
	}
	return o.text.Write(p)
}

func startReplica(t testing.TB, o orders) *replica {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	o.Parent = ln.Addr().String()
	told, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	alone := "^" + strings.ReplaceAll(regexp.QuoteMeta(o.Test), "/", "$/^") + "$"
	r := &replica{out: new(output), ended: make(chan struct{})}
	r.cmd = exec.Command(os.Args[0], "-test.run="+alone, "-test.count=1")                                    //nolint:gosec,noctx // itself, and it is killed
	r.cmd.Env = append(os.Environ(), env+"="+string(told), "GORACE=atexit_sleep_ms=50 "+os.Getenv("GORACE")) // else each end of a -race build takes a second
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.ended)
		r.err = r.cmd.Wait()
		_ = ln.Close()
	}()
	t.Cleanup(func() {
		_ = r.end(syscall.SIGKILL)
		if t.Failed() && r.out.text.Len() > 0 {
			t.Logf("process %d said:\n%s", r.pid(), r.said())
		}
	})
	conn, err := ln.Accept()
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fscanln(conn, &r.addr)
	}
	if err != nil {
		_ = r.end(syscall.SIGKILL)
		t.Fatalf("a replica does not start: %v\n%s", err, r.said())
	}
	return r
}

func (r *replica) pid() int { return r.cmd.Process.Pid }

// end sends a signal, and returns when the process has ended.
func (r *replica) end(signal syscall.Signal) error {
	_ = r.cmd.Process.Signal(signal)
	select {
	case <-r.ended:
		return r.err
	case <-time.After(patience):
		_ = r.cmd.Process.Kill()
		<-r.ended
		return fmt.Errorf("it was still there after %v", patience)
	}
}

func (r *replica) said() string {
	r.out.mu.Lock()
	defer r.out.mu.Unlock()
	return r.out.text.String()
}
