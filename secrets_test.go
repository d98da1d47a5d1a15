package imbot_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot"
)

const (
	webhookSecret    = "w3bhook-s3cret"
	webhookClientID  = "c1ient-id-of-the-b0t"
	applicationToken = "app1ication-t0ken"
)

// secrets are what nothing may print.
var secrets = []string{webhookSecret, webhookClientID, applicationToken, accessToken, refreshToken, clientSecret, previousOne, oauthCode}

var secretHook = imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/" + webhookSecret + "/", ClientID: webhookClientID}

// forms has each secret in every form that a verb or an encoding could give it.
var forms = func() map[string]string {
	forms := map[string]string{}
	for _, s := range secrets {
		bytewise := fmt.Sprint([]byte(s))
		forms[s] = s
		forms[url.QueryEscape(s)] = s
		forms[base64.RawStdEncoding.EncodeToString([]byte(s))] = s
		forms[hex.EncodeToString([]byte(s))] = s
		forms[strings.ToUpper(hex.EncodeToString([]byte(s)))] = s
		forms[fmt.Sprintf("% x", s)] = s
		forms[bytewise[1:len(bytewise)-1]] = s
	}
	return forms
}()

// secretsIn returns the secrets that a text holds.
func secretsIn(text string) []string {
	var found []string
	for form, s := range forms {
		if strings.Contains(text, form) {
			found = append(found, s)
		}
	}
	return found
}

// printed returns v in every form in which it could reach a terminal, a log or
// a file.
func printed(v any) map[string]string {
	out := map[string]string{}
	for name, held := range map[string]any{
		"":               v,
		" in a struct":   struct{ V any }{v},
		" in a list":     []any{v},
		" in a map":      map[string]any{"v": v},
		" in an error":   fmt.Errorf("wrapped: %v", v),
		" in two errors": errors.Join(io.EOF, fmt.Errorf("%+v", v)),
	} {
		verbs := []string{"%v", "%+v", "%#v", "%x", "%d", "%T", "%s", "%q", "%X", "% x", "%t", "%c", "%U", "%e"}
		if _, ok := v.(*imbot.EventMeta); ok && name != "" {
			// Fmt calls no method any more once a verb does not fit a pointer in
			// there; see EventAuth.
			verbs = verbs[:6]
		}
		for _, verb := range verbs {
			out[verb+name] = fmt.Sprintf(verb, held)
		}
		data, err := json.Marshal(held)
		out["JSON"+name] = fmt.Sprint(string(data), err)
		var text bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("x", "v", held, slog.Group("g", "v", held))
		slog.New(slog.NewJSONHandler(&text, nil)).Info("x", "v", held, slog.Group("g", "v", held))
		out["slog"+name] = text.String()
	}
	return out
}

// chain returns err and all that it unwraps to.
func chain(err error) []error {
	if err == nil {
		return nil
	}
	all := []error{err}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range many.Unwrap() {
			all = append(all, chain(err)...)
		}
	}
	return append(all, chain(errors.Unwrap(err))...)
}

// failures are answers that quote the secrets that a client knows. at is a URL
// with the first of them.
func failures(at string, known ...string) map[string]*wire {
	answer := func(status int, body string, header ...string) *wire {
		return &wire{answer: func(int, *http.Request) (*http.Response, error) {
			resp := reply(status, body)
			for i := 0; i+1 < len(header); i += 2 {
				resp.Header.Set(header[i], header[i+1])
			}
			return resp, nil
		}}
	}
	all := strings.Join(known, " ")
	return map[string]*wire{
		"a page that quotes the URL":            answer(404, "<html>Not found: "+at, "Content-Type", "text/html"),
		"a long page that quotes it":            answer(502, "<html>"+strings.Repeat("x", 100)+at, "Content-Type", "text/html"),
		"a content type that quotes it":         answer(200, "x", "Content-Type", at),
		"a description that quotes all":         answer(400, `{"error":"ACCESS_DENIED","error_description":"`+all+`"}`),
		"a code that quotes one":                answer(400, `{"error":"`+known[0]+`"}`),
		"an argument that quotes all":           answer(400, `{"error":"ERROR_ARGUMENT","argument":"`+all+`"}`),
		"an object that quotes all":             answer(400, `{"error":{"code":"X","message":"`+all+`"}}`),
		"an expired token, quoted":              answer(401, `{"error":"expired_token","error_description":"`+all+`"}`),
		"a rate limit that quotes all":          answer(503, `{"error":"QUERY_LIMIT_EXCEEDED","error_description":"`+all+`"}`),
		"a redirect with the secret":            answer(302, "", "Location", strings.Replace(at, "portal", "new", 1)),
		"a redirect elsewhere with the secret":  answer(302, "", "Location", "http://"+known[0]+".example.com/?"+all),
		"a redirect that does not parse":        answer(302, "", "Location", at+"%zz"),
		"a result that is not an id":            answer(200, `{"result":"`+known[0]+`"}`),
		"a body that breaks off and quotes all": (&body{Reader: failReader{errors.New(all)}}).wire(-1),
		"an error without text":                 failing(io.EOF),
		"an error that quotes all":              failing(errors.New("proxy: " + all)),
		"an error that holds the URL":           failing(&url.Error{Op: "Post", URL: at, Err: io.EOF}),
		"an error that wraps one with the URL":  failing(fmt.Errorf("traced: %w", &url.Error{Op: "Post", URL: at, Err: io.EOF})),
		"errors joined":                         failing(errors.Join(io.EOF, &url.Error{Op: "Post", URL: at, Err: errors.New(all)})),
	}
}

