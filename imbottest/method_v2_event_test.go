package imbottest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// queuePortal is a portal on which Anna talks to a bot that fetches its events.
type queuePortal struct {
	*imbottest.Portal
	anna, bot imbot.ID
}

// inQueue runs a test with a queue in a bubble. The queue is empty, and nobody has asked for
// it yet.
func inQueue(t *testing.T, test func(*testing.T, queuePortal), opts ...imbottest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal(opts...)
		defer portal.Close()
		prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"three","code":"gamma","properties":{"name":"Gamma"}}}`)
		q := queuePortal{portal, portal.AddUser("Anna", "Ivanova"), 101}
		require.NoError(t, portal.Open(t.Context(), q.anna, q.bot))
		time.Sleep(time.Hour) // late events, too, are visible
		q.get(t, fmt.Sprintf(`,"offset":%d`, q.get(t, "").NextOffset))
		time.Sleep(time.Hour)
		test(t, q)
	})
}

func (q queuePortal) get(t *testing.T, more string) page {
	t.Helper()
	return fetchAs(t, q.Portal, `"botToken":"three","botId":101`, more)
}

// say writes n messages.
func (q queuePortal) say(t *testing.T, n int) {
	t.Helper()
	for range n {
		_, err := q.Say(t.Context(), q.anna, imbot.UserDialog(q.bot), "hi")
		require.NoError(t, err)
	}
}

func (p page) ids() (ids []int64) {
	for _, e := range p.Events {
		ids = append(ids, e.EventID)
	}
	return ids
}

func TestAQueueKeepsEventsUntilTheyAreAcknowledged(t *testing.T) {
	t.Parallel()
	inQueue(t, func(t *testing.T, q queuePortal) {
		q.say(t, 3)
		all := q.get(t, "")
		require.Equal(t, page{all.Events, all.Events[2].EventID + 1, false}, all)
		require.Equal(t, []string{"MESSAGEADD", "MESSAGEADD", "MESSAGEADD"}, all.names())
		require.Equal(t, all, q.get(t, ""), "nothing was acknowledged")
		require.Equal(t, all.Events[:1], q.get(t, `,"limit":1`).Events)
		rest := q.get(t, fmt.Sprintf(`,"offset":%d`, all.Events[1].EventID))
		require.Equal(t, all.Events[1:], rest.Events)
		require.Equal(t, rest, q.get(t, ""), "an offset deletes for all readers")
		require.Equal(t, []imbottest.QueuedEvent{{ID: all.Events[1].EventID, Name: "ONIMBOTV2MESSAGEADD"}, {ID: all.Events[2].EventID, Name: "ONIMBOTV2MESSAGEADD"}}, q.Queued(q.bot))
		require.Equal(t, page{[]fetched{}, all.NextOffset, false}, q.get(t, fmt.Sprintf(`,"offset":%d`, all.NextOffset)))
		require.Equal(t, page{[]fetched{}, 0, false}, q.get(t, ""), "without an offset none comes back")
		require.Empty(t, q.Queued(q.bot))
		require.Nil(t, q.Queued(q.anna), "people have no queue")
	})
}

func TestAFullPageSaysThatThereIsMore(t *testing.T) {
	t.Parallel()
	inQueue(t, func(t *testing.T, q queuePortal) {
		q.say(t, 1001)
		for more, want := range map[string]int{``: 100, `,"limit":0`: 100, `,"limit":-1`: 100, `,"limit":"7"`: 7, `,"limit":1000`: 1000, `,"limit":5000`: 1000} {
			got := q.get(t, more)
			require.Len(t, got.Events, want, more)
			require.True(t, got.HasMore, more)
		}
		last := q.get(t, `,"limit":1`).NextOffset + 999
		require.False(t, q.get(t, fmt.Sprintf(`,"limit":2,"offset":%d`, last)).HasMore, "one of two")
		full := q.get(t, fmt.Sprintf(`,"limit":1,"offset":%d`, last))
		require.True(t, full.HasMore, "although it is the last one")
		require.Equal(t, page{[]fetched{}, full.NextOffset, false}, q.get(t, fmt.Sprintf(`,"limit":1,"offset":%d`, full.NextOffset)))
	})
}

func TestAQueueForgetsEventsAfterADay(t *testing.T) {
	t.Parallel()
	inQueue(t, func(t *testing.T, q queuePortal) {
		q.say(t, 1)
		time.Sleep(time.Hour)
		q.say(t, 1)
		time.Sleep(23 * time.Hour)
		require.Len(t, q.get(t, "").Events, 2)
		time.Sleep(time.Second)
		require.Len(t, q.get(t, "").Events, 1, "the first is older than a day")
		time.Sleep(time.Hour)
		require.Empty(t, q.Queued(q.bot))
	})
}

func TestAnEmptyQueueIsRemembered(t *testing.T) {
	t.Parallel()
	late := imbottest.WithLateEvents(1, 2*time.Second) // each event is late
	for says, tt := range map[string]struct {
		after time.Duration
		more  string
		want  int
	}{
		"a minute long, although an event has become visible": {50 * time.Second, "", 0},
		"and no longer":                  {61 * time.Second, "", 1},
		"but not with an offset":         {50 * time.Second, `,"offset":1`, 1},
		"an offset of zero is no offset": {50 * time.Second, `,"offset":0`, 0},
	} {
		t.Run(says, func(t *testing.T) {
			inQueue(t, func(t *testing.T, q queuePortal) {
				q.say(t, 1)
				require.Empty(t, q.get(t, "").Events, "not visible yet")
				require.Len(t, q.Queued(q.bot), 1)
				time.Sleep(tt.after)
				require.Len(t, q.get(t, tt.more).Events, tt.want)
			}, late)
		})
	}
	t.Run("until an event comes", func(t *testing.T) {
		inQueue(t, func(t *testing.T, q queuePortal) {
			require.Empty(t, q.get(t, "").Events)
			q.say(t, 1)
			require.Len(t, q.get(t, "").Events, 1)
		})
	})
}

// TestLateEventsAreLostByHastyAcknowledgements reads two queues of 200 events: as the vendor's
// samples do, which acknowledge at once, and by leaving what was first seen within the last
// three seconds.
func TestLateEventsAreLostByHastyAcknowledgements(t *testing.T) {
	t.Parallel()
	read := func(settle time.Duration) (seen map[int64]bool, disorder int) {
		inQueue(t, func(t *testing.T, q queuePortal) {
			seen = map[int64]bool{}
			first, highest := map[int64]time.Time{}, int64(0)
			for round := range 35 {
				if round < 20 {
					q.say(t, 10)
				}
				time.Sleep(300 * time.Millisecond)
				offset := int64(1)
				for id, at := range first {
					if time.Since(at) >= settle {
						offset = max(offset, id+1)
					}
				}
				for _, id := range q.get(t, fmt.Sprintf(`,"limit":1000,"offset":%d`, offset)).ids() {
					if !seen[id] && id < highest {
						disorder++
					}
					if !seen[id] {
						seen[id], first[id] = true, time.Now()
					}
					highest = max(highest, id)
				}
			}
		}, imbottest.WithLateEvents(0.5, 900*time.Millisecond), imbottest.WithSeed(1))
		return seen, disorder
	}
	seen, _ := read(0)
	require.Less(t, len(seen), 190, "lost without a trace")
	require.Greater(t, len(seen), 100)
	seen, disorder := read(3 * time.Second)
	require.Len(t, seen, 200)
	require.Greater(t, disorder, 20, "lower ids are seen after higher ones")
}

func TestLateEventsComeInTime(t *testing.T) {
	t.Parallel()
	for says, tt := range map[string]struct {
		share       float64
		most        time.Duration
		atOnce, end int // how many are visible at once, and after the longest time
	}{
		"none is late":            {0, time.Hour, 100, 100},
		"a time that is negative": {1, -time.Second, 100, 100},
		"all are late":            {1, time.Hour, 0, 100},
	} {
		t.Run(says, func(t *testing.T) {
			inQueue(t, func(t *testing.T, q queuePortal) {
				q.say(t, 100)
				get := func() int { return len(q.get(t, `,"limit":1000,"offset":1`).Events) } // past what is remembered
				require.Equal(t, tt.atOnce, get())
				time.Sleep(max(tt.most, 0))
				require.Equal(t, tt.end, get())
			}, imbottest.WithLateEvents(tt.share, tt.most))
		})
	}
}

func TestAllQueuesCountTogether(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"four","code":"delta","properties":{"name":"Delta"}}}`)
	const delta, asDelta = 106, `"botToken":"four","botId":106`
	clear(t, portal)
	chat := portal.AddChat("Two", anna, gamma, delta)
	_, err := portal.Say(t.Context(), anna, imbot.ChatDialog(chat), "[USER=105]Gamma[/USER] [USER=106]Delta[/USER] hi")
	require.NoError(t, err)
	one, two := fetch(t, portal, ""), fetchAs(t, portal, asDelta, "")
	require.Equal(t, []string{"JOINCHAT", "MESSAGEADD"}, one.names())
	require.Equal(t, one.names(), two.names())
	require.Len(t, map[int64]bool{one.ids()[0]: true, one.ids()[1]: true, two.ids()[0]: true, two.ids()[1]: true}, 4)
	require.Empty(t, fetch(t, portal, fmt.Sprintf(`,"offset":%d`, two.NextOffset+1)).Events, "each acknowledges its own")
	require.Len(t, fetchAs(t, portal, asDelta, "").Events, 2)
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	const get = "imbot.v2.Revision.get"
	require.Equal(t, `{"rest":36,"web":130,"mobile":23,"desktop":6}`, post(t, newPortal(t), get, `{}`))
	require.Contains(t, post(t, newPortal(t, imbottest.WithRevision(33)), get, `{}`), `"rest":33,`)
}
