package imbottest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestCredentials(t *testing.T) {
	portal := newWorld(t)
	hook := portal.Webhook("one").URL
	root := portal.OAuth("local.1").Endpoint
	token, err := portal.OAuth("local.1").Tokens.Token()
	require.NoError(t, err)
	secret := strings.Split(strings.TrimSuffix(hook, "/"), "/")[5]
	for _, tt := range []struct{ says, url, contentType, body, want string }{
		{"a webhook", hook + "profile", "application/json", `{}`, "200"},
		{"a suffix and a slash do not matter", hook + "profile.json/", "application/json", `{}`, "200"},
		{"the case of a method does not matter", hook + "IMBOT.Bot.LIST", "application/json", `{}`, "200"},
		{"a wrong secret", root + "1/wrong/profile", "application/json", `{}`, "401 INVALID_CREDENTIALS"},
		{"a wrong user", root + "2/" + secret + "/profile", "application/json", `{}`, "401 INVALID_CREDENTIALS"},
		{"a webhook without TLS", strings.Replace(hook, "https", "http", 1) + "profile", "application/json", `{}`, "401 INVALID_REQUEST"},
		{"no credentials", root + "profile", "application/json", `{}`, "401 NO_AUTH_FOUND"},
		{"a token in the body", root + "profile", "application/json", `{"auth":"` + token.AccessToken + `"}`, "200"},
		{"a token in a form", root + "profile", "application/x-www-form-urlencoded", "auth=" + token.AccessToken, "200"},
		{"a token in the query", root + "profile?auth=" + token.AccessToken, "application/json", ``, "200"},
		{"an unknown token", root + "profile", "application/json", `{"auth":"x"}`, "401 invalid_token"},
		{"malformed JSON is no body", root + "profile", "application/json", `{"auth":"` + token.AccessToken + `"`, "401 NO_AUTH_FOUND"},
		{"JSON that is no map is no body", root + "profile", "application/json", `"auth"`, "401 NO_AUTH_FOUND"},
		{"JSON that calls itself a form is garbage", root + "profile", "text/plain", `{"auth":"` + token.AccessToken + `"}`, "401 NO_AUTH_FOUND"},
		{"JSON nested too deeply is no body", root + "profile", "application/json; charset=utf-8", `{"auth":"` + token.AccessToken + `","x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`, "401 NO_AUTH_FOUND"},
		{"an unknown method", hook + "imbot.nothing", "application/json", `{}`, "404 ERROR_METHOD_NOT_FOUND"},
	} {
		t.Run(tt.says, func(t *testing.T) {
			status, body := postTo(t, portal, tt.url, tt.contentType, tt.body)
			got := outcome(t, status, body)
			if status == http.StatusOK {
				got = "200"
			}
			require.Equal(t, tt.want, got)
		})
	}
	require.ErrorContains(t, portal.Err(), `no method "imbot.nothing"`)
	for _, text := range []string{portal.Err().Error(), fmt.Sprintf("%v %+v %#v %s", portal, portal, portal, portal), fmt.Sprintf("%v %+v %#v", portal.OAuth("local.1"), portal.OAuth("local.1").Tokens, portal.OAuth("local.1").Tokens), calls(portal)} {
		require.NotContains(t, text, secret)
		require.NotContains(t, text, token.AccessToken)
		require.NotContains(t, text, `"one"`)
	}
}

func calls(portal *imbottest.Portal) string {
	var out strings.Builder
	for _, c := range portal.Calls("") {
		fmt.Fprintln(&out, c.Method, string(c.Params))
	}
	return out.String()
}

func TestFormsAndJSONAreReadAlike(t *testing.T) {
	portal := newWorld(t)
	status, body := postTo(t, portal, portal.Webhook("").URL+"imbot.chat.add", "application/x-www-form-urlencoded",
		"CLIENT_ID=one&users[0]=2&users[1]=3&TITLE=a+b%26c")
	require.Equal(t, "1002", outcome(t, status, body))
	require.Equal(t, "[4,2,3]", post(t, portal, "imbot.chat.user.list", `{"CLIENT_ID":"one","CHAT_ID":"1002","BOT_ID":"4"}`))
	require.JSONEq(t, `{"users":["2","3"],"TITLE":"a b&c"}`, string(portal.Calls("imbot.chat.add")[1].Params))
}

