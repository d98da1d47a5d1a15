package imbotv2

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/poll"
)

// Poller is what [Poll] runs; it also has bots that come and go, another pace, and
// replicas. Fill in the fields before the first call of a method, and do not copy it
// afterwards.
//
// Bots of one portal travel in one request, up to fifty, when their clients were made from one
// client (WithBot, WithBotToken), or from webhooks with one URL.
type Poller struct {
	Handler *EventHandler // required; neither its Verifier nor its Claims are asked
	Clients []*Client     // each with a bot of its own; more by Add

	// Warm and Idle are the pauses between two polls of a bot, one second at least: by default
	// 2 s for half a minute after an event, and 5 s at other times. On a portal with so many
	// bots that their polls would use more than half of its rate they get longer.
	Warm, Idle time.Duration

	// MaxAge is when an event is too old to be handled: it is acknowledged only. The portal's
	// clock has written its time, that of this machine tells its age. 0: never.
	MaxAge time.Duration

	// Leader lets one of several processes poll a bot, each bot on its own. nil: this one does.
	Leader driver.Leader

	mu      sync.Mutex
	added   []*Client
	run     *pollerRun // nil: Run does not run
	stats   poll.Stats // of the last Run
	forever bool       // Run goes on when no bot is left
	user    *userQueue // the one that is polled for a person; nil: those of bots are
}

// PollStats counts what a [Poller] has done in its Run, or in the last one.
type PollStats struct {
	Polls          int           // of one bot
	Requests       int           // that carried them
	Events         int           // handed to the handler
	Duplicates     int           // shown again before they were acknowledged, and dropped
	Behind         time.Duration // age of the oldest event whose callback has not returned
	Unacknowledged int           // events that the portal keeps although they were seen
}

// pollerRun is one Run of a Poller.
type pollerRun struct {
	*poll.Poller[*bot, *fetched]

	ctx    context.Context // ends with that of Run, and with the last bot
	cancel context.CancelFunc
	bots   map[botKey]*bot
	leads  sync.WaitGroup // goroutines that lead or wait for that
	failed []error        // why bots have ended
}

// A bot is one that is polled in a Run.
type bot struct {
	botKey

	client *Client
	seed   []byte          // of the TemplateIDs of replies
	ctx    context.Context // ends with the Run, with Remove, and when it can never be polled again
	cancel context.CancelFunc
	claims bool // it is in polled
}

// botKey names a bot.
type botKey struct {
	portal string
	id     imbot.ID
	user   any // of a person's queue: whose calls they are, as in whose
}

func (k botKey) String() string {
	if k.user != nil {
		return "the queue of a person on " + k.portal
	}
	return fmt.Sprintf("bot %d of %s", k.id, k.portal)
}

// LogValue implements [slog.LogValuer]. The client is not for logs.
func (b *bot) LogValue() slog.Value { return slog.StringValue(b.String()) }

// fetched is an event on its way to the handler.
type fetched struct {
	item  EventItem   // until it is decoded
	event imbot.Event // nil: not decoded yet
	size  int         // bytes in memory
}

// polled holds the keys of the bots that this process polls: who polls one twice runs all its
// callbacks twice. Nothing but the process is common to two Pollers, so it is a variable of
// the package.
var polled sync.Map

// Run polls until ctx ends or the last bot has; see [Poll]. Without Clients it waits for Add.
// When it has returned it may be called again, unless callbacks had to be cut off: the
// handler is shut down then.
func (p *Poller) Run(ctx context.Context) error {
	r, err := p.begin(ctx)
	if err != nil || ctx.Err() != nil { // a program that is stopped before it polls has no error
		if r != nil { // some bots have joined
			r.cancel()
			r.leads.Wait()
			p.end(r)
		}
		return err
	}
	// Polling ends last: who leads a bot acknowledges its events before giving up the lead.
	polling, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	stop := context.AfterFunc(r.ctx, func() { p.awaitLeads(r); end() })
	defer stop()
	var works sync.WaitGroup
	works.Go(func() { _ = p.Handler.Run(polling) })
	err = r.Run(polling)
	end()
	works.Wait()
	r.cancel()
	p.awaitLeads(r)

	p.end(r)
	if ctx.Err() != nil {
		return err
	}
	return errors.Join(append(r.failed, err)...)
}

