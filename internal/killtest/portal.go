package killtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// event is one of a dialog, which are numbered from 0 on.
type event struct{ dialog, number int }

func (e event) String() string { return strconv.Itoa(e.dialog) + " " + strconv.Itoa(e.number) }

// portal posts events: those of a dialog one after the other, each when the one before has its answer.
type portal struct {
	run     *run
	wg      sync.WaitGroup
	posted  atomic.Int64 // events that are through, in whichever way
	broken  atomic.Int64
	refused atomic.Int64
	turn    atomic.Int64

	mu           sync.Mutex
	acknowledged map[event]bool
}

func newPortal(r *run) *portal {
	p := &portal{run: r, acknowledged: map[event]bool{}}
	for dialog := range r.cfg.Dialogs {
		p.wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // as a portal has it
			for number := 0; number*r.cfg.Dialogs+dialog < r.cfg.Events; number++ {
				p.post(client, event{dialog, number})
				p.posted.Add(1)
			}
		})
	}
	return p
}

// reach returns when so many events are through.
func (p *portal) reach(n int) {
	for since := time.Now(); p.posted.Load() < int64(n); time.Sleep(look) {
		if time.Since(since) > 2*patience {
			p.run.t.Errorf("after %v only %d of %d events are posted", 2*patience, p.posted.Load(), n)
			return
		}
	}
}

// post sends an event to those that are alive, and waits for all their answers. As a balancer does, it
// asks others when nobody listens any more where it wants to go.
func (p *portal) post(client *http.Client, e event) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	text, best := body(e, p.run.cfg.Dialogs), nobody
	for best == nobody && ctx.Err() == nil {
		to := p.run.some(int(p.turn.Add(1)), p.run.cfg.PostTo)
		statuses := make([]int, len(to))
		var wg sync.WaitGroup
		for i, r := range to {
			wg.Go(func() { statuses[i] = send(ctx, client, r.addr, text) })
		}
		wg.Wait()
		if best = slices.Max(append(statuses, nobody)); slices.Contains(statuses, http.StatusOK) {
			best = http.StatusOK
		}
		if best == nobody {
			time.Sleep(look)
		}
	}
	switch best {
	case http.StatusOK:
		p.mu.Lock()
		p.acknowledged[e] = true
		p.mu.Unlock()
	case nobody, broken:
		p.broken.Add(1)
	default:
		p.refused.Add(1)
	}
}

// What came of a post that got no answer.
const (
	nobody = iota // it cannot have arrived
	broken        // it may have arrived
)

// send returns the status of an answer.
func send(ctx context.Context, client *http.Client, addr, body string) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/", strings.NewReader(body))
	if err != nil {
		return nobody
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(r)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return nobody
	case err != nil:
		return broken
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode
}

// body is a message as a portal posts it, of 2 kB, whose id no other event of so many dialogs has.
func body(e event, dialogs int) string {
	person, id := strconv.Itoa(1000+e.dialog), strconv.Itoa(80000+e.number*dialogs+e.dialog)
	form := url.Values{
		"event": {"ONIMBOTMESSAGEADD"}, "event_handler_id": {"403"}, "ts": {"1771932585"},
		"auth[domain]": {"example.bitrix24.com"}, "auth[member_id]": {"d00d019bd00d019bd00d019bd00d019b"},
		"auth[client_endpoint]": {"https://example.bitrix24.com/rest/"}, "auth[application_token]": {"d00d01a0d00d01a0d00d01a0d00d01a0"},
	}
	for name, value := range map[string]string{
		"BOT_ID": "567", "BOT_CODE": "BOT1", "user_id": "567", "scope": "imbot", "domain": "example.bitrix24.com",
		"member_id": "d00d019bd00d019bd00d019bd00d019b", "client_id": "d00d019ed00d019ed00d019ed00d019e",
	} {
		form.Set("data[BOT][567]["+name+"]", value)
	}
	for name, value := range map[string]string{
		"MESSAGE": e.String() + strings.Repeat(" and so on", 80), "MESSAGE_ID": id,
		"MESSAGE_TYPE": "P", "CHAT_TYPE": "P", "DIALOG_ID": person, "FROM_USER_ID": person, "AUTHOR_ID": person, "TO_USER_ID": "567", "LANGUAGE": "en",
	} {
		form.Set("data[PARAMS]["+name+"]", value)
	}
	for name, value := range map[string]string{"ID": person, "NAME": "Test User", "IS_BOT": "N"} {
		form.Set("data[USER]["+name+"]", value)
	}
	return form.Encode()
}
