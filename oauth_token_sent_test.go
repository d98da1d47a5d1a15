package imbot_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// tokenServer is a portal whose token has expired, and its authorization server, of
// which each connection goes to handle.
type tokenServer struct {
	connections, renewals atomic.Int32
	client                *imbot.Client
	store                 imbot.TokenStore
}

// The name that the certificate of a test server is for.
const certified = "example.com"

func newTokenServer(t *testing.T, proxy bool, handle func(s *tokenServer, conn net.Conn)) *tokenServer {
	t.Helper()
	_, pool := certificate(t)
	s := &tokenServer{store: imbot.NewMemoryStore()}
	addr := serve(t, func(conn net.Conn) {
		s.connections.Add(1)
		handle(s, conn)
	})
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Auth string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body.Auth == "s3cr3t-new" {
			_, _ = io.WriteString(w, `{"result":true}`)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"expired_token"}`)
	}))
	t.Cleanup(portal.Close)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
	server := "https://" + addr
	if proxy {
		server = "https://" + certified
		transport.Proxy = func(r *http.Request) (*url.URL, error) {
			if r.URL.Hostname() != certified {
				return nil, nil
			}
			return &url.URL{Scheme: "http", Host: addr}, nil
		}
	}
	require.NoError(t, s.store.Swap(t.Context(), imbot.Grant{}, imbot.Grant{MemberID: memberOne, ClientEndpoint: portal.URL + "/rest/",
		ServerEndpoint: server + "/rest/", AccessToken: "s3cr3t-old", RefreshToken: "s3cr3t-refresh"}))
	app := &imbot.OAuthApp{ClientID: appID, ClientSecret: appSecret, Store: s.store, AuthServers: []string{server},
		Options: []imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: transport}), imbot.WithLimiter(nil), fast}}
	var err error
	s.client, err = app.Client(t.Context(), memberOne)
	require.NoError(t, err)
	return s
}

// answer lets a connection through and renews, or hangs up when it has read the request.
func (s *tokenServer) answer(conn net.Conn, cert tls.Certificate, proxy, hangUp bool) {
	if proxy {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	}
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
	r, err := http.ReadRequest(bufio.NewReader(secure))
	if err != nil || r.FormValue("refresh_token") != "s3cr3t-refresh" {
		return
	}
	s.renewals.Add(1)
	if !hangUp {
		const pair = `{"access_token":"s3cr3t-new","refresh_token":"s3cr3t-refresh-2","expires_in":3600}`
		_, _ = fmt.Fprintf(secure, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(pair), pair)
	}
	_ = secure.Close()
}

func TestATokenServerThatNobodyReachesUsesUpNothing(t *testing.T) {
	t.Parallel()
	cert, _ := certificate(t)
	for name, way := range barriers(cert) {
		if name == "a handshake with somebody else" { // whose certificate is good here
			way.handle = func(conn net.Conn) { _ = tls.Server(conn, &tls.Config{}).Handshake() }
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var barred atomic.Int32 // so many connections do not get through
			barred.Store(1000)
			s := newTokenServer(t, way.proxy, func(s *tokenServer, conn net.Conn) {
				if barred.Add(-1) >= 0 {
					way.handle(conn)
					return
				}
				s.answer(conn, cert, way.proxy, false)
			})
			for round := range 2 {
				err := ping(t.Context(), s.client)
				require.ErrorContains(t, err, "oauth/token: not sent")
				require.ErrorContains(t, err, "(3 attempts)")
				require.NotErrorIs(t, err, imbot.ErrReinstall)
				require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
				require.NotContains(t, err.Error(), "s3cr3t")
				require.EqualValues(t, 3*(round+1), s.connections.Load(), "and there is no pause")
			}
			barred.Store(2)
			require.NoError(t, ping(t.Context(), s.client))
			require.EqualValues(t, 1, s.renewals.Load())
			g := load(t, s.store)
			require.Equal(t, "s3cr3t-refresh-2", g.RefreshToken)
		})
	}
}

// A refresh token that was sent may be used up, so it is not sent again at once.
func TestATokenServerThatHangsUpMayHaveUsedUpTheToken(t *testing.T) {
	t.Parallel()
	cert, _ := certificate(t)
	for name, row := range map[string]struct {
		reads    int32 // so many connections, before the others are cut off
		renewals int32
	}{
		"each time": {100, 3},
		"once":      {1, 1},
	} {
		for _, proxy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, behind a proxy: %t", name, proxy), func(t *testing.T) {
				t.Parallel()
				s := newTokenServer(t, proxy, func(s *tokenServer, conn net.Conn) {
					if s.connections.Load() <= row.reads {
						s.answer(conn, cert, proxy, true)
					}
				})
				for range 2 {
					err := ping(t.Context(), s.client)
					require.ErrorContains(t, err, "oauth/token: no answer")
					require.NotErrorIs(t, err, imbot.ErrReinstall)
					require.NotContains(t, err.Error(), "s3cr3t")
					require.EqualValues(t, 3, s.connections.Load(), "a pause follows")
					require.Equal(t, row.renewals, s.renewals.Load())
				}
			})
		}
	}
}
