package poll

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// at is a time of a test.
func at(seconds float64) time.Time {
	return time.Unix(1_800_000_000, 0).Add(time.Duration(seconds * float64(time.Second)))
}

// A step is something that happens to a window.
type step func(*window[string])

// page is a good poll.
func page(began float64, offset int64, more bool, ids ...int64) step {
	return func(w *window[string]) {
		var last int64
		if len(ids) > 0 {
			last = ids[len(ids)-1]
		}
		w.passed(at(began), offset, len(ids), last, more)
		for _, id := range ids {
			w.enter(id, at(began+0.1), openItem[string]{})
		}
	}
}

// returned ends callbacks.
func returned(ids ...int64) step {
	return func(w *window[string]) {
		for _, id := range ids {
			w.close(id)
		}
	}
}

func TestWhatMayBeAcknowledged(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		steps  []step
		offset int64
	}{
		"nothing was polled":                               {nil, 0},
		"an empty queue":                                   {[]step{page(0, 0, false)}, 0},
		"an event that was just seen":                      {[]step{page(0, 0, false, 7), returned(7)}, 0},
		"time alone settles nothing":                       {[]step{page(0, 0, false, 7), returned(7), page(3, 0, false, 7)}, 0},
		"a poll 3 s after it was seen does":                {[]step{page(0, 0, false, 7), returned(7), page(3.1, 0, false, 7)}, 8},
		"also when that shows it no more":                  {[]step{page(0, 0, false, 7), returned(7), page(3.1, 0, false)}, 8},
		"a page that ends below it does not":               {[]step{page(0, 0, false, 7), returned(7), page(3.1, 0, true, 4, 5), returned(4, 5)}, 0},
		"one that was seen later waits":                    {[]step{page(0, 0, false, 7), page(2, 0, false, 7, 9), returned(7, 9), page(4, 0, false, 7, 9)}, 8},
		"a lower one that was seen later goes along":       {[]step{page(0, 0, false, 7), page(3.1, 0, false, 5, 7), returned(5, 7)}, 8},
		"but not while it is open":                         {[]step{page(0, 0, false, 7), page(3.1, 0, false, 5, 7), returned(7)}, 5},
		"an open one holds up those above it":              {[]step{page(0, 0, false, 7, 8, 9), returned(7, 9), page(4, 0, false, 7, 8, 9)}, 8},
		"what was acknowledged stays so":                   {[]step{page(0, 0, false, 7), returned(7), page(4, 0, false, 7), page(6, 8, false)}, 8},
		"one far below what was acknowledged is open":      {[]step{page(0, 0, false, 7), returned(7), page(4, 0, false, 7), page(6, 8, false, 3)}, 0},
		"and is settled like any other":                    {[]step{page(0, 0, false, 7), returned(7), page(4, 0, false, 7), page(6, 8, false, 3), returned(3), page(10, 0, false, 3)}, 4},
		"a failed poll between two good ones is no matter": {[]step{page(0, 0, false, 7), returned(7), page(60, 0, false, 7)}, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w window[string]
			for _, step := range row.steps {
				step(&w)
			}
			require.Equal(t, row.offset, w.offset())
		})
	}
}

func TestAnAcknowledgedEventThatIsShownAgainIsNotNew(t *testing.T) {
	t.Parallel()
	var w window[string]
	for i := range 100 { // the queue shows the same page for ever
		fresh := 0
		for _, id := range []int64{5, 6, 7} {
			if w.enter(id, at(float64(2*i)), openItem[string]{}) {
				fresh++
				w.close(id)
			}
		}
		require.Equal(t, i == 0, fresh == 3)
		w.passed(at(float64(2*i)+1), w.offset(), 3, 7, true)
	}
	require.LessOrEqual(t, len(w.past)+len(w.seen), 6)
}

func TestAnIdleWindowHoldsNothing(t *testing.T) {
	t.Parallel()
	var w window[string]
	page(0, 0, false, 1, 2, 3)(&w)
	returned(1, 2, 3)(&w)
	page(4, 0, false, 1, 2, 3)(&w)
	page(6, w.offset(), false)(&w)
	require.Nil(t, w.seen)
	require.Nil(t, w.open)
	require.Len(t, w.past, 3, "which a queue that shows them again must not run again")
}

func TestThePageLeavesRoomForNewEvents(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ seen, base, most, limit int }{
		"nothing is open":              {0, 100, 1000, 100},
		"a few are":                    {40, 100, 1000, 100},
		"half a page is":               {51, 100, 1000, 200},
		"a page is":                    {100, 100, 1000, 200},
		"nearly as much as there can":  {700, 100, 1000, 800},
		"as much as there can":         {1000, 100, 1000, 1000},
		"one of fifty bots":            {0, 2, 1000, 2},
		"one of fifty in conversation": {5, 2, 1000, 8},
		"pages were too long":          {100, 100, 60, 60},
		"one event was too long":       {0, 1, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := window[string]{seen: make([]entry, row.seen)}
			require.Equal(t, row.limit, w.limit(row.base, row.most))
		})
	}
}

func TestEventsWithoutANumberGetOne(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		ids  []int64
		next int64
		want []int64
	}{
		"all have one":                 {[]int64{3, 5, 9}, 10, []int64{3, 5, 9}},
		"the portal's order is wrong":  {[]int64{9, 3, 5}, 10, []int64{3, 5, 9}},
		"one between others":           {[]int64{3, 0, 9}, 10, []int64{3, 8, 9}},
		"neighbours":                   {[]int64{3, 0, 0, 6}, 7, []int64{3, 4, 5, 6}},
		"the last one":                 {[]int64{3, 0}, 10, []int64{3, 9}},
		"the last one, and no next":    {[]int64{3, 0}, 0, []int64{0, 3}},
		"none":                         {[]int64{0, 0}, 0, []int64{0, 0}},
		"one below zero":               {[]int64{-4, 9}, 10, []int64{8, 9}},
		"one with no number above it":  {[]int64{3, math.MaxInt64}, 10, []int64{3, 9}},
		"an empty page":                {nil, 7, nil},
		"next is not what it is to be": {[]int64{3, 5}, 1, []int64{3, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var items []Item[string]
			for _, id := range row.ids {
				items = append(items, Item[string]{ID: id})
			}
			number(items, row.next)
			var got []int64
			for _, it := range items {
				got = append(got, it.ID)
			}
			require.Equal(t, row.want, got)
		})
	}
}
