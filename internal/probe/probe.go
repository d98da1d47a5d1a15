// Package probe looks at the addresses of a portal and of a bot for what keeps events from
// arriving, from where the program runs.
package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Finding is one reason why events may not arrive.
type Finding struct {
	Problem string
	Advice  string // what to do about it
	Guess   bool   // it cannot be proven from here
}

type report []Finding

func (r *report) add(problem, advice string) {
	*r = append(*r, Finding{Problem: problem, Advice: advice})
}

func (r *report) guess(problem, advice string) {
	*r = append(*r, Finding{Problem: problem, Advice: advice, Guess: true})
}

// LooksLikeBox reports whether a host is neither the cloud's nor one that no portal on
// the internet can have (RFC 2606, RFC 6761).
func LooksLikeBox(hostport string) bool {
	host := strings.ToLower((&url.URL{Host: hostport}).Hostname())
	if ip, err := netip.ParseAddr(host); err == nil {
		return !ip.IsLoopback()
	}
	_, parent, dotted := strings.Cut(host, ".")
	for _, tld := range []string{".example", ".example.com", ".test", ".invalid", ".localhost"} {
		if strings.HasSuffix(host, tld) {
			return false
		}
	}
	return dotted && !strings.HasPrefix(parent, "bitrix24.")
}

// patience is how long a handler may take to answer.
const patience = 10 * time.Second

// Handler looks at a handler URL, and asks it for an answer by way of hc.
func Handler(ctx context.Context, hc *http.Client, raw string) []Finding {
	var r report
	r.handler(ctx, hc, raw)
	return r
}

func (r *report) handler(ctx context.Context, hc *http.Client, raw string) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		r.add("The handler URL is not an http or https URL, so the portal refuses it.", "Use a public https address.")
		return
	}
	if u.Scheme == "http" {
		r.add("The handler URL is not https. Events carry tokens, which everybody on the way can read.", "Put a proxy with a certificate in front of the bot, and register the https address.")
	}
	host := u.Hostname()
	ip, notIP := netip.ParseAddr(host)
	switch {
	case notIP == nil && !isPublic(ip):
		r.add("The handler URL leads to "+host+", an address that only this machine or network has. The vendor's servers deliver the events.", "Use a public address, or a tunnel to this machine.")
	case notIP != nil && (!strings.Contains(strings.Trim(host, "."), ".") || host == "localhost"):
		r.add("The host of the handler URL, "+host+", has no dot. The portal refuses such a URL.", "Use a public address, or a tunnel to this machine.")
	}

	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var mu sync.Mutex
	var private string
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{DNSDone: func(info httptrace.DNSDoneInfo) {
		mu.Lock()
		defer mu.Unlock()
		for _, a := range info.Addrs {
			if ip, ok := netip.AddrFromSlice(a.IP); ok && !isPublic(ip.Unmap()) {
				private = ip.Unmap().String()
			}
		}
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		r.add("The handler URL cannot be called.", "Use a public https address.")
		return
	}
	resp, err := hc.Do(req)
	mu.Lock()
	defer mu.Unlock()
	if private != "" && notIP != nil {
		r.guess("From here the host of the handler URL is "+private+", an address that only this network has.", "Check that the name leads to a public address elsewhere.")
	}
	if err != nil {
		r.unanswered(err)
		return
	}
	_ = resp.Body.Close()
	switch s := resp.StatusCode; {
	case s == http.StatusNotFound:
		r.guess("The handler URL answers 404: nothing is served at this path.", "Compare the path with the one that the bot listens on.")
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		r.guess("The handler URL answers "+http.StatusText(s)+": something in front of the bot asks for a login, or for an address that it knows.", "Leave this path open. The application token proves that an event is genuine.")
	case s >= 500:
		r.guess("The handler URL answers "+http.StatusText(s)+". A proxy may have no way to the bot.", "Look at the proxy and at the bot's log.")
	case s >= 300 && s < 400:
		r.guess("The handler URL answers with a redirect. A redirected POST loses its body.", "Register the address that it leads to.")
	default:
		r.stranger(ctx, hc, u.String())
	}
}

// stranger posts an event that proves nothing, as anybody may who knows the handler URL. A bot that
// looks at the application token refuses it.
func (r *report) stranger(ctx context.Context, hc *http.Client, raw string) {
	const unproven = "event=ONIMBOTMESSAGEADD&auth[application_token]="
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, raw, strings.NewReader(unproven))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := hc.Do(req)
	if err != nil {
		return // it has answered a moment ago
	}
	_ = resp.Body.Close()
	if resp.StatusCode < 300 {
		r.guess("The handler URL takes an event that proves nothing: a stranger who knows it may speak for the portal.", "Compare the application token before anything else. The event handlers of this module answer 401.")
	}
}

// unanswered says why a handler URL gave no answer.
func (r *report) unanswered(err error) {
	var (
		cert      *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		dns       *net.DNSError
	)
	switch {
	case errors.As(err, &hostname):
		r.add("The certificate of the handler URL is for another host.", "Get a certificate for this host.")
	case errors.As(err, &cert), errors.As(err, &authority):
		r.guess("The certificate of the handler URL is not trusted here: expired, self-signed, or without its intermediate certificates. The portal needs a valid one.", "Renew it, and let the proxy send the whole chain.")
	case errors.As(err, &dns):
		r.guess("The host of the handler URL has no address that this machine knows.", "Check the name.")
	default:
		r.guess("The handler URL does not answer from here. (Some networks cannot reach their own public address.)", "Check that the bot runs, listens, and is reachable from outside: from a phone without Wi-Fi, for example.")
	}
}

// isPublic reports whether an address can be reached from the internet.
func isPublic(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !carrierNAT.Contains(ip)
}

// carrierNAT are the shared addresses of providers (RFC 6598).
var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")
