package imbottest

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// portals counts portals, so that each has a host name of its own.
var portals atomic.Int64

// A Portal is a Bitrix24 portal in memory. Make one with [NewPortal]. All its
// methods may be called at the same time.
type Portal struct {
	noPrint
	w *world.World

	host       string // portal-7.imbottest.example
	authHost   string // of the authorization server; a renamed portal keeps it
	memberID   string
	secret     string // of the webhook
	bucket     bucket
	oldPages   bool                // see WithOldPages
	hidesTexts bool                // see WithoutDescriptions
	sessions   map[string]imbot.ID // who is logged in with a browser, by sessid
	webhooks   map[imbot.ID]bool   // who has a webhook, beside the administrator

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	// Under the lock of the world:

	active int               // how many calls are being answered and events not handled yet
	tokens map[string]*grant // by access token
	codes  map[string]code   // authorization codes

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

// NewPortal returns a portal with one user, the administrator, who owns the
// webhook and installed the applications. [Portal.Close] it when done.
func NewPortal(opts ...Option) *Portal {
	ctx, cancel := context.WithCancel(context.Background())
	host := fmt.Sprintf("portal-%d.imbottest.example", portals.Add(1))
	p := &Portal{
		host:        host,
		authHost:    "oauth." + host,
		memberID:    world.RandomHex(16),
		secret:      world.RandomHex(8),
		ctx:         ctx,
		cancel:      cancel,
		tokens:      map[string]*grant{},
		codes:       map[string]code{},
		handlers:    map[string]http.Handler{},
		queues:      map[string][]delivery{},
		formerHosts: map[string]bool{},
		usages:      map[string]*usage{},
	}
	p.feed.last = rand.Int64N(1<<32) * maxFeed
	p.w = world.New(surroundings{p}, lookup)
	p.w.Seed = rand.Uint64()
	for _, opt := range opts {
		opt(p)
	}
	return p
}

// Close ends the portal: it cuts waiting calls and deliveries off and stops the server of
// [Portal.Listen]. It returns when all goroutines of the portal have ended, so it waits
// for handlers that do not obey the context of their request, and a handler must not call
// it. Shut a bot down before: its calls fail after Close, and the client repeats them for
// some seconds.
func (p *Portal) Close() {
	p.w.Lock()
	p.w.Close()
	p.queues = map[string][]delivery{}
	servers, client := p.servers, p.client
	p.w.Unlock()
	p.cancel()
	for _, server := range servers {
		_ = server.Close()
	}
	p.w.Goroutines.Wait()
	if client != nil {
		client.CloseIdleConnections()
	}
}

// Idle waits until no call is being answered and every event was answered by its
// handler. What a bot does after it has answered an event is not seen here; for that wait
// with the bot's own means, such as [imbot.EventHandler.Idle]. A handler must not call
// Idle.
func (p *Portal) Idle(ctx context.Context) error {
	return p.w.Await(ctx, func() bool { return p.active == 0 })
}

// String names the portal's host and nothing else.
func (p *Portal) String() string { return "imbottest.Portal(" + p.host + ")" }

// GoString is String, so that %#v prints no secret.
func (p *Portal) GoString() string { return p.String() }
