package imbot_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot"
)

const (
	accessToken  = "acce55-t0ken"
	refreshToken = "refre5h-t0ken"
)

var app = imbot.OAuth{
	Endpoint: "https://portal.bitrix24.com/rest/",
	Tokens:   oauth2.StaticTokenSource(&oauth2.Token{AccessToken: accessToken, RefreshToken: refreshToken}),
}

func TestCallSends(t *testing.T) {
	for name, tt := range map[string]struct {
		params any
		sent   string
	}{
		"nothing for nil":          {nil, `{}`},
		"nothing for a nil map":    {map[string]any(nil), `{}`},
		"nothing for an empty map": {map[string]any{}, `{}`},
		"a map":                    {map[string]any{"ID": 7, "FILTER": []int{1, 2}}, `{"FILTER":[1,2],"ID":7}`},
		"a struct":                 {struct{ ID imbot.ID }{7}, `{"ID":7}`},
		"a pointer":                {&struct{ ID imbot.ID }{7}, `{"ID":7}`},
		"JSON as it is":            {json.RawMessage(` { "ID" : "7" } `), `{"ID":"7"}`},
		"the offset of a list":     {map[string]int{"start": -1}, `{"start":-1}`},
		"names inside of others":   {map[string]any{"FIELDS": map[string]string{"auth": "x", "token": "y"}}, `{"FIELDS":{"auth":"x","token":"y"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			rt := always(200, `{"result":true}`)
			require.NoError(t, over(t, hook, rt).Call(t.Context(), "crm.lead.list", tt.params, nil))
			require.Equal(t, []string{tt.sent}, rt.bodies)
		})
	}
}

func TestCallDecodesInto(t *testing.T) {
	client, _ := mockClient(t, "profile", 200, `{"result":{"ID":"7","NAME":"Anna"},"time":{"start":1}}`)
	var user struct {
		ID   imbot.ID
		Name string
	}
	require.NoError(t, client.Call(t.Context(), "profile", nil, &user))
	require.Equal(t, imbot.ID(7), user.ID)
	require.Equal(t, "Anna", user.Name)

	var raw json.RawMessage
	require.NoError(t, client.Call(t.Context(), "profile", nil, &raw))
	require.JSONEq(t, `{"ID":"7","NAME":"Anna"}`, string(raw))

	var number int
	err := client.Call(t.Context(), "profile", nil, &number)
	var e *imbot.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, 200, e.StatusCode)
	require.Equal(t, 1, e.Attempts)
	require.ErrorContains(t, err, "imbot: profile: unexpected result: ")
	require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown, "it ran, only its result is not as expected")

	nothing, _ := mockClient(t, "profile", 200, `{"result":null}`)
	require.NoError(t, nothing.Call(t.Context(), "profile", nil, nil))
	require.NoError(t, nothing.Call(t.Context(), "profile", nil, &raw))
	require.Equal(t, "null", string(raw))
}

func TestClientID(t *testing.T) {
	for method, added := range map[string]bool{
		"imbot.register":                   true,
		"imbot.bot.list":                   true,
		"imbot.v":                          true,
		"imbot.v22.x":                      true,
		"IMBOT.REGISTER":                   true,
		"imbot.v2.Bot.register":            false,
		"IMBOT.V2.Bot.register":            false,
		"imopenlines.bot.session.finish":   true,
		"imopenlines.bot.session.operator": true,
		"Imopenlines.Bot.Session.Finish":   true,
		"imopenlines.session.open":         false,
		"imopenlines.bot.sessions":         false,
		"imbotx.register":                  false,
		"im.message.add":                   false,
		"crm.lead.list":                    false,
		"event.bind":                       false,
	} {
		t.Run(method, func(t *testing.T) {
			rt := always(200, `{"result":true}`)
			require.NoError(t, over(t, hook, rt).Call(t.Context(), method, map[string]int{"ID": 7}, nil))
			want := `{"ID":7}`
			if added {
				want = `{"CLIENT_ID":"bot-secret-1","ID":7}`
			}
			require.JSONEq(t, want, rt.bodies[0])
			require.Equal(t, hookURL+method, rt.requests[0].URL.String(), "the method is sent as it is spelled")
		})
	}
}

func TestClientIDOfTheCallerWins(t *testing.T) {
	for _, name := range []string{"CLIENT_ID", "client_id", "Client_Id"} {
		rt := always(200, `{"result":true}`)
		require.NoError(t, over(t, hook, rt).Call(t.Context(), "imbot.bot.list", map[string]string{name: "other"}, nil))
		require.Equal(t, `{"`+name+`":"other"}`, rt.bodies[0])
	}
}

func TestClientIDIsMissing(t *testing.T) {
	rt := always(200, `{"result":[]}`)
	require.NoError(t, over(t, imbot.Webhook{URL: hookURL}, rt).Call(t.Context(), "imbot.bot.list", nil, nil))
	require.Equal(t, `{}`, rt.bodies[0])
}

func TestReservedNames(t *testing.T) {
	for _, name := range []string{
		"auth", "access_token", "auth_connector", "aplogin", "ap", "method", "state", "token", "sessid",
		"livechat_auth_id", "call_auth_id", "bx24_request_id", "bx24_sdk_ver", "bx24_sdk_type",
	} {
		for _, spelled := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
			t.Run(spelled, func(t *testing.T) {
				rt := always(200, `{"result":true}`)
				err := over(t, hook, rt).Call(t.Context(), "crm.lead.list", map[string]string{"ID": "7", spelled: "x"}, nil)
				require.ErrorIs(t, err, imbot.ErrInvalid)
				require.ErrorContains(t, err, "imbot: crm.lead.list: ")
				require.ErrorContains(t, err, spelled)
				require.Empty(t, rt.requests)
			})
		}
	}
}

func TestCallRefusesParameters(t *testing.T) {
	cycle := map[string]any{}
	cycle["self"] = cycle
	for name, params := range map[string]any{
		"a list":                       []int{1},
		"an empty list":                []int{},
		"a number":                     7,
		"a text":                       "ID=7",
		"a boolean":                    true,
		"a channel":                    make(chan int),
		"a function in a map":          map[string]any{"f": func() {}},
		"a number that is none":        map[string]any{"n": math.NaN()},
		"a map that holds itself":      cycle,
		"JSON that is broken":          json.RawMessage(`{"ID":`),
		"a type that does not encode ": unencodable{},
	} {
		t.Run(name, func(t *testing.T) {
			rt := always(200, `{"result":true}`)
			err := over(t, hook, rt).Call(t.Context(), "crm.lead.list", params, nil)
			require.ErrorIs(t, err, imbot.ErrInvalid)
			require.ErrorContains(t, err, "imbot: crm.lead.list: ")
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.Zero(t, e.StatusCode)
			require.Zero(t, e.Attempts)
			require.Empty(t, rt.requests)
		})
	}
}

type unencodable struct{}

func (unencodable) MarshalJSON() ([]byte, error) { return nil, errEncode }

var errEncode = imbot.ErrorCode("the clock has stopped")

func TestEncodingErrorIsKept(t *testing.T) {
	err := over(t, hook, always(200, `{"result":true}`)).Call(t.Context(), "x", unencodable{}, nil)
	require.ErrorIs(t, err, errEncode)
}

func TestCallRefusesMethods(t *testing.T) {
	for name, method := range map[string]string{
		"nothing":              "",
		"a dot":                ".",
		"a dot at the start":   ".imbot.register",
		"a dot at the end":     "imbot.register.",
		"two dots":             "imbot..register",
		"a slash":              "imbot/register",
		"a way up":             "../../1/x/profile",
		"a query":              "profile?auth=x",
		"a fragment":           "profile#x",
		"an escape":            "profile%2f",
		"a blank":              "imbot register",
		"two lines":            "profile\r\nX-Evil: 1",
		"letters beyond ASCII": "imbot.régister",
		"a whole URL":          hookURL + "profile",
		"the end of one":       "1/s3cr3t/profile",
	} {
		t.Run(name, func(t *testing.T) {
			rt := always(200, `{"result":true}`)
			err := over(t, hook, rt).Call(t.Context(), method, nil, nil)
			require.ErrorIs(t, err, imbot.ErrInvalid)
			require.ErrorContains(t, err, "is not the name of a method")
			require.NotContains(t, err.Error(), "s3cr3t")
			require.Empty(t, rt.requests)
		})
	}
}

// statusRequest is a method as a user of the package would type it.
type statusRequest struct {
	imbot.Returns[status]
	ID    imbot.ID `json:"ID"`
	Token string   `json:"token,omitempty"`
}

type status struct {
	State string `json:"STATE"`
}

func (statusRequest) Method() string { return "imbot.status.get" }

func TestDoWithARequestOfTheUser(t *testing.T) {
	rt := always(200, `{"result":{"STATE":"busy"}}`)
	client := over(t, hook, rt)
	got, err := imbot.Do(t.Context(), client, statusRequest{ID: 7})
	require.NoError(t, err)
	require.Equal(t, status{State: "busy"}, got)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","ID":7}`, rt.bodies[0])

	_, err = imbot.Do(t.Context(), client, statusRequest{ID: 7, Token: "x"})
	require.ErrorIs(t, err, imbot.ErrInvalid)
	require.ErrorContains(t, err, "token")
	require.Len(t, rt.requests, 1)
}

func TestReturnsTakesNullAndNoIDForAFailure(t *testing.T) {
	for body, says := range map[string]string{
		`{"result":null}`:  "null",
		`{"result":"39"}`:  "cannot unmarshal",
		`{"result":[1,2]}`: "cannot unmarshal",
	} {
		_, err := imbot.Do(t.Context(), over(t, hook, always(200, body)), statusRequest{ID: 7})
		require.ErrorContains(t, err, "imbot: imbot.status.get: unexpected result: ", body)
		require.ErrorContains(t, err, says, body)
	}
	for _, body := range []string{`{"result":0}`, `{"result":"0"}`, `{"result":false}`, `{"result":""}`, `{"result":null}`, `{"result":true}`} {
		id, err := over(t, hook, always(200, body)).Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: "1", Message: "hi"})
		require.ErrorContains(t, err, "unexpected result", body)
		require.Zero(t, id)
	}
}

