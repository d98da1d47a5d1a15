package storetest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
)

// TokenStore checks an [imbot.TokenStore], and what else it is: an [imbot.TokenLocker], an
// [imbot.TokenLister].
//
// It cannot check that Swap(g, g) fails where a write would: try that with an engine that is
// full or only reads.
func TokenStore(t *testing.T, open func(testing.TB) imbot.TokenStore) {
	t.Helper()
	run(t, tokenChecks, open)
}

var tokenChecks = []check[imbot.TokenStore]{
	{"a grant is stored, replaced and deleted, for all processes", tokensAreShared},
	{"Swap needs the grant that is there", tokensSwap},
	{"a grant comes back as it was, whatever its portal sends", tokensComeBack},
	{"one of many swaps wins", tokensContend},
	{"swapping a grant for itself is a swap", tokensSame},
	{"what is no swap is refused, and ended contexts are obeyed", tokensRefuse},
	{"Lock keeps other processes out of one portal", tokensLock},
	{"Members tells every portal once", tokensMembers},
}

func grant(member, access string) imbot.Grant {
	return imbot.Grant{
		MemberID: member, Domain: "one.bitrix24.com", ClientEndpoint: "https://one.bitrix24.com/rest/",
		ServerEndpoint: "https://oauth.bitrix24.tech/rest/", AccessToken: access, RefreshToken: "refresh of " + access,
		Expires: time.Now().Add(time.Hour).UTC().Truncate(time.Second), UserID: 1, Scope: "imbot,im", Status: "L", ApplicationToken: "token",
	}
}

// loads requires that a store has a grant; a zero one: none.
func loads(t testing.TB, s imbot.TokenStore, member string, expected imbot.Grant) {
	t.Helper()
	g, err := s.Load(t.Context(), member)
	if expected == (imbot.Grant{}) {
		want(t, "Load of a portal that is not there", err, imbot.ErrNotFound)
		return
	}
	want(t, "Load", err, nil)
	if !bytes.Equal(g.Encode(), expected.Encode()) {
		t.Fatalf("Load: another grant than the stored one (portal %q instead of %q)", g.MemberID, expected.MemberID)
	}
}

func tokensAreShared(t testing.TB, open func() imbot.TokenStore) {
	ctx, none, member := t.Context(), imbot.Grant{}, newKey()
	a, b := open(), open()
	one, two := grant(member, "one"), grant(member, "two")
	loads(t, a, member, none)
	want(t, "insert", a.Swap(ctx, none, one), nil)
	loads(t, a, member, one)
	loads(t, b, member, one)
	want(t, "replace", b.Swap(ctx, one, two), nil)
	loads(t, a, member, two)
	loads(t, open(), member, two)
	want(t, "delete", a.Swap(ctx, two, none), nil)
	loads(t, b, member, none)
	loads(t, open(), member, none)
	want(t, "insert again", b.Swap(ctx, none, one), nil)
	loads(t, a, member, one)
}

func tokensSwap(t testing.TB, open func() imbot.TokenStore) {
	ctx, none, member, other := t.Context(), imbot.Grant{}, newKey(), newKey()
	s := open()
	one, two := grant(member, "one"), grant(member, "two")
	want(t, "replacing what is not there", s.Swap(ctx, one, two), imbot.ErrConflict)
	want(t, "deleting what is not there", s.Swap(ctx, one, none), imbot.ErrConflict)
	loads(t, s, member, none)
	want(t, "insert", s.Swap(ctx, none, one), nil)
	want(t, "insert of another portal", s.Swap(ctx, none, grant(other, "other")), nil)
	want(t, "inserting over what is there", s.Swap(ctx, none, two), imbot.ErrConflict)
	want(t, "replacing another grant", s.Swap(ctx, two, one), imbot.ErrConflict)
	want(t, "deleting another grant", s.Swap(ctx, two, none), imbot.ErrConflict)
	later := one
	later.Expires = one.Expires.Add(time.Second)
	want(t, "replacing a grant of which one field differs", s.Swap(ctx, later, two), imbot.ErrConflict)
	loads(t, s, member, one)
	want(t, "delete", s.Swap(ctx, one, none), nil)
	if g, err := s.Load(ctx, other); err != nil || g.AccessToken != "other" {
		t.Fatalf("the grant of another portal is gone with this one: %v", err)
	}
}

func tokensComeBack(t testing.TB, open func() imbot.TokenStore) {
	s := open()
	base := newKey()
	for _, member := range []string{base, base + "/../../x", base + `%2e"'\;--`, base + " ключ 😀", base + "A", base + "a", base + string(bytes.Repeat([]byte("x"), 300))} {
		g := grant(member, `"quoted" ключ <&> 'x' \ 😀`)
		g.Scope = string(bytes.Repeat([]byte("scope,"), 2000))
		want(t, fmt.Sprintf("insert of the portal %q", member), s.Swap(t.Context(), imbot.Grant{}, g), nil)
		loads(t, s, member, g)
		loads(t, open(), member, g)
		stored, err := s.Load(t.Context(), member)
		want(t, "Load", err, nil)
		want(t, "what was loaded can be swapped", s.Swap(t.Context(), stored, grant(member, "next")), nil)
	}
}

