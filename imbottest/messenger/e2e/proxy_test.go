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

// A holdingProxy stands between the page and the messenger. It can hold a request or its
// answer back until the test releases it, so that answers come late each time the test
// runs and not by chance.
type holdingProxy struct {
	url string

	mu   sync.Mutex
	held []*heldRequest
}

// heldRequest says what the proxy holds back: the next request whose path ends with path,
// and whose query or body contains text.
type heldRequest struct {
	path, text string
	early      bool          // hold the request and not its answer
	came       chan struct{} // the proxy closes it when the request has come
	pass       chan struct{} // the test closes it to let it go on
	fail       bool          // answer with an error then
}

func newHoldingProxy(t *testing.T, s *testbed) *holdingProxy {
	t.Helper()
	g := &holdingProxy{}
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
			http.Error(w, `{"error":"refused by the proxy"}`, http.StatusInternalServerError)
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

func (g *holdingProxy) take(path, text string) *heldRequest {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, k := range g.held {
		if strings.HasSuffix(path, k.path) && strings.Contains(text, k.text) {
			g.held = append(g.held[:i:i], g.held[i+1:]...)
			return k
		}
	}
	return nil
}

// hold lets the proxy hold back one answer, or with early one request.
func (g *holdingProxy) hold(path, text string, early bool) *heldRequest {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := &heldRequest{path: path, text: text, early: early, came: make(chan struct{}), pass: make(chan struct{})}
	g.held = append(g.held, k)
	return k
}

// wait waits until the request has come.
func (k *heldRequest) wait(t *testing.T) {
	t.Helper()
	select {
	case <-k.came:
	case <-time.After(patience / 3):
		require.Fail(t, "nothing came to hold", "%s %s", k.path, k.text)
	}
}

func (k *heldRequest) release() { close(k.pass) }

func (k *heldRequest) refuse() {
	k.fail = true
	close(k.pass)
}
