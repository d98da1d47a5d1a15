package imbot_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot"
)

const hookURL = "https://portal.bitrix24.com/rest/1/s3cr3t/"

// mockClient returns a client whose one answer is the given body; sent() is
// what it posted last.
func mockClient(t *testing.T, method string, status int, body string, opts ...imbot.Option) (client *imbot.Client, sent func() string) {
	t.Helper()
	var last string
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder(http.MethodPost, hookURL+method, func(r *http.Request) (*http.Response, error) {
		var raw json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
			return nil, err
		}
		last = string(raw)
		return httpmock.NewStringResponse(status, body), nil
	})
	opts = append([]imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: mock}), imbot.WithLimiter(nil)}, opts...)
	client, err := imbot.NewClient(imbot.Webhook{URL: hookURL, ClientID: "bot-secret-1"}, opts...)
	require.NoError(t, err)
	return client, func() string { return last }
}

// wire is a RoundTripper that answers each request with answer and keeps what
// was sent. n counts from 1.
type wire struct {
	answer func(n int, r *http.Request) (*http.Response, error)

	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	at       []time.Time
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.requests = append(w.requests, r)
	w.bodies = append(w.bodies, string(body))
	w.at = append(w.at, time.Now())
	n := len(w.requests)
	w.mu.Unlock()
	return w.answer(n, r)
}

// always answers every request alike.
func always(status int, body string) *wire {
	return &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(status, body), nil }}
}

// failing breaks every request off with err.
func failing(err error) *wire {
	return &wire{answer: func(int, *http.Request) (*http.Response, error) { return nil, err }}
}

// reply is an answer as a minimal RoundTripper makes it: without its Request.
func reply(status int, body string) *http.Response {
	return &http.Response{
		StatusCode:    status,
		Header:        http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: -1,
	}
}

// over returns a client that sends through rt, without a limiter unless opts
// have one.
func over(t testing.TB, auth imbot.Auth, rt http.RoundTripper, opts ...imbot.Option) *imbot.Client {
	t.Helper()
	opts = append([]imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: rt}), imbot.WithLimiter(nil)}, opts...)
	client, err := imbot.NewClient(auth, opts...)
	require.NoError(t, err)
	return client
}

var hook = imbot.Webhook{URL: hookURL, ClientID: "bot-secret-1"}

