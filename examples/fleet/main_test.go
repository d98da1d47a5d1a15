package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// The demo starts this program once more as its bot; here that is the test's own.
func TestMain(m *testing.M) {
	if os.Getenv("BOT_ADDRESS") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestEverybodyIsAnsweredOnceWhenAProcessIsKilled(t *testing.T) {
	for name, s := range map[string]settings{
		"three processes on PostgreSQL": {people: 60, postgres: os.Getenv("FLEET_POSTGRES")},
		"one process on a file":         {people: 60, bolt: true},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := postgresBin(); err != nil && !s.bolt && s.postgres == "" {
				require.Empty(t, os.Getenv("CI"), "no PostgreSQL")
				t.Skip("no PostgreSQL: apt-get install postgresql-15, or set FLEET_POSTGRES")
			}
			var out bytes.Buffer
			s.picture = filepath.Join(t.TempDir(), "fleet.svg")
			require.NoError(t, demo(t.Context(), &out, s))
			t.Log(out.String())
			require.Regexp(t, `(?m)^answered      120 in `, out.String())
			require.Regexp(t, `(?m)^missing       0$`, out.String())
			require.Regexp(t, `(?m)^twice         0 \([0-8] `, out.String(), "what the killed process had begun is begun again, and nothing else")
			require.Regexp(t, `(?m)^out of order  0$`, out.String())
			svg, err := os.ReadFile(s.picture)
			require.NoError(t, err)
			require.Equal(t, strings.Count(string(svg), `class="cut"`), strings.Count(string(svg), `class="again"`))
			requireXML(t, svg)
		})
	}
}

func requireXML(t *testing.T, data []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}

func TestTheResultCountsWhatPeopleSee(t *testing.T) {
	portal := imbottest.NewPortal()
	defer portal.Close()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	portal.Serve("https://bot.example.com/events", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "x", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "X"}})
	require.NoError(t, err)
	for answers, want := range map[string]result{
		"1 2":   {answered: 2},
		"2 1":   {answered: 2, disordered: 1},
		"1 2 1": {answered: 2, twice: 1},
		"2":     {answered: 1, missing: 1},
		"":      {missing: 2},
	} {
		person := portal.AddUser("Anna", "")
		for _, n := range strings.Fields(answers) {
			_, err := client.WithBot(bot).Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: imbot.UserDialog(person), Message: "You wrote: " + n})
			require.NoError(t, err)
		}
		var r result
		r.count(portal.Messages(person, imbot.UserDialog(bot)), bot)
		require.Equal(t, want, r, answers)
	}
	require.ErrorContains(t, (&result{missing: 1}).print(io.Discard), "no answer")
}

func TestTakeOver(t *testing.T) {
	r := result{killed: time.Second, held: []imbot.ID{1, 2}, works: []work{
		{message: 1, begun: 900 * time.Millisecond, end: time.Second, cut: true},
		{message: 2, begun: 950 * time.Millisecond, end: time.Second, cut: true},
		{message: 3, begun: 1001 * time.Millisecond},
		{message: 2, begun: 1100 * time.Millisecond},
		{message: 1, begun: 1300 * time.Millisecond},
	}}
	first, last := r.takeOver()
	require.Equal(t, 100*time.Millisecond, first)
	require.Equal(t, 300*time.Millisecond, last)
	require.Equal(t, 2, r.again())
}

func TestTheBalancerGivesARequestToTheNextProcess(t *testing.T) {
	var got []string
	process := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if status == 0 || err != nil {
				panic(http.ErrAbortHandler) // as one that is killed
			}
			got = append(got, r.URL.RequestURI()+" "+string(body))
			w.WriteHeader(status)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	away := httptest.NewServer(nil)
	away.Close()
	b := &balancer{targets: []string{away.URL, process(0), process(http.StatusServiceUnavailable), process(http.StatusOK)}}
	for range 4 {
		w := httptest.NewRecorder()
		b.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/events?x=1", strings.NewReader("event")))
		require.Equal(t, http.StatusOK, w.Code)
	}
	require.Contains(t, got, "/events?x=1 event")
}
