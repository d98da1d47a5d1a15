package imbot_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// problems are the findings in short: "?" in front of a guess.
func problems(r imbot.Report) []string {
	list := []string{}
	for _, f := range r.Findings {
		mark := ""
		if f.Guess {
			mark = "?"
		}
		list = append(list, mark+f.Problem)
	}
	return list
}

// answering returns a client whose portal answers methods with bodies, beside
// a bot "support" with the id 39 that is ours.
func answering(t *testing.T, clientID string, bodies map[string]string) *imbot.Client {
	all := map[string]string{
		"app.info":              `{"result":{"SCOPE":["imbot"],"LICENSE":"en_basic"}}`,
		"imbot.bot.list":        `{"result":{"39":{"ID":39,"CODE":"support","OPENLINE":"N"}}}`,
		"imbot.chat.sendTyping": `{"error":"DIALOG_ID_EMPTY"}`,
	}
	for k, v := range bodies {
		all[k] = v
	}
	return over(t, imbot.Webhook{URL: hookURL, ClientID: clientID}, &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
		method := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		if all[method] == "" {
			return nil, errors.New("connection refused")
		}
		return reply(200, all[method]), nil
	}}, imbot.WithRetry(imbot.Retry{MaxAttempts: 1}))
}

func TestDiagnoseThePortal(t *testing.T) {
	t.Parallel()
	const long = "a-long-random-client-id"
	for _, row := range []struct {
		name     string
		clientID string
		bodies   map[string]string
		want     []string
	}{
		{"all is well", long, nil, nil},
		{"the installation is not finished", long, map[string]string{"app.info": `{"result":{"INSTALLED":false,"PAYMENT_EXPIRED":"N"}}`}, []string{"not finished"}},
		{"the application is not paid", long, map[string]string{"app.info": `{"result":{"INSTALLED":true,"PAYMENT_EXPIRED":"Y"}}`}, []string{"time of the application is over"}},
		{"a portal that tells a webhook nothing", long, map[string]string{"app.info": `{"error":"ACCESS_DENIED"}`}, nil},
		{"a portal that tells in another form", long, map[string]string{"app.info": `{"result":{"SCOPE":"imbot"}}`}, nil},
		{"the scope is missing", long, map[string]string{"app.info": `{"result":{"SCOPE":["crm"]}}`}, []string{"lack the scope imbot"}},
		{"the scope is missing, as a call says", long, map[string]string{"imbot.bot.list": `{"error":"insufficient_scope"}`}, []string{"lack the scope imbot"}},
		{"the webhook is deleted", long, map[string]string{"app.info": `{"error":"INVALID_CREDENTIALS"}`}, []string{"does not exist"}},
		{"the token is dead", long, map[string]string{"app.info": `{"error":"expired_token"}`}, []string{"too old"}},
		{"unpaid, as a call says", long, map[string]string{"app.info": `{"error":"PAYMENT_REQUIRED"}`}, []string{"time of the application is over"}},
		{"an error that is not known", long, map[string]string{"app.info": `{"error":"SOMETHING_NEW"}`}, []string{"SOMETHING_NEW"}},
		{"the portal does not answer", long, map[string]string{"app.info": ""}, []string{"?cannot be reached from here"}},
		{"a short client id", "bot1", nil, []string{"only 4 characters"}},
		{"no client id", "", nil, []string{"has no ClientID"}},
		{"no bot", long, map[string]string{"imbot.bot.list": `{"result":[]}`}, []string{"no bot with the code"}},
		{"a foreign bot", long, map[string]string{"imbot.chat.sendTyping": `{"error":"APP_ID_ERROR"}`}, []string{"belongs to another application"}},
		{"another bot of the same application", long, map[string]string{"imbot.bot.list": `{"result":{"7":{"ID":7,"CODE":"staging"},"39":{"ID":39,"CODE":"support"}}}`}, []string{"?Other bots belong to the same application or CLIENT_ID: staging"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, err := imbot.Diagnose(t.Context(), answering(t, row.clientID, row.bodies), imbot.DiagnoseRequest{BotCode: "support"})
			require.NoError(t, err)
			got := problems(r)
			require.Len(t, got, len(row.want), "%q", got)
			for i, w := range row.want {
				require.Equal(t, strings.HasPrefix(w, "?"), r.Findings[i].Guess)
				require.Contains(t, r.Findings[i].Problem, strings.TrimPrefix(w, "?"))
				require.NotEmpty(t, r.Findings[i].Advice)
				require.Contains(t, r.String(), r.Findings[i].Advice)
			}
			require.NotContains(t, r.String(), "s3cr3t")
			if len(row.want) == 0 {
				require.Equal(t, imbot.ID(39), r.BotID)
				require.Contains(t, r.String(), "Nothing stands in the way")
			}
		})
	}
}