type failReader struct{ err error }

func (r failReader) Read([]byte) (int, error) { return 0, r.err }

// printables are all values of this package that hold a secret or stand for
// one, and the log and the observer's records of the calls among them. A new
// type with a secret belongs here.
func printables(t *testing.T) map[string]any {
	secretToken := &oauth2.Token{AccessToken: accessToken, RefreshToken: refreshToken}
	secretOAuth := imbot.OAuth{Endpoint: app.Endpoint, Tokens: oauth2.StaticTokenSource(secretToken)}
	var log bytes.Buffer
	var infos []imbot.CallInfo
	opts := []imbot.Option{
		imbot.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		imbot.WithObserver(func(_ context.Context, info imbot.CallInfo) { infos = append(infos, info) }),
		imbot.WithRetry(imbot.Retry{MaxAttempts: 2, MinBackoff: 1, MaxBackoff: 1}),
	}
	client := over(t, secretHook, always(200, `{"result":39}`), opts...)
	all := map[string]any{
		"a webhook":               secretHook,
		"a pointer to a webhook":  &secretHook,
		"a webhook that is wrong": imbot.Webhook{URL: webhookSecret + "%zz", ClientID: webhookClientID},
		"an OAuth":                secretOAuth,
		"a pointer to an OAuth":   &secretOAuth,
		"an OAuth that is wrong":  imbot.OAuth{Endpoint: "https://u:" + accessToken + "@portal.bitrix24.com/rest/?auth=" + accessToken, Tokens: secretOAuth.Tokens},
		"an application token":    imbot.ApplicationToken(applicationToken),
		"a webhook's verifier":    secretHook.Verifier(),
		"an event's auth":         imbot.EventAuth{AccessToken: accessToken, RefreshToken: refreshToken, ApplicationToken: applicationToken},
		"an event's meta":         &imbot.EventMeta{Auth: imbot.EventAuth{AccessToken: accessToken, ApplicationToken: applicationToken}},
		"a client":                client,
		"a client by value":       *client,
		"a client of a bot":       client.WithBot(39),
		"a service":               client.Bot,
		"an OAuth client":         over(t, secretOAuth, always(200, `{"result":39}`)),
	}
	for name, auth := range map[string]imbot.Auth{
		"a URL without a user": imbot.Webhook{URL: "https://portal.bitrix24.com/" + webhookSecret + "/"},
		"a URL that is none":   imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/" + webhookSecret + "\x7f"},
		"a client id too long": imbot.Webhook{URL: secretHook.URL, ClientID: strings.Repeat(webhookClientID, 9)},
		"a client id with &":   imbot.Webhook{URL: secretHook.URL, ClientID: webhookClientID + "&"},
		"an endpoint query":    imbot.OAuth{Endpoint: app.Endpoint + "?auth=" + accessToken, Tokens: secretOAuth.Tokens},
	} {
		_, err := imbot.NewClient(auth)
		require.Error(t, err)
		all["NewClient: "+name] = err
	}
	for kind, tt := range map[string]struct {
		auth  imbot.Auth
		wires map[string]*wire
	}{
		"webhook": {secretHook, failures(secretHook.URL+"imbot.message.add", webhookSecret, webhookClientID)},
		"OAuth":   {secretOAuth, failures(app.Endpoint+"imbot.message.add?auth="+accessToken, accessToken, refreshToken)},
	} {
		for name, rt := range tt.wires {
			_, err := over(t, tt.auth, rt, opts...).Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: "1", Message: "hi"})
			require.Error(t, err, name)
			all[kind+": "+name] = err
		}
	}
	answer := &oauth2.RetrieveError{
		Response:         &http.Response{Status: refreshToken, Header: http.Header{"X": {refreshToken}}},
		Body:             []byte(refreshToken),
		ErrorCode:        "invalid_grant",
		ErrorDescription: refreshToken,
	}
	for name, source := range map[string]oauth2.TokenSource{
		"RetrieveError at first":   static{err: answer},
		"a wrapped RetrieveError":  static{err: fmt.Errorf("store: %w", answer)},
		"RetrieveError of a renew": &renewing{static: static{token: secretToken}, fresh: static{err: answer}},
		"an error of a renew":      &renewing{static: static{token: secretToken}, fresh: static{err: errors.New(refreshToken)}},
	} {
		err := over(t, oauth(source), always(401, `{"error":"expired_token"}`), opts...).Call(t.Context(), "profile", nil, nil)
		require.Error(t, err)
		all["OAuth: "+name] = err
	}
	all["a pasted URL as method"] = client.Call(t.Context(), secretHook.URL+"profile", nil, nil)
	all["a limiter's error"] = over(t, secretHook, always(200, `{}`), imbot.WithLimiter(&gate{err: errors.New(secretHook.URL)})).Call(t.Context(), "profile", nil, nil)
	require.NotEmpty(t, infos)
	require.NotEmpty(t, log.String())
	all["the records of the observer"] = infos
	all["the log"] = log.String()
	return all
}

