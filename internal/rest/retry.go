package rest

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

// Retry says how often and after which waits a call is sent again.
type Retry struct {
	MaxAttempts int
	MinBackoff  time.Duration // doubled with each attempt, jittered
	MaxBackoff  time.Duration
}

// Backoff returns the wait after the given attempt (from 1): between half of
// and the whole doubled interval, so that clients do not march in step.
func (r Retry) Backoff(attempt int) time.Duration {
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
func outcomeOf(f *Failure, answered bool) outcome {
	if !answered {
		if neverSent(f.Cause) {
			return refused
		}
		return unknown
	}
	switch strings.ToUpper(f.Code) {
	case queryLimitExceeded, operationTimeLimit, "CONNECTION_ERROR":
		return refused
	case "EXPIRED_TOKEN", "INVALID_TOKEN":
		return stale
	case "INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER", "WRONG_ENCODING", "0":
		return unknown
	case errorCore:
		if f.StatusCode >= http.StatusInternalServerError {
			return unknown
		}
		return definite
	case "":
		switch {
		case f.StatusCode == http.StatusTooManyRequests:
			return refused
		case f.StatusCode >= 300 && f.StatusCode < 500 && !f.FromPortal:
			return definite // a redirect, a proxy or a firewall: the portal was not reached
		}
		return unknown
	}
	return definite
}

// SaysNo reports whether an error of the portal refuses a call for good: it neither
// asks for another try nor leaves open what has run.
func SaysNo(code string, status int) bool {
	o := outcomeOf(&Failure{Code: code, StatusCode: status, FromPortal: true}, true)
	return o == definite || o == stale
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

// Sleep waits for d or until ctx ends. It returns at once when the deadline of
// ctx would come first.
func Sleep(ctx context.Context, d time.Duration) error {
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
