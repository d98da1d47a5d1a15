package imbot_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// callOnce calls a method that is not repeated and returns its error.
func callOnce(t *testing.T, rt http.RoundTripper) *imbot.Error {
	t.Helper()
	client := over(t, hook, rt, imbot.WithRetry(imbot.Retry{MaxAttempts: 1}))
	err := client.Call(t.Context(), "imbot.message.add", nil, nil)
	require.Error(t, err)
	var e *imbot.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "imbot.message.add", e.Method)
	require.Equal(t, 1, e.Attempts)
	return e
}

func TestErrorAnswers(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	want := map[string]struct {
		code        imbot.ErrorCode
		description string
		unknown     bool // whether it ran
	}{
		"doc_ERROR_BATCH_LENGTH_EXCEEDED":          {imbot.ErrBatchLengthExceeded, "Max batch length exceeded", false},
		"doc_ERROR_BATCH_METHOD_NOT_ALLOWED":       {imbot.ErrBatchMethodNotAllowed, "Method is not allowed for batch usage", false},
		"doc_ERROR_UNEXPECTED_ANSWER":              {imbot.ErrUnexpectedAnswer, "Server returned an unexpected response", true},
		"doc_INTERNAL_SERVER_ERROR":                {imbot.ErrInternalServer, "Internal server error", true},
		"doc_INVALID_CREDENTIALS":                  {imbot.ErrInvalidCredentials, "Invalid request credentials", false},
		"doc_INVALID_REQUEST":                      {imbot.ErrInvalidRequest, "Https required", false},
		"doc_NO_AUTH_FOUND":                        {imbot.ErrNoAuthFound, "Wrong authorization data", false},
		"doc_OVERLOAD_LIMIT":                       {imbot.ErrOverloadLimit, "REST API is blocked due to overload", false},
		"doc_PORTAL_DELETED":                       {imbot.ErrPortalDeleted, "Portal was deleted", false},
		"doc_QUERY_LIMIT_EXCEEDED":                 {imbot.ErrQueryLimitExceeded, "Too many requests", false},
		"doc_expired_token":                        {imbot.ErrExpiredToken, "The access token provided has expired", false},
		"doc_insufficient_scope":                   {imbot.ErrInsufficientScope, "The request requires higher privileges than provided by the webhook token", false},
		"doc_user_access_error":                    {imbot.ErrUserAccess, "The user does not have access to the application", false},
		"imbot.register_webhook_without_client_id": {imbot.ErrAccessDenied, "Client ID not specified", false},
		"not_found_empty_error_code":               {"", "Not found", true},
		"query_limit_exceeded":                     {imbot.ErrQueryLimitExceeded, "Too many requests", false},
	}
	for _, file := range files {
		name, ext, _ := cutLast(strings.TrimSuffix(filepath.Base(file), ".json"), ".")
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			status, err := strconv.Atoi(ext)
			require.NoError(t, err)
			require.Contains(t, want, name)

			e := callOnce(t, always(status, string(body)))
			require.Equal(t, want[name].code, e.Code)
			require.Equal(t, want[name].description, e.Description)
			require.Equal(t, status, e.StatusCode)
			require.Equal(t, want[name].unknown, errors.Is(e, imbot.ErrOutcomeUnknown))
			require.NoError(t, e.Unwrap())
			if e.Code != "" {
				require.ErrorIs(t, e, e.Code)
				require.ErrorIs(t, e, imbot.ErrorCode(strings.ToLower(string(e.Code))), "case does not matter")
				require.Contains(t, e.Error(), "imbot: imbot.message.add: "+string(e.Code)+": "+e.Description)
			}
		})
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// TestErrorShapes has the shapes in which portals of all ages spell an error.
func TestErrorShapes(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		want   imbot.Error
	}{
		"inside of 200":              {200, `{"error":"BOT_ID_ERROR","error_description":"Bot not found"}`, imbot.Error{Code: imbot.ErrBotID, Description: "Bot not found"}},
		"beside a result":            {200, `{"result":true,"error":"BOT_ID_ERROR"}`, imbot.Error{Code: imbot.ErrBotID}},
		"a number":                   {400, `{"error":100,"error_description":"Bad"}`, imbot.Error{Code: "100", Description: "Bad"}},
		"zero":                       {400, `{"error":0}`, imbot.Error{Code: imbot.Err0}},
		"a number as text":           {400, `{"error":"100"}`, imbot.Error{Code: "100"}},
		"empty":                      {400, `{"error":"","error_description":"Not found"}`, imbot.Error{Description: "Not found"}},
		"an object":                  {400, `{"error":{"code":"BOT_ID_ERROR","message":"Bot not found","validation":[]}}`, imbot.Error{Code: imbot.ErrBotID, Description: "Bot not found"}},
		"an object with a number":    {400, `{"error":{"code":7,"message":null}}`, imbot.Error{Code: "7"}},
		"an empty object":            {400, `{"error":{}}`, imbot.Error{}},
		"a list":                     {400, `{"error":["x"]}`, imbot.Error{}},
		"without a description":      {400, `{"error":"BOT_ID_ERROR"}`, imbot.Error{Code: imbot.ErrBotID}},
		"a description that is null": {400, `{"error":"BOT_ID_ERROR","error_description":null}`, imbot.Error{Code: imbot.ErrBotID}},
		"a description as a number":  {400, `{"error":"BOT_ID_ERROR","error_description":7}`, imbot.Error{Code: imbot.ErrBotID, Description: "7"}},
		"a description as a list":    {400, `{"error":"BOT_ID_ERROR","error_description":["x"]}`, imbot.Error{Code: imbot.ErrBotID}},
		"an argument":                {400, `{"error":"ERROR_ARGUMENT","error_description":"Bad","argument":"BOT_ID"}`, imbot.Error{Code: imbot.ErrArgument, Description: "Bad", Argument: "BOT_ID"}},
		"an unknown code":            {400, `{"error":"SOMETHING_NEW","error_description":"x"}`, imbot.Error{Code: "SOMETHING_NEW", Description: "x"}},
		"a code with a client id":    {400, `{"error":"bot-secret-1"}`, imbot.Error{Code: "***"}},
		"a status that does not fit": {299, `{"error":"BOT_ID_ERROR"}`, imbot.Error{Code: imbot.ErrBotID}},
		"escaped characters":         {400, `{"error":"BOT_ID_ERROR","error_description":"\u003Cb\u003E \u0431\u043e\u0442"}`, imbot.Error{Code: imbot.ErrBotID, Description: "<b> бот"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := callOnce(t, always(tt.status, tt.body))
			require.Equal(t, tt.want.Code, e.Code)
			require.Equal(t, tt.want.Description, e.Description)
			require.Equal(t, tt.want.Argument, e.Argument)
			require.Equal(t, tt.status, e.StatusCode)
		})
	}
}

