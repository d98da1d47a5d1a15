package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
)

const (
	messages  = 20_000
	perSecond = 2
	burst     = 50
)

// portal has a leaky bucket and runs the commands of a request one after another. It
// lives in the time of a bubble.
type portal struct {
	each time.Duration // for a command

	mu       sync.Mutex
	level    float64
	last     time.Time
	refused  int
	requests []time.Time // with messages of the broadcast
	sent     []time.Time // messages of the broadcast
	ran      []int       // their numbers
	seen     map[string]time.Time
}

func (p *portal) fits() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.level = max(0, p.level-perSecond*now.Sub(p.last).Seconds())
	p.last = now
	if p.level+1 > burst {
		p.refused++
		return false
	}
	p.level++
	return true
}

// run executes a message, which takes time, and gives the number of a message of the broadcast, from one.
func (p *portal) run(text string) int {
	time.Sleep(p.each)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[text] = time.Now()
	n, err := strconv.Atoi(text[1:])
	if text[0] == 'b' && err == nil {
		p.sent = append(p.sent, time.Now())
		p.ran = append(p.ran, n)
	}
	return n + 1
}

func (p *portal) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if !p.fits() {
		return reply(503, `{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}`), nil
	}
	texts := textsIn(string(body))
	if slices.ContainsFunc(texts, func(text string) bool { return text[0] == 'b' }) {
		p.mu.Lock()
		p.requests = append(p.requests, time.Now())
		p.mu.Unlock()
	}
	results := make([]string, len(texts))
	for i, text := range texts {
		results[i] = fmt.Sprintf(`"c%d":%d`, i, p.run(text))
	}
	if !strings.HasSuffix(r.URL.Path, "/batch") {
		return reply(200, `{"result":11}`), nil
	}
	return reply(200, `{"result":{"result":{`+strings.Join(results, ",")+`},"result_error":[]}}`), nil
}

func reply(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
}

// textsIn are the messages of a request: a batch has each in a query.
func textsIn(body string) (texts []string) {
	for _, part := range strings.Split(body, "MESSAGE")[1:] {
		part = strings.TrimLeft(part, `":=`)
		end := strings.IndexFunc(part, func(c rune) bool { return (c < '0' || c > '9') && c != 'a' && c != 'b' })
		texts = append(texts, part[:end])
	}
	return texts
}

func to(person int, text string) imbot.MessageAddRequest {
	return imbot.MessageAddRequest{BotID: 39, DialogID: imbot.UserDialog(imbot.ID(person)), Message: text}
}

// people is how many get the messages of a broadcast.
const people = 5000

func broadcast(i int) imbot.MessageAddRequest { return to(i%people+1, fmt.Sprintf("b%d", i)) }

func numbered(n int) iter.Seq[imbot.MessageAddRequest] {
	return func(yield func(imbot.MessageAddRequest) bool) {
		for i := range n {
			if !yield(broadcast(i)) {
				return
			}
		}
	}
}

// A way to write to many people.
type way struct {
	name string
	opts []imbot.Option
	send func(context.Context, *imbot.Client)
}

func side(by int) func(context.Context, *imbot.Client) {
	return func(ctx context.Context, c *imbot.Client) {
		var wg sync.WaitGroup
		for w := range by {
			wg.Go(func() {
				for i := w; i < messages && ctx.Err() == nil; i += by {
					_, _ = c.Message.Add(ctx, broadcast(i))
				}
			})
		}
		wg.Wait()
	}
}

func inOrder(results iter.Seq2[imbot.ID, error]) {
	i := imbot.ID(0)
	for id, err := range results {
		if i++; err == nil && id != i {
			panic(fmt.Sprintf("result %d came in place %d", id, i))
		}
	}
}

var ways = []way{
	{"one", nil, side(1)},
	{"workers", nil, side(64)},
	{"doall", nil, func(ctx context.Context, c *imbot.Client) { inOrder(imbot.DoAll(ctx, c, numbered(messages))) }},
	{"ahead", nil, func(ctx context.Context, c *imbot.Client) { inOrder(fastDoAll(ctx, c, numbered(messages))) }},
	{"auto", []imbot.Option{imbot.WithAutoBatch()}, side(messages)},
}

// A run is what is printed of one broadcast.
type run struct {
	Way      string       `json:"way"`
	Every    float64      `json:"every"`    // seconds between people who write; 0: nobody does
	Longest  float64      `json:"longest"`  // wait, in seconds
	Waits    [][2]float64 `json:"waits"`    // when somebody wrote, and how long they waited
	Share    float64      `json:"share"`    // messages of what the bucket lets through in batches
	Requests float64      `json:"requests"` // of the broadcast, of what the bucket allows less one for each answer
	Refused  int          `json:"refused"`
}

const (
	from  = 30 * time.Second // when the burst has been used up
	until = 150 * time.Second
)