func TestNewClientRefuses(t *testing.T) {
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "s3cr3t"})
	good := imbot.Webhook{URL: hookURL}
	for name, tt := range map[string]struct {
		auth imbot.Auth
		opts []imbot.Option
		says string
	}{
		"no credentials":             {nil, nil, "Auth"},
		"a nil webhook":              {(*imbot.Webhook)(nil), nil, "Auth"},
		"a nil OAuth":                {(*imbot.OAuth)(nil), nil, "Auth"},
		"no URL":                     {imbot.Webhook{ClientID: "s3cr3t"}, nil, "Webhook.URL"},
		"a relative URL":             {imbot.Webhook{URL: "/rest/1/s3cr3t/"}, nil, "Webhook.URL"},
		"a URL without scheme":       {imbot.Webhook{URL: "portal.bitrix24.com/rest/1/s3cr3t/"}, nil, "Webhook.URL"},
		"a URL without host":         {imbot.Webhook{URL: "https:///rest/1/s3cr3t/"}, nil, "Webhook.URL"},
		"a URL with a port only":     {imbot.Webhook{URL: "https://:443/rest/1/s3cr3t/"}, nil, "Webhook.URL"},
		"an opaque URL":              {imbot.Webhook{URL: "https:rest/1/s3cr3t/"}, nil, "Webhook.URL"},
		"not a URL":                  {imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/s3cr3t/\x7f"}, nil, "Webhook.URL"},
		"a broken escape":            {imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/s3cr3t%zz/"}, nil, "Webhook.URL"},
		"plain http":                 {imbot.Webhook{URL: "http://portal.bitrix24.com/rest/1/s3cr3t/"}, nil, "https"},
		"http to a loopback's name":  {imbot.Webhook{URL: "http://127.0.0.1.nip.io/rest/1/s3cr3t/"}, nil, "https"},
		"another scheme":             {imbot.Webhook{URL: "ftp://127.0.0.1/rest/1/s3cr3t/"}, nil, "https"},
		"user and password":          {imbot.Webhook{URL: "https://user:s3cr3t@portal.bitrix24.com/rest/1/x/"}, nil, "password"},
		"a query":                    {imbot.Webhook{URL: hookURL + "?auth=s3cr3t"}, nil, "query"},
		"an empty query":             {imbot.Webhook{URL: hookURL + "?"}, nil, "query"},
		"a fragment":                 {imbot.Webhook{URL: hookURL + "#s3cr3t"}, nil, "fragment"},
		"a bare host":                {imbot.Webhook{URL: "https://portal.bitrix24.com"}, nil, "Webhook.URL"},
		"no secret":                  {imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/"}, nil, "Webhook.URL"},
		"no user":                    {imbot.Webhook{URL: "https://portal.bitrix24.com/rest/s3cr3t/"}, nil, "Webhook.URL"},
		"a pasted sample call":       {imbot.Webhook{URL: hookURL + "profile.json"}, nil, "Webhook.URL"},
		"a user that is no number":   {imbot.Webhook{URL: "https://portal.bitrix24.com/rest/me/s3cr3t/"}, nil, "Webhook.URL"},
		"an escaped secret":          {imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/s3cr3t%20/"}, nil, "Webhook.URL"},
		"a client id of 123":         {imbot.Webhook{URL: hookURL, ClientID: strings.Repeat("s3cr3t", 20) + "abc"}, nil, "Webhook.ClientID"},
		"a client id with a blank":   {imbot.Webhook{URL: hookURL, ClientID: "s3cr3t id"}, nil, "Webhook.ClientID"},
		"a client id with &":         {imbot.Webhook{URL: hookURL, ClientID: "s3cr3t&x=1"}, nil, "Webhook.ClientID"},
		"a client id with a quote":   {imbot.Webhook{URL: hookURL, ClientID: `s3cr3t"`}, nil, "Webhook.ClientID"},
		"a client id beyond ASCII":   {imbot.Webhook{URL: hookURL, ClientID: "s3cr3té"}, nil, "Webhook.ClientID"},
		"OAuth without tokens":       {imbot.OAuth{Endpoint: "https://portal.bitrix24.com/rest/"}, nil, "OAuth.Tokens"},
		"OAuth without an endpoint":  {imbot.OAuth{Tokens: tokens}, nil, "OAuth.Endpoint"},
		"OAuth over plain http":      {imbot.OAuth{Endpoint: "http://portal.bitrix24.com/rest/", Tokens: tokens}, nil, "OAuth.Endpoint"},
		"a token in the endpoint":    {imbot.OAuth{Endpoint: "https://portal.bitrix24.com/rest/?auth=s3cr3t", Tokens: tokens}, nil, "OAuth.Endpoint"},
		"a nil option":               {good, []imbot.Option{nil}, "Option"},
		"a nil http.Client":          {good, []imbot.Option{imbot.WithHTTPClient(nil)}, "WithHTTPClient"},
		"a nil logger":               {good, []imbot.Option{imbot.WithLogger(nil)}, "WithLogger"},
		"a nil observer":             {good, []imbot.Option{imbot.WithObserver(nil)}, "WithObserver"},
		"no user agent":              {good, []imbot.Option{imbot.WithUserAgent("")}, "WithUserAgent"},
		"a user agent of two lines":  {good, []imbot.Option{imbot.WithUserAgent("a\r\nX-Evil: 1")}, "WithUserAgent"},
		"negative attempts":          {good, []imbot.Option{imbot.WithRetry(imbot.Retry{MaxAttempts: -1})}, "WithRetry"},
		"a negative wait":            {good, []imbot.Option{imbot.WithRetry(imbot.Retry{MinBackoff: -1})}, "WithRetry"},
		"a negative longest wait":    {good, []imbot.Option{imbot.WithRetry(imbot.Retry{MaxBackoff: -1})}, "WithRetry"},
		"waits longer than the most": {good, []imbot.Option{imbot.WithRetry(imbot.Retry{MinBackoff: 2, MaxBackoff: 1})}, "WithRetry"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := imbot.NewClient(tt.auth, tt.opts...)
			require.Nil(t, client)
			require.ErrorIs(t, err, imbot.ErrInvalid)
			require.ErrorContains(t, err, tt.says)
			require.NotContains(t, err.Error(), "s3cr3t")
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.Zero(t, e.StatusCode)
		})
	}
}

func TestNewClientAccepts(t *testing.T) {
	for name, tt := range map[string]struct{ url, posts string }{
		"the URL as the portal shows it": {hookURL, hookURL + "profile"},
		"without the closing slash":      {strings.TrimRight(hookURL, "/"), hookURL + "profile"},
		"with too many slashes":          {hookURL + "//", hookURL + "profile"},
		"a box under another path":       {"https://box.example.com/b24/api/rest/17/s3cr3t/", "https://box.example.com/b24/api/rest/17/s3cr3t/profile"},
		"a box at another port":          {"https://box.example.com:8443/rest/1/s3cr3t", "https://box.example.com:8443/rest/1/s3cr3t/profile"},
		"a host in capitals":             {"https://Portal.Bitrix24.COM/rest/1/s3cr3t/", hookURL + "profile"},
		"http to 127.0.0.1":              {"http://127.0.0.1:8080/rest/1/x/", "http://127.0.0.1:8080/rest/1/x/profile"},
		"http to ::1":                    {"http://[::1]:8080/rest/1/x/", "http://[::1]:8080/rest/1/x/profile"},
		"http to localhost":              {"http://localhost/rest/1/x/", "http://localhost/rest/1/x/profile"},
	} {
		t.Run(name, func(t *testing.T) {
			rt := always(200, `{"result":[]}`)
			client := over(t, imbot.Webhook{URL: tt.url}, rt)
			require.Empty(t, rt.requests, "NewClient dials")
			require.NoError(t, client.Call(t.Context(), "profile", nil, nil))
			require.Equal(t, tt.posts, rt.requests[0].URL.String())
			require.Equal(t, http.MethodPost, rt.requests[0].Method)
		})
	}
}

func TestNewClientAcceptsEveryClientID(t *testing.T) {
	for name, id := range map[string]string{
		"none":                       "",
		"a short one":                "x",
		"the longest":                strings.Repeat("x", 122),
		"all characters of the rule": "ABCXYZabcxyz0189-._~",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := imbot.NewClient(imbot.Webhook{URL: hookURL, ClientID: id})
			require.NoError(t, err)
		})
	}
	_, err := imbot.NewClient(&imbot.Webhook{URL: hookURL})
	require.NoError(t, err, "a pointer to a webhook")
}

