package storetest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

// StateStore checks a [driver.StateStore].
func StateStore(t *testing.T, open func(testing.TB) driver.StateStore) {
	t.Helper()
	run(t, stateChecks, open)
}

var stateChecks = []check[driver.StateStore]{
	{"a state is stored, replaced and deleted, for all processes", statesAreShared},
	{"Swap needs the state that is there", statesSwap},
	{"bytes come back as they were", statesComeBack},
	{"the caller's slices stay the caller's", statesAreCopies},
	{"one of many swaps wins", statesContend},
	{"a state ends after its time, and not before", statesEnd},
	{"the time of a state begins anew with each swap", statesLive},
	{"ended contexts are obeyed", statesObey},
}

// has requires that a store has a state; nil: none.
func has(t testing.TB, s driver.StateStore, key string, expected []byte) {
	t.Helper()
	value, err := s.Load(t.Context(), key)
	if expected == nil {
		want(t, "Load of a key that is not there", err, imbot.ErrNotFound)
		return
	}
	want(t, "Load", err, nil)
	if !bytes.Equal(value, expected) {
		t.Fatalf("Load: %d bytes that differ from the %d stored ones", len(value), len(expected))
	}
}

func statesAreShared(t testing.TB, open func() driver.StateStore) {
	ctx, key := t.Context(), newKey()
	a, b := open(), open()
	has(t, a, key, nil)
	want(t, "insert", a.Swap(ctx, key, nil, []byte("one"), time.Hour), nil)
	has(t, a, key, []byte("one"))
	has(t, b, key, []byte("one"))
	want(t, "replace", b.Swap(ctx, key, []byte("one"), []byte("two"), time.Hour), nil)
	has(t, a, key, []byte("two"))
	has(t, open(), key, []byte("two"))
	want(t, "delete", a.Swap(ctx, key, []byte("two"), nil, time.Hour), nil)
	has(t, b, key, nil)
	has(t, open(), key, nil)
	want(t, "insert again", b.Swap(ctx, key, nil, []byte("three"), time.Hour), nil)
	has(t, a, key, []byte("three"))
}

func statesSwap(t testing.TB, open func() driver.StateStore) {
	ctx, key, other := t.Context(), newKey(), newKey()
	s := open()
	one, two := []byte("one"), []byte("two")
	want(t, "replacing what is not there", s.Swap(ctx, key, one, two, time.Hour), imbot.ErrConflict)
	want(t, "deleting what is not there", s.Swap(ctx, key, one, nil, time.Hour), imbot.ErrConflict)
	has(t, s, key, nil)
	want(t, "insert", s.Swap(ctx, key, nil, one, time.Hour), nil)
	want(t, "insert of another key", s.Swap(ctx, other, nil, two, time.Hour), nil)
	want(t, "inserting over what is there", s.Swap(ctx, key, nil, two, time.Hour), imbot.ErrConflict)
	want(t, "replacing another state", s.Swap(ctx, key, two, one, time.Hour), imbot.ErrConflict)
	want(t, "deleting another state", s.Swap(ctx, key, two, nil, time.Hour), imbot.ErrConflict)
	want(t, "replacing the beginning of a state", s.Swap(ctx, key, []byte("on"), two, time.Hour), imbot.ErrConflict)
	has(t, s, key, one)
	want(t, "delete", s.Swap(ctx, key, one, nil, time.Hour), nil)
	has(t, s, other, two)
}

func statesComeBack(t testing.TB, open func() driver.StateStore) {
	s := open()
	for what, value := range map[string][]byte{
		"JSON":            []byte(`{"step":"size","text":"ключ 😀"}`),
		"NUL and not UTF": {'a', 0, 0xff, 0xfe, '\n', 0, '\r', '\n'},
		"64 KiB":          bytes.Repeat([]byte("0123456789abcde\n"), 4096),
	} {
		key := newKey()
		want(t, "insert of "+what, s.Swap(t.Context(), key, nil, value, time.Hour), nil)
		has(t, open(), key, value)
		want(t, "replacing "+what, s.Swap(t.Context(), key, value, []byte("next"), time.Hour), nil)
	}
}

func statesAreCopies(t testing.TB, open func() driver.StateStore) {
	s, key := open(), newKey()
	value := []byte("one")
	want(t, "insert", s.Swap(t.Context(), key, nil, value, time.Hour), nil)
	value[0] = 'x'
	has(t, s, key, []byte("one"))
	loaded, err := s.Load(t.Context(), key)
	want(t, "Load", err, nil)
	loaded[0] = 'x'
	has(t, s, key, []byte("one"))
}

func statesContend(t testing.TB, open func() driver.StateStore) {
	processes := []driver.StateStore{open(), open()}
	key := newKey()
	contend(t, imbot.ErrConflict, func(process, i int) error {
		return processes[process].Swap(t.Context(), key, nil, fmt.Append(nil, "inserted ", i), time.Hour)
	})
	held, err := processes[0].Load(t.Context(), key)
	want(t, "Load", err, nil)
	contend(t, imbot.ErrConflict, func(process, i int) error {
		return processes[process].Swap(t.Context(), key, held, fmt.Append(nil, "replaced ", i), time.Hour)
	})
}

// slack is what the clock of an engine may be coarser than that of the test.
const slack = 20 * time.Millisecond

func statesEnd(t testing.TB, open func() driver.StateStore) {
	const ttl = time.Second
	ctx, key := t.Context(), newKey()
	a, b := open(), open()
	begun := time.Now()
	want(t, "insert", a.Swap(ctx, key, nil, []byte("one"), ttl), nil)
	stored := time.Now()
	for {
		_, err := b.Load(ctx, key)
		asked := time.Now()
		if err != nil {
			want(t, "Load", err, imbot.ErrNotFound)
			if asked.Sub(begun) < ttl-slack {
				t.Fatalf("a state that was stored for %v is gone after %v", ttl, asked.Sub(begun))
			}
			break
		}
		if asked.Sub(stored) > 2*ttl+patience/10 {
			t.Fatalf("a state that was stored for %v is still there after %v", ttl, asked.Sub(stored))
		}
		time.Sleep(ttl / 20)
	}
	has(t, a, key, nil)
	want(t, "replacing a state whose time is up", a.Swap(ctx, key, []byte("one"), []byte("two"), time.Hour), imbot.ErrConflict)
	want(t, "inserting over a state whose time is up", a.Swap(ctx, key, nil, []byte("three"), time.Hour), nil)
	has(t, b, key, []byte("three"))
}

func statesLive(t testing.TB, open func() driver.StateStore) {
	const ttl = 2 * time.Second
	ctx, longer, shorter := t.Context(), newKey(), newKey()
	s := open()
	want(t, "insert for a short time", s.Swap(ctx, longer, nil, []byte("one"), ttl), nil)
	want(t, "replace for a long time", s.Swap(ctx, longer, []byte("one"), []byte("two"), time.Hour), nil)
	want(t, "insert for a long time", s.Swap(ctx, shorter, nil, []byte("one"), time.Hour), nil)
	want(t, "replace for a short time", s.Swap(ctx, shorter, []byte("one"), []byte("two"), ttl), nil)
	time.Sleep(ttl + ttl/2)
	has(t, s, longer, []byte("two"))
	has(t, s, shorter, nil)
}

func statesObey(t testing.TB, open func() driver.StateStore) {
	s, key := open(), newKey()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	want(t, "Swap with an ended context", s.Swap(ended, key, nil, []byte("x"), time.Hour), context.Canceled)
	_, err := s.Load(ended, key)
	want(t, "Load with an ended context", err, context.Canceled)
	has(t, s, key, nil)
}
