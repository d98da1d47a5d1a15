package imbottest

import (
	"context"
	crand "crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imbot-go/imbot"
)

// portals counts portals, so that each has a host name of its own.
var portals atomic.Int64

// A Portal is a Bitrix24 portal in memory. Make one with [NewPortal]. All its
// methods may be called at the same time.
type Portal struct {
	noPrint

	host       string // portal-7.imbottest.example
	authHost   string // of the authorization server; a renamed portal keeps it
	memberID   string
	secret     string // of the webhook
	bucket     bucket
	oldPages   bool // see WithOldPages
	hidesTexts bool // see WithoutDescriptions
	rights     rights

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	changed chan struct{} // notify closes it and sets it to nil; nil when nobody waits
	active  int           // how many calls are being answered and events not handled yet

	users    map[imbot.ID]*user
	bots     map[imbot.ID]*bot
	chats    map[imbot.ID]*chat
	private  map[pair]*chat
	messages map[imbot.ID]*message
	commands map[imbot.ID]*command
	chatApps map[imbot.ID]*chatApp
	apps     map[string]*application // by their id
	tokens   map[string]*grant       // by access token
	codes    map[string]code         // authorization codes
	lastUser imbot.ID                // ids of each kind start at another number, so that an id of a wrong kind is not found
	lastChat imbot.ID
	lastMsg  imbot.ID
	sessions imbot.ID // of the open line, how many
	lastApp  imbot.ID
	lastCmd  imbot.ID
	lastBind imbot.ID

	lastEvent   int64 // in all queues together
	uuids       map[string]sentBefore
	late        lateEvents
	revision    int
	noV2InBatch bool

	answers     map[string]answerFunc   // set by Handle, by method in lower case
	handlers    map[string]http.Handler // set by Serve, by URL
	queues      map[string][]delivery
	client      *http.Client // posts events to loopback addresses
	servers     []*http.Server
	listen      string          // host:port
	tls         *tls.Config     // of the addresses on which the portal listens; nil without TLS
	authAddr    string          // host:port of the authorization server
	formerHosts map[string]bool // hosts that the portal had before it was renamed

	feed    changeFeed
	log     exchangeLog
	mounted http.Handler

	seed     uint64
	chances  uint64 // how many faults have a random source
	faults   []*fault
	usages   map[string]*usage
	limit    time.Duration // operating limit of a method; 0 for none
	calls    []Call
	problems []error
}

// noPrint masks what embeds it, whatever the verb: a portal holds all its secrets.
type noPrint struct{}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (noPrint) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "***") }

// An Option changes a new portal.
type Option func(*Portal)

// firstUser is the id of the first person or bot after the administrator, who is 1 as on
// every portal. Smaller ids are rare on real portals, and Express reads the keys of a form
// that are smaller than 100 as places in a list.
const firstUser = 101

// NewPortal returns a portal with one user, the administrator, who owns the
// webhook and installed the applications. [Portal.Close] it when done.
func NewPortal(opts ...Option) *Portal {
	ctx, cancel := context.WithCancel(context.Background())
	host := fmt.Sprintf("portal-%d.imbottest.example", portals.Add(1))
	p := &Portal{
		host:        host,
		authHost:    "oauth." + host,
		memberID:    randomHex(16),
		secret:      randomHex(8),
		ctx:         ctx,
		cancel:      cancel,
		users:       map[imbot.ID]*user{},
		bots:        map[imbot.ID]*bot{},
		chats:       map[imbot.ID]*chat{},
		private:     map[pair]*chat{},
		messages:    map[imbot.ID]*message{},
		commands:    map[imbot.ID]*command{},
		chatApps:    map[imbot.ID]*chatApp{},
		apps:        map[string]*application{},
		tokens:      map[string]*grant{},
		codes:       map[string]code{},
		lastChat:    1000,
		lastMsg:     50000,
		lastApp:     500,
		lastCmd:     700,
		lastBind:    400,
		handlers:    map[string]http.Handler{},
		queues:      map[string][]delivery{},
		formerHosts: map[string]bool{},
		seed:        rand.Uint64(),
		usages:      map[string]*usage{},
	}
	p.feed.last = rand.Int64N(1<<32) * maxFeed
	for _, opt := range opts {
		opt(p)
	}
	p.AddUser("Portal", "Administrator")
	p.lastUser = firstUser - 1
	return p
}

// Close ends the portal: it cuts waiting calls and deliveries off and stops the server of
// [Portal.Listen]. It returns when all goroutines of the portal have ended, so it waits
// for handlers that do not obey the context of their request, and a handler must not call
// it. Shut a bot down before: its calls fail after Close, and the client repeats them for
// some seconds.
func (p *Portal) Close() {
	p.mu.Lock()
	p.closed = true
	p.stopAllTyping()
	p.queues = map[string][]delivery{}
	servers, client := p.servers, p.client
	p.notify()
	p.mu.Unlock()
	p.cancel()
	for _, server := range servers {
		_ = server.Close()
	}
	p.wg.Wait()
	if client != nil {
		client.CloseIdleConnections()
	}
}

// Idle waits until no call is being answered and every event was answered by its
// handler. What a bot does after it has answered an event is not seen here; for that wait
// with the bot's own means, such as [imbot.EventHandler.Idle]. A handler must not call
// Idle.
func (p *Portal) Idle(ctx context.Context) error {
	return p.await(ctx, func() bool { return p.active == 0 })
}

// String names the portal's host and nothing else.
func (p *Portal) String() string { return "imbottest.Portal(" + p.host + ")" }

// GoString is String, so that %#v prints no secret.
func (p *Portal) GoString() string { return p.String() }

var errClosed = errors.New("imbottest: the portal is closed")

// await waits until done returns true. It calls done under the lock, again after every
// change.
func (p *Portal) await(ctx context.Context, done func() bool) error {
	for {
		p.mu.Lock()
		if done() {
			p.mu.Unlock()
			return nil
		}
		if p.closed {
			p.mu.Unlock()
			return errClosed
		}
		if p.changed == nil {
			p.changed = make(chan struct{})
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// notify wakes everybody who waits in await; the lock is held.
func (p *Portal) notify() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

func sortedIDs[V any](m map[imbot.ID]V) []imbot.ID { return slices.Sorted(maps.Keys(m)) }

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = crand.Read(b) // never fails
	return hex.EncodeToString(b)
}
