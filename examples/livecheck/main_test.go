package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// A human sits before the screen: reads what is asked, and does it.
type human struct {
	t      *testing.T
	portal *imbottest.Portal
	choice string // the number of what is seen

	mu     sync.Mutex
	screen bytes.Buffer
	read   int // of the screen
}

func (h *human) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.screen.Write(p)
}

// Read answers what was asked last.
func (h *human) Read(p []byte) (int, error) {
	h.mu.Lock()
	asked := h.screen.String()[h.read:]
	h.read = h.screen.Len()
	h.mu.Unlock()
	answer := "\n"
	switch {
	case strings.HasSuffix(asked, "(y/N) "):
		answer = "y\n"
	case strings.HasSuffix(asked, "cannot say): "):
		answer = h.choice + "\n"
	case strings.HasSuffix(asked, "press Enter. "):
		h.sayHello()
	}
	return copy(p, answer), nil
}

// sayHello writes into the newest chat, and mentions the bot of the first generation.
func (h *human) sayHello() {
	var dialog imbot.DialogID
	for _, d := range h.portal.Dialogs(1) {
		if d.Title == botName {
			dialog = d.ID
		}
	}
	for _, u := range h.portal.Users() {
		if u.Bot && !u.Gone && u.FirstName == botNameV1 {
			_, err := h.portal.Say(context.Background(), 1, dialog, "[USER="+u.ID.String()+"]"+botNameV1+"[/USER], hello")
			require.NoError(h.t, err)
		}
	}
	require.NoError(h.t, h.portal.Idle(context.Background()))
}

func (h *human) seen() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.screen.String()
}

// newConfig is a run against a portal in memory.
func newConfig(t *testing.T, portal *imbottest.Portal, choice string, tiers ...tier) (config, *human) {
	h := &human{t: t, portal: portal, choice: choice}
	cfg := config{
		hook: portal.Webhook("").URL, transport: portal.HTTPClient().Transport, random: rand.Reader, tiers: tiers, retry: imbot.Retry{MaxAttempts: 1},
		journalPath: filepath.Join(t.TempDir(), "journal"), in: bufio.NewReader(h), out: h,
	}
	for _, tier := range tiers {
		if tier == tierListen {
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			cfg.listen = listening{url: "http://" + listener.Addr().String() + "/", listener: listener} // when hello is said, all is posted
		}
	}
	return cfg, h
}

func newPortal(t *testing.T, opts ...imbottest.Option) *imbottest.Portal {
	portal := imbottest.NewPortal(opts...)
	t.Cleanup(portal.Close)
	return portal
}

// verdicts runs and returns what the report says of each fact, and of those otherwise.
func verdicts(t *testing.T, portal *imbottest.Portal, choice string, tiers ...tier) map[string]string {
	t.Helper()
	cfg, h := newConfig(t, portal, choice, tiers...)
	require.NoError(t, run(t.Context(), cfg), h.seen())
	requireNothingLeft(t, portal)
	require.NoFileExists(t, cfg.journalPath)
	return reported(h.seen())
}

var row = regexp.MustCompile(`(?m)^\| ([a-z0-9-]+) \| .* \| (as assumed|otherwise|not asked).* \|$`)

func reported(screen string) map[string]string {
	got := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(screen, -1) {
		got[m[1]] = m[2]
	}
	return got
}

// requireNothingLeft looks for what a run may leave: bots, chats with somebody in them, messages there.
func requireNothingLeft(t *testing.T, portal *imbottest.Portal) {
	t.Helper()
	for _, u := range portal.Users() {
		require.True(t, !u.Bot || u.Gone, "a bot is left")
		for _, d := range portal.Dialogs(u.ID) {
			require.True(t, d.Type == "private" || d.Title != botName, "a chat is left")
			require.Empty(t, written(portal, u.ID, d.ID), "messages are left")
		}
	}
}

