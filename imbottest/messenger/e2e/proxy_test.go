package e2e

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/imbottest/messenger"
)

// A gate stands before a messenger and keeps requests or answers for as long as a
// test wants, so that what is a matter of luck happens each time.
type gate struct {
	url string

	mu   sync.Mutex
	kept []*kept
}

// kept is what a gate keeps, once: the first request whose path, query or body
// holds a text.
type kept struct {
	path, text string
	early      bool          // before the portal has seen it, not after
	came       chan struct{} // closed when it is there
	pass       chan struct{} // closed when it may go on
	fail       bool          // it is answered with an error then
}

func newGate(t *testing.T, s *stage) *gate {
	t.Helper()
	g := &gate{}
	inner := messenger.Handler(s.portal)
	server := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		k := g.take(r.URL.Path, r.URL.RawQuery+string(body))
		if k == nil {
			inner.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		if !k.early {
			inner.ServeHTTP(answer, r)
		}
		close(k.came)
		select {
		case <-k.pass:
		case <-t.Context().Done():
			return
		}
		if k.fail {
			http.Error(w, `{"error":"refused by the gate"}`, http.StatusInternalServerError)
			return
		}
		if k.early {
			inner.ServeHTTP(answer, r)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	g.url = server.URL + "/"
	return g
}

func (g *gate) take(path, text string) *kept {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, k := range g.kept {
		if strings.HasSuffix(path, k.path) && strings.Contains(text, k.text) {
			g.kept = append(g.kept[:i:i], g.kept[i+1:]...)
			return k
		}
	}
	return nil
}

// keep keeps one answer; early keeps the request instead.
func (g *gate) keep(path, text string, early bool) *kept {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := &kept{path: path, text: text, early: early, came: make(chan struct{}), pass: make(chan struct{})}
	g.kept = append(g.kept, k)
	return k
}

// wait waits until there is something to keep.
func (k *kept) wait(t *testing.T) {
	t.Helper()
	select {
	case <-k.came:
	case <-time.After(patience / 3):
		require.Fail(t, "nothing came to keep", "%s %s", k.path, k.text)
	}
}

func (k *kept) release() { close(k.pass) }

func (k *kept) refuse() {
	k.fail = true
	close(k.pass)
}
