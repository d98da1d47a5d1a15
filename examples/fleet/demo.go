package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// demo lets people write to a bot of several processes, kills one of them, and tells what came of it.
func demo(ctx context.Context, out io.Writer, s settings) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	grown := time.After(0)
	if s.bolt {
		s.postgres = ""
	} else if s.postgres == "" {
		dsn, stop, err := startPostgres(ctx, filepath.Join(dir, "postgres"))
		switch {
		case errors.Is(err, errNoPostgres):
			fmt.Fprintln(out, err)
			s.bolt = true
		case err != nil:
			return err
		default:
			defer stop()
			s.postgres, grown = dsn, time.After(young)
		}
	}
	portal := imbottest.NewPortal(imbottest.WithRateLimit(rate, burst))
	defer portal.Close()
	if err := portal.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	f, err := newFleet(ctx, portal, s, dir)
	if err != nil {
		return err
	}
	defer f.close()
	for i := range f.processes {
		if err := f.start(ctx, i); err != nil {
			return err
		}
	}
	id, err := portal.WaitBot(ctx, "fleet")
	if err != nil {
		return err
	}
	<-grown
	r, err := f.run(ctx, id, s)
	if err != nil {
		return err
	}
	if s.picture != "" {
		if err := os.WriteFile(s.picture, r.draw(), 0o644); err != nil { //nolint:gosec // everybody may see it
			return err
		}
	}
	return r.print(out)
}

// young is how long nobody takes anything over from another process after the start of a server: it
// may have restarted, and all are on their way back.
const young = 3100 * time.Millisecond

// A fleet is the processes of a bot with what is around them.
type fleet struct {
	portal    *imbottest.Portal
	journal   *journal
	balancer  *balancer
	front     *http.Server
	env       []string
	processes []*process
}

type process struct {
	address string
	cmd     *exec.Cmd
	silent  chan struct{} // closed when it has said everything
}

func newFleet(ctx context.Context, portal *imbottest.Portal, s settings, dir string) (*fleet, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	hook := portal.Webhook("a-long-random-bot-token")
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	f := &fleet{portal: portal, journal: newJournal(), balancer: &balancer{client: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}}
	f.env = append(os.Environ(),
		"BITRIX24_WEBHOOK_URL="+hook.URL, "BITRIX24_BOT_TOKEN="+hook.ClientID, "BOT_URL=http://"+listener.Addr().String()+"/events",
		"BOT_POSTGRES="+s.postgres, "BOT_FILE="+filepath.Join(dir, "bot.db"), "BOT_KEY="+hex.EncodeToString(key),
	)
	n := processes
	if s.bolt {
		n = 1 // at a time may have the file
	}
	for range n {
		address, err := freeAddress(ctx)
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		f.processes = append(f.processes, &process{address: address})
		f.balancer.targets = append(f.balancer.targets, "http://"+address)
	}
	f.front = &http.Server{Handler: f.balancer, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = f.front.Serve(listener) }() // close ends it
	return f, nil
}

// freeAddress returns an address on which nobody listens.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// start starts a process, which is this program once more, and waits until it is ready.
func (f *fleet) start(ctx context.Context, i int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p := f.processes[i]
	p.cmd = exec.CommandContext(ctx, self)
	p.cmd.Env = slices.Concat(f.env, []string{"BOT_ADDRESS=" + p.address})
	p.cmd.Stderr = os.Stderr
	said, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	silent := make(chan struct{})
	p.silent = silent
	go func() {
		defer close(silent)
		f.journal.read(i, said)
	}()
	for {
		status, err := f.balancer.ready(ctx, p.address)
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-silent:
			return fmt.Errorf("process %s has ended: %w", lane(i), p.wait())
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// wait waits until a process has ended.
func (p *process) wait() error {
	<-p.silent
	err := p.cmd.Wait()
	p.cmd = nil
	return err
}

// close ends what has been started.
func (f *fleet) close() {
	for _, p := range f.processes {
		if p.cmd != nil {
			_ = p.cmd.Process.Kill()
			_ = p.wait()
		}
	}
	_ = f.front.Close()
}

// run lets people write, kills a process and starts it again.
func (f *fleet) run(ctx context.Context, bot imbot.ID, s settings) (*result, error) {
	f.journal.since = time.Now()
	r := &result{settings: s, processes: len(f.processes)}
	var writing sync.WaitGroup
	people, errs := make([]imbot.ID, s.people), make([]error, s.people)
	for i := range people {
		people[i] = f.portal.AddUser("Person", strconv.Itoa(i+1))
		writing.Go(func() { errs[i] = f.write(ctx, people[i], imbot.UserDialog(bot), time.Duration(i)*pause) })
	}
	if err := f.wait(ctx, f.journal.after(s.killAt())); err != nil {
		return nil, err
	}
	victim := f.journal.busiest()
	p := f.processes[victim]
	r.killed = time.Since(f.journal.since)
	err := p.cmd.Process.Kill() // SIGKILL: it can do nothing about it
	if err != nil {
		return nil, err
	}
	_ = p.wait() // says that it was killed
	r.held = f.journal.cut(victim, r.killed)
	if len(f.processes) > 1 {
		if err := f.wait(ctx, f.journal.after(2*s.killAt())); err != nil {
			return nil, err
		}
	}
	r.restarted = time.Since(f.journal.since)
	if err := f.start(ctx, victim); err != nil {
		return nil, err
	}
	writing.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := f.wait(ctx, f.journal.after(s.people*messages)); err != nil {
		return nil, err
	}
	if err := f.stop(); err != nil {
		return nil, err
	}
	r.works = f.journal.done()
	for _, person := range people {
		r.count(f.portal.Messages(person, imbot.UserDialog(bot)), bot)
	}
	return r, f.portal.Err()
}

// write writes the messages of a person.
func (f *fleet) write(ctx context.Context, person imbot.ID, dialog imbot.DialogID, later time.Duration) error {
	for n := range messages {
		select {
		case <-time.After(later):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if _, err := f.portal.Say(ctx, person, dialog, strconv.Itoa(n+1)); err != nil {
			return err
		}
		later = pause
	}
	return nil
}

// wait waits for answers, which must not stop.
func (f *fleet) wait(ctx context.Context, reached <-chan struct{}) error {
	select {
	case <-reached:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the answers have stopped: %w", context.Cause(ctx))
	}
}

// stop ends all processes as a deploy does: they handle what they have begun.
func (f *fleet) stop() error {
	for _, p := range f.processes {
		if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
			return err
		}
	}
	for i, p := range f.processes {
		if err := p.wait(); err != nil {
			return fmt.Errorf("process %s: %w", lane(i), err)
		}
	}
	return nil
}

// lane is the name of a process.
func lane(i int) string { return "abc"[i : i+1] }