func tokensContend(t testing.TB, open func() imbot.TokenStore) {
	processes := []imbot.TokenStore{open(), open()}
	member := newKey()
	contend(t, imbot.ErrConflict, func(process, i int) error {
		return processes[process].Swap(t.Context(), imbot.Grant{}, grant(member, fmt.Sprint("inserted ", i)))
	})
	held, err := processes[0].Load(t.Context(), member)
	want(t, "Load", err, nil)
	contend(t, imbot.ErrConflict, func(process, i int) error {
		return processes[process].Swap(t.Context(), held, grant(member, fmt.Sprint("replaced ", i)))
	})
}

func tokensSame(t testing.TB, open func() imbot.TokenStore) {
	s := open()
	g := grant(newKey(), "one")
	want(t, "a grant that is not there for itself", s.Swap(t.Context(), g, g), imbot.ErrConflict)
	loads(t, s, g.MemberID, imbot.Grant{})
	want(t, "insert", s.Swap(t.Context(), imbot.Grant{}, g), nil)
	want(t, "a grant for itself", s.Swap(t.Context(), g, g), nil)
	other := grant(g.MemberID, "two")
	want(t, "another grant for itself", s.Swap(t.Context(), other, other), imbot.ErrConflict)
	loads(t, s, g.MemberID, g)
}

func tokensRefuse(t testing.TB, open func() imbot.TokenStore) {
	s, member := open(), newKey()
	want(t, "nothing for nothing", s.Swap(t.Context(), imbot.Grant{}, imbot.Grant{}), imbot.ErrInvalid)
	want(t, "a grant without a MemberID", s.Swap(t.Context(), imbot.Grant{}, imbot.Grant{AccessToken: "x"}), imbot.ErrInvalid)
	want(t, "the grants of two portals", s.Swap(t.Context(), grant(member, "x"), grant(newKey(), "x")), imbot.ErrInvalid)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	want(t, "Swap with an ended context", s.Swap(ended, imbot.Grant{}, grant(member, "x")), context.Canceled)
	_, err := s.Load(ended, member)
	want(t, "Load with an ended context", err, context.Canceled)
	loads(t, s, member, imbot.Grant{})
}

func tokensLock(t testing.TB, open func() imbot.TokenStore) {
	a, is := open().(imbot.TokenLocker)
	if !is {
		t.Skip("the store is no TokenLocker")
	}
	b := open().(imbot.TokenLocker)
	ctx, member := t.Context(), newKey()
	unlock, err := a.Lock(ctx, member)
	want(t, "Lock", err, nil)
	other, err := b.Lock(ctx, newKey())
	want(t, "Lock of another portal", err, nil)
	other()
	for who, process := range map[string]imbot.TokenLocker{"this": a, "another": b} {
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		_, err = process.Lock(short, member)
		cancel()
		want(t, "Lock in "+who+" process, of what is locked", err, context.DeadlineExceeded)
	}
	want(t, "Swap under the lock", a.(imbot.TokenStore).Swap(ctx, imbot.Grant{}, grant(member, "one")), nil)
	got := make(chan error, 1)
	go func() {
		unlock, err := b.Lock(ctx, member)
		if err == nil {
			unlock()
		}
		got <- err
	}()
	unlock()
	select {
	case err := <-got:
		want(t, "Lock of what was unlocked", err, nil)
	case <-time.After(patience):
		t.Fatalf("who waits for a lock does not get it when it is free")
	}
}

func tokensMembers(t testing.TB, open func() imbot.TokenStore) {
	lister, is := open().(imbot.TokenLister)
	if !is {
		t.Skip("the store is no TokenLister")
	}
	s := open()
	stay, gone := newKey(), newKey()
	for _, member := range []string{stay, gone} {
		want(t, "insert", s.Swap(t.Context(), imbot.Grant{}, grant(member, "one")), nil)
	}
	g, err := s.Load(t.Context(), gone)
	want(t, "Load", err, nil)
	want(t, "delete", s.Swap(t.Context(), g, imbot.Grant{}), nil)
	seen := map[string]int{}
	for member, err := range lister.Members(t.Context()) {
		want(t, "Members", err, nil)
		seen[member]++
	}
	if seen[stay] != 1 || seen[gone] != 0 {
		t.Fatalf("Members tells a portal that has a grant %d times, one that was deleted %d times", seen[stay], seen[gone])
	}
	for _, err := range lister.Members(t.Context()) {
		want(t, "Members", err, nil)
		break
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	for _, last = range lister.Members(ended) {
	}
	want(t, "Members with an ended context", last, context.Canceled)
}
