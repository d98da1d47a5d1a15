package imbottest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

const samplesOfEvents = "../imbotv2/testdata/events/"

// fetched is an event of a queue.
type fetched struct {
	EventID int64
	Type    string
	Date    string
	Data    json.RawMessage
}

// page is an answer of imbot.v2.Event.get.
type page struct {
	Events     []fetched
	NextOffset int64
	HasMore    bool
}

func (p page) names() (names []string) {
	for _, e := range p.Events {
		names = append(names, strings.TrimPrefix(e.Type, "ONIMBOTV2"))
	}
	return names
}

// fetch asks for the events of gamma, with more parameters.
func fetch(t *testing.T, portal *imbottest.Portal, more string) (got page) {
	t.Helper()
	return fetchAs(t, portal, asGamma, more)
}

func fetchAs(t *testing.T, portal *imbottest.Portal, bot, more string) (got page) {
	t.Helper()
	answer := post(t, portal, "imbot.v2.Event.get", "{"+bot+more+"}")
	require.NoError(t, json.Unmarshal([]byte(answer), &got), answer)
	return got
}

// clear acknowledges all events of gamma.
func clear(t *testing.T, portal *imbottest.Portal) int64 {
	t.Helper()
	next := fetch(t, portal, `,"limit":1000`).NextOffset
	require.Empty(t, fetch(t, portal, fmt.Sprintf(`,"offset":%d`, next)).Events)
	return next
}

// v2Events make each event happen.
var v2Events = map[string]func(*testing.T, *imbottest.Portal){
	"messageadd": func(t *testing.T, portal *imbottest.Portal) {
		_, err := portal.Say(t.Context(), anna, crewDialog, "[USER=105]Gamma[/USER] hello")
		require.NoError(t, err)
	},
	"joinchat": func(t *testing.T, portal *imbottest.Portal) {
		portal.AddChat("New", anna, gamma)
	},
	"commandadd": func(t *testing.T, portal *imbottest.Portal) {
		_, err := portal.Say(t.Context(), anna, crewDialog, "/help topic")
		require.NoError(t, err)
	},
	"contextget": func(t *testing.T, portal *imbottest.Portal) {
		require.NoError(t, portal.Open(t.Context(), anna, gamma))
		require.NoError(t, portal.OpenContext(t.Context(), anna, imbot.UserDialog(gamma), `{"entityId":164,"entityType":"task","source":"link"}`))
	},
	"reactionchange": func(t *testing.T, portal *imbottest.Portal) {
		require.NoError(t, portal.React(t.Context(), anna, imbottest.Message{ID: hello2}, "like"))
	},
	"delete": func(t *testing.T, portal *imbottest.Portal) {
		prepare(t, portal, `imbot.v2.Bot.unregister {`+asGamma+`}`)
	},
}

func TestFetchedEventsLookLikeTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	known := knownFields(t)
	for name, act := range v2Events {
		if name == "delete" { // the queue goes with the bot
			continue
		}
		t.Run(name, func(t *testing.T) {
			portal := newV2Portal(t)
			clear(t, portal)
			act(t, portal)
			events := fetch(t, portal, "").Events
			last := events[len(events)-1]
			require.Equal(t, "ONIMBOTV2"+strings.ToUpper(name), last.Type)
			requireLike(t, known, sample(t, samplesOfEvents+"fetch_data_"+name+".json"), string(last.Data))
		})
	}
}

func TestPostedEventsLookLikeTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	for name, act := range v2Events {
		t.Run(name, func(t *testing.T) {
			portal, box := newV2Portal(t), &mailbox{}
			require.NoError(t, portal.Idle(t.Context()))
			portal.Serve(eventURL, box)
			prepare(t, portal, `imbot.v2.Bot.update {`+asGamma+`,"fields":{"eventMode":"webhook","webhookUrl":"`+eventURL+`"}}`)
			act(t, portal)
			posted := box.take(t, portal)
			got := posted[len(posted)-1]
			require.Equal(t, "ONIMBOTV2"+strings.ToUpper(name), got.Get("event"))
			for _, key := range fields(t, strings.TrimSpace(sample(t, samplesOfEvents+"webhook_derived_"+name+".form"))) {
				key, kind, _ := strings.Cut(key, " ")
				if strings.HasPrefix(key, "data[bot][auth]") || strings.HasSuffix(key, "Date]") {
					continue // tokens are those of applications; dates may be missing
				}
				key = strings.ReplaceAll(key, "[#]", "[0]")
				require.True(t, got.Has(key), "%s is missing in %s", key, got.Encode())
				if kind == "number" {
					require.Regexp(t, `^\d+$`, got.Get(key), key)
				}
			}
			require.Equal(t, "customthree", got.Get("auth[application_token]"))
			require.NoError(t, portal.Err())
		})
	}
}
