package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/imbot-go/imbot/imbottest"
)

// where reads -addr: without a host, this machine. Only an address that says so is open to
// other machines.
func where(addr string) (host, port string, open bool, err error) {
	host, port, err = net.SplitHostPort(addr)
	if err != nil {
		return "", "", false, fmt.Errorf("-addr: %w", err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return host, port, host != "localhost" && !net.ParseIP(host).IsLoopback(), nil
}

// listen serves the portal on an address and returns the root of its URLs. config is nil
// without TLS.
func listen(ctx context.Context, portal *imbottest.Portal, addr string, config *tls.Config) (origin string, stop func(), err error) {
	host, port, isOpen, err := where(addr)
	if err != nil {
		return "", nil, err
	}
	addr = net.JoinHostPort(host, port)
	if isOpen {
		return open(ctx, portal, addr, config)
	}
	if err := portal.ListenTLS(addr, config); err != nil {
		return "", nil, taken(addr, err)
	}
	return strings.TrimSuffix(portal.Endpoint(), "/rest/"), func() {}, nil
}

// open listens on an address that other machines reach. The portal itself stays
// on a loopback address, and its URL in events is that.
func open(ctx context.Context, portal *imbottest.Portal, addr string, config *tls.Config) (origin string, stop func(), err error) {
	if err := portal.ListenTLS("127.0.0.1:0", config); err != nil {
		return "", nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return "", nil, taken(addr, err)
	}
	scheme := "http://"
	if config != nil {
		listener, scheme = tls.NewListener(listener, config), "https://"
	}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.TLS = &tls.ConnectionState{} // a webhook needs TLS; here somebody asked for less
			portal.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends with stop
	}()
	return scheme + reachable(listener.Addr()), func() { _ = server.Close(); <-served }, nil
}

// reachable names an address as other machines do.
func reachable(addr net.Addr) string {
	host, port, _ := net.SplitHostPort(addr.String())
	if !net.ParseIP(host).IsUnspecified() {
		return addr.String()
	}
	host = "127.0.0.1"
	all, _ := net.InterfaceAddrs() // without them, this machine
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			host = n.IP.String()
			break
		}
	}
	return net.JoinHostPort(host, port)
}

func taken(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is taken by another program: choose another -addr, such as 127.0.0.1:0 for any free one", addr)
	}
	return fmt.Errorf("-addr %s: %w", addr, err)
}