func TestDiagnoseNamesTheFilterOfABox(t *testing.T) {
	t.Parallel()
	for host, box := range map[string]bool{
		"portal.bitrix24.com": false, "portal.bitrix24.com.br": false, "PORTAL.BITRIX24.DE": false,
		"intranet.company.com": true, "bitrix24.company.com": true, "bitrix.company.com:8443": true, "10.0.0.7": true,
		"127.0.0.1:8080": false, "portal.example.com": false, "localhost": false,
	} {
		t.Run(host, func(t *testing.T) {
			client := over(t, imbot.Webhook{URL: "https://" + host + "/rest/1/s3cr3t/", ClientID: "a-long-random-client-id"}, always(200, `{"result":{"SCOPE":["imbot"]}}`))
			r, err := imbot.Diagnose(t.Context(), client, imbot.DiagnoseRequest{})
			require.NoError(t, err)
			if !box {
				require.Empty(t, r.Findings)
				return
			}
			require.Len(t, r.Findings, 1)
			require.True(t, r.Findings[0].Guess)
			require.Contains(t, r.String(), "proactive filter")
		})
	}
	client := over(t, imbot.Webhook{URL: "https://intranet.company.com/rest/1/s3cr3t/", ClientID: "a-long-random-client-id"}, always(200, `{"error":"INVALID_CREDENTIALS"}`))
	r, err := imbot.Diagnose(t.Context(), client, imbot.DiagnoseRequest{})
	require.NoError(t, err)
	require.NotContains(t, r.String(), "proactive filter", "first things first")
}

func TestDiagnoseNamesAMissingScopeWithoutABot(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"app.info":       `{"result":{"INSTALLED":true,"PAYMENT_EXPIRED":"N"}}`,
		"imbot.bot.list": `{"error":"insufficient_scope"}`,
	}
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: accessToken})
	for name, auth := range map[string]imbot.Auth{
		"an application": imbot.OAuth{Endpoint: "https://portal.bitrix24.com/rest/", Tokens: source},
		"a webhook":      imbot.Webhook{URL: hookURL, ClientID: "a-long-random-client-id"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, want := range []int{1, 0} {
				client := over(t, auth, &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
					return reply(200, bodies[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]), nil
				}})
				r, err := imbot.Diagnose(t.Context(), client, imbot.DiagnoseRequest{})
				require.NoError(t, err)
				require.Len(t, r.Findings, want)
				require.Equal(t, want > 0, strings.Contains(r.String(), "lack the scope imbot"))
				bodies = map[string]string{"app.info": bodies["app.info"], "imbot.bot.list": `{"result":[]}`}
			}
			bodies["imbot.bot.list"] = `{"error":"insufficient_scope"}`
		})
	}
}

func TestDiagnoseADeadGrant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		client, err := c.app(c.installed(t, "one.bitrix24.com")).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		clear(c.refresh)
		r, err := imbot.Diagnose(t.Context(), client, imbot.DiagnoseRequest{BotCode: "support"})
		require.NoError(t, err)
		require.Len(t, r.Findings, 1)
		require.Contains(t, r.Findings[0].Problem, "grant of this portal is dead")
	})
}

