package imbottest

import (
	"context"
	"errors"

	"github.com/imbot-go/imbot"
)

// ChangeKind says what changed.
type ChangeKind string

// What a person sees change.
const (
	ChangeMessage  ChangeKind = "message"  // a new, changed or deleted message
	ChangeDialog   ChangeKind = "dialog"   // a new dialog, its title, color, picture or members
	ChangeLeft     ChangeKind = "left"     // the person is in the dialog no more
	ChangeUser     ChangeKind = "user"     // a person or bot came, changed or went
	ChangeTyping   ChangeKind = "typing"   // somebody writes, or has stopped
	ChangeHelp     ChangeKind = "help"     // the commands and chat applications of bots
	ChangeExchange ChangeKind = "exchange" // a call or the delivery of an event began or ended
)

// A Change is what one person sees change, with how it is now: several changes
// of one thing are one.
type Change struct {
	Seq      int64 // for the next [Portal.Changes]
	Kind     ChangeKind
	DialogID imbot.DialogID // of a message, of who left and who writes

	Message  *Message // with its parts in [Message.Wire] only
	Gone     bool     // the message was deleted without a trace; it has nothing but its ids
	Dialog   *Dialog
	User     *User // of users and of who writes
	Typing   bool
	Exchange *Exchange // without its bodies
}

// ErrMissed is returned by [Portal.Changes] when changes are forgotten already,
// or are those of another portal.
var ErrMissed = errors.New("imbottest: changes were missed")

// maxFeed is how many changes are remembered.
const maxFeed = 1 << 14

// feedEntry is a change as it is remembered; who sees what of it is found out when
// somebody asks.
type feedEntry struct {
	kind                ChangeKind
	chat, message, user imbot.ID
	exchange            int64
}

// changeFeed are the last changes. Each portal begins to count somewhere else, at a
// multiple of maxNotes, so that the numbers of one that ran before are noticed.
type changeFeed struct {
	ring []feedEntry // the note n has the place (n-1) % maxNotes
	last int64
}

// addToFeed remembers a change and wakes who waits for one; the lock is held.
func (p *Portal) addToFeed(n feedEntry) {
	if len(p.feed.ring) < maxFeed {
		p.feed.ring = append(p.feed.ring, n)
	} else {
		p.feed.ring[p.feed.last%maxFeed] = n
	}
	p.feed.last++
	p.notify()
}

func (p *Portal) noteDialog(c *chat) { p.addToFeed(feedEntry{kind: ChangeDialog, chat: c.id}) }

func (p *Portal) noteMessage(m *message) {
	p.addToFeed(feedEntry{kind: ChangeMessage, chat: m.ChatID, message: m.ID})
}

func (p *Portal) noteUser(id imbot.ID) { p.addToFeed(feedEntry{kind: ChangeUser, user: id}) }
func (p *Portal) noteHelp()            { p.addToFeed(feedEntry{kind: ChangeHelp}) }

// Changed returns the number of the latest change, for the first
// [Portal.Changes].
func (p *Portal) Changed() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.feed.last
}

// Changes waits until a person sees something new behind the change after, and
// returns all of that in its order. The last 16384 changes of the portal are
// remembered; with an older one the error is [ErrMissed], and the person has to
// look at everything anew.
func (p *Portal) Changes(ctx context.Context, user imbot.ID, after int64) ([]Change, error) {
	for {
		var seen []Change
		missed := false
		err := p.await(ctx, func() bool {
			if p.closed {
				return false
			}
			oldest := p.feed.last - int64(len(p.feed.ring))
			if missed = after < oldest || after > p.feed.last; missed || after == p.feed.last {
				return missed
			}
			seen = p.changesFor(user, after)
			after = p.feed.last
			return true
		})
		switch {
		case err != nil:
			return nil, err
		case missed:
			return nil, ErrMissed
		case len(seen) > 0:
			seen[len(seen)-1].Seq = after // what came later is part of it
			return seen, nil
		}
	}
}

// changesFor is what a person sees of the notes behind after; the lock is held.
func (p *Portal) changesFor(user imbot.ID, after int64) []Change {
	var seen []Change
	done := map[feedEntry]bool{} // what is told already; the order is that of the first times
	for n := after + 1; n <= p.feed.last; n++ {
		noted := p.feed.ring[(n-1)%maxFeed]
		left := noted.kind == ChangeLeft
		if left {
			noted = feedEntry{kind: ChangeDialog, chat: noted.chat}
		}
		if done[noted] {
			continue
		}
		found, ok := p.changeFor(user, noted)
		if !ok && left && p.feed.ring[(n-1)%maxFeed].user == user {
			found, ok = Change{Kind: ChangeLeft, DialogID: imbot.ChatDialog(noted.chat)}, true
		}
		if !ok {
			continue
		}
		done[noted] = true
		found.Seq = n
		seen = append(seen, found)
		private := p.private[pairOf(user, noted.user)]
		if noted.kind != ChangeUser || private == nil || done[feedEntry{kind: ChangeDialog, chat: private.id}] {
			continue
		}
		done[feedEntry{kind: ChangeDialog, chat: private.id}] = true
		dialog := p.dialog(private, user) // it has the name as title
		seen[len(seen)-1].Seq--           // who has seen only the user sees both again
		seen = append(seen, Change{Seq: n, Kind: ChangeDialog, DialogID: dialog.ID, Dialog: &dialog})
	}
	return seen
}

// changeFor is a change as a person sees it; ok is false when that person does not.
func (p *Portal) changeFor(user imbot.ID, n feedEntry) (c Change, ok bool) {
	c.Kind = n.kind
	chat := p.chats[n.chat]
	if chat != nil {
		member := chat.member(user)
		if member == nil || n.message != 0 && n.message <= member.since {
			return c, false
		}
		c.DialogID = p.dialogOf(chat, user)
	}
	switch n.kind {
	case ChangeMessage:
		message := Message{ID: n.message, ChatID: n.chat, Deleted: true}
		if m := p.messages[n.message]; m != nil {
			message = m.withoutParts()
		} else {
			c.Gone = true
		}
		c.Message = &message
	case ChangeDialog:
		dialog := p.dialog(chat, user)
		c.Dialog = &dialog
	case ChangeTyping:
		c.Typing = chat.typing[n.user] != nil
		fallthrough
	case ChangeUser:
		found := p.user(n.user)
		c.User = &found
	case ChangeExchange:
		x := p.log.find(n.exchange)
		if x == nil {
			return c, false
		}
		summary := x.Exchange
		c.Exchange = &summary
	}
	return c, true
}
