// Package inboxrpc is a [driver.Inbox] of another process, at the other end of a connection. Tests that
// kill processes use it.
package inboxrpc

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/imbot-go/imbot/driver"
)

// request and answer are what the two ends say to each other, in JSON.
type request struct {
	ID, N  int
	Method string // one of Inbox; "Cancel": the context of the request with that ID has ended
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

// known are the errors that the other end can tell apart.
var known = []error{driver.ErrTakenOver, driver.ErrClosed, driver.ErrLineFull, context.Canceled, context.DeadlineExceeded}

// Serve has b do what comes over conn, side by side, and returns when conn and all of that has ended.
func Serve(conn net.Conn, b driver.Inbox) {
	in, out := json.NewDecoder(conn), json.NewEncoder(conn)
	var mu, writing sync.Mutex
	cancels := map[int]context.CancelFunc{}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for {
		var asked request
		if in.Decode(&asked) != nil {
			return
		}
		mu.Lock()
		if asked.Method == "Cancel" {
			if cancel := cancels[asked.ID]; cancel != nil {
				cancel()
			}
			mu.Unlock()
			continue
		}
		own, cancel := context.WithCancel(ctx)
		cancels[asked.ID] = cancel
		mu.Unlock()
		wg.Go(func() {
			defer cancel()
			said := do(own, b, asked)
			mu.Lock()
			delete(cancels, asked.ID)
			mu.Unlock()
			writing.Lock()
			defer writing.Unlock()
			_ = out.Encode(said) // who asked reads it, or is dead
		})
	}
}

func do(ctx context.Context, b driver.Inbox, asked request) answer {
	said := answer{ID: asked.ID}
	var items []driver.InboxItem
	var err error
	switch asked.Method {
	case "Put":
		said.Fresh, err = b.Put(ctx, asked.Item.receive())
	case "Take":
		items, err = b.Take(ctx, asked.N)
	case "Done":
		err = b.Done(ctx, asked.Item.receive(), asked.How)
	case "Close":
		err = b.Close()
	}
	for _, it := range items {
		said.Items = append(said.Items, send(it))
	}
	if err != nil {
		said.Err = err.Error()
	}
	return said
}

// ErrDead says that the other end has hung up.
var ErrDead = errors.New("inboxrpc: the other process is dead")

// Inbox is that of the other end, which says nothing of Lost.
type Inbox struct {
	conn    net.Conn
	writing sync.Mutex
	mu      sync.Mutex
	last    int
	waiting map[int]chan answer // nil: the connection has ended
	closed  bool
}

var _ driver.Inbox = (*Inbox)(nil)

// New returns the inbox at the other end of conn. Close ends both.
func New(conn net.Conn) *Inbox {
	b := &Inbox{conn: conn, waiting: map[int]chan answer{}}
	go b.read()
	return b
}

// read hands out answers until the connection ends.
func (b *Inbox) read() {
	for in := json.NewDecoder(b.conn); ; {
		var said answer
		err := in.Decode(&said)
		b.mu.Lock()
		if err != nil {
			for _, waits := range b.waiting {
				close(waits)
			}
			b.waiting = nil
			b.mu.Unlock()
			return
		}
		b.waiting[said.ID] <- said
		delete(b.waiting, said.ID)
		b.mu.Unlock()
	}
}

func (b *Inbox) ask(ctx context.Context, r request) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	waits := make(chan answer, 1)
	if err := b.say(&r, waits); err != nil {
		return answer{}, err
	}
	var said answer
	lives := false
	select {
	case said, lives = <-waits:
	case <-ctx.Done():
		_ = b.say(&request{Method: "Cancel", ID: r.ID}, nil)
		said, lives = <-waits // it may have been done all the same
	}
	if !lives {
		return said, b.ended()
	}
	if said.Err == "" {
		return said, nil
	}
	if i := slices.IndexFunc(known, func(err error) bool { return err.Error() == said.Err }); i >= 0 {
		if ctx.Err() != nil && i > 2 {
			return said, ctx.Err()
		}
		return said, known[i]
	}
	return said, errors.New(said.Err)
}

func (b *Inbox) say(r *request, waits chan answer) error {
	if waits != nil {
		if err := b.expect(r, waits); err != nil {
			return err
		}
	}
	b.writing.Lock()
	defer b.writing.Unlock()
	if json.NewEncoder(b.conn).Encode(r) != nil {
		return b.ended()
	}
	return nil
}

// expect names a request, whose answer is to go to waits.
func (b *Inbox) expect(r *request, waits chan answer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed && r.Method != "Close":
		return driver.ErrClosed
	case b.waiting == nil:
		return ErrDead
	}
	b.last++
	r.ID = b.last
	b.waiting[r.ID] = waits
	return nil
}

func (b *Inbox) ended() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return driver.ErrClosed
	}
	return ErrDead
}

// Put implements [driver.Inbox].
func (b *Inbox) Put(ctx context.Context, it driver.InboxItem) (fresh bool, err error) {
	said, err := b.ask(ctx, request{Method: "Put", Item: send(it)})
	return said.Fresh, err
}

// Take implements [driver.Inbox].
func (b *Inbox) Take(ctx context.Context, n int) ([]driver.InboxItem, error) {
	said, err := b.ask(ctx, request{Method: "Take", N: n})
	if err != nil {
		return nil, err
	}
	items := make([]driver.InboxItem, len(said.Items))
	for i, it := range said.Items {
		items[i] = it.receive()
	}
	return items, nil
}

// Done implements [driver.Inbox].
func (b *Inbox) Done(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
	_, err := b.ask(ctx, request{Method: "Done", Item: send(it), How: how})
	return err
}

// Close implements [driver.Inbox].
func (b *Inbox) Close() error {
	b.mu.Lock()
	again := b.closed
	b.closed = true
	b.mu.Unlock()
	if again {
		return nil
	}
	_, err := b.ask(context.Background(), request{Method: "Close"})
	return errors.Join(err, b.conn.Close())
}