func TestOptionsInAnyOrder(t *testing.T) {
	opts := func(rt *wire, seen *int) []imbot.Option {
		return []imbot.Option{
			imbot.WithHTTPClient(&http.Client{Transport: rt}),
			imbot.WithLimiter(nil),
			imbot.WithUserAgent("shop/7"),
			imbot.WithObserver(func(_ context.Context, _ imbot.CallInfo) { *seen++ }),
			imbot.WithRetry(imbot.Retry{MaxAttempts: 1}),
		}
	}
	for first := range 5 {
		rt, seen := always(500, ""), 0
		all := opts(rt, &seen)
		client, err := imbot.NewClient(hook, append(all[first:len(all):len(all)], all[:first]...)...)
		require.NoError(t, err)
		require.Error(t, client.Call(t.Context(), "profile", nil, nil))
		require.Len(t, rt.requests, 1)
		require.Equal(t, 1, seen)
		require.Equal(t, "shop/7", rt.requests[0].Header.Get("User-Agent"))
	}
}

func TestHTTPClientIsCopiedAndItsJarIgnored(t *testing.T) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	portal, err := url.Parse(hookURL)
	require.NoError(t, err)
	jar.SetCookies(portal, []*http.Cookie{{Name: "PHPSESSID", Value: "somebody"}})
	rt := &wire{answer: func(int, *http.Request) (*http.Response, error) {
		resp := reply(302, "")
		resp.Header.Set("Location", "https://elsewhere.bitrix24.com/rest/1/s3cr3t/profile")
		resp.Header.Set("Set-Cookie", "BITRIX_SM=1; Path=/")
		return resp, nil
	}}
	asked := false
	hc := &http.Client{
		Transport:     rt,
		Jar:           jar,
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { asked = true; return nil },
	}
	before := *hc

	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(hc), imbot.WithLimiter(nil))
	require.NoError(t, err)
	err = client.Call(t.Context(), "profile", nil, nil)
	require.ErrorIs(t, err, imbot.ErrPortalMoved)

	require.Len(t, rt.requests, 1)
	require.False(t, asked, "the redirect went by the client's own rule")
	require.Empty(t, rt.requests[0].Header.Values("Cookie"))
	require.Len(t, jar.Cookies(portal), 1, "the answer's cookie was kept")
	require.Same(t, rt, hc.Transport)
	require.Same(t, jar, hc.Jar)
	require.Equal(t, before.Timeout, hc.Timeout)
	require.Equal(t, reflect.ValueOf(before.CheckRedirect).Pointer(), reflect.ValueOf(hc.CheckRedirect).Pointer())

	bare := &http.Client{}
	_, err = imbot.NewClient(hook, imbot.WithHTTPClient(bare))
	require.NoError(t, err)
	require.Equal(t, &http.Client{}, bare)
}

