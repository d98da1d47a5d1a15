package imbot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

const (
	appID     = "local.s0me.client"
	appSecret = "s3cr3t-client"
	memberOne = "d00d01f1d00d01f1d00d01f1d00d01f1"
)

// cloud plays portals and the authorization server, without a socket.
type cloud struct {
	mu       sync.Mutex
	portals  map[string]*cloudPortal // by host
	tokens   map[string]*cloudToken  // by access token
	refresh  map[string]*cloudToken  // by refresh token, of the living pairs
	codes    map[string]*cloudToken
	issued   int
	requests []string // "host/path" of everything that was asked for
	token    []url.Values
	nameless bool                                          // app.info names no user
	nowhere  bool                                          // and no endpoint
	fail     func(r *http.Request) (*http.Response, error) // answers instead, when it returns something
}

type cloudPortal struct {
	member, host, movedTo string
	admins                map[imbot.ID]bool
}

type cloudToken struct {
	access, refresh, client string
	portal                  *cloudPortal
	user                    imbot.ID
	expired                 bool
}

func newCloud() *cloud {
	c := &cloud{portals: map[string]*cloudPortal{}, tokens: map[string]*cloudToken{}, refresh: map[string]*cloudToken{}, codes: map[string]*cloudToken{}}
	c.portal(memberOne, "one.bitrix24.com")
	return c
}

func (c *cloud) portal(member, host string) *cloudPortal {
	p := &cloudPortal{member: member, host: host, admins: map[imbot.ID]bool{1: true}}
	c.portals[host] = p
	return p
}

// issue makes a pair of a user of a portal.
func (c *cloud) issue(host string, user imbot.ID, client string) *cloudToken {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pair(c.portals[host], user, client)
}

func (c *cloud) pair(p *cloudPortal, user imbot.ID, client string) *cloudToken {
	c.issued++
	t := &cloudToken{access: fmt.Sprintf("s3cr3t-access-%d", c.issued), refresh: fmt.Sprintf("s3cr3t-refresh-%d", c.issued), client: client, portal: p, user: user}
	c.tokens[t.access], c.refresh[t.refresh] = t, t
	return t
}

// expire ends the life of every access token.
func (c *cloud) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tokens {
		t.expired = true
	}
}

// asked counts the requests to host and path.
func (c *cloud) asked(what string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.requests {
		if r == what {
			n++
		}
	}
	return n
}

func (c *cloud) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r.URL.Host+r.URL.Path)
	if c.fail != nil {
		if resp, err := c.fail(r); resp != nil || err != nil {
			return resp, err
		}
	}
	c.serve(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func (c *cloud) serve(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	refuse := func(status int, code string) {
		answer(status, map[string]string{"error": code, "error_description": "about " + code})
	}
	if r.URL.Path == "/oauth/token/" && r.URL.Host == "oauth.bitrix.info" {
		form := r.URL.Query()
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			form, _ = url.ParseQuery(string(body))
		}
		c.token = append(c.token, form)
		if form.Get("client_id") != appID || form.Get("client_secret") != appSecret {
			refuse(401, "invalid_client")
			return
		}
		old := c.refresh[form.Get("refresh_token")]
		if form.Get("grant_type") == "authorization_code" {
			old = c.codes[form.Get("code")]
			delete(c.codes, form.Get("code"))
		}
		if old == nil || old.client != appID {
			refuse(400, "invalid_grant")
			return
		}
		delete(c.refresh, old.refresh)
		t := c.pair(old.portal, old.user, old.client)
		host := t.portal.host
		if t.portal.movedTo != "" {
			host = t.portal.movedTo
		}
		answer(200, map[string]any{"access_token": t.access, "refresh_token": t.refresh, "expires_in": 3600, "domain": "oauth.bitrix.info",
			"client_endpoint": "https://" + host + "/rest/", "server_endpoint": "https://oauth.bitrix.info/rest/",
			"member_id": t.portal.member, "status": "L", "scope": "imbot,im", "user_id": t.user})
		return
	}
	var body struct{ Auth string }
	raw, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(raw, &body)
	t := c.tokens[body.Auth]
	method := strings.TrimPrefix(r.URL.Path, "/rest/")
	p := c.portals[r.URL.Host]
	switch {
	case p != nil && p.movedTo != "" && p.host == r.URL.Host:
		w.Header().Set("Location", "https://"+p.movedTo+r.URL.Path)
		w.WriteHeader(http.StatusFound)
	case t == nil:
		refuse(401, "invalid_token")
	case t.expired:
		refuse(401, "expired_token")
	case r.URL.Host == "oauth.bitrix.info" && method == "app.info":
		host := t.portal.host
		if t.portal.movedTo != "" {
			host = t.portal.movedTo
		}
		info := map[string]any{"client_id": t.client, "scope": "imbot,im", "user_id": t.user, "install": map[string]any{
			"domain": host, "member_id": t.portal.member, "client_endpoint": "https://" + host + "/rest/", "status": "L"}}
		if c.nameless {
			delete(info, "user_id")
		}
		if c.nowhere {
			delete(info["install"].(map[string]any), "client_endpoint")
		}
		answer(200, map[string]any{"result": info})
	case p == nil || t.portal.member != p.member:
		refuse(401, "invalid_token")
	case method == "profile":
		answer(200, map[string]any{"result": map[string]any{"ID": t.user.String(), "ADMIN": p.admins[t.user]}})
	default:
		answer(200, map[string]any{"result": 7})
	}
}

