package messenger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

const (
	gatherTime   = 20 * time.Millisecond  // how long to wait for more changes after the first one
	flushPause   = 150 * time.Millisecond // the least time between two flushes
	keepAlive    = 15 * time.Second
	maxWriteTime = 30 * time.Second // after which the stream to a page that does not read ends
)

// events answers with a stream of what a person sees change, as server-sent events.
func (h *handler) events(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	user, err := h.viewer(q)
	if err != nil {
		reply(w, nil, err)
		return
	}
	after := number(q, "after")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		after, _ = strconv.ParseInt(last, 10, 64)
	}
	if after == 0 { // the page has no number yet: the stream begins now
		after = h.portal.Changed()
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	s := stream{h, http.NewResponseController(w), w, user, after}
	if s.write([]byte(": hello\n\n")) != nil {
		return
	}
	for s.next(r.Context()) == nil {
	}
}

type stream struct {
	*handler
	control *http.ResponseController
	w       http.ResponseWriter
	viewer  imbot.ID
	after   int64
}

// next waits for changes and writes them, or a comment when there are none for a while.
func (s *stream) next(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, keepAlive)
	defer cancel()
	changes, err := s.portal.Changes(waiting, s.viewer, s.after)
	if err == nil {
		if err := sleep(ctx, gatherTime); err != nil {
			return err
		}
		changes, err = s.portal.Changes(ctx, s.viewer, s.after)
	}
	switch {
	case errors.Is(err, imbottest.ErrMissed):
		s.after = s.portal.Changed()
		return s.write(fmt.Appendf(nil, "id: %d\nevent: reset\ndata: {}\n\n", s.after))
	case err != nil && waiting.Err() != nil && ctx.Err() == nil:
		return s.write([]byte(": still here\n\n"))
	case err != nil:
		return err
	}
	var out bytes.Buffer
	for _, c := range changes {
		kind, v := s.event(c)
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "id: %d\nevent: %s\ndata: %s\n\n", c.Seq, kind, data)
		s.after = c.Seq
	}
	if err := s.write(out.Bytes()); err != nil {
		return err
	}
	return sleep(ctx, flushPause)
}

// event returns the name and the data of the event for a change.
func (s *stream) event(c imbottest.Change) (string, any) {
	kind := string(c.Kind)
	switch c.Kind {
	case imbottest.ChangeMessage:
		m := newMessage(*c.Message, c.DialogID)
		m.Gone = c.Gone
		return kind, struct {
			Dialog  imbot.DialogID `json:"dialog"`
			Message message        `json:"message"`
		}{c.DialogID, m}
	case imbottest.ChangeDialog:
		return kind, s.dialog(*c.Dialog)
	case imbottest.ChangeUser:
		return kind, s.user(*c.User)
	case imbottest.ChangeTyping:
		return kind, map[string]any{"dialog": c.DialogID, "user": c.User.ID, "on": c.Typing}
	case imbottest.ChangeExchange:
		return kind, newExchange(*c.Exchange)
	}
	return kind, map[string]imbot.DialogID{"dialog": c.DialogID}
}

func (s *stream) write(data []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(maxWriteTime)) // fails for writers without deadlines
	if _, err := s.w.Write(data); err != nil {
		return err
	}
	return s.control.Flush()
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