func TestOAuthApplications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		box := &mailbox{}
		portal.Serve(eventURL, box)
		client, err := imbot.NewClient(portal.OAuth("local.1"), imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "a", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "A"}})
		require.NoError(t, err)
		stranger, err := imbot.NewClient(portal.OAuth("local.2"), imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		require.ErrorIs(t, stranger.Bot.Unregister(t.Context(), imbot.BotUnregisterRequest{BotID: bot}), imbot.ErrAppID)

		require.NoError(t, portal.Open(t.Context(), portal.AddUser("Anna", "I"), bot))
		e := box.take(t, portal)[0]
		require.Equal(t, portal.ApplicationToken("local.1"), e.Get("auth[application_token]"))
		require.NotEqual(t, portal.ApplicationToken("local.1"), portal.ApplicationToken("local.2"))
		require.Equal(t, eventURL, box.urls[0], "no CLIENT_ID behind it")
		require.Equal(t, portal.OAuth("local.1").Endpoint, e.Get("auth[client_endpoint]"))

		token := e.Get("data[BOT][" + bot.String() + "][AUTH][access_token]")
		status, body := postTo(t, portal, portal.OAuth("local.1").Endpoint+"profile", "application/json", `{"auth":"`+token+`"}`)
		require.Contains(t, outcome(t, status, body), `"ID":"`+bot.String()+`"`)
		time.Sleep(time.Hour)
		status, body = postTo(t, portal, portal.OAuth("local.1").Endpoint+"profile", "application/json", `{"auth":"`+token+`"}`)
		require.Equal(t, "401 expired_token", outcome(t, status, body))
		_, err = client.Bot.List(t.Context(), imbot.BotListRequest{})
		require.NoError(t, err, "the source has a new token")
	})
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal(imbottest.WithRateLimit(2, 3))
		defer portal.Close()
		profile := func() string { return post(t, portal, "profile", `{}`)[:3] }
		for range 3 {
			require.Equal(t, `{"A`, profile())
		}
		require.Equal(t, "503 QUERY_LIMIT_EXCEEDED", post(t, portal, "profile", `{}`))
		time.Sleep(500 * time.Millisecond)
		require.Equal(t, `{"A`, profile(), "one has leaked out")
		require.Equal(t, "503", profile())
		require.Len(t, portal.Calls("profile"), 4, "the refused ones never came in")
	})
}

func TestFaults(t *testing.T) {
	const add = `{"CLIENT_ID":"one","TITLE":"x"}`
	for _, tt := range []struct {
		says  string
		fault imbottest.Fault
		want  string
		ran   bool
	}{
		{"a code is 400", imbottest.Fault{Code: "WRONG_REQUEST"}, `400 {"error":"WRONG_REQUEST","error_description":""}`, false},
		{"a status and a code", imbottest.Fault{Status: 429, Code: "OPERATION_TIME_LIMIT", Description: "busy"}, `429 {"error":"OPERATION_TIME_LIMIT","error_description":"busy"}`, false},
		{"a page", imbottest.Fault{Status: 502, Body: "<html>"}, `502 <html>`, false},
		{"a status alone has no body", imbottest.Fault{Status: 500}, `500 `, false},
		{"a body alone is 200", imbottest.Fault{Body: `{"result":`}, `200 {"result":`, false},
		{"cut before it ran", imbottest.Fault{Cut: imbottest.BeforeRun}, "EOF", false},
		{"cut after it ran", imbottest.Fault{Cut: imbottest.AfterRun}, "EOF", true},
		{"a page after it ran", imbottest.Fault{Cut: imbottest.AfterRun, Status: 504, Body: "<html>"}, "504 <html>", true},
		{"a code after it ran", imbottest.Fault{Cut: imbottest.AfterRun, Code: "X"}, `400 {"error":"X","error_description":""}`, true},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newWorld(t)
			portal.Fail("imbot.chat.add", tt.fault)
			send := func() string {
				resp, err := portal.HTTPClient().Post(portal.Webhook("").URL+"imbot.chat.add", "application/json", strings.NewReader(add))
				if err != nil {
					require.ErrorIs(t, err, io.EOF)
					return "EOF"
				}
				defer func() { _ = resp.Body.Close() }()
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				return fmt.Sprint(resp.StatusCode, " ", string(body))
			}
			require.Equal(t, tt.want, send())
			next := `200 {"result":1002,`
			if tt.ran {
				next = `200 {"result":1003,`
			}
			require.Contains(t, send(), next, "the fault befalls one call")
			require.Len(t, portal.Calls("imbot.chat.add"), 3)
		})
	}
	t.Run("several times, every method", func(t *testing.T) {
		portal := newWorld(t)
		portal.Fail("", imbottest.Fault{Code: "X", Times: 2})
		require.Equal(t, "400 X", post(t, portal, "profile", `{}`))
		require.Equal(t, "400 X", post(t, portal, "imbot.bot.list", `{}`))
		require.NotEqual(t, "400 X", post(t, portal, "profile", `{}`))
	})
	t.Run("for ever", func(t *testing.T) {
		portal := newWorld(t)
		portal.Fail("profile", imbottest.Fault{Code: "X", Times: -1})
		for range 5 {
			require.Equal(t, "400 X", post(t, portal, "profile", `{}`))
		}
	})
}

