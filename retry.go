package imbot

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"
)

// Retry says how often and after which waits a call is sent again. Whether it
// may be sent again is not a setting: see the package comment.
type Retry struct {
	MaxAttempts int           // default 4; 1: never again
	MinBackoff  time.Duration // default 1 s; doubled with each attempt, jittered
	MaxBackoff  time.Duration // default 30 s
}

// backoff returns the wait after the given attempt (from 1): between half of
// and the whole doubled interval, so that clients do not march in step.
func (r Retry) backoff(attempt int) time.Duration {
	d := min(r.MinBackoff, r.MaxBackoff)
	for range attempt - 1 {
		if d > r.MaxBackoff/2 {
			d = r.MaxBackoff
			break
		}
		d *= 2
	}
	return d/2 + rand.N(d/2+1)
}

// outcome answers "did it run?".
type outcome int

const (
	definite outcome = iota // the portal answered: never repeated
	refused                 // it did not run: anything may be repeated
	stale                   // it did not run: the token is too old
	unknown                 // nobody can tell: only what is repeatable is repeated
)

// outcomeOf classifies a failed attempt by its code, and by its status only
// where there is no code.
func outcomeOf(e *Error, answered bool) outcome {
	if !answered {
		if neverSent(e.cause) {
			return refused
		}
		return unknown
	}
	switch strings.ToUpper(string(e.Code)) {
	case "QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT", "CONNECTION_ERROR":
		return refused
	case "EXPIRED_TOKEN", "INVALID_TOKEN":
		return stale
	case "INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER", "WRONG_ENCODING", "0":
		return unknown
	case "ERROR_CORE":
		if e.StatusCode >= http.StatusInternalServerError {
			return unknown
		}
		return definite
	case "":
		switch {
		case e.StatusCode == http.StatusTooManyRequests:
			return refused
		case e.StatusCode >= 300 && e.StatusCode < 500 && !e.envelope:
			return definite // a redirect, a proxy or a firewall: the portal was not reached
		}
		return unknown
	}
	return definite
}

// neverSent reports whether a connection failed before anything was written.
func neverSent(err error) bool {
	var (
		op        *net.OpError
		dns       *net.DNSError
		cert      *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
	)
	switch {
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect" || op.Op == "socks connect"):
		return true
	case errors.As(err, &dns), errors.As(err, &cert), errors.As(err, &record),
		errors.As(err, &authority), errors.As(err, &hostname), errors.Is(err, http.ErrSchemeMismatch):
		return true
	}
	return err != nil && strings.HasSuffix(err.Error(), "net/http: TLS handshake timeout") // of a type that is not exported
}

// sleep waits for d or until ctx ends. It returns at once when the deadline of
// ctx would come first.
func sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
