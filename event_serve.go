package imbot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/imbot-go/imbot/internal/inbox"
	"github.com/imbot-go/imbot/internal/serve"
)

// Shutdowner is what a [Server] ends with itself: an [EventHandler] of either generation, or a
// provider of telemetry that has something to flush. Shutdown returns when what was accepted is
// done, or when ctx ends. One that also has Degraded() bool says with true that it works, but
// not as it should; one that has Run(ctx) error, as a handler with an Inbox, works while the server
// does, until Shutdown.
type Shutdowner interface {
	Shutdown(ctx context.Context) error
}

// A Server serves bots with all that is around them, until a context ends. Beside Handler
// it answers
//
//	GET /healthz  200 while the process lives
//	GET /readyz   200, from the context's end on 503; the text is "degraded" while one
//	              of Events has a method Degraded() bool that says so
type Server struct {
	Addr    string       // as in [net.Listen]; ":8080"
	Handler http.Handler // an EventHandler, or routes to several, an install page and what else there is

	// Events end with the server, one after the other, when no request can come any more.
	// List what flushes telemetry last. None: Handler, if it is a Shutdowner.
	Events []Shutdowner

	// Linger is how long the server goes on as if nothing was after the context's end,
	// except for /readyz: a load balancer sends requests until it has noticed. Kubernetes
	// needs 5 s, default 0.
	Linger time.Duration

	// Drain is how long Run may take after the context's end, Linger included; default
	// 25 s, below the 30 s after which most supervisors kill.
	Drain time.Duration
}

// Run listens until ctx ends. Then it stops listening, waits for the requests under way
// and for all Events, and returns nil, or what went wrong. The portal needs a public
// https address: put a proxy with a certificate in front.
func (s Server) Run(ctx context.Context) error { return s.run(ctx, "Server.Run", nil) }

// Serve is [Server.Run] with one handler.
func Serve(ctx context.Context, addr string, h *EventHandler) error {
	return Server{Addr: addr, Handler: h}.run(ctx, "Serve", nil)
}

// run listens itself when there is no listener.
func (s Server) run(ctx context.Context, name string, ln net.Listener) error {
	if s.Drain == 0 {
		s.Drain = 25 * time.Second
	}
	logger, err := s.check()
	if err == nil && ln == nil {
		ln, err = new(net.ListenConfig).Listen(ctx, "tcp", s.Addr)
	}
	if err != nil {
		return fmt.Errorf("imbot: %s: %w", name, err)
	}
	if own, ok := s.Handler.(Shutdowner); ok && len(s.Events) == 0 {
		s.Events = []Shutdowner{own}
	}
	events := make([]serve.Shutdowner, len(s.Events))
	for i, event := range s.Events {
		events[i] = event
	}
	err, drained := serve.Run(ctx, ln, serve.Config{
		Handler: s.Handler, Events: events, Linger: s.Linger, Drain: s.Drain,
		Polite:   inbox.VerifyTime + time.Second,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	})
	if err != nil {
		return fmt.Errorf("imbot: %s: %w", name, errors.Join(err, drained))
	}
	return drained
}

// check refuses what could not work, and returns the logger of the first event handler.
func (s Server) check() (*slog.Logger, error) {
	if s.Handler == nil {
		return nil, errors.New("Server.Handler is nil")
	}
	if s.Linger < 0 || s.Drain <= s.Linger {
		return nil, fmt.Errorf("Server.Drain, %v, has to be longer than Server.Linger, %v, which is a part of it", s.Drain, s.Linger)
	}
	parts := []any{s.Handler}
	for i, event := range s.Events {
		if event == nil {
			return nil, fmt.Errorf("Server.Events[%d] is nil", i)
		}
		parts = append(parts, event)
	}
	var logger *slog.Logger
	for _, part := range parts {
		h, ok := part.(*EventHandler)
		if !ok {
			continue
		}
		if h == nil || h.Verifier == nil || h.Verifier == ApplicationToken("") || h.Verifier == webhookVerifier("") {
			return nil, errors.New("EventHandler.Verifier is nil, or that of an empty ClientID, so every event would be refused")
		}
		if logger == nil {
			logger = h.logger()
		}
	}
	if logger == nil {
		logger = calm(slog.Default())
	}
	return logger, nil
}
