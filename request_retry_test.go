package imbot_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// job is a request that may be repeated or not.
type job struct {
	imbot.Returns[bool]
	repeatable bool
}

func (job) Method() string     { return "imbot.job" }
func (j job) Repeatable() bool { return j.repeatable }

// TestDidItRun holds the whole rule of repetition: what did not run is
// repeated, what may have run is repeated when that does no harm, and a definite
// answer stands.
func TestDidItRun(t *testing.T) {
	const (
		no     = "it did not run"
		maybe  = "nobody knows"
		answer = "the answer is definite"
	)
	code := func(status int, code imbot.ErrorCode) *wire {
		return always(status, fmt.Sprintf(`{"error":%q,"error_description":"x"}`, string(code)))
	}
	for name, tt := range map[string]struct {
		rt   *wire
		code imbot.ErrorCode
		ran  string
	}{
		"the rate limit":                       {code(503, "QUERY_LIMIT_EXCEEDED"), imbot.ErrQueryLimitExceeded, no},
		"the rate limit under 429":             {code(429, "QUERY_LIMIT_EXCEEDED"), imbot.ErrQueryLimitExceeded, no},
		"the rate limit under 200":             {code(200, "query_limit_exceeded"), imbot.ErrQueryLimitExceeded, no},
		"the time limit":                       {code(429, "OPERATION_TIME_LIMIT"), imbot.ErrOperationTimeLimit, no},
		"a token that could not be checked":    {code(401, "CONNECTION_ERROR"), imbot.ErrConnection, no},
		"429 of a proxy":                       {always(429, "<html>"), "", no},
		"a fault of the server":                {code(500, "INTERNAL_SERVER_ERROR"), imbot.ErrInternalServer, maybe},
		"an answer that got lost inside":       {code(500, "ERROR_UNEXPECTED_ANSWER"), imbot.ErrUnexpectedAnswer, maybe},
		"an answer that could not be encoded":  {code(200, "WRONG_ENCODING"), imbot.ErrWrongEncoding, maybe},
		"a crash inside":                       {code(400, "0"), imbot.Err0, maybe},
		"no code":                              {code(400, ""), "", maybe},
		"an exception under 500":               {code(500, "ERROR_CORE"), imbot.ErrCore, maybe},
		"500 without a code":                   {always(500, ""), "", maybe},
		"a page under 502":                     {always(502, "<html>"), "", maybe},
		"a page under 503":                     {always(503, "<html>"), "", maybe},
		"a page under 200":                     {always(200, "<html>"), "", maybe},
		"an empty answer":                      {always(200, ""), "", maybe},
		"an exception":                         {code(400, "ERROR_CORE"), imbot.ErrCore, answer},
		"a block for overload":                 {code(503, "OVERLOAD_LIMIT"), imbot.ErrOverloadLimit, answer},
		"no portal":                            {code(500, "PORTAL_DELETED"), imbot.ErrPortalDeleted, answer},
		"a wrong set-up":                       {code(500, "INTERNAL_WRONG_TRANSPORT"), imbot.ErrInternalWrongTransport, answer},
		"an unknown code under 500":            {code(500, "SOMETHING_NEW"), "SOMETHING_NEW", answer},
		"no right":                             {code(403, "ACCESS_DENIED"), imbot.ErrAccessDenied, answer},
		"wrong credentials":                    {code(401, "INVALID_CREDENTIALS"), imbot.ErrInvalidCredentials, answer},
		"a lost body":                          {code(401, "NO_AUTH_FOUND"), imbot.ErrNoAuthFound, answer},
		"a call that waits for an admin":       {code(401, "METHOD_CONFIRM_WAITING"), imbot.ErrMethodConfirmWaiting, answer},
		"no such method":                       {code(404, "ERROR_METHOD_NOT_FOUND"), imbot.ErrMethodNotFound, answer},
		"a bad parameter":                      {code(400, "100"), imbot.Err100, answer},
		"a code of the method":                 {code(400, "BOT_ID_ERROR"), imbot.ErrBotID, answer},
		"a token too old, with a webhook":      {code(401, "expired_token"), imbot.ErrExpiredToken, answer},
		"a page under 404":                     {always(404, "<html>"), "", answer},
		"a page under 403":                     {always(403, "<html>"), "", answer},
		"a redirect":                           {always(302, ""), "", answer},
		"a connection refused":                 {failing(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), "", no},
		"a proxy that cannot be reached":       {failing(&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}), "", no},
		"a proxy that refuses":                 {failing(&net.OpError{Op: "socks connect", Err: io.EOF}), "", no},
		"no such host":                         {failing(&net.DNSError{Err: "no such host", Name: "portal.bitrix24.com", IsNotFound: true}), "", no},
		"a certificate of nobody":              {failing(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), "", no},
		"a bare certificate error":             {failing(x509.UnknownAuthorityError{}), "", no},
		"a certificate of somebody else":       {failing(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "portal.bitrix24.com"}), "", no},
		"a bad record of TLS":                  {failing(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), "", maybe},
		"an answer in HTTP to HTTPS":           {failing(http.ErrSchemeMismatch), "", maybe},
		"429 with a code that nobody knows":    {code(429, "SOMETHING_NEW"), "SOMETHING_NEW", no},
		"an error of a tracing transport":      {failing(fmt.Errorf("traced: %w", &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH})), "", no},
		"a reset while reading":                {failing(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), "", maybe},
		"a reset while writing":                {failing(&net.OpError{Op: "write", Err: syscall.EPIPE}), "", maybe},
		"an end of the connection":             {failing(io.EOF), "", maybe},
		"an error that says nothing":           {failing(errors.New("boom")), "", maybe},
		"an answer that broke off":             {(&body{Reader: broken{}}).wire(-1), "", maybe},
		"a code in an answer that broke off":   {(&body{Reader: io.MultiReader(strings.NewReader(`{"error":"ACCESS_DENIED"}`), broken{})}).wire(-1), "", maybe},
		"a result under an error status":       {always(500, `{"result":true}`), "", maybe},
		"a rate limit that names it in a page": {always(503, "<html>QUERY_LIMIT_EXCEEDED"), "", maybe},
	} {
		for _, repeatable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, repeatable %t", name, repeatable), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					rt := &wire{answer: tt.rt.answer}
					_, err := imbot.Do(t.Context(), over(t, hook, rt), job{repeatable: repeatable})
					attempts := 1
					if tt.ran == no || tt.ran == maybe && repeatable {
						attempts = 4
					}
					require.Len(t, rt.requests, attempts)
					var e *imbot.Error
					require.ErrorAs(t, err, &e)
					require.Equal(t, attempts, e.Attempts)
					require.Equal(t, tt.ran == maybe && !repeatable, errors.Is(err, imbot.ErrOutcomeUnknown))
					require.Truef(t, strings.EqualFold(string(tt.code), string(e.Code)), "code %s", e.Code)
					if tt.code == imbot.ErrOperationTimeLimit {
						requireWaits(t, rt.at, 30*time.Second, 10*time.Minute)
						return
					}
					requireWaits(t, rt.at, time.Second, 30*time.Second)
				})
			})
		}
	}
}