// end gives the bots of a Run free.
func (p *Poller) end(r *pollerRun) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.run, p.stats = nil, r.Stats()
	for _, b := range r.bots {
		r.forget(b)
	}
}

// begin checks the fields and lets the bots join. When one cannot, there is a Run to be
// ended all the same.
func (p *Poller) begin(ctx context.Context) (*pollerRun, error) {
	warm, idle := cmp.Or(p.Warm, 2*time.Second), cmp.Or(p.Idle, 5*time.Second)
	switch {
	case p.Handler == nil:
		return nil, invalid("Poller.Handler is nil")
	case warm < time.Second || idle < time.Second:
		return nil, invalid("Poller.Warm and Poller.Idle are one second at least")
	case p.MaxAge < 0:
		return nil, invalid("Poller.MaxAge is negative")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != nil {
		return nil, invalid("Poller.Run runs already")
	}
	r := &pollerRun{bots: map[botKey]*bot{}}
	r.ctx, r.cancel = context.WithCancel(ctx)
	fetch := fetch
	if p.user != nil {
		fetch = p.user.fetch
	}
	r.Poller = poll.New(poll.Config[*bot, *fetched]{
		Fetch:  fetch,
		Push:   p.push,
		Last:   lastEvent,
		Dialog: dialogOf,
		Ended:  func(b *bot, err error) { p.ended(r, b, err) },
		Cut:    p.cut,
		Logger: p.Handler.logger,
		Warm:   warm, Idle: idle, MaxAge: p.MaxAge,
	})
	p.run = r
	for _, c := range slices.Concat(p.Clients, p.added) {
		if err := p.join(r, c); err != nil {
			return r, err
		}
	}
	return r, nil
}

// push hands an event to the handler, in the order of its dialog.
func (p *Poller) push(b *bot, f *fetched, done func()) (bool, error) {
	if f.event == nil {
		f.event, f.size = f.item.event(b.portal, b.seed), eventSize*len(f.item.Data) // the queue does not tell the portal
		f.item = EventItem{}
	}
	room, err := p.Handler.push(b.botKey, f.size, f.event, done)
	if err != nil {
		err = fmt.Errorf("imbotv2: Poll: the handler: %w", err)
	}
	return room, err
}

// eventSize is how many bytes of memory a byte of a fetched event takes, at most.
const eventSize = 4

// dialogOf tells the log where a fetched event belongs.
func dialogOf(f *fetched) string {
	if f.event == nil {
		return "" // it waits for room
	}
	return string(f.event.Dialog())
}

// cut ends the contexts of the callbacks that hang.
func (p *Poller) cut() error {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	return p.Handler.Shutdown(over)
}

// Add polls one more bot, at once when Run runs. The error is [imbot.ErrConflict] when this
// process polls it already.
func (p *Poller) Add(c *Client) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := checkBot(c); err != nil {
		return err
	}
	if p.run != nil {
		if p.run.ctx.Err() != nil {
			return invalid("Poller.Add: Run is ending")
		}
		if err := p.join(p.run, c); err != nil {
			return err
		}
	}
	p.added = append(p.added, c)
	return nil
}

// Remove polls a bot no more, on whatever portal it is. Callbacks that run go on; what is not
// acknowledged comes again to whoever polls the bot next. The error is [imbot.ErrNotFound]
// when it is not polled. Run goes on without bots, too; the next one polls the bots in Clients
// again.
func (p *Poller) Remove(id imbot.ID) error {
	if !p.remove(func(k botKey) bool { return k.id == id }) {
		return fmt.Errorf("imbotv2: Poller.Remove: bot %d: %w", id, imbot.ErrNotFound)
	}
	return nil
}

func (p *Poller) remove(which func(botKey) bool) (found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.added)
	p.added = slices.DeleteFunc(p.added, func(c *Client) bool { return which(keyOf(c)) })
	found = len(p.added) < n
	if p.run != nil {
		for key, b := range p.run.bots {
			if which(key) {
				p.run.forget(b)
				found = true
			}
		}
	}
	return found
}

// Format implements [fmt.Formatter]; no verb prints a secret of a client.
func (p *Poller) Format(f fmt.State, _ rune) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintf(f, "imbotv2.Poller(%d clients)", len(p.Clients)+len(p.added))
}

// Stats returns the counters.
func (p *Poller) Stats() PollStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	if p.run != nil {
		s = p.run.Stats()
	}
	return PollStats(s)
}

