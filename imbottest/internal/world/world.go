// Package world is what a portal in memory keeps and by which rules, for both generations of
// methods. It knows nothing of HTTP: packages v1 and v2 answer calls with it, and package
// imbottest is the way to it.
package world

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
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// World is the state of a portal. Its methods are called under its lock, except where they
// say otherwise.
type World struct {
	sync.Mutex

	Hooks  Hooks
	Lookup func(name string) Method // finds a method by its name in lower case

	Goroutines sync.WaitGroup // all that Close waits for
	Closed     bool
	changed    chan struct{} // Notify closes it and sets it to nil; nil when nobody waits

	Users    map[imbot.ID]*User
	Bots     map[imbot.ID]*Bot
	Chats    map[imbot.ID]*Chat
	Private  map[Pair]*Chat
	Messages map[imbot.ID]*Message
	Commands map[imbot.ID]*Command
	ChatApps map[imbot.ID]*ChatApp
	Apps     map[string]*Application // by their id
	Lines    map[imbot.ID]*Line
	Sessions map[imbot.ID]*Session
	Files    map[imbot.ID]*File
	Inboxes  map[imbot.ID]*Inbox // of people who have subscribed to events

	lastUser    imbot.ID // ids of each kind start at another number, so that an id of a wrong kind is not found
	lastChat    imbot.ID
	lastMsg     imbot.ID
	LastApp     imbot.ID
	LastCmd     imbot.ID
	lastBind    imbot.ID
	lastLine    imbot.ID
	lastSession imbot.ID
	lastFile    imbot.ID
	lastEvent   int64 // in all queues together

	Answers  map[string]AnswerFunc // of the test's own methods, by name in lower case
	Granted  []string              // the scopes; nil means all
	Vetoed   map[string]bool       // methods in lower case
	UUIDs    map[string]SentBefore
	Late     LateEvents
	Seed     uint64
	Revision int
	Other    map[Doubt]bool // see Differs
	NoDisk   bool           // the drive is not installed
}

// Hooks is what a world needs of the portal around it. Its methods are called under the lock.
type Hooks interface {
	// Changed is told of all that people see.
	Changed(Change)
	// Deliver sends an event to a handler, behind those of the same queue.
	Deliver(event string, to Binding, app *Application, queue, body string)
	// Queued is told of an event that waits for its bot. The bot fetched it, or it is gone for
	// a reason, when left is called.
	Queued(event string, data *php.Array) (left func(reason string))
	// Authorize returns what events say of the portal, and the tokens of a user for an OAuth
	// application.
	Authorize(app *Application, user imbot.ID) Authorization
	// Host is the name of the portal.
	Host() string
}

// Authorization is what an event has for calls to the portal.
type Authorization struct {
	Domain, Endpoint, AuthRoot, MemberID string

	Access, Refresh string // "" for an application that is used with a webhook
	Expires         time.Time
}

// ChangeKind says what changed.
type ChangeKind int

// What people see change.
const (
	ChangedMessage ChangeKind = iota
	ChangedDialog
	ChangedLeft // user is no longer in the dialog
	ChangedUser
	ChangedTyping
	ChangedHelp
)

// Change is something that people see, by the ids of what changed.
type Change struct {
	Kind                ChangeKind
	Chat, Message, User imbot.ID
}

// NoteDialog tells that a dialog has changed.
func (w *World) NoteDialog(c *Chat) { w.note(Change{Kind: ChangedDialog, Chat: c.ID}) }

// NoteMessage tells that a message has changed.
func (w *World) NoteMessage(m *Message) {
	w.note(Change{Kind: ChangedMessage, Chat: m.ChatID, Message: m.ID})
}

// NoteUser tells that a person or bot has changed.
func (w *World) NoteUser(id imbot.ID) { w.note(Change{Kind: ChangedUser, User: id}) }

// NoteHelp tells that commands or chat applications have changed.
func (w *World) NoteHelp() { w.note(Change{Kind: ChangedHelp}) }

// note tells of a change and wakes those who wait for one.
func (w *World) note(c Change) {
	w.Hooks.Changed(c)
	w.Notify()
}

// firstUser is the id of the first person or bot after the administrator, who is 1 as on
// every portal. Smaller ids are rare on real portals, and Express reads the keys of a form
// that are smaller than 100 as places in a list.
const firstUser = 101

// New returns a world with one user, the administrator.
func New(around Hooks, lookup func(name string) Method) *World {
	w := &World{
		Hooks:    around,
		Lookup:   lookup,
		Users:    map[imbot.ID]*User{},
		Bots:     map[imbot.ID]*Bot{},
		Chats:    map[imbot.ID]*Chat{},
		Private:  map[Pair]*Chat{},
		Messages: map[imbot.ID]*Message{},
		Commands: map[imbot.ID]*Command{},
		ChatApps: map[imbot.ID]*ChatApp{},
		Apps:     map[string]*Application{},
		Lines:    map[imbot.ID]*Line{},
		Sessions: map[imbot.ID]*Session{},
		Files:    map[imbot.ID]*File{},
		Inboxes:  map[imbot.ID]*Inbox{},
		UUIDs:    map[string]SentBefore{},
		Other:    map[Doubt]bool{},
		lastChat: 1000,
		lastMsg:  50000,
		LastApp:  500,
		LastCmd:  700,
		lastBind: 400,

		lastLine:    30,
		lastSession: 300,
		lastFile:    9000,
	}
	w.AddUser("Portal", "Administrator")
	w.lastUser = firstUser - 1
	return w
}

// Close stops what the world does by itself and lets nobody wait any longer.
func (w *World) Close() {
	w.Closed = true
	w.stopAllTyping()
	w.stopAllSessions()
	w.Notify()
}

// ErrClosed is the error of everything that is asked of a closed portal.
var ErrClosed = errors.New("imbottest: the portal is closed")

// Await waits until done returns true. It calls done under the lock, again after every
// change.
func (w *World) Await(ctx context.Context, done func() bool) error {
	for {
		w.Lock()
		if done() {
			w.Unlock()
			return nil
		}
		if w.Closed {
			w.Unlock()
			return ErrClosed
		}
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		w.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Notify wakes everybody who waits in Await.
func (w *World) Notify() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// SortedIDs returns the keys of a map in their order.
func SortedIDs[V any](m map[imbot.ID]V) []imbot.ID { return slices.Sorted(maps.Keys(m)) }

// RandomHex returns n random bytes in hexadecimal digits.
func RandomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
