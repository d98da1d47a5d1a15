package imbottest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/imbot-go/imbot"
)

// world is the state of a portal. Its methods are called under its lock, except where they
// say otherwise.
type world struct {
	sync.Mutex

	hooks  hooks
	lookup func(name string) method // finds a method by its name in lower case

	goroutines sync.WaitGroup // all that Close waits for
	closed     bool
	changed    chan struct{} // notify closes it and sets it to nil; nil when nobody waits

	users    map[imbot.ID]*user
	bots     map[imbot.ID]*bot
	chats    map[imbot.ID]*chat
	private  map[pair]*chat
	messages map[imbot.ID]*message
	commands map[imbot.ID]*command
	chatApps map[imbot.ID]*chatApp
	apps     map[string]*application // by their id

	lastUser     imbot.ID // ids of each kind start at another number, so that an id of a wrong kind is not found
	lastChat     imbot.ID
	lastMsg      imbot.ID
	lastApp      imbot.ID
	lastCmd      imbot.ID
	lastBind     imbot.ID
	lastEvent    int64    // in all queues together
	lineSessions imbot.ID // how many

	answers     map[string]answerFunc // of the test's own methods, by name in lower case
	granted     []string              // the scopes; nil means all
	vetoed      map[string]bool       // methods in lower case
	uuids       map[string]sentBefore
	late        lateEvents
	seed        uint64
	revision    int
	noV2InBatch bool
}

// hooks is what a world needs of the portal around it. Its methods are called under the lock.
type hooks interface {
	// Changed is told of all that people see.
	Changed(change)
	// Deliver sends an event to a handler, behind those of the same queue.
	Deliver(event string, to binding, app *application, queue, body string)
	// Queued is told of an event that waits for its bot. The bot fetched it, or it is gone for
	// a reason, when left is called.
	Queued(event string, data *array) (left func(reason string))
	// Authorize returns what events say of the portal, and the tokens of a user for an OAuth
	// application.
	Authorize(app *application, user imbot.ID) authorization
	// Host is the name of the portal.
	Host() string
}

// authorization is what an event has for calls to the portal.
type authorization struct {
	domain, endpoint, authRoot, memberID string

	access, refresh string // "" for an application that is used with a webhook
	expires         time.Time
}

// changeKind says what changed.
type changeKind int

// What people see change.
const (
	changedMessage changeKind = iota
	changedDialog
	changedLeft // user is no longer in the dialog
	changedUser
	changedTyping
	changedHelp
)

// change is something that people see, by the ids of what changed.
type change struct {
	kind                changeKind
	chat, message, user imbot.ID
}

func (p *world) noteDialog(c *chat) { p.note(change{kind: changedDialog, chat: c.id}) }

func (p *world) noteMessage(m *message) {
	p.note(change{kind: changedMessage, chat: m.ChatID, message: m.ID})
}

func (p *world) noteUser(id imbot.ID) { p.note(change{kind: changedUser, user: id}) }
func (p *world) noteHelp()            { p.note(change{kind: changedHelp}) }

// note tells of a change and wakes those who wait for one.
func (p *world) note(c change) {
	p.hooks.Changed(c)
	p.notify()
}

// firstUser is the id of the first person or bot after the administrator, who is 1 as on
// every portal. Smaller ids are rare on real portals, and Express reads the keys of a form
// that are smaller than 100 as places in a list.
const firstUser = 101

// newWorld returns a world with one user, the administrator.
func newWorld(around hooks, lookup func(name string) method) *world {
	p := &world{
		hooks:    around,
		lookup:   lookup,
		users:    map[imbot.ID]*user{},
		bots:     map[imbot.ID]*bot{},
		chats:    map[imbot.ID]*chat{},
		private:  map[pair]*chat{},
		messages: map[imbot.ID]*message{},
		commands: map[imbot.ID]*command{},
		chatApps: map[imbot.ID]*chatApp{},
		apps:     map[string]*application{},
		lastChat: 1000,
		lastMsg:  50000,
		lastApp:  500,
		lastCmd:  700,
		lastBind: 400,
	}
	p.addUser("Portal", "Administrator")
	p.lastUser = firstUser - 1
	return p
}

// close stops what the world does by itself and lets nobody wait any longer.
func (p *world) close() {
	p.closed = true
	p.stopAllTyping()
	p.notify()
}

var errClosed = errors.New("imbottest: the portal is closed")

// await waits until done returns true. It calls done under the lock, again after every
// change.
func (p *world) await(ctx context.Context, done func() bool) error {
	for {
		p.Lock()
		if done() {
			p.Unlock()
			return nil
		}
		if p.closed {
			p.Unlock()
			return errClosed
		}
		if p.changed == nil {
			p.changed = make(chan struct{})
		}
		changed := p.changed
		p.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// notify wakes everybody who waits in await.
func (p *world) notify() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

func sortedIDs[V any](m map[imbot.ID]V) []imbot.ID { return slices.Sorted(maps.Keys(m)) }

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
