package imbottest_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// testdata/spec has notes about what surprises in a real server. The tables of oddities
// show each of them on the portal. notShown has those that no test can show.

// oddity is something that surprises, and the calls that show it.
type oddity struct {
	note  string // a part of the note that it shows; "" when there is no note
	says  string
	state func(*testing.T, *imbottest.Portal)
	calls []string                       // steps, see prepare; all but the last have to succeed
	want  string                         // the answer of the last call; after … only a part of it
	and   func(*testing.T, oddityPortal) // checks what else is to be seen
}

// oddityPortal is the portal after the calls, and the mailbox behind its handlers.
type oddityPortal struct {
	*imbottest.Portal
	box *mailbox
}

// answer makes the call of a step and returns its answer.
func (w oddityPortal) answer(t *testing.T, call string) string {
	t.Helper()
	method, params, _ := strings.Cut(call, " ")
	return post(t, w.Portal, method, params)
}

// events returns the names of the events that came, and the last event.
func (w oddityPortal) events(t *testing.T) (names []string, last map[string]string) {
	t.Helper()
	last = map[string]string{}
	for _, e := range w.box.take(t, w.Portal) {
		names, last = append(names, e.Get("event")), map[string]string{}
		for k := range e {
			last[k] = e.Get(k)
		}
	}
	return names, last
}

// say writes a message as Anna.
func (w oddityPortal) say(t *testing.T, dialog imbot.DialogID, text string) imbottest.Message {
	t.Helper()
	m, err := w.Say(t.Context(), anna, dialog, text)
	require.NoError(t, err)
	return m
}

func (w oddityPortal) last(dialog imbot.DialogID) imbottest.Message { return lastOf(w.Portal, dialog) }

func TestOddities(t *testing.T) {
	t.Parallel()
	for _, o := range slices.Concat(botOddities(), chatOddities(), memberOddities(), messageOddities(), commandOddities(), appOddities(), restOddities(), eventOddities()) {
		t.Run(o.says, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				portal, box := newMailboxPortal(t)
				portal.Serve(otherURL, box)
				defer portal.Close()
				if o.state != nil {
					o.state(t, portal)
				}
				w := oddityPortal{portal, box}
				for i, call := range o.calls {
					if i < len(o.calls)-1 {
						prepare(t, portal, call)
						continue
					}
					got := w.answer(t, call)
					if part, ok := strings.CutPrefix(o.want, "…"); ok {
						require.Contains(t, got, part)
					} else {
						require.Equal(t, o.want, got)
					}
				}
				if o.and != nil {
					o.and(t, w)
				}
			})
		})
	}
}

const otherURL = "https://other.example.com/?a=1"

// TestEveryNoteIsShown fails for notes that neither an oddity nor notShown has.
func TestEveryNoteIsShown(t *testing.T) {
	t.Parallel()
	notes := map[string]bool{}
	for _, file := range []string{"imbot-v1.json", "imbot-v1-events.json"} {
		data, err := os.ReadFile("../testdata/spec/" + file)
		require.NoError(t, err)
		var spec any
		require.NoError(t, json.Unmarshal(data, &spec))
		collectNotes(spec, notes)
	}
	require.NotEmpty(t, notes)
	claims := map[string]string{}
	for _, o := range slices.Concat(botOddities(), chatOddities(), memberOddities(), messageOddities(), commandOddities(), appOddities(), restOddities(), eventOddities()) {
		claims[o.note] = o.says
	}
	for note, reason := range notShown {
		require.NotContains(t, claims, note)
		claims[note] = reason
	}
	delete(claims, "")
	open := maps.Clone(claims)
	for note := range notes {
		found := false
		for claim := range claims {
			if strings.Contains(note, claim) {
				found = true
				delete(open, claim)
			}
		}
		if !found {
			t.Errorf("nothing shows: %s", note)
		}
	}
	require.Empty(t, open, "no such notes")
}

// collectNotes collects the notes of testdata/spec: the texts in the lists of these names.
func collectNotes(v any, notes map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, v := range v {
			collectNotes(v, notes)
		}
	case map[string]any:
		for k, v := range v {
			switch list, _ := v.([]any); {
			case len(list) > 0 && slices.Contains([]string{"server", "notes", "request", "legacy_override", "identity", "batch", "rules", "delivery"}, k):
				for _, note := range list {
					if text, ok := note.(string); ok {
						notes[text] = true
					}
				}
			default:
				collectNotes(v, notes)
			}
		}
	}
}

// notShown are the notes that no test in memory can show, with the reason.
var notShown = map[string]string{
	"Until the build of March 2026":                "about older servers",
	"CODE longer than 50 characters":               "what the database does with it is not known; the SDK refuses it",
	"FIELDS.PROPERTIES.COLOR was ignored":          "no method tells the colour of a bot",
	"The check behind ACCESS_DENIED is absent":     "about older servers",
	"If the removal fails without a recorded core": "the core of this portal always records its reason",
	"SKIP_CONNECTOR=Y also implies":                "there are no connectors",
	"work only in the old messenger":               "about the vendor's pages",
	"Without HASH (JS applications)":               "no method tells the hash",
	"Icon: PNG with a transparent background":      "about the vendor's pages",
	"The FILES sample is built":                    "about the description itself",
	"ERROR_ARGUMENT has an additional key":         "no method of imbot sends it",
	"Consequence: treat the documented code lists": "an advice",
	"Order is not guaranteed":                      "of one dialog it is, here; a fault of events can break it",
	"The server shows the typing indicator":        "no answer and no event tells of it",
	"The sample is built from the server source":   "about the description itself",
}