func TestResultBesideANullError(t *testing.T) {
	for _, body := range []string{`{"result":true,"error":null}`, `{"error":null,"error_description":"x","result":true}`} {
		client, _ := mockClient(t, "profile", 200, body)
		var ok bool
		require.NoError(t, client.Call(t.Context(), "profile", nil, &ok))
		require.True(t, ok)
	}
}

func TestShortClientIDLeavesTextsWhole(t *testing.T) {
	client := over(t, imbot.Webhook{URL: hookURL, ClientID: "BOT"}, always(400, `{"error":"BOT_ID_ERROR","error_description":"BOT is not found"}`))
	err := client.Call(t.Context(), "imbot.bot.list", nil, nil)
	require.ErrorIs(t, err, imbot.ErrBotID)
	require.ErrorContains(t, err, "BOT is not found")
}

// TestNotAnAnswer has what proxies, broken servers and time-outs send.
func TestNotAnAnswer(t *testing.T) {
	page, err := os.ReadFile("testdata/errors/html_instead_of_json.txt")
	require.NoError(t, err)
	html := string(page)
	for name, tt := range map[string]struct {
		status  int
		body    string
		says    string
		unknown bool // whether it ran
	}{
		"a page under 200":                {200, html, "(text/html): \"<html><head><title>502 Bad", true},
		"a page under 500":                {500, html, "<html>", true},
		"a page under 502":                {502, html, "<html>", true},
		"a page under 503":                {503, html, "<html>", true},
		"a page under 504":                {504, html, "<html>", true},
		"a page under 404":                {404, html, "<html>", false},
		"a page under 403":                {403, html, "<html>", false},
		"a page under 407":                {407, html, "<html>", false},
		"an empty answer":                 {200, "", "the answer is empty", true},
		"an empty answer under 204":       {204, "", "the answer is empty", true},
		"an empty answer under 502":       {502, "", "(HTTP 502)", true},
		"an empty answer under 404":       {404, "", "(HTTP 404)", false},
		"blanks":                          {200, " \r\n\t ", "the answer is empty", true},
		"null":                            {200, `null`, "not an answer of the portal", true},
		"an empty list":                   {200, `[]`, "not an answer of the portal", true},
		"a text":                          {200, `"x"`, "not an answer of the portal", true},
		"a number":                        {200, `39`, "not an answer of the portal", true},
		"an empty object":                 {200, `{}`, "not an answer of the portal", true},
		"only a time":                     {200, `{"time":{"start":1}}`, "not an answer of the portal", true},
		"an error that is null":           {200, `{"error":null}`, "not an answer of the portal", true},
		"cut JSON":                        {200, `{"result":{"ID":`, "not an answer of the portal", true},
		"JSON with an end that is none":   {200, `{"result":1}}`, "not an answer of the portal", true},
		"a PHP warning before the answer": {200, "<br />\n<b>Warning</b>: x\n{\"result\":39}", "Warning", true},
		"a byte order mark":               {200, "\xef\xbb\xbf{\"result\":39}", "not an answer of the portal", true},
		"a result under 500":              {500, `{"result":39}`, "a result under an error status", true},
		"a result under 404":              {404, `{"result":39}`, "a result under an error status", false},
	} {
		t.Run(name, func(t *testing.T) {
			rt := always(tt.status, tt.body)
			if tt.body == html {
				rt.answer = func(int, *http.Request) (*http.Response, error) {
					resp := reply(tt.status, tt.body)
					resp.Header.Set("Content-Type", "text/html; charset=utf-8")
					return resp, nil
				}
			}
			e := callOnce(t, rt)
			require.Empty(t, e.Code)
			require.Equal(t, tt.status, e.StatusCode)
			require.Contains(t, e.Error(), tt.says)
			require.Equal(t, tt.unknown, errors.Is(e, imbot.ErrOutcomeUnknown))
			require.Less(t, len(e.Error()), 300)
		})
	}
}