func TestATruncatedAnswer(t *testing.T) {
	portal := newWorld(t)
	require.NoError(t, portal.Listen("127.0.0.1:0"))
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for _, client := range []*http.Client{portal.HTTPClient(), {Transport: transport}} {
		portal.Fail("imbot.chat.add", imbottest.Fault{Cut: imbottest.AfterRun, Body: `{"result":10`})
		resp, err := client.Post(portal.Webhook("").URL+"imbot.chat.add", "application/json", strings.NewReader(`{"CLIENT_ID":"one"}`))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.EqualValues(t, 13, resp.ContentLength)
		body, err := io.ReadAll(resp.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Equal(t, `{"result":10`, string(body))
		require.NoError(t, resp.Body.Close())
	}
	require.Equal(t, "1004", post(t, portal, "imbot.chat.add", `{"CLIENT_ID":"one"}`), "both calls ran")
}

func TestDelaysObeyTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		portal.Fail("profile", imbottest.Fault{Delay: time.Minute, Times: 2})
		start := time.Now()
		post(t, portal, "profile", `{}`)
		require.Equal(t, time.Minute, time.Since(start))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, portal.Webhook("").URL+"profile", nil)
		require.NoError(t, err)
		_, err = portal.HTTPClient().Do(r)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute+time.Second, time.Since(start))
	})
}

func TestOneFaultInsideTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		bot, _ := newEcho(t, portal, eventURL, portal.HTTPClient())
		client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		anna := portal.AddUser("Anna", "Ivanova")
		send := func() error {
			_, err := client.WithBot(bot).Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: imbot.UserDialog(anna), Message: "x"})
			return err
		}
		portal.Fail("imbot.message.add", imbottest.Fault{Status: 503, Code: "QUERY_LIMIT_EXCEEDED"})
		require.NoError(t, send(), "refused before it ran, so repeated")
		portal.Fail("imbot.message.add", imbottest.Fault{Cut: imbottest.AfterRun})
		require.ErrorIs(t, send(), imbot.ErrOutcomeUnknown)
		require.Len(t, portal.Messages(anna, imbot.UserDialog(bot)), 2)
	})
}

func TestTheClientReachesThePortalOnly(t *testing.T) {
	portal, other := newWorld(t), newWorld(t)
	_, err := portal.HTTPClient().Get(other.Webhook("").URL + "profile")
	require.Error(t, err)
	portal.Close()
	_, err = portal.HTTPClient().Get(portal.Webhook("").URL + "profile")
	require.ErrorContains(t, err, "closed")
	_, err = portal.Say(t.Context(), anna, imbot.UserDialog(alpha), "hi")
	require.ErrorContains(t, err, "closed")
}