func TestHeaders(t *testing.T) {
	for name, auth := range map[string]imbot.Auth{"webhook": hook, "OAuth": app} {
		t.Run(name, func(t *testing.T) {
			rt := always(200, `{"result":true}`)
			require.NoError(t, over(t, auth, rt).Call(t.Context(), "profile", nil, nil))
			require.Regexp(t, `^imbot-go/\d`, rt.requests[0].UserAgent())
			require.Equal(t, http.Header{
				"Accept":       {"application/json"},
				"Content-Type": {"application/json"},
				"User-Agent":   {rt.requests[0].UserAgent()},
			}, rt.requests[0].Header)
			require.Equal(t, int64(len(rt.bodies[0])), rt.requests[0].ContentLength)
		})
	}
}

func TestTokenTravelsInTheBody(t *testing.T) {
	rt := always(200, `{"result":true}`)
	client := over(t, app, rt)
	require.NoError(t, client.Call(t.Context(), "imbot.bot.list", nil, nil))
	require.NoError(t, client.Call(t.Context(), "imbot.bot.list", map[string]int{"ID": 7}, nil))

	require.Equal(t, `{"auth":"`+accessToken+`"}`, rt.bodies[0])
	require.Equal(t, `{"auth":"`+accessToken+`","ID":7}`, rt.bodies[1])
	for _, r := range rt.requests {
		require.Equal(t, "https://portal.bitrix24.com/rest/imbot.bot.list", r.URL.String())
		require.Empty(t, r.Header.Values("Authorization"))
	}
}