// checkBot refuses a client that names no bot, or was not made by this package.
func checkBot(c *Client) error {
	if c == nil || c.base == nil || c.BotID() == 0 {
		return invalid("Poller: a client without a bot, see Client.WithBot")
	}
	return nil
}

// join lets a bot be polled. The caller holds the lock.
func (p *Poller) join(r *pollerRun, c *Client) error {
	if p.user == nil {
		if err := checkBot(c); err != nil {
			return err
		}
	}
	seed := c.base.Fingerprint("reply")
	b := &bot{botKey: keyOf(c), client: c, seed: seed[:]}
	if p.user != nil {
		b.botKey = botKey{portal: c.base.Portal(), user: c.whose().origin}
	}
	if r.bots[b.botKey] != nil {
		return b.conflict()
	}
	b.ctx, b.cancel = context.WithCancel(r.ctx)
	if p.Leader != nil {
		r.bots[b.botKey] = b
		r.leads.Go(func() { p.lead(r, b) })
		return nil
	}
	if !b.claim() {
		return b.conflict()
	}
	r.bots[b.botKey] = b
	r.Add(b, b.portal, c.whose().origin)
	return nil
}

// lead polls a bot whenever this process leads it.
func (p *Poller) lead(r *pollerRun, b *bot) {
	err := p.Leader.Lead(b.ctx, fmt.Sprintf("poll/%s/%d", b.portal, b.id), func(ctx context.Context) error {
		p.mu.Lock()
		claimed := b.claim()
		p.mu.Unlock()
		if !claimed {
			return b.conflict()
		}
		r.Add(b, b.portal, b.client.whose().origin)
		<-ctx.Done()
		r.Leave(ctx, b)
		p.mu.Lock()
		b.release()
		p.mu.Unlock()
		return nil
	})
	if b.ctx.Err() == nil { // neither the Run nor the bot has ended: the engine of the Leader has failed
		p.ended(r, b, cmp.Or(err, errLead))
	}
}

// errLead is the error of a Leader that stopped leading without one.
var errLead = errors.New("imbotv2: Poller.Leader has stopped")

// awaitLeads waits for the goroutines of bots, when the context of the Run has ended.
func (p *Poller) awaitLeads(r *pollerRun) {
	p.mu.Lock()   // who is about to join has joined, and nobody does any more
	p.mu.Unlock() //nolint:staticcheck // the lock is all that is wanted
	r.leads.Wait()
}

// ended takes out a bot that can never be polled again, and ends the Run with the last one.
func (p *Poller) ended(r *pollerRun, b *bot, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.bots[b.botKey] != b {
		return
	}
	r.forget(b)
	r.failed = append(r.failed, fmt.Errorf("imbotv2: %v is polled no more: %w", b, err))
	p.added = slices.DeleteFunc(p.added, func(c *Client) bool { return keyOf(c) == b.botKey })
	if len(r.bots) == 0 && !p.forever {
		r.cancel()
	}
}

// forget takes a bot out of a Run. The caller holds the lock of the Poller.
func (r *pollerRun) forget(b *bot) {
	delete(r.bots, b.botKey)
	b.cancel()
	r.Poller.Remove(b)
	b.release()
}

// claim makes the bot that of this Run. false: this process polls it already.
func (b *bot) claim() bool {
	_, taken := polled.LoadOrStore(b.botKey, true)
	b.claims = !taken
	return b.claims
}

func (b *bot) release() {
	if b.claims {
		polled.Delete(b.botKey)
		b.claims = false
	}
}

func (b *bot) conflict() error {
	return fmt.Errorf("imbotv2: Poll: this process polls %v already: %w", b, imbot.ErrConflict)
}

func keyOf(c *Client) botKey { return botKey{portal: c.base.Portal(), id: c.BotID()} }

// lastEvent is the event that tells that a bot was deleted. One that could never be polled
// was not there to begin with.
func lastEvent(b *bot, err error, polled bool) (*fetched, bool) {
	if !polled || !errors.Is(err, ErrBotNotFound) {
		return nil, false
	}
	ev := &BotDeleteEvent{}
	ev.Name, ev.Time, ev.Bot.ID = "ONIMBOTV2DELETE", time.Now(), b.id
	ev.Auth.MemberID = b.portal // as in what is fetched
	return &fetched{event: ev}, true
}
