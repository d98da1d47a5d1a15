package imbottest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// Listen serves the portal on a loopback address such as "127.0.0.1:0", too, and
// its authorization server on another port of the same host. From then on the
// URLs of [Portal.Webhook], [Portal.OAuth] and [Portal.AuthServer] begin with
// http:// and such an address. To be reached from elsewhere, mount the portal in a
// TLS server of your own: it is an [http.Handler].
func (p *Portal) Listen(addr string) error { return p.ListenTLS(addr, nil) }

// ListenTLS is [Portal.Listen] with TLS, for clients that insist on https://. The
// certificates of config have to be good for the address. Without config it is Listen.
func (p *Portal) ListenTLS(addr string, config *tls.Config) error {
	p.w.Lock()
	defer p.w.Unlock()
	if p.listen != "" && !p.w.Closed {
		return errors.New("imbottest: the portal listens already")
	}
	p.tls = config
	listener, err := p.open(addr)
	if err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(listener.Addr().String())
	auth, err := p.open(net.JoinHostPort(host, "0"))
	if err != nil {
		_ = listener.Close()
		return err
	}
	p.listen, p.authAddr = p.start(listener), p.start(auth)
	return nil
}

// open listens on an address, which has to be a loopback address. The lock is held.
func (p *Portal) open(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	switch {
	case err != nil:
		return nil, fmt.Errorf("imbottest: %w", err)
	case !world.IsLoopback(host):
		return nil, fmt.Errorf("imbottest: %s is not a loopback address", addr)
	case p.w.Closed:
		return nil, world.ErrClosed
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("imbottest: %w", err)
	}
	if p.tls != nil {
		listener = tls.NewListener(listener, p.tls)
	}
	return listener, nil
}

// start serves a listener until the portal is closed and returns its address;
// the lock is held.
func (p *Portal) start(listener net.Listener) string {
	addr := listener.Addr().String()
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p.serve(w, r, r.TLS != nil, addr)
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ConnState: func(_ net.Conn, state http.ConnState) { // counts connections, so that Close waits for their goroutines
			switch state {
			case http.StateNew:
				p.w.Goroutines.Add(1)
			case http.StateClosed, http.StateHijacked:
				p.w.Goroutines.Done()
			}
		},
	}
	p.servers = append(p.servers, server)
	p.w.Goroutines.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.problem("the server ended: %v", err)
		}
	})
	return addr
}

// Rename gives the portal another host name. From then on the former host answers
// everything with a redirect (302) to the same path at the new one, and events,
// renewals and app.info name the new endpoint; the member id and all tokens stay.
// After [Portal.Listen] the name has to be another loopback address, such as
// "127.0.0.1:0".
func (p *Portal) Rename(host string) error {
	p.w.Lock()
	defer p.w.Unlock()
	return p.rename(host)
}

// rename does what Rename says; the lock is held.
func (p *Portal) rename(host string) error {
	defer p.w.Notify()
	if p.listen != "" {
		listener, err := p.open(host)
		if err != nil {
			return err
		}
		p.formerHosts[p.listen] = true
		p.listen = p.start(listener)
		return nil
	}
	host = strings.ToLower(host)
	switch {
	case p.w.Closed:
		return world.ErrClosed
	case host == "" || hostOf("https://"+host) != host || host == p.authHost:
		return errors.New("imbottest: the new name of the portal is no host name")
	}
	p.formerHosts[p.host] = true
	p.host = host
	delete(p.formerHosts, host)
	return nil
}

// redirect sends a request that came to a former host to the present one; the lock
// is held.
func (p *Portal) redirect(uri string) answer {
	a := htmlPage(http.StatusFound)
	a.location = strings.TrimSuffix(p.endpoint(), "/rest/") + uri
	return a
}

// Endpoint returns the REST root of the portal, without credentials.
func (p *Portal) Endpoint() string {
	p.w.Lock()
	defer p.w.Unlock()
	return p.endpoint()
}

// endpoint is the portal's REST root; the lock is held.
func (p *Portal) endpoint() string {
	if p.listen != "" {
		return p.scheme() + p.listen + "/rest/"
	}
	return "https://" + p.host + "/rest/"
}

// scheme is how the addresses begin on which the portal listens.
func (p *Portal) scheme() string {
	if p.tls != nil {
		return "https://"
	}
	return "http://"
}

func (p *Portal) domain() string {
	if p.listen != "" {
		return p.listen
	}
	return p.host
}

// authOrigin is the scheme and host of the authorization server; the lock is held.
func (p *Portal) authOrigin() string {
	if p.authAddr != "" {
		return p.scheme() + p.authAddr
	}
	return "https://" + p.authHost
}

// AuthRoot is the REST root of the authorization server. It is this portal's own
// and not the vendor's, so that a test never reaches a real one.
func (p *Portal) authRoot() string { return p.authOrigin() + "/rest/" }

// known reports whether a host is one of the portal's; the lock is held.
func (p *Portal) known(host string) bool {
	switch host {
	case p.host, p.authHost:
		return true
	case p.listen, p.authAddr:
		return host != ""
	}
	return p.formerHosts[host]
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// publicURL cuts off the query and the credentials of a URL, which can be secrets.
func publicURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "a URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
