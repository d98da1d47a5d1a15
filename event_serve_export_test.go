package imbot

import (
	"context"
	"net"
)

// ServeListener is what is behind Serve, so that a test needs no port.
func ServeListener(ctx context.Context, ln net.Listener, h *EventHandler) error {
	return Server{Handler: h}.run(ctx, "Serve", ln)
}

// RunOn is Run on a listener.
func (s Server) RunOn(ctx context.Context, ln net.Listener) error {
	return s.run(ctx, "Server.Run", ln)
}
