package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imbot-go/imbot/driver"
)

// What the environment tells a test binary that is to be killed.
const (
	envTest   = "IMBOT_STORETEST_KILL"
	envStore  = "IMBOT_STORETEST_STORE"
	envParent = "IMBOT_STORETEST_PARENT"
)

// request and answer are what two processes say to each other, in JSON.
type request struct {
	ID, N  int
	Method string
	Item   item
	How    driver.InboxOutcome
}

type answer struct {
	ID    int
	Fresh bool
	Items []item
	Err   string
}

// item is what of a [driver.InboxItem] is said.
type item struct {
	ID, Key, Line, Lease string
	Body                 []byte
	Tries                int
	At                   time.Time
}

func send(it driver.InboxItem) item {
	return item{it.ID, it.Key, it.Line, it.Lease, it.Body, it.Tries, it.At}
}

func (it item) receive() driver.InboxItem {
	return driver.InboxItem{ID: it.ID, Key: it.Key, Line: it.Line, Lease: it.Lease, Body: it.Body, Tries: it.Tries, At: it.At}
}

// serve does what the parent says until it kills this process, or is dead itself.
func serve(t testing.TB, b driver.Inbox) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", os.Getenv(envParent))
	want(t, "the parent of a process to be killed", err, nil)
	answers(conn, b)
	os.Exit(0) // without Close: nobody is there who counts on it
}

// answers does what comes over a connection, side by side, until that ends.
func answers(conn net.Conn, b taker) {
	in, out := json.NewDecoder(conn), json.NewEncoder(conn)
	var mu sync.Mutex
	for {
		var asked request
		if in.Decode(&asked) != nil {
			return
		}
		go func() {
			said := answer{ID: asked.ID}
			var items []driver.InboxItem
			var err error
			switch asked.Method {
			case "Put":
				said.Fresh, err = b.Put(context.Background(), asked.Item.receive())
			case "Take":
				items, err = b.Take(context.Background(), asked.N)
			case "Done":
				err = b.Done(context.Background(), asked.Item.receive(), asked.How)
			}
			for _, it := range items {
				said.Items = append(said.Items, send(it))
			}
			if err != nil {
				said.Err = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			_ = out.Encode(said) // who asked is dead, or reads it
		}()
	}
}

// asker is an inbox at the other end of a connection.
type asker struct {
	conn    net.Conn
	mu      sync.Mutex
	last    int
	waiting map[int]chan answer // nil: the connection has ended
}

func newAsker(conn net.Conn) *asker {
	a := &asker{conn: conn, waiting: map[int]chan answer{}}
	go func() { // until the connection ends, which Close and kill see to
		for in := json.NewDecoder(conn); ; {
			var said answer
			err := in.Decode(&said)
			a.mu.Lock()
			if err != nil {
				for _, waits := range a.waiting {
					close(waits)
				}
				a.waiting = nil
				a.mu.Unlock()
				return
			}
			a.waiting[said.ID] <- said
			delete(a.waiting, said.ID)
			a.mu.Unlock()
		}
	}()
	return a
}

var errDead = errors.New("the process is dead")

func (a *asker) ask(ctx context.Context, r request) (answer, error) {
	waits := make(chan answer, 1)
	a.mu.Lock()
	if a.waiting == nil {
		a.mu.Unlock()
		return answer{}, errDead
	}
	a.last++
	r.ID = a.last
	a.waiting[r.ID] = waits
	err := json.NewEncoder(a.conn).Encode(r)
	a.mu.Unlock()
	if err != nil {
		return answer{}, errDead
	}
	select {
	case said, lives := <-waits:
		switch {
		case !lives:
			return said, errDead
		case said.Err == driver.ErrTakenOver.Error():
			return said, driver.ErrTakenOver
		case said.Err != "":
			return said, errors.New(said.Err)
		}
		return said, nil
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

// Put implements taker.
func (a *asker) Put(ctx context.Context, it driver.InboxItem) (fresh bool, err error) {
	said, err := a.ask(ctx, request{Method: "Put", Item: send(it)})
	return said.Fresh, err
}

// Take implements taker.
func (a *asker) Take(ctx context.Context, n int) ([]driver.InboxItem, error) {
	said, err := a.ask(ctx, request{Method: "Take", N: n})
	items := make([]driver.InboxItem, len(said.Items))
	for i, it := range said.Items {
		items[i] = it.receive()
	}
	return items, err
}

// Done implements taker.
func (a *asker) Done(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
	_, err := a.ask(ctx, request{Method: "Done", Item: send(it), How: how})
	return err
}

// victim is a process of its own.
type victim struct {
	*asker
	stop func()
}

func (v *victim) kill() {
	v.stop()
	_ = v.conn.Close()
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
	return &victim{newAsker(conn), stop}
}