func TestTokenIsEscaped(t *testing.T) {
	rt := always(200, `{"result":true}`)
	auth := imbot.OAuth{Endpoint: app.Endpoint, Tokens: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: `a","ID":"8`})}
	require.NoError(t, over(t, auth, rt).Call(t.Context(), "profile", nil, nil))
	require.JSONEq(t, `{"auth":"a\",\"ID\":\"8"}`, rt.bodies[0])
}

// namedUser is a request of somebody who builds on one of ours.
type namedUser struct {
	imbot.ChatUpdateTitleRequest
	Auth string `json:"auth,omitempty"`
}

func TestARequestThatEmbedsOneOfOursHasNoReservedName(t *testing.T) {
	rt := always(200, `{"result":true}`)
	client := over(t, hook, rt)
	req := namedUser{ChatUpdateTitleRequest: imbot.ChatUpdateTitleRequest{ChatID: 5, Title: "x"}, Auth: "somebody else's"}
	_, err := imbot.Do(t.Context(), client, req)
	require.ErrorIs(t, err, imbot.ErrInvalid)
	require.ErrorContains(t, err, "a parameter named auth")
	require.Empty(t, rt.requests)

	req.Auth = ""
	_, err = imbot.Do(t.Context(), client, req)
	require.NoError(t, err)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":5,"TITLE":"x"}`, rt.bodies[0])
}

