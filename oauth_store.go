package imbot

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"sync"
)

// TokenStore keeps the grants of an application, one for each portal. It must be
// safe for concurrent use; when several processes share it, Swap has to be
// atomic between them.
//
// Load returns [ErrNotFound] for a portal that it does not know. Swap replaces
// old by new if old is what it holds, and returns [ErrConflict] otherwise. A
// zero old inserts, a zero new deletes.
//
// Swap(g, g) does all the work of a write, and fails where one would: a store that is
// full or only reads has to say so before the token server is asked, which uses up the
// refresh token. So do not return early for equal grants, and keep room for another
// one where the store can. When it holds g the result is nil; MySQL, which counts no
// row for an UPDATE that changes nothing, has to be told to count what it finds.
//
// Write a grant with [Grant.Encode] and read it with [DecodeGrant]: encoding/json
// and fmt leave its tokens out. Compare two by their encodings.
//
// A store that several processes share should also be a [TokenLocker], and one whose
// portals are polled a [TokenLister].
type TokenStore interface {
	Load(ctx context.Context, memberID string) (Grant, error)
	Swap(ctx context.Context, old, new Grant) error
}

// TokenLocker is what a [TokenStore] may be, too. The lock of a portal is held while
// its tokens are renewed, three minutes at most, and no other process may get it
// meanwhile. It must end with the process that holds it.
//
// With a store that cannot lock, two processes may renew at once. The token server
// refuses the slower one, which then waits up to five seconds for the other to store
// its pair. If that takes longer, the calls that wait fail with [ErrReinstall], although
// the next ones work.
type TokenLocker interface {
	Lock(ctx context.Context, memberID string) (unlock func(), err error)
}

// TokenLister is what a [TokenStore] may be, too: it tells which portals have a grant, to
// begin with after a restart. A portal that is stored or removed meanwhile may be
// there or not. An error ends the sequence.
type TokenLister interface {
	Members(ctx context.Context) iter.Seq2[string, error]
}

// swapKey checks the arguments of Swap and returns whose grant is meant.
func swapKey(old, new Grant) (memberID string, err error) {
	switch {
	case old == Grant{} && new == Grant{}:
		return "", invalid("", "TokenStore.Swap: both grants are zero")
	case old == Grant{}:
		memberID = new.MemberID
	case new == Grant{}, old.MemberID == new.MemberID:
		memberID = old.MemberID
	}
	if memberID == "" {
		return "", invalid("", "TokenStore.Swap: the grants have no MemberID or different ones")
	}
	return memberID, nil
}

// swappable returns [ErrConflict] unless stored is equal to old. A zero grant stands
// for none.
func swappable(stored, old Grant) error {
	if (stored == Grant{}) != (old == Grant{}) || !stored.equal(old) {
		return ErrConflict
	}
	return nil
}

// NewMemoryStore returns a store that forgets everything with the process: for
// tests and first steps.
func NewMemoryStore() TokenStore { return &memoryStore{grants: map[string]Grant{}} }

type memoryStore struct {
	mu     sync.Mutex
	grants map[string]Grant
}

// Format implements [fmt.Formatter]; fmt would print what the map holds.
func (s *memoryStore) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbot.memoryStore{***}") }

var _ TokenLister = (*memoryStore)(nil)

// Members implements [TokenLister].
func (s *memoryStore) Members(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		s.mu.Lock()
		members := slices.Sorted(maps.Keys(s.grants))
		s.mu.Unlock()
		for _, member := range members {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(member, nil) {
				return
			}
		}
	}
}

func (s *memoryStore) Load(ctx context.Context, memberID string) (Grant, error) {
	if err := ctx.Err(); err != nil {
		return Grant{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.grants[memberID]
	if !ok {
		return Grant{}, ErrNotFound
	}
	return g, nil
}

func (s *memoryStore) Swap(ctx context.Context, old, new Grant) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	memberID, err := swapKey(old, new)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := swappable(s.grants[memberID], old); err != nil {
		return err
	}
	if new == (Grant{}) {
		delete(s.grants, memberID)
	} else {
		s.grants[memberID] = new
	}
	return nil
}