func TestTooManyRequestsOfAProxy(t *testing.T) {
	e := callOnce(t, always(429, "slow down"))
	require.NotErrorIs(t, e, imbot.ErrOutcomeUnknown)
	require.Equal(t, 429, e.StatusCode)
}

// body is an answer's body that counts what is read of it.
type body struct {
	io.Reader
	read   int
	closed bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (b *body) Close() error { b.closed = true; return nil }

func (b *body) wire(length int64) *wire {
	return &wire{answer: func(int, *http.Request) (*http.Response, error) {
		resp := reply(200, "")
		resp.Body, resp.ContentLength = b, length
		return resp, nil
	}}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestAnswerIsBounded(t *testing.T) {
	const most = 16 << 20
	for name, length := range map[string]int64{"unknown": -1, "true": most + 2, "a lie": 100, "an attack": 1 << 40} {
		t.Run("a length that is "+name, func(t *testing.T) {
			endless := &body{Reader: zeros{}}
			e := callOnce(t, endless.wire(length))
			require.ErrorContains(t, e, "longer than 16777216 bytes")
			require.ErrorIs(t, e, imbot.ErrOutcomeUnknown)
			require.ErrorIs(t, e, imbot.ErrTooLarge)
			require.LessOrEqual(t, endless.read, most+1)
			require.True(t, endless.closed)
		})
	}
	endless := (&body{Reader: zeros{}}).wire(-1)
	_, err := over(t, hook, endless).Bot.List(t.Context(), imbot.BotListRequest{})
	require.ErrorIs(t, err, imbot.ErrTooLarge)
	require.ErrorContains(t, err, "longer than 16777216 bytes")
	require.Len(t, endless.requests, 1, "nor is one that may be repeated: the next one would be as long")
	b := imbot.NewBatch()
	list := imbot.Queue(b, imbot.BotListRequest{})
	require.ErrorIs(t, over(t, hook, (&body{Reader: zeros{}}).wire(-1)).DoBatch(t.Context(), b), imbot.ErrTooLarge)
	_, err = list.Result()
	require.ErrorIs(t, err, imbot.ErrTooLarge)
	text := `{"result":"` + strings.Repeat("x", most-len(`{"result":""}`)) + `"}`
	require.Len(t, text, most)
	longest := &body{Reader: strings.NewReader(text)}
	require.NoError(t, over(t, hook, longest.wire(-1)).Call(t.Context(), "profile", nil, nil))
	require.True(t, longest.closed)
}

func TestAnswerThatBreaksOff(t *testing.T) {
	for name, sent := range map[string]string{
		"in the middle":           `{"result":{"ID"`,
		"after the last byte":     `{"result":39}`,
		"before the first byte":   ``,
		"in the middle of a code": `{"error":"QUERY_LIMIT_EXCEEDED`,
	} {
		t.Run(name, func(t *testing.T) {
			cut := &body{Reader: io.MultiReader(bytes.NewReader([]byte(sent)), broken{})}
			e := callOnce(t, cut.wire(1000))
			require.Equal(t, 200, e.StatusCode)
			require.ErrorContains(t, e, "the answer broke off: unexpected EOF")
			require.ErrorIs(t, e, io.ErrUnexpectedEOF)
			require.ErrorIs(t, e, imbot.ErrOutcomeUnknown)
			require.True(t, cut.closed)
		})
	}
}

// broken is what net/http reads of a connection that is cut.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestRedirects(t *testing.T) {
	const path = "/rest/1/s3cr3t/imbot.message.add"
	for name, tt := range map[string]struct {
		status   int
		location string
		moved    bool
		says     string
	}{
		"to another host":                  {302, "https://new.bitrix24.com" + path, true, "the portal has moved to new.bitrix24.com"},
		"to another host for ever":         {301, "https://new.bitrix24.com" + path, true, "the portal has moved to new.bitrix24.com"},
		"to another host, the method kept": {308, "https://new.bitrix24.com" + path, true, "the portal has moved to new.bitrix24.com"},
		"to another host with a query":     {302, "https://new.bitrix24.com" + path + "?auth=s3cr3t", true, "the portal has moved to new.bitrix24.com"},
		"to another host by scheme":        {302, "//new.bitrix24.com" + path, true, "the portal has moved to new.bitrix24.com"},
		"to another path":                  {302, "https://new.bitrix24.com/coupon.php?s3cr3t", false, "an unexpected redirect to the host new.bitrix24.com"},
		"to the same host":                 {302, "https://portal.bitrix24.com/coupon.php", false, "an unexpected redirect to the host portal.bitrix24.com"},
		"to the same address":              {307, "https://portal.bitrix24.com" + path, false, "an unexpected redirect to the host portal.bitrix24.com"},
		"to a path":                        {302, "/coupon.php", false, "an unexpected redirect to the host portal.bitrix24.com"},
		"to plain http":                    {302, "http://new.bitrix24.com" + path, false, "an unexpected redirect to the host new.bitrix24.com"},
		"to a name and a password":         {302, "https://user:s3cr3t@new.bitrix24.com/x", false, "an unexpected redirect to the host new.bitrix24.com"},
		"to a host with the secret":        {302, "https://s3cr3t.example.com/x", false, "an unexpected redirect to the host ***.example.com"},
		"to nowhere":                       {302, "", false, "a redirect without a target"},
		"to nowhere, the method kept":      {307, "", false, "a redirect without a target"},
		"not modified, which nobody asked": {304, "", false, "a redirect without a target"},
	} {
		t.Run(name, func(t *testing.T) {
			rt := &wire{answer: func(int, *http.Request) (*http.Response, error) {
				resp := reply(tt.status, `{"result":39}`)
				if tt.location != "" {
					resp.Header.Set("Location", tt.location)
				}
				return resp, nil
			}}
			e := callOnce(t, rt)
			require.Len(t, rt.requests, 1, "the redirect was followed")
			require.Equal(t, tt.says, e.Description)
			require.Equal(t, tt.moved, errors.Is(e, imbot.ErrPortalMoved))
			require.NotErrorIs(t, e, imbot.ErrOutcomeUnknown, "the portal was not reached")
			require.Equal(t, tt.status, e.StatusCode)
			require.NotContains(t, e.Error(), "s3cr3t")
		})
	}
}

func TestRedirectThatIsNoURL(t *testing.T) {
	rt := &wire{answer: func(int, *http.Request) (*http.Response, error) {
		resp := reply(302, "")
		resp.Header.Set("Location", "https://new.bitrix24.com/rest/1/s3cr3t/%zz")
		return resp, nil
	}}
	e := callOnce(t, rt)
	require.Len(t, rt.requests, 1)
	require.NotContains(t, e.Error(), "s3cr3t")
}