// requireWaits holds that each wait lies between half of and the whole doubled
// interval.
func requireWaits(t *testing.T, at []time.Time, first, longest time.Duration) {
	t.Helper()
	whole := first
	for i := 1; i < len(at); i++ {
		wait := at[i].Sub(at[i-1])
		require.GreaterOrEqual(t, wait, min(whole, longest)/2, "wait %d", i)
		require.LessOrEqual(t, wait, min(whole, longest), "wait %d", i)
		whole *= 2
	}
}

const queryLimit = `{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}`

func TestWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		retry          imbot.Retry
		attempts       int
		first, longest time.Duration
	}{
		"by default":                        {imbot.Retry{}, 4, time.Second, 30 * time.Second},
		"longer, up to the cap":             {imbot.Retry{MaxAttempts: 9}, 9, time.Second, 30 * time.Second},
		"with a cap of its own":             {imbot.Retry{MaxAttempts: 7, MinBackoff: time.Second, MaxBackoff: 5 * time.Second}, 7, time.Second, 5 * time.Second},
		"short ones":                        {imbot.Retry{MinBackoff: time.Millisecond}, 4, time.Millisecond, 30 * time.Second},
		"a cap below the default":           {imbot.Retry{MaxBackoff: 100 * time.Millisecond}, 4, 100 * time.Millisecond, 100 * time.Millisecond},
		"a first wait above the usual cap":  {imbot.Retry{MinBackoff: time.Minute}, 4, time.Minute, time.Minute},
		"so long that doubling would break": {imbot.Retry{MaxAttempts: 2, MinBackoff: 200 * 365 * 24 * time.Hour}, 2, 200 * 365 * 24 * time.Hour, 200 * 365 * 24 * time.Hour},
		"none, as there is one attempt":     {imbot.Retry{MaxAttempts: 1}, 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := always(503, queryLimit)
				err := over(t, hook, rt, imbot.WithRetry(tt.retry)).Call(t.Context(), "profile", nil, nil)
				require.ErrorIs(t, err, imbot.ErrQueryLimitExceeded)
				require.Len(t, rt.requests, tt.attempts)
				requireWaits(t, rt.at, tt.first, tt.longest)
			})
		})
	}
}