func TestOnlyTheNamesOfParametersAreReserved(t *testing.T) {
	for name, row := range map[string]struct {
		params  any
		refused bool
	}{
		"a value":                     {map[string]any{"TITLE": "auth", "B": `","auth":"`, "C": `\`}, false},
		"a name deeper down":          {map[string]any{"FIELDS": map[string]any{"auth": 1}, "LIST": []any{"auth", map[string]any{"auth": 1}}}, false},
		"a name that begins with one": {map[string]any{"AUTHOR": 1}, false},
		"behind nested values":        {map[string]any{"A": []any{map[string]any{"B": []int{1}}}, "auth": 1}, true},
		"behind a text with quotes":   {map[string]any{"A": `"\{[`, "auth": 1}, true},
		"an escaped name":             {raw(`{"\u0061uth":1}`), true},
		"a name given twice":          {raw(`{"ID":1,"auth":1,"ID":2}`), true},
	} {
		t.Run(name, func(t *testing.T) {
			err := over(t, hook, always(200, `{"result":true}`)).Call(t.Context(), "crm.lead.list", row.params, nil)
			if row.refused {
				require.ErrorContains(t, err, "a parameter named auth")
			} else {
				require.NoError(t, err)
			}
		})
	}
}

type raw string

func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func TestCallRefusesAResultThatIsNoPointerBeforeSending(t *testing.T) {
	rt := always(200, `{"result":1}`)
	client := over(t, hook, rt)
	require.ErrorIs(t, client.Call(t.Context(), "profile", nil, 5), imbot.ErrInvalid)
	require.ErrorIs(t, client.Call(t.Context(), "profile", nil, (*int)(nil)), imbot.ErrInvalid)
	require.Empty(t, rt.bodies)
}

func TestTheHashOfAnIFrameStaysOutOfErrors(t *testing.T) {
	const refused = `{"error":"WRONG_REQUEST","error_description":"not stored: HASH => 0123456789abcdef"}`
	client := over(t, hook, always(400, refused))
	register := imbot.AppRegisterRequest{Code: "x", IFrame: "https://e.com", Hash: "0123456789abcdef"}
	_, err := client.App.Register(t.Context(), register)
	require.ErrorIs(t, err, imbot.ErrWrongRequest)
	require.NotContains(t, err.Error(), "0123456789abcdef")
	err = client.App.Update(t.Context(), imbot.AppUpdateRequest{AppID: 1, Fields: imbot.AppUpdateFields{Hash: "0123456789abcdef"}})
	require.NotContains(t, err.Error(), "0123456789abcdef")
	for _, answer := range []string{refused, `{"result":{"result":[],"result_error":{"c0":` + refused + `}}}`} {
		batch := imbot.NewBatch()
		app := imbot.Queue(batch, register)
		err := over(t, hook, always(200, answer)).DoBatch(t.Context(), batch) // of the batch as a whole
		_, own := app.Result()
		err = errors.Join(err, own)
		require.ErrorIs(t, err, imbot.ErrWrongRequest)
		require.NotContains(t, err.Error(), "0123456789abcdef")
	}
}

func TestCallTakesARequestForItsParametersOnly(t *testing.T) {
	rt := always(502, "<html>")
	err := over(t, hook, rt).WithBot(39).Call(t.Context(), "imbot.update", imbot.BotUpdateRequest{}, nil)
	require.ErrorIs(t, err, imbot.ErrOutcomeUnknown, "it is not repeated")
	require.Len(t, rt.bodies, 1)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","FIELDS":{}}`, rt.bodies[0])
}

// transferRequest is a request of another package that has all that ours may have.
type transferRequest struct {
	imbot.Returns[imbot.OK]
	Line imbot.ID `json:"LINE"`
	PIN  string   `json:"PIN"`
	bad  error
}

var (
	_ imbot.Checker   = transferRequest{}
	_ imbot.Repeater  = transferRequest{}
	_ imbot.Secretive = transferRequest{}
)

func (transferRequest) Method() string      { return "imopenlines.line.transfer" }
func (transferRequest) Repeatable() bool    { return true }
func (r transferRequest) Secrets() []string { return []string{r.PIN} }
func (r transferRequest) Check() error      { return r.bad }

func TestCheckOfAnotherPackageRefusesBeforeSending(t *testing.T) {
	mine := errors.New("the line is closed")
	for name, tt := range map[string]struct {
		bad  error
		code imbot.ErrorCode
		text string
	}{
		"an error of its own": {mine, "", "imbot: imopenlines.line.transfer: the line is closed"},
		"an error with a code": {fmt.Errorf("%w: LINE 5 is closed", imbot.ErrParams), imbot.ErrParams,
			"imbot: imopenlines.line.transfer: PARAMS_ERROR: LINE 5 is closed"},
		"a bare code":               {imbot.ErrParams, imbot.ErrParams, "imbot: imopenlines.line.transfer: PARAMS_ERROR"},
		"an error with its secret":  {fmt.Errorf("PIN s3cr3t-pin is short: %w", mine), "", "imbot: imopenlines.line.transfer: PIN *** is short: the line is closed"},
		"what a check of ours says": {imbot.MessageAddRequest{Message: "\xff"}.Check(), "", "imbot: imopenlines.line.transfer: MESSAGE is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			rt := always(200, `{"result":true}`)
			_, err := imbot.Do(t.Context(), over(t, hook, rt), transferRequest{PIN: "s3cr3t-pin", bad: tt.bad})
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, tt.text, err.Error())
			require.Equal(t, tt.code, e.Code)
			require.ErrorIs(t, err, imbot.ErrInvalid)
			if errors.Is(tt.bad, mine) {
				require.ErrorIs(t, err, mine)
			}
			require.Empty(t, rt.requests)
		})
	}
}

func TestSecretsOfAnotherPackagesRequestStayOutOfErrors(t *testing.T) {
	for name, send := range map[string]func(*imbot.Client, transferRequest) error{
		"alone": func(c *imbot.Client, r transferRequest) error { _, err := imbot.Do(t.Context(), c, r); return err },
		"in a batch": func(c *imbot.Client, r transferRequest) error {
			b := imbot.NewBatch()
			p := imbot.Queue(b, r)
			return errors.Join(c.DoBatch(t.Context(), b), func() error { _, err := p.Result(); return err }())
		},
	} {
		t.Run(name, func(t *testing.T) {
			rt := always(400, `{"error":"WRONG_PIN","error_description":"s3cr3t-pin is wrong"}`)
			err := send(over(t, hook, rt), transferRequest{PIN: "s3cr3t-pin"})
			require.ErrorContains(t, err, "*** is wrong")
			require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "s3cr3t-pin")
		})
	}
}