// TestBroadcast: people write to the bot while it sends 20,000 messages, of which each
// takes the portal 50 ms.
func TestBroadcast(t *testing.T) {
	for _, w := range ways {
		for _, tt := range []struct {
			every  time.Duration
			atOnce int
		}{{0, 0}, {10 * time.Second, 1}, {time.Second, 1}, {20 * time.Second, 20}} {
			if tt.every > 0 && (w.name == "one" || w.name == "doall") {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				out, err := json.Marshal(answersDuring(t, w, tt.every, tt.atOnce))
				if err != nil {
					t.Fatal(err)
				}
				fmt.Printf("\nrun\t%s\n", out)
			})
		}
	}
}

func answersDuring(t *testing.T, w way, every time.Duration, atOnce int) run {
	p := &portal{each: 50 * time.Millisecond, last: time.Now(), seen: map[string]time.Time{}}
	opts := append([]imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: p}), imbot.WithLimiter(imbot.NewLimiter(perSecond, burst))}, w.opts...)
	client := newClient(t, opts...)
	bot := client
	if atOnce > 1 {
		bot = newClient(t, append(opts, imbot.WithAutoBatch())...)
	}
	ctx, stop := context.WithCancel(t.Context())
	start := time.Now()
	var sending, waiting sync.WaitGroup
	sending.Go(func() { w.send(ctx, client) })
	res := run{Way: w.name, Every: every.Seconds()}
	n := 0
	for time.Since(start) < until {
		asked := time.Now()
		for range atOnce {
			n++
			text, person := fmt.Sprintf("a%d", n), n+people
			waiting.Go(func() {
				if _, err := bot.Message.Add(answering(t.Context()), to(person, text)); err != nil {
					t.Error(err)
				}
				p.mu.Lock()
				res.Waits = append(res.Waits, [2]float64{asked.Sub(start).Seconds(), p.seen[text].Sub(asked).Seconds()})
				p.mu.Unlock()
			})
		}
		if every == 0 {
			time.Sleep(until - time.Since(start))
		} else {
			time.Sleep(every)
		}
	}
	waiting.Wait()
	stop()
	sending.Wait()
	time.Sleep(time.Minute) // what is under way ends
	slices.SortFunc(res.Waits, func(a, b [2]float64) int { return int(1e6 * (a[0] - b[0])) })
	for _, wait := range res.Waits {
		res.Longest = max(res.Longest, wait[1])
	}
	within := func(times []time.Time) (n float64) {
		for _, at := range times {
			if d := at.Sub(start); d >= from && d < until {
				n++
			}
		}
		return n
	}
	allowed, answers := perSecond*(until-from).Seconds(), 0.0
	for _, wait := range res.Waits {
		if wait[0] >= from.Seconds() {
			answers++
		}
	}
	res.Share = within(p.sent) / 50 / allowed
	res.Requests = within(p.requests) / (allowed - answers)
	res.Refused = p.refused
	return res
}

func newClient(t testing.TB, opts ...imbot.Option) *imbot.Client {
	t.Helper()
	return newClientOf(t, "https://portal.example.com", opts...)
}

func newClientOf(t testing.TB, root string, opts ...imbot.Option) *imbot.Client {
	t.Helper()
	client, err := imbot.NewClient(imbot.Webhook{URL: root + "/rest/1/secret/", ClientID: "bot-secret-1"}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestWholeBroadcast: nobody writes, and the time until everything is sent counts.
func TestWholeBroadcast(t *testing.T) {
	whole := func(w way, each time.Duration, most float64) {
		synctest.Test(t, func(t *testing.T) {
			p := &portal{each: each, last: time.Now(), seen: map[string]time.Time{}}
			client := newClient(t, append([]imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: p}), imbot.WithLimiter(imbot.NewLimiter(perSecond, burst))}, w.opts...)...)
			start := time.Now()
			w.send(t.Context(), client)
			began := time.Since(start) - 50*each // the last batch
			if len(p.seen) != messages {
				t.Errorf("%s: %d messages arrived", w.name, len(p.seen))
			}
			figure("whole "+w.name+" "+each.String(), messages/(50*(most+perSecond*began.Seconds())))
			figure("disorder "+w.name+" "+each.String(), float64(disorder(p.ran)))
		})
	}
	for _, w := range ways {
		switch w.name {
		case "doall", "ahead":
			whole(w, 50*time.Millisecond, bulkBurst)
		case "auto":
			whole(w, 50*time.Millisecond, normalBurst)
			whole(w, 0, normalBurst)
		}
	}
}

// disorder is how many messages ran after a later one to the same person.
func disorder(ran []int) (n int) {
	last := map[int]int{}
	for _, i := range ran {
		if before, ok := last[i%people]; ok && before > i {
			n++
		}
		last[i%people] = max(last[i%people], i)
	}
	return n
}

// figure prints what was measured, for the program that started this one.
func figure(name string, value float64) { fmt.Printf("\nfigure\t%s\t%v\n", name, value) }