// TestRetryAfter: a proxy knows when it wants to be asked again.
func TestRetryAfter(t *testing.T) {
	for name, tt := range map[string]struct {
		header         func() string
		least, longest time.Duration
	}{
		"seconds":               {func() string { return "7" }, 7 * time.Second, 7 * time.Second},
		"a date":                {func() string { return time.Now().Add(9 * time.Second).UTC().Format(http.TimeFormat) }, 8 * time.Second, 9 * time.Second},
		"more than the bounds":  {func() string { return "86400" }, 30 * time.Second, 30 * time.Second},
		"a year":                {func() string { return "31536000000000000000" }, time.Second / 2, time.Second},
		"a date that is over":   {func() string { return time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat) }, time.Second / 2, time.Second},
		"less than the backoff": {func() string { return "0" }, time.Second / 2, time.Second},
		"rubbish":               {func() string { return "soon" }, time.Second / 2, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
					if n > 1 {
						return reply(200, `{"result":true}`), nil
					}
					busy := reply(429, "<html>slow down")
					busy.Header.Set("Retry-After", tt.header())
					return busy, nil
				}}
				require.NoError(t, over(t, hook, rt).Call(t.Context(), "imbot.message.add", nil, nil))
				waited := rt.at[1].Sub(rt.at[0])
				require.GreaterOrEqual(t, waited, tt.least)
				require.LessOrEqual(t, waited, tt.longest)
			})
		})
	}
}

func TestWaitsAreJittered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := map[time.Duration]bool{}
		for range 20 {
			rt := always(503, queryLimit)
			_ = over(t, hook, rt, imbot.WithRetry(imbot.Retry{MaxAttempts: 2})).Call(t.Context(), "profile", nil, nil)
			waits[rt.at[1].Sub(rt.at[0])] = true
		}
		require.Greater(t, len(waits), 10)
	})
}

func TestResultAfterRepetition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
			switch n {
			case 1:
				return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
			case 2:
				return reply(503, queryLimit), nil
			}
			return reply(200, `{"result":39}`), nil
		}}
		id, err := over(t, hook, rt).Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: "1", Message: "hi"})
		require.NoError(t, err)
		require.Equal(t, imbot.ID(39), id)
		require.Len(t, rt.requests, 3)
	})
}

func TestCallIsNotRepeatedWhenItMayHaveRun(t *testing.T) {
	rt := failing(io.EOF)
	err := over(t, hook, rt).Call(t.Context(), "imbot.message.add", map[string]string{"MESSAGE": "hi"}, nil)
	require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
	require.ErrorIs(t, err, io.EOF)
	require.ErrorContains(t, err, "it is unknown whether the call ran")
	require.Len(t, rt.requests, 1)
}

// counter encodes to other bytes each time.
type counter struct{ n *int }

func (c counter) MarshalJSON() ([]byte, error) {
	*c.n++
	return json.Marshal(map[string]int{"N": *c.n})
}

func TestEveryAttemptSendsTheSameBytes(t *testing.T) {
	for name, auth := range map[string]imbot.Auth{"webhook": hook, "OAuth": app} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := always(503, queryLimit)
				err := over(t, auth, rt).Call(t.Context(), "imbot.bot.list", counter{new(int)}, nil)
				require.ErrorIs(t, err, imbot.ErrQueryLimitExceeded)
				require.Len(t, rt.bodies, 4)
				for _, sent := range rt.bodies {
					require.Contains(t, sent, `"N":1}`)
					require.Equal(t, rt.bodies[0], sent)
				}
			})
		})
	}
}

// TestConnectionsThatNeverWere uses real ones: an address where nobody listens, a
// certificate of nobody, a server that speaks no TLS or not at all.
func TestConnectionsThatNeverWere(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"result":true}`) })
	quiet := log.New(io.Discard, "", 0)
	secure := httptest.NewUnstartedServer(handler)
	secure.Config.ErrorLog = quiet
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewUnstartedServer(handler)
	plain.Config.ErrorLog = quiet
	plain.Start()
	defer plain.Close()

	mute, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never says a word
	require.NoError(t, err)
	defer func() { _ = mute.Close() }()
	transport := &http.Transport{TLSHandshakeTimeout: 20 * time.Millisecond}
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == "localhost:80" { // a free port could be taken meanwhile
			network, addr = "unix", filepath.Join(t.TempDir(), "nobody")
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	defer transport.CloseIdleConnections()

	for name, root := range map[string]string{
		"nobody listens":          "http://localhost",
		"a certificate of nobody": secure.URL,
		"no TLS at the other end": strings.Replace(plain.URL, "http:", "https:", 1),
		"a handshake without end": "https://" + mute.Addr().String(),
	} {
		t.Run(name, func(t *testing.T) {
			client := over(t, imbot.Webhook{URL: root + "/rest/1/s3cr3t/"}, transport,
				imbot.WithRetry(imbot.Retry{MaxAttempts: 3, MinBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond}))
			err := client.Call(t.Context(), "imbot.message.add", nil, nil)
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, 3, e.Attempts, "%v", err)
			require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
			require.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}
