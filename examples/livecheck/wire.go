package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// mostCalls is how many requests a run sends at most, with those that remove what it made.
const mostCalls = 80

// mostBody is how much of an answer is read.
const mostBody = 16 << 20

var errUsedUp = errors.New("the calls of this run are used up")

// A wire sends one request after another, not more often than once per pace, counts them, and
// remembers the last answer.
type wire struct {
	next http.RoundTripper
	pace time.Duration

	mu    sync.Mutex
	calls int
	free  time.Time // when the next request may be sent
	last  answer
	tired bool // the portal has refused for want of time
}

// answer is what HTTP shows of an answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := w.await(r.Context()); err != nil {
		return nil, err
	}
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostBody))
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = answer{resp.StatusCode, resp.Header, body}
	w.tired = w.tired || resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusTooManyRequests
	return resp, nil
}

// await waits for the turn of a request and counts it.
func (w *wire) await(ctx context.Context) error {
	w.mu.Lock()
	if w.calls >= mostCalls {
		w.mu.Unlock()
		return errUsedUp
	}
	w.calls++
	turn := w.free
	if now := time.Now(); turn.Before(now) {
		turn = now
	}
	w.free = turn.Add(w.pace)
	w.mu.Unlock()
	timer := time.NewTimer(time.Until(turn))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// busy reports whether the portal has refused a call for want of time.
func (w *wire) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tired
}

// rest leaves out so many turns.
func (w *wire) rest(turns int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free = w.free.Add(time.Duration(turns) * w.pace)
}

// left is how many requests may still be sent.
func (w *wire) left() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return mostCalls - w.calls
}

// answered is the last answer.
func (w *wire) answered() answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// times are the numbers of the time block of the answer, as they are written.
func (a answer) times() map[string]json.Number {
	var body struct {
		Time map[string]any `json:"time"`
	}
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	_ = d.Decode(&body) // an answer of another form has no times
	times := map[string]json.Number{}
	for name, v := range body.Time {
		if n, is := v.(json.Number); is {
			times[name] = n
		}
	}
	return times
}