func TestDiagnoseTheHandler(t *testing.T) {
	t.Parallel()
	status := func(code int) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) { return reply(code, ""), nil }
	}
	broken := func(err error) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	const credulous = "https://bot.example.com/credulous"
	for _, row := range []struct {
		name   string
		url    string
		answer func(*http.Request) (*http.Response, error)
		want   []string
	}{
		{"a bot answers", "https://bot.example.com/events", status(405), nil},
		{"not a URL", "bot.example.com/events", status(200), []string{"not an http or https URL"}},
		{"another scheme", "ftp://bot.example.com/", status(200), []string{"not an http or https URL"}},
		{"not https", "http://bot.example.com/", status(405), []string{"not https"}},
		{"a loopback address", "https://127.0.0.1/", status(405), []string{"only this machine or network"}},
		{"a private address", "https://192.168.1.7/", status(405), []string{"only this machine or network"}},
		{"a private address of version 6", "https://[fd00::1]/", status(405), []string{"only this machine or network"}},
		{"a host without a dot", "https://bot/", status(405), []string{"has no dot"}},
		{"nothing at the path", "https://bot.example.com/", status(404), []string{"?404"}},
		{"a proxy with a login", "https://bot.example.com/", status(401), []string{"?asks for a login"}},
		{"a proxy for known addresses", "https://bot.example.com/", status(403), []string{"?asks for a login"}},
		{"a name that leads to a private address", "https://bot.example.com/", func(r *http.Request) (*http.Response, error) {
			httptrace.ContextClientTrace(r.Context()).DNSDone(httptrace.DNSDoneInfo{Addrs: []net.IPAddr{{IP: net.ParseIP("192.168.1.7")}}})
			return reply(405, ""), nil
		}, []string{"?From here the host of the handler URL is 192.168.1.7"}},
		{"a name that leads to a public address", "https://bot.example.com/", func(r *http.Request) (*http.Response, error) {
			httptrace.ContextClientTrace(r.Context()).DNSDone(httptrace.DNSDoneInfo{Addrs: []net.IPAddr{{IP: net.ParseIP("203.0.113.7")}}})
			return reply(405, ""), nil
		}, nil},
		{"a shared address of a provider", "https://100.64.0.1/", status(405), []string{"only this machine or network"}},
		{"a proxy without a bot", "https://bot.example.com/", status(502), []string{"?Bad Gateway"}},
		{"a redirect", "https://bot.example.com/", status(301), []string{"?redirect"}},
		{"one that believes everybody", credulous, status(200), []string{"?takes an event that proves nothing"}},
		{"no answer", "https://bot.example.com/", broken(errors.New("connection refused")), []string{"?does not answer from here"}},
		{"no address", "https://bot.example.com/", broken(&net.DNSError{Err: "no such host"}), []string{"?no address"}},
		{"a certificate of somebody", "https://bot.example.com/", broken(x509.UnknownAuthorityError{}), []string{"?not trusted here"}},
		{"a certificate for another host", "https://bot.example.com/", broken(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "bot.example.com"}), []string{"for another host"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := over(t, hook, &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
				switch {
				case r.Method == http.MethodGet, row.url == credulous && r.URL.String() == credulous:
					return row.answer(r)
				case r.URL.String() == row.url:
					return reply(401, ""), nil
				}
				return reply(200, `{"result":{"SCOPE":["imbot"]}}`), nil
			}})
			r, err := imbot.Diagnose(t.Context(), client, imbot.DiagnoseRequest{EventHandler: row.url})
			require.NoError(t, err)
			require.Contains(t, r.Findings[0].Problem, "ClientID")
			got := problems(r)[1:]
			require.Len(t, got, len(row.want), "%q", got)
			for i, w := range row.want {
				require.Equal(t, strings.HasPrefix(w, "?"), r.Findings[i+1].Guess, got[i])
				require.Contains(t, got[i], strings.TrimPrefix(w, "?"))
			}
		})
	}
	t.Run("the portal in memory", func(t *testing.T) {
		portal, client := onPortal(t, "a-long-random-client-id")
		_, err := imbot.EnsureBot(t.Context(), client, supportBot())
		require.NoError(t, err)
		r, err := imbot.Diagnose(t.Context(), client, imbot.DiagnoseRequest{BotCode: "support"})
		require.NoError(t, err)
		require.Empty(t, r.Findings)
		foreign := clientOf(t, portal, portal.OAuth("an.application"))
		r, err = imbot.Diagnose(t.Context(), foreign, imbot.DiagnoseRequest{BotCode: "support"})
		require.NoError(t, err)
		require.Len(t, r.Findings, 1)
		require.NoError(t, portal.Err())
		portal.Fail("app.info", imbottest.Fault{Status: 401, Code: "authorization_error", Times: 1})
		r, err = imbot.Diagnose(t.Context(), client, imbot.DiagnoseRequest{BotCode: "support"})
		require.NoError(t, err)
		require.Contains(t, r.String(), "dismissed or blocked")
	})
	t.Run("its context has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := imbot.Diagnose(ctx, over(t, hook, always(200, `{"result":true}`)), imbot.DiagnoseRequest{EventHandler: handlerURL})
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestDiagnoseAnInstallationThatIsNotFinished(t *testing.T) {
	portal, application, app, _ := appOn(t)
	const page = "https://bot.example.com/page"
	portal.Serve(page, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		app.InstallPage().ServeHTTP(httptest.NewRecorder(), r) // stores, but the answer that finishes is lost
	}))
	_, err := application.OpenPage(t.Context(), imbottest.Admin, page)
	require.NoError(t, err)
	r, err := imbot.Diagnose(t.Context(), memberOf(t, portal, app, application), imbot.DiagnoseRequest{BotCode: "support"})
	require.NoError(t, err)
	require.Contains(t, r.String(), "not finished")
	_, err = application.OpenPage(t.Context(), imbottest.Admin, pageURL)
	require.NoError(t, err)
	r, err = imbot.Diagnose(t.Context(), memberOf(t, portal, app, application), imbot.DiagnoseRequest{BotCode: "support"})
	require.NoError(t, err)
	require.Empty(t, r.Findings)
}
