package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// A balancer hands requests to one process after the other. One that a process does not answer goes
// to the next: an event that was stored all the same has the same key there, so it is stored once.
// While no process is there it waits, which the portal does, too.
type balancer struct {
	targets []string // "http://127.0.0.1:12345"
	turn    atomic.Uint64
	client  http.Client
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 5<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for first := b.turn.Add(1); r.Context().Err() == nil; first++ {
		status, err := b.pass(r, b.targets[first%uint64(len(b.targets))], body)
		if err == nil && status != http.StatusServiceUnavailable {
			w.WriteHeader(status)
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (b *balancer) pass(r *http.Request, target string, body []byte) (status int, err error) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header = r.Header.Clone()
	return b.send(req)
}

// send returns the status of an answer.
func (b *balancer) send(req *http.Request) (status int, err error) {
	resp, err := b.client.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// ready asks a process whether it takes requests.
func (b *balancer) ready(ctx context.Context, address string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return 0, err
	}
	return b.send(req)
}