// FuzzServeHTTP: whatever is sent, the portal answers, and with JSON.
func FuzzServeHTTP(f *testing.F) {
	for _, seed := range []struct{ method, body string }{
		{"imbot.register", `{"CLIENT_ID":"one","CODE":[],"PROPERTIES":"x"}`},
		{"imbot.update", `{"CLIENT_ID":"one","BOT_ID":4,"FIELDS":[{"PROPERTIES":[]}]}`},
		{"imbot.chat.add", `{"CLIENT_ID":"one","USERS":{"a":{}}}`},
		{"imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[[3],"5",5.5]}`},
		{"imbot.dialog.get", `{"DIALOG_ID":"chat1001"}`},
		{"imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":"2","MESSAGE":["x"]}`},
		{"imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":"2","MESSAGE":"x","ATTACH":[{"GRID":[[]],"USER":5}],"KEYBOARD":{"BUTTONS":{"a":[]}},"MENU":"{}"}`},
		{"imbot.message.update", `{"CLIENT_ID":"one","MESSAGE_ID":50001,"ATTACH":{},"MENU":false}`},
		{"imbot.command.update", `{"CLIENT_ID":"one","COMMAND_ID":701,"FIELDS":[{"LANG":[]}]}`},
		{"imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":4,"CODE":"x","JS_METHOD":"PUT","JS_PARAM":"/aa"}`},
		{"batch", `{"cmd":["imbot.chat.add?CLIENT_ID=one","imbot.message.add?MESSAGE=$result[0][x]","?&="],"halt":[]}`},
	} {
		f.Add(seed.method, seed.body)
	}
	f.Fuzz(func(t *testing.T, method, body string) {
		portal := newWorld(t)
		path := strings.SplitN(portal.Webhook("").URL, "/rest/", 2)[1] + url.PathEscape(method)
		for _, contentType := range []string{"application/json", "application/x-www-form-urlencoded"} {
			r := httptest.NewRequest(http.MethodPost, "https://example.com/rest/"+path, strings.NewReader(body))
			r.Header.Set("Content-Type", contentType)
			w := httptest.NewRecorder()
			portal.ServeHTTP(w, r)
			if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
				require.True(t, json.Valid(w.Body.Bytes()), "%s", w.Body)
			}
		}
		require.NoError(t, portal.Idle(t.Context()))
		_ = portal.Err()
	})
}

func TestMounted(t *testing.T) {
	portal := newWorld(t)
	server := httptest.NewTLSServer(http.StripPrefix("/portal", portal))
	defer server.Close()
	path := strings.SplitN(portal.Webhook("").URL, "/rest/", 2)[1]
	resp, err := server.Client().Get(server.URL + "/portal/rest/" + path + "profile")
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	resp, err = server.Client().Get(server.URL + "/portal/elsewhere")
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
	require.ErrorContains(t, portal.Err(), "/elsewhere")
}

func TestBodiesAreBounded(t *testing.T) {
	portal := newWorld(t)
	big := io.LimitReader(endless{}, 33<<20)
	resp, err := portal.HTTPClient().Post(portal.Webhook("").URL+"profile", "application/json", big)
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

var errBroken = errors.New("broken")

func TestUndeliverableEvents(t *testing.T) {
	for _, tt := range []struct {
		says, url string
		handler   http.HandlerFunc
		want      string
	}{
		{"nobody serves the address", "https://nobody.example.com/e?x=1", nil, "nothing serves https://nobody.example.com/e "},
		{"nobody listens on loopback", "http://127.0.0.1:1/e", nil, "http://127.0.0.1:1/e cannot be reached"},
		{"the handler answers badly", eventURL, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, eventURL + " answered 503"},
		{"the handler panics", eventURL, func(http.ResponseWriter, *http.Request) { panic(errBroken) }, "panicked: broken"},
		{"the handler gives up", eventURL, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "does not answer"},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newWorld(t)
			if tt.handler != nil {
				portal.Serve(tt.url, tt.handler)
			}
			require.Equal(t, "6", post(t, portal, "imbot.register", `{"CLIENT_ID":"a-secret","CODE":"x","EVENT_HANDLER":"`+tt.url+`","PROPERTIES":{"NAME":"x"}}`))
			require.NoError(t, portal.Open(t.Context(), anna, 6))
			require.NoError(t, portal.Idle(t.Context()))
			require.ErrorContains(t, portal.Err(), "ONIMBOTJOINCHAT: ")
			require.ErrorContains(t, portal.Err(), tt.want)
			require.NotContains(t, portal.Err().Error(), "a-secret")
		})
	}
}

func TestTheClientReachesThePortalAndWhatIsServed(t *testing.T) {
	portal := newWorld(t)
	portal.Serve("https://bot.example.com/events?a=b", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, r.Method+" "+r.Host+r.RequestURI)
	}))
	resp, err := portal.HTTPClient().Get("https://bot.example.com/events?a=b")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "418 GET bot.example.com/events?a=b", fmt.Sprint(resp.StatusCode, " ", string(body)))

	for _, url := range []string{"https://bot.example.com/", "https://example.com/"} {
		_, err = portal.HTTPClient().Get(url)
		var op *net.OpError
		require.ErrorAs(t, err, &op, "a call that has not run")
		require.ErrorContains(t, err, "and the URLs of Serve")
	}
}