// png is the start of a picture; iVBORw0KGgo= on the wire.
var png = []byte("\x89PNG\r\n\x1a\n")

// documented returns the answer that the documentation of a method shows.
func documented(t *testing.T, method string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "rest", method+".ok.json"))
	require.NoError(t, err)
	return string(body)
}

// attempt is a call that waits for a client.
type attempt struct {
	method string
	do     func(context.Context, *imbot.Client) (any, error)
}

func try[R any](req imbot.Request[R]) attempt {
	return attempt{req.Method(), func(ctx context.Context, client *imbot.Client) (any, error) {
		return imbot.Do(ctx, client, req)
	}}
}

func TestWithBot(t *testing.T) {
	tests := []struct {
		name    string
		attempt attempt
		want    string
	}{
		{"a request without BOT_ID gets it", try(imbot.ChatLeaveRequest{ChatID: 5}), `{"CLIENT_ID":"bot-secret-1","BOT_ID":7,"CHAT_ID":5}`},
		{"a request with BOT_ID keeps its own", try(imbot.ChatLeaveRequest{ChatID: 5, BotID: 8}), `{"CLIENT_ID":"bot-secret-1","BOT_ID":8,"CHAT_ID":5}`},
		{"a request that has no BOT_ID is left alone", try(imbot.AppUnregisterRequest{AppID: 13}), `{"CLIENT_ID":"bot-secret-1","APP_ID":13}`},
		{"a registration is left alone", try(imbot.BotRegisterRequest{Code: "x"}), `{"CLIENT_ID":"bot-secret-1","CODE":"x","PROPERTIES":{}}`},
		{"the list of bots is left alone", try(imbot.BotListRequest{}), `{"CLIENT_ID":"bot-secret-1"}`},
		{"a request without parameters gets it alone", try(imbot.BotUnregisterRequest{}), `{"CLIENT_ID":"bot-secret-1","BOT_ID":7}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, sent := mockClient(t, tt.attempt.method, 200, `{"result":true}`)
			_, _ = tt.attempt.do(t.Context(), client.WithBot(7)) // the answer fits only some of them
			require.JSONEq(t, tt.want, sent())
		})
	}
}

func TestWithBotRewiresEveryService(t *testing.T) {
	ctx := t.Context()
	tests := []struct {
		method string
		do     func(*imbot.Client) error
	}{
		{"imbot.unregister", func(c *imbot.Client) error { return c.Bot.Unregister(ctx, imbot.BotUnregisterRequest{}) }},
		{"imbot.chat.leave", func(c *imbot.Client) error { return c.Chat.Leave(ctx, imbot.ChatLeaveRequest{}) }},
		{"imbot.app.register", func(c *imbot.Client) error {
			_, err := c.App.Register(ctx, imbot.AppRegisterRequest{})
			return err
		}},
		{"imbot.command.answer", func(c *imbot.Client) error {
			_, err := c.Command.Answer(ctx, imbot.CommandAnswerRequest{})
			return err
		}},
		{"imbot.message.add", func(c *imbot.Client) error {
			_, err := c.Message.Add(ctx, imbot.MessageAddRequest{})
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.method, func(t *testing.T) {
			client, sent := mockClient(t, tt.method, 200, `{"result":null}`)
			bound := client.WithBot(7).WithBot(9)
			require.Error(t, tt.do(bound))
			require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":9}`, sent())
			require.Error(t, tt.do(client))
			require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1"}`, sent(), "WithBot has changed the client it was called on")
		})
	}
}

func TestWithBotLeavesCallAlone(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.leave", 200, `{"result":true}`)
	require.NoError(t, client.WithBot(7).Call(t.Context(), "imbot.chat.leave", map[string]any{"CHAT_ID": 5}, nil))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":5}`, sent())
}

func ptr[T any](v T) *T { return &v }

func TestNewClientRefusesMixedUpCredentials(t *testing.T) {
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"})
	for name, auth := range map[string]imbot.Auth{
		"an endpoint without a path":    imbot.OAuth{Endpoint: "https://portal.bitrix24.com", Tokens: source},
		"a webhook in place of it":      imbot.OAuth{Endpoint: hookURL, Tokens: source},
		"a webhook of nobody":           imbot.Webhook{URL: "https://portal.bitrix24.com/rest/0/s3cr3t/"},
		"a secret of punctuation alone": imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/../"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := imbot.NewClient(auth)
			require.ErrorIs(t, err, imbot.ErrInvalid)
			require.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}
