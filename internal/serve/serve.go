// Package serve runs a handler on a listener until a context ends, tells a load balancer
// about it, and drains.
package serve

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Shutdowner is one of Events. One that also has Degraded() bool may say that it works, but not as
// it should. One that also has Run(ctx) error has work of its own while the server runs.
type Shutdowner interface {
	Shutdown(ctx context.Context) error
}

// Config says what to serve.
type Config struct {
	Handler http.Handler
	Events  []Shutdowner // end in this order, after the last request

	Linger time.Duration // from the context's end to that of the listener
	Polite time.Duration // from there on, for requests under way
	Drain  time.Duration // from the context's end, for all

	ErrorLog *log.Logger
}

// Run serves until ctx ends or the listener fails. When it returns, the listener is
// closed and so is every connection. The errors are those of the listener and of Events.
func Run(ctx context.Context, ln net.Listener, c Config) (failed, drained error) {
	srv := &http.Server{
		Handler:           c.handler(ctx),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      40 * time.Second, // counted from the end of the header: after a body that came too slowly there is still time for the 400
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          c.ErrorLog,
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	working, stop := context.WithCancel(context.WithoutCancel(ctx)) // until Shutdown, not only until ctx ends
	worked := make(chan error, len(c.Events))
	works := 0
	for _, event := range c.Events {
		if w, ok := event.(interface {
			Run(ctx context.Context) error
		}); ok {
			works++
			go func() { worked <- w.Run(working) }()
		}
	}
	select {
	case failed = <-ended:
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Drain)
	defer cancel()
	if failed == nil && c.Linger > 0 {
		select {
		case failed = <-ended:
		case <-time.After(c.Linger):
		}
	}
	polite, cancel := context.WithTimeout(drain, c.Polite)
	defer cancel()
	if srv.Shutdown(polite) != nil {
		_ = srv.Close() // hang up on slow senders: the rest of the time is for the accepted events
	}
	if failed == nil {
		<-ended
	}
	drained = c.shutdown(drain)
	stop()
	for range works {
		drained = errors.Join(drained, <-worked)
	}
	return failed, drained
}

// shutdown ends what accepts events. What waits for the next in the row may still use it.
func (c Config) shutdown(ctx context.Context) error {
	errs := make([]error, len(c.Events))
	for i, s := range c.Events {
		errs[i] = s.Shutdown(ctx)
	}
	return errors.Join(errs...)
}

// handler answers the questions of a load balancer; anything else is Handler's.
func (c Config) handler(ctx context.Context) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asks := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case asks && r.URL.Path == "/healthz":
			_, _ = io.WriteString(w, "ok\n")
		case asks && r.URL.Path == "/readyz" && ctx.Err() != nil:
			http.Error(w, "stopping", http.StatusServiceUnavailable)
		case asks && r.URL.Path == "/readyz":
			_, _ = io.WriteString(w, c.state()+"\n")
		default:
			c.Handler.ServeHTTP(w, r)
		}
	})
}

func (c Config) state() string {
	for _, s := range c.Events {
		if d, ok := s.(interface{ Degraded() bool }); ok && d.Degraded() {
			return "degraded"
		}
	}
	return "ok"
}
