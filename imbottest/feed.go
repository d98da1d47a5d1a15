package imbottest

import (
	"context"
	"errors"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// ChangeKind says what changed.
type ChangeKind string

// What a person sees change.
const (
	ChangeMessage  ChangeKind = "message"  // a new, changed or deleted message
	ChangeDialog   ChangeKind = "dialog"   // a new dialog, its title, color, picture or members
	ChangeLeft     ChangeKind = "left"     // the person is no longer in the dialog
	ChangeUser     ChangeKind = "user"     // a person or bot came, changed or went
	ChangeTyping   ChangeKind = "typing"   // somebody writes, or has stopped
	ChangeHelp     ChangeKind = "help"     // the commands and chat applications of bots
	ChangeExchange ChangeKind = "exchange" // a call or the delivery of an event began or ended
)

// A Change is something that one person sees change, as it is now. Several changes of
// one thing, since the last [Portal.Changes], are one Change.
type Change struct {
	Seq      int64 // the number of the change, for the next [Portal.Changes]
	Kind     ChangeKind
	DialogID imbot.DialogID // where the message is, or who left or writes; not for users

	Message  *Message // with its parts in [Message.Wire] only
	Gone     bool     // the message was deleted without a notice in its place; it has only its ids
	Dialog   *Dialog
	User     *User // who came, changed, went or writes
	Typing   bool
	Exchange *Exchange // without its bodies
}

// ErrMissed is returned by [Portal.Changes] when the portal has forgotten changes that
// were asked for, or when their number is that of another portal.
var ErrMissed = errors.New("imbottest: changes were missed")

// kinds are the kinds of changes of the world.
var kinds = [...]ChangeKind{
	world.ChangedMessage: ChangeMessage, world.ChangedDialog: ChangeDialog, world.ChangedLeft: ChangeLeft,
	world.ChangedUser: ChangeUser, world.ChangedTyping: ChangeTyping, world.ChangedHelp: ChangeHelp,
}

// maxFeed is how many changes a portal remembers.
const maxFeed = 1 << 14

// feedEntry is a change as the portal remembers it: only what changed. What a person
// sees of it is found out when that person asks.
type feedEntry struct {
	kind                ChangeKind
	chat, message, user imbot.ID
	exchange            int64
}

// changeFeed are the last changes. Each portal begins to count at another multiple of
// maxFeed, so that a number of a portal that ran before is recognised as a wrong one.
type changeFeed struct {
	ring []feedEntry // change n is at the index (n-1) % maxFeed
	last int64
}

func (f *changeFeed) add(n feedEntry) {
	if len(f.ring) < maxFeed {
		f.ring = append(f.ring, n)
	} else {
		f.ring[f.last%maxFeed] = n
	}
	f.last++
}

// addToFeed adds a change and wakes those who wait for one; the lock is held.
func (p *Portal) addToFeed(n feedEntry) {
	p.feed.add(n)
	p.w.Notify()
}

// Changed returns the number of the latest change, for the first
// [Portal.Changes].
func (p *Portal) Changed() int64 {
	p.w.Lock()
	defer p.w.Unlock()
	return p.feed.last
}

// Changes waits until there are changes that a person sees, after the change with the
// number after, and returns all of them in their order. The portal remembers the last
// 16384 changes; with an older number the error is [ErrMissed], and everything has to
// be read anew.
func (p *Portal) Changes(ctx context.Context, user imbot.ID, after int64) ([]Change, error) {
	for {
		var seen []Change
		missed := false
		err := p.w.Await(ctx, func() bool {
			if p.w.Closed {
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
			seen[len(seen)-1].Seq = after // later changes, which this person does not see, need not be looked at again
			return seen, nil
		}
	}
}

// changesFor returns what a person sees of the changes after a number; the lock is
// held.
func (p *Portal) changesFor(user imbot.ID, after int64) []Change {
	var seen []Change
	wrote := map[feedEntry]int64{} // who writes stands where that changed last, because a message in between ends it
	for n := after + 1; n <= p.feed.last; n++ {
		if noted := p.feed.ring[(n-1)%maxFeed]; noted.kind == ChangeTyping {
			wrote[noted] = n
		}
	}
	done := map[feedEntry]bool{} // what is in the result already: everything else stands where it changed first
	for n := after + 1; n <= p.feed.last; n++ {
		noted := p.feed.ring[(n-1)%maxFeed]
		if noted.kind == ChangeTyping && n != wrote[noted] {
			continue
		}
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
		private := p.w.Private[world.PairOf(user, noted.user)]
		if noted.kind != ChangeUser || private == nil || done[feedEntry{kind: ChangeDialog, chat: private.ID}] {
			continue
		}
		done[feedEntry{kind: ChangeDialog, chat: private.ID}] = true
		dialog := p.dialog(private, user) // changes, too, because the user's name is its title
		seen[len(seen)-1].Seq--           // both have the same number: who goes on after the user gets both again
		seen = append(seen, Change{Seq: n, Kind: ChangeDialog, DialogID: dialog.ID, Dialog: &dialog})
	}
	return seen
}

// changeFor is a change as a person sees it. ok is false when that person does not see
// it.
func (p *Portal) changeFor(user imbot.ID, n feedEntry) (c Change, ok bool) {
	c.Kind = n.kind
	chat := p.w.Chats[n.chat]
	if chat != nil {
		member := chat.Member(user)
		if member == nil || n.message != 0 && n.message <= member.Since {
			return c, false
		}
		c.DialogID = p.w.DialogOf(chat, user)
	}
	switch n.kind {
	case ChangeMessage:
		message := Message{ID: n.message, ChatID: n.chat, Deleted: true}
		if m := p.w.Messages[n.message]; m != nil {
			if !p.w.Shows(m, user) {
				return c, false
			}
			message = withoutParts(m)
		} else {
			c.Gone = true
		}
		c.Message = &message
	case ChangeDialog:
		dialog := p.dialog(chat, user)
		c.Dialog = &dialog
	case ChangeTyping:
		c.Typing = chat.Typing[n.user] != nil
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
