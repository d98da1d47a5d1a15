package probe

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
)

// stage is a portal that shows answers: a bucket, and the same time for each request.
type stage struct {
	bucket portal
	took   time.Duration

	mu       sync.Mutex
	requests int
	changes  []time.Time // requests without a first message
}

func (s *stage) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if !s.bucket.fits() {
		return reply(503, `{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}`), nil
	}
	adds := strings.Contains(r.URL.Path+string(body), "imbot.message.add")
	s.mu.Lock()
	if s.requests++; !adds {
		s.changes = append(s.changes, time.Now())
	}
	s.mu.Unlock()
	time.Sleep(s.took)
	if !strings.HasSuffix(r.URL.Path, "/batch") {
		if adds {
			return reply(200, `{"result":11}`), nil
		}
		return reply(200, `{"result":true}`), nil
	}
	var batch struct {
		Commands map[string]string `json:"cmd"`
	}
	if err := json.Unmarshal(body, &batch); err != nil {
		return nil, err
	}
	results := map[string]any{}
	for key, command := range batch.Commands {
		if results[key] = true; strings.HasPrefix(command, "imbot.message.add") {
			results[key] = 11
		}
	}
	data, err := json.Marshal(map[string]any{"result": map[string]any{"result": results, "result_error": []int{}}})
	return reply(200, string(data)), err
}

// TestStreams: people ask at once, and a model writes to each of them for 15 s, a word each
// 50 ms. The earlier build edits the message once a second.
func TestStreams(t *testing.T) {
	const length = 15 * time.Second
	for _, took := range []time.Duration{0, time.Second} {
		for _, people := range []int{1, 5, 20, 60, 200} {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{took: took}
				s.bucket.last = time.Now()
				client := newClient(t, imbot.WithHTTPClient(&http.Client{Transport: s}), imbot.WithLimiter(imbot.NewLimiter(perSecond, burst)))
				begin := time.Now()
				var all sync.WaitGroup
				for person := range people {
					all.Go(func() {
						answer := begins(t.Context(), client, to(person+1, ""))
						for time.Since(begin) < length {
							if _, err := answer.WriteString("word "); err != nil {
								t.Error(err)
							}
							time.Sleep(50 * time.Millisecond)
						}
						if err := answer.Close(); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				name := fmt.Sprintf("streams %d %v", people, took)
				fmt.Printf("\nfigure\t%s times\t%v\n", name, time.Since(begin).Seconds()/length.Seconds())
				fmt.Printf("\nfigure\t%s seconds\t%v\n", name, time.Since(begin).Seconds())
				fmt.Printf("\nfigure\t%s requests\t%d\n", name, s.requests)
				fmt.Printf("\nfigure\t%s changes\t%d\n", name, most(s.changes, begin, length))
				time.Sleep(time.Minute)
			})
		}
	}
}

// most is how many of these times are within one second at most, before the last texts.
func most(times []time.Time, begin time.Time, length time.Duration) (n int) {
	for i, first := range times {
		in := 0
		for _, at := range times[i:] {
			if at.Sub(first) < time.Second && at.Sub(begin) < length {
				in++
			}
		}
		n = max(n, in)
	}
	return n
}

// TestRendering is what is done for each change of a long answer.
func TestRendering(*testing.T) {
	text := strings.Repeat("## Pizza\n\nSome **bold** words, `code` and [a link](https://example.com/x).\n\n* one\n* two & three\n\n```go\nfunc main() {}\n```\n\n", 200)[:20_000]
	best := time.Hour
	for range 500 { // the least, because others are busy, too
		begin := time.Now()
		render(text)
		best = min(best, time.Since(begin))
	}
	fmt.Printf("\nfigure\trendering\t%v\n", best.Seconds())
}