func TestNothingPrintsASecret(t *testing.T) {
	for name, value := range printables(t) {
		t.Run(name, func(t *testing.T) { requireMasked(t, value) })
	}
}

// requireMasked looks for secrets in a value and, if it is an error, in all that
// it wraps.
func requireMasked(t *testing.T, value any) {
	t.Helper()
	values := []any{value}
	if err, ok := value.(error); ok {
		values = values[:0]
		for _, err := range chain(err) {
			values = append(values, err, err.Error())
		}
	}
	for _, v := range values {
		for form, text := range printed(v) {
			require.Emptyf(t, secretsIn(text), "%T as %s: %s", v, form, text)
		}
	}
}

// TestSecretsAreFound keeps the search itself honest.
func TestSecretsAreFound(t *testing.T) {
	type bare imbot.Webhook
	for form, text := range printed(bare(secretHook)) {
		if strings.HasPrefix(form, "%T") || strings.Contains(form, "error") {
			continue // a type's name, an error's address
		}
		require.Contains(t, secretsIn(text), webhookSecret, form)
	}
}

// TestMaskedStillSaysWhat: a masked value shows which portal it is for and
// whether a secret is there at all.
func TestMaskedStillSaysWhat(t *testing.T) {
	require.Equal(t, "imbot.Webhook{URL:https://portal.bitrix24.com/***, ClientID:***}", fmt.Sprint(secretHook))
	require.Equal(t, "imbot.Webhook{URL:https://portal.bitrix24.com/***, ClientID:}", fmt.Sprint(imbot.Webhook{URL: hookURL}))
	require.Equal(t, "imbot.Webhook{URL:, ClientID:}", fmt.Sprint(imbot.Webhook{}))
	require.Equal(t, "imbot.OAuth{Endpoint:https://portal.bitrix24.com/***, Tokens:***}", fmt.Sprint(app))
	require.Equal(t, "***", fmt.Sprint(imbot.ApplicationToken(applicationToken)))
	require.Empty(t, fmt.Sprint(imbot.ApplicationToken("")))
	require.Equal(t, "imbot.Client(portal.bitrix24.com)", fmt.Sprintf("%+v", over(t, hook, always(200, ""))))
	data, err := json.Marshal(map[string]any{"hook": secretHook, "token": imbot.ApplicationToken(applicationToken)})
	require.NoError(t, err)
	require.JSONEq(t, `{"hook":"imbot.Webhook{URL:https://portal.bitrix24.com/***, ClientID:***}","token":"***"}`, string(data))
}
