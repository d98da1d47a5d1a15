package imbot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// count notes that something has happened.
func (s *soak) count(moment string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moments[moment]++
}

func (s *soak) saw(moments ...string) {
	for _, m := range moments {
		require.NotZero(s.t, s.moments[m], "seed %d: %s: %v", s.seed, m, s.moments)
	}
}

func (s *soak) observe(_ context.Context, c imbot.CallInfo) {
	var e *imbot.Error
	if c.Duration > time.Second {
		s.count("slow")
	}
	switch {
	case c.Err == nil:
		s.count("good")
	case errors.Is(c.Err, imbot.ErrPortalMoved):
		s.count("moved")
	case errors.As(c.Err, &e) && e.Code != "":
		s.count(string(e.Code))
	case c.StatusCode == 0:
		s.count("no answer")
	case c.StatusCode == 200:
		s.count("half an answer")
	default:
		s.count("page")
	}
}

func (s *soak) note(text string, err error) {
	outcome := "not run"
	switch {
	case err == nil:
		outcome = "done"
	case errors.Is(err, imbot.ErrOutcomeUnknown):
		outcome = "unknown"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		s.count("deadline")
	}
	s.count(outcome)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outcomes[text] != "" {
		s.t.Errorf("seed %d: %q was to be sent twice", s.seed, text)
	}
	s.outcomes[text] = outcome
}

// soakKey names an event.
func soakKey(name string, message imbot.ID, text string) string {
	return fmt.Sprintf("%s %d %s", strings.ToLower(strings.TrimPrefix(name, "ONIM")), message, text)
}

// handle notes that a callback was called.
func (s *soak) handle(ev imbot.Event, message imbot.ID, text string) (key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key = soakKey(ev.Meta().Name, message, text)
	s.handled[key]++
	return key
}

// watch notes which events a handler has taken.
func (s *soak) watch(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		text, name := form.Get("data[PARAMS][MESSAGE]"), form.Get("event")
		if name == "ONIMBOTMESSAGEDELETE" {
			text = "" // a notice
		}
		var id imbot.ID
		_, _ = fmt.Sscan(form.Get("data[PARAMS][MESSAGE_ID]"), &id)
		answer := &soakAnswer{ResponseWriter: w}
		h.ServeHTTP(answer, r)
		key := soakKey(name, id, text)
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case answer.status == http.StatusServiceUnavailable: // the queue is full
			s.moments["refused"]++
			s.refused[key] = true
		case answer.status != http.StatusOK:
			s.t.Errorf("seed %d: %q was answered with %d", s.seed, key, answer.status)
		case id != 0:
			s.accepted[key]++
		}
	})
}

type soakAnswer struct {
	http.ResponseWriter
	status int
}

func (w *soakAnswer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// balance holds what was acknowledged against what is on the portal.
func (s *soak) balance() {
	s.mu.Lock()
	defer s.mu.Unlock()
	wrong := 0
	check := func(ok bool, format string, args ...any) {
		if wrong += map[bool]int{false: 1}[ok]; !ok && wrong <= 10 {
			s.t.Errorf("seed %d: %s", s.seed, fmt.Sprintf(format, args...))
		}
	}
	on, status := map[string]int{}, map[string]int{}
	for _, p := range s.people {
		for _, b := range s.bots {
			for _, m := range s.portal.Messages(p.id, imbot.UserDialog(b.id)) {
				if name, n, ok := strings.Cut(m.Text, ": "); ok {
					var last int
					_, _ = fmt.Sscan(n, &last)
					status[name] = max(status[name], last)
				}
				on[m.Text]++
			}
		}
	}
	for text, outcome := range s.outcomes {
		switch n := on[text]; outcome {
		case "done":
			check(n == 1, "%q was acknowledged and is there %d times", text, n)
		case "unknown":
			check(n <= 1, "the outcome of %q is unknown and it is there %d times", text, n)
		default:
			check(n == 0, "%q has failed for certain and is there %d times", text, n)
		}
	}
	for name, last := range s.statuses {
		check(status[name] >= last, "the change %d of %q was acknowledged, but it is %d", last, name, status[name])
	}
	for key := range s.fired {
		switch n, accepted := s.handled[key], s.accepted[key]; {
		case accepted > 0:
			check(n == 1, "%q was accepted %d times and handled %d times", key, accepted, n)
			if accepted > 1 {
				s.moments["duplicate"]++
			}
		default:
			check(n == 0, "%q was not accepted, but handled %d times", key, n)
			if s.refused[key] {
				s.moments["lost"]++
			} else {
				s.moments["never posted"]++
			}
		}
	}
	for key := range s.handled {
		check(s.fired[key], "%q was handled, but never happened", key)
	}
	if wrong > 10 {
		s.t.Errorf("seed %d: and %d more", s.seed, wrong-10)
	}
	s.t.Logf("seed %d: %d events, %d messages, %v", s.seed, len(s.fired), len(s.outcomes), s.moments)
}