// app returns an application that lives in the cloud.
func (c *cloud) app(store imbot.TokenStore) *imbot.OAuthApp {
	return &imbot.OAuthApp{ClientID: appID, ClientSecret: appSecret, Store: store, Options: []imbot.Option{
		imbot.WithHTTPClient(&http.Client{Transport: c}), imbot.WithLimiter(nil)}}
}

// grant is a pair as it is stored.
func (t *cloudToken) grant() imbot.Grant {
	return imbot.Grant{
		MemberID: t.portal.member, Domain: t.portal.host, ClientEndpoint: "https://" + t.portal.host + "/rest/",
		ServerEndpoint: "https://oauth.bitrix.info/rest/", AccessToken: t.access, RefreshToken: t.refresh,
		Expires: time.Now().Add(time.Hour), UserID: t.user, Scope: "imbot,im", Status: "L", ApplicationToken: "s3cr3t-application",
	}
}

// installed returns a store with the grant of user 1.
func (c *cloud) installed(t *testing.T, host string) imbot.TokenStore {
	t.Helper()
	store := imbot.NewMemoryStore()
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, c.issue(host, 1, appID).grant()))
	return store
}

func load(t *testing.T, store imbot.TokenStore) imbot.Grant {
	t.Helper()
	g, err := store.Load(t.Context(), memberOne)
	require.NoError(t, err)
	return g
}

// event is the post of an event with the tokens of a pair; more overrides.
func (t *cloudToken) event(name string, more ...string) *http.Request {
	auth := url.Values{
		"event": {name}, "ts": {"1696527000"}, "data[LANGUAGE_ID]": {"de"}, "auth[access_token]": {t.access}, "auth[refresh_token]": {t.refresh},
		"auth[expires_in]": {"3600"}, "auth[domain]": {t.portal.host}, "auth[member_id]": {t.portal.member}, "auth[status]": {"L"},
		"auth[client_endpoint]": {"https://" + t.portal.host + "/rest/"}, "auth[server_endpoint]": {"https://oauth.bitrix.info/rest/"},
		"auth[application_token]": {"s3cr3t-application"},
	}
	return formPost("https://bot.example.com/events", auth, more...)
}

// page is the post to the application's page with the tokens of a pair.
func (t *cloudToken) page(more ...string) *http.Request {
	return formPost("https://bot.example.com/install?DOMAIN="+t.portal.host+"&PROTOCOL=1&LANG=en&APP_SID=x", url.Values{
		"AUTH_ID": {t.access}, "REFRESH_ID": {t.refresh}, "AUTH_EXPIRES": {"3600"}, "member_id": {t.portal.member}, "status": {"L"},
		"SERVER_ENDPOINT": {"https://oauth.bitrix.info/rest/"}, "APPLICATION_TOKEN": {"s3cr3t-application"}, "PLACEMENT": {"DEFAULT"},
	}, more...)
}

func formPost(address string, form url.Values, more ...string) *http.Request {
	for i := 0; i+1 < len(more); i += 2 {
		if form.Set(more[i], more[i+1]); more[i+1] == "" {
			form.Del(more[i])
		}
	}
	r := httptest.NewRequest(http.MethodPost, address, bytes.NewReader([]byte(form.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// post lets a handler answer a request and waits until its pool is idle.
func post(t *testing.T, h *imbot.EventHandler, r *http.Request) int {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.NoError(t, h.Idle(t.Context()))
	return w.Code
}

// eventsOf returns a handler for an application and the errors it reports.
func eventsOf(app *imbot.OAuthApp) (h *imbot.EventHandler, failures *[]error, seen *[]string) {
	failures, seen = new([]error), new([]string)
	return &imbot.EventHandler{
		Verifier: app.Verifier(),
		Logger:   slog.New(slog.DiscardHandler),
		OnEvent: func(_ context.Context, ev imbot.Event) error {
			*seen = append(*seen, ev.Meta().Name)
			return nil
		},
		OnError: func(_ context.Context, _ imbot.Event, err error) { *failures = append(*failures, err) },
	}, failures, seen
}

// answerOf is the status of an event; its handling is not waited for.
func answerOf(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

const tokenURL = "oauth.bitrix.info/oauth/token/"

func ping(ctx context.Context, c *imbot.Client) error { return c.Call(ctx, "ping", nil, nil) }

// brokenStore fails on demand, and says what it was given.
type brokenStore struct {
	imbot.TokenStore
	load, swap func() error
}

func (s *brokenStore) Load(ctx context.Context, memberID string) (imbot.Grant, error) {
	if s.load != nil {
		if err := s.load(); err != nil {
			return imbot.Grant{}, err
		}
	}
	return s.TokenStore.Load(ctx, memberID)
}

func (s *brokenStore) Swap(ctx context.Context, old, new imbot.Grant) error {
	if s.swap != nil {
		if err := s.swap(); err != nil {
			return fmt.Errorf("%w: %s", err, new.Encode())
		}
	}
	return s.TokenStore.Swap(ctx, old, new)
}
