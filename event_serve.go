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
)

// How long Serve waits after its context has ended.
const (
	requestTime = inbox.VerifyTime + time.Second // for requests under way
	drainTime   = 30 * time.Second               // for all accepted events, requestTime included
)

// Serve listens on addr and hands every request to h until ctx ends. Then it
// stops listening, waits up to 30 s for the accepted events and returns nil, or
// what went wrong. The portal needs a public https address: put a proxy with a
// certificate in front.
func Serve(ctx context.Context, addr string, h *EventHandler) error {
	if h == nil || h.Verifier == nil || h.Verifier == ApplicationToken("") || h.Verifier == webhookVerifier("") {
		return errors.New("imbot: Serve: EventHandler.Verifier is nil, or that of an empty ClientID, so every event would be refused")
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("imbot: Serve: %w", err)
	}
	return serve(ctx, ln, h)
}

func serve(ctx context.Context, ln net.Listener, h *EventHandler) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      40 * time.Second, // counted from the end of the header: after a body that came too slowly there is still time for the 400
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(h.logger().Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		drain, cancel := context.WithTimeout(ctx, drainTime)
		defer cancel()
		return fmt.Errorf("imbot: Serve: %w", errors.Join(err, srv.Close(), h.Shutdown(drain)))
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	polite, cancel := context.WithTimeout(drain, requestTime)
	defer cancel()
	if srv.Shutdown(polite) != nil {
		_ = srv.Close() // hang up on slow senders: the rest of the time is for the accepted events
	}
	<-failed
	return h.Shutdown(drain)
}