// written are the messages of our bots that somebody sees in a dialog.
func written(portal *imbottest.Portal, user imbot.ID, dialog imbot.DialogID) (texts []string) {
	for _, m := range portal.Messages(user, dialog) {
		if !m.Deleted && !m.System && m.AuthorID > 1 {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// A spy looks into the dialogs of the bots before one leaves a chat or goes itself, because nobody can do so
// later. A bot that made a chat for itself alone has to leave it before it goes.
type spy struct {
	next   http.RoundTripper
	portal *imbottest.Portal

	leaving bool // one has left a chat
	left    []string
}

func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	leaves, goes := strings.HasSuffix(r.URL.Path, "Chat.leave"), strings.HasSuffix(r.URL.Path, "ot.unregister")
	s.leaving = s.leaving || leaves
	for _, u := range s.portal.Users() {
		for _, d := range s.portal.Dialogs(u.ID) {
			if !u.Bot || u.Gone || !leaves && !goes {
				continue
			}
			s.left = append(s.left, written(s.portal, u.ID, d.ID)...)
			if goes && d.Type == "chat" && len(d.Members) == 1 && !s.leaving && !slices.ContainsFunc(s.portal.Users(), func(other imbottest.User) bool {
				return other.FirstName == botName && other.ID != u.ID // it went before
			}) {
				s.left = append(s.left, "a chat")
			}
		}
	}
	return s.next.RoundTrip(r)
}

// everything is what three runs, each with one of the tiers that make something, report.
func everything(t *testing.T, choice string, opts ...imbottest.Option) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, tier := range []tier{tierWrite, tierPerson, tierListen} {
		for id, verdict := range verdicts(t, newPortal(t, opts...), choice, tierRead, tier) {
			if verdict != unasked || got[id] == "" {
				got[id] = verdict
			}
		}
	}
	return got
}

func TestAPortalThatDoesWhatWeAssume(t *testing.T) {
	t.Parallel()
	got := everything(t, "1")
	for _, f := range facts() {
		if f.ask != nil {
			require.Equal(t, asAssumed, got[f.id], f.id)
		}
	}
}

// masked are the facts that nothing can be said about when another is otherwise.
var masked = map[string][]string{
	"v2-in-batch":      {"batch-references", "batch-operating"},
	"batch-references": {"batch-operating"},
	"shared-owner":     {"sql-words"},
	"file-object":      {"file-name-unique", "file-down"},
	"v2-posts":         {"post-form", "application-token", "posts-per-bot"},
}

func TestAPortalThatDoesTheOther(t *testing.T) {
	t.Parallel()
	for _, doubt := range imbottest.Doubts() {
		t.Run(string(doubt), func(t *testing.T) {
			t.Parallel()
			got := everything(t, "1", imbottest.WithOther(doubt))
			if doubt != imbottest.DoubtFileCodes { // nothing asks about it
				require.Equal(t, otherwise, got[string(doubt)])
			}
			for id, verdict := range got {
				if id != string(doubt) && !slices.Contains(masked[string(doubt)], id) {
					require.Equal(t, asAssumed, verdict, id)
				}
			}
		})
	}
}

// With all turned, some facts hide behind others.
func TestAPortalThatDoesEverythingTheOtherWay(t *testing.T) {
	t.Parallel()
	hidden := []string{"file-down"} // no answer names the file
	for _, ids := range masked {
		hidden = append(hidden, ids...)
	}
	got := everything(t, "2", imbottest.WithOther(imbottest.Doubts()...), imbottest.WithRevision(29), imbottest.WithoutDescriptions())
	told := 0
	for _, f := range facts() {
		switch {
		case f.ask == nil:
		case slices.Contains(hidden, f.id):
			require.Equal(t, unasked, got[f.id], f.id)
		default:
			require.Equal(t, otherwise, got[f.id], f.id)
			told++
		}
	}
	require.Greater(t, told, 45)
}

func TestACloudIsToldFromABox(t *testing.T) {
	t.Parallel()
	for portal, want := range map[string]string{
		"acme.bitrix24.ru": "a cloud", "acme.bitrix24.com.br": "a cloud",
		"acme.bitrix24.example.com": "a box", "bitrix24.example.com": "a box", "portal.example.com": "a box", "127.0.0.1:8060": "a box",
	} {
		require.Equal(t, want, kind(portal), portal)
	}
}
