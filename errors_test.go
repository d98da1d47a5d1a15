package imbot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestErrorText(t *testing.T) {
	for text, e := range map[string]*imbot.Error{
		"imbot: imbot.chat.add: USERS_EMPTY: no users":                {Method: "imbot.chat.add", Code: "USERS_EMPTY", Description: "no users", StatusCode: 400, Attempts: 1},
		"imbot: imbot.chat.add: USERS_EMPTY":                          {Method: "imbot.chat.add", Code: "USERS_EMPTY", StatusCode: 400},
		"imbot: Webhook.URL is empty":                                 {Description: "Webhook.URL is empty"},
		"imbot: imbot.chat.add: the answer is empty (HTTP 502)":       {Method: "imbot.chat.add", Description: "the answer is empty", StatusCode: 502},
		"imbot: imbot.chat.add: the answer is empty":                  {Method: "imbot.chat.add", Description: "the answer is empty", StatusCode: 200},
		"imbot: imbot.chat.add: QUERY_LIMIT_EXCEEDED: x (4 attempts)": {Method: "imbot.chat.add", Code: "QUERY_LIMIT_EXCEEDED", Description: "x", StatusCode: 503, Attempts: 4},
		"imbot": {},
	} {
		require.EqualError(t, e, text)
	}
}

func TestErrorMatches(t *testing.T) {
	for name, tt := range map[string]struct {
		code   imbot.ErrorCode
		target error
		want   bool
	}{
		"its code":                            {"BOT_ID_ERROR", imbot.ErrBotID, true},
		"its code in another case":            {"bot_id_Error", imbot.ErrBotID, true},
		"not another code":                    {"BOT_ID_ERROR", imbot.ErrAppID, false},
		"not the empty code":                  {"", imbot.ErrorCode(""), false},
		"not found":                           {"NOT_FOUND", imbot.ErrNotFound, true},
		"not found, the other spelling":       {"error_not_found", imbot.ErrNotFound, true},
		"not found only for these two":        {"BOT_NOT_FOUND", imbot.ErrNotFound, false},
		"no sentinel by a code of its text":   {imbot.ErrorCode(imbot.ErrInvalid.Error()), imbot.ErrInvalid, false},
		"no sentinel without one":             {"BOT_ID_ERROR", imbot.ErrOutcomeUnknown, false},
		"not an error of somebody else":       {"EOF", io.EOF, false},
		"the code of a wrapped error as well": {"MAX_COUNT_ERROR", imbot.ErrMaxCount, true},
	} {
		t.Run(name, func(t *testing.T) {
			err := fmt.Errorf("register: %w", &imbot.Error{Code: tt.code})
			require.Equal(t, tt.want, errors.Is(err, tt.target))
		})
	}
	require.EqualError(t, imbot.ErrMaxCount, "MAX_COUNT_ERROR")
}

// TestEveryFailureIsAnError holds the promise of [imbot.Error].
func TestEveryFailureIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		ok := always(200, `{"result":true}`)
		for name, err := range map[string]error{
			"a bad method":      over(t, hook, ok).Call(t.Context(), "", nil, nil),
			"bad parameters":    over(t, hook, ok).Call(t.Context(), "x", 7, nil),
			"a bad request":     over(t, hook, ok).Bot.Update(t.Context(), imbot.BotUpdateRequest{}),
			"a bad result":      over(t, hook, ok).Call(t.Context(), "x", nil, new(string)),
			"a code":            over(t, hook, always(400, `{"error":"X"}`)).Call(t.Context(), "x", nil, nil),
			"a page":            over(t, hook, always(502, `<html>`)).Call(t.Context(), "x", nil, nil),
			"no connection":     over(t, hook, failing(io.EOF)).Call(t.Context(), "x", nil, nil),
			"cancelled":         over(t, hook, ok).Call(cancelled, "x", nil, nil),
			"a limiter's no":    over(t, hook, ok, imbot.WithLimiter(&gate{err: io.EOF})).Call(t.Context(), "x", nil, nil),
			"no token":          over(t, oauth(static{}), ok).Call(t.Context(), "x", nil, nil),
			"a token's error":   over(t, oauth(static{err: io.EOF}), ok).Call(t.Context(), "x", nil, nil),
			"refused each time": over(t, hook, always(503, queryLimit), imbot.WithRetry(imbot.Retry{MaxAttempts: 2})).Call(t.Context(), "x", nil, nil),
		} {
			e, isError := err.(*imbot.Error)
			require.True(t, isError, "%s: %T", name, err)
			require.Contains(t, e.Error(), "imbot: ", name)
		}
	})
}

func TestErrorInALog(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	err := over(t, hook, always(500, `{"error":"INTERNAL_SERVER_ERROR","error_description":"oops"}`)).Call(t.Context(), "imbot.job", nil, nil)
	logger.Error("failed", "err", err)
	require.Equal(t, `level=ERROR msg=failed err.method=imbot.job `+
		`err.text="imbot: imbot.job: INTERNAL_SERVER_ERROR: oops (it is unknown whether the call ran)" `+
		`err.code=INTERNAL_SERVER_ERROR err.status=500 err.attempts=1 err.outcome_unknown=true`+"\n", out.String())
}

// protocolCodes are the codes of the portal's core and of the token server,
// which no method lists.
const protocolCodes = `
	QUERY_LIMIT_EXCEEDED OPERATION_TIME_LIMIT OVERLOAD_LIMIT INTERNAL_SERVER_ERROR ERROR_UNEXPECTED_ANSWER
	CONNECTION_ERROR expired_token invalid_token NO_AUTH_FOUND INVALID_CREDENTIALS authorization_error
	insufficient_scope user_access_error ACCESS_DENIED access_denied APPLICATION_NOT_FOUND ERROR_OAUTH NOT_INSTALLED
	WRONG_AUTH_TYPE WRONG_LICENSE ALLOWED_ONLY_INTRANET_USER PAYMENT_REQUIRED PORTAL_DELETED
	METHOD_CONFIRM_WAITING METHOD_CONFIRM_DENIED INVALID_REQUEST ERROR_METHOD_NOT_FOUND
	ERROR_BATCH_METHOD_NOT_ALLOWED ERROR_BATCH_LENGTH_EXCEEDED ERROR_MANIFEST_IS_NOT_AVAILABLE
	ERROR_ARGUMENT INVALID_ARG_VALUE 100 160 MAIN_CONTROLLER_22001 ERROR_NOT_FOUND NOT_FOUND ERROR_EVENT_NOT_FOUND
	ERROR_UNSUPPORTED_PROTOCOL ERROR_WRONG_HANDLER_URL ERROR_HANDLER_URL_MATCH ERROR_CORE 0 WRONG_ENCODING
	INTERNAL_WRONG_TRANSPORT INTERNAL_WRONG_HANDLER_CLASS INTERNAL_WRONG_FILE_HANDLER
	ACCESS_ERROR WRONG_REQUEST CODE_EMPTY session_failed
	invalid_grant invalid_client wrong_client invalid_request invalid_scope unauthorized_client
	unsupported_grant_type redirect_uri_mismatch bad_verification_code`

func TestErrorCodes(t *testing.T) {
	known := knownCodes(t)
	require.Greater(t, len(known), 100, "the spec files hardly name a code: has their shape changed?")
	constants := errorConstants(t)

	seen := map[string]string{}
	for _, c := range constants {
		code := strings.ToUpper(c.value)
		require.Empty(t, seen[code], "%s has the code of another constant", c.name)
		seen[code] = c.name
		require.Equal(t, codeName(code), c.name, "the name of %s", c.value)
		require.NotEmpty(t, c.comment, "%s has no comment", c.name)
		require.True(t, known[code], "%s has a code that no source names", c.name)
	}
	for code := range known {
		switch code {
		case "NOT_FOUND", "ERROR_NOT_FOUND": // ErrNotFound stands for both.
			require.NotContains(t, seen, code)
		default:
			require.NotEmpty(t, seen[code], "no constant for %s", code)
		}
	}
}

// knownCodes returns every code of the spec files and of [protocolCodes] in
// upper case, the spelling in which codes are compared.
func knownCodes(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, code := range strings.Fields(protocolCodes) {
		known[strings.ToUpper(code)] = true
	}
	files, err := filepath.Glob("testdata/spec/*.json")
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var spec any
		require.NoError(t, json.Unmarshal(data, &spec))
		collectCodes(spec, false, known)
	}
	return known
}

// collectCodes adds the codes below v. A key "code" counts only among errors:
// parameters and BB codes use it for other things.
func collectCodes(v any, inErrors bool, codes map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			collectCodes(element, inErrors, codes)
		}
	case map[string]any:
		for key, value := range v {
			text, isText := value.(string)
			switch {
			case key == "code" && inErrors && isText:
				codes[strings.ToUpper(text)] = true
			case key == "wire_code_may_be":
				for _, code := range value.([]any) {
					codes[strings.ToUpper(code.(string))] = true
				}
			default:
				collectCodes(value, inErrors || key == "error" || key == "errors" || key == "system_errors", codes)
			}
		}
	}
}

type errorConstant struct{ name, value, comment string }

// errorConstants reads the constants of type ErrorCode from the source.
func errorConstants(t *testing.T) []errorConstant {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, parser.ParseComments)
	require.NoError(t, err)
	var constants []errorConstant
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			constant := spec.(*ast.ValueSpec)
			typ, ok := constant.Type.(*ast.Ident)
			require.True(t, ok && typ.Name == "ErrorCode", "%s is not an ErrorCode", constant.Names[0].Name)
			value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			constants = append(constants, errorConstant{constant.Names[0].Name, value, constant.Comment.Text()})
		}
	}
	return constants
}

// codeName is the rule for names: Err and the code in Go spelling, without an
// ERROR at either end.
func codeName(code string) string {
	initialisms := map[string]string{
		"ID": "ID", "URL": "URL", "URI": "URI", "HTTPS": "HTTPS", "IM": "IM", "JS": "JS", "OAUTH": "OAuth", "IFRAME": "IFrame",
	}
	code = strings.TrimSuffix(strings.TrimPrefix(code, "ERROR_"), "_ERROR")
	name := "Err"
	for word := range strings.SplitSeq(code, "_") {
		if known, ok := initialisms[word]; ok {
			name += known
			continue
		}
		name += word[:1] + strings.ToLower(word[1:])
	}
	return name
}

// TestErrorSamples reads every error that the documentation shows.
func TestErrorSamples(t *testing.T) {
	rest, err := filepath.Glob("testdata/rest/*.error.json")
	require.NoError(t, err)
	ok, err := filepath.Glob("testdata/rest/*.ok.json")
	require.NoError(t, err)
	require.NotEmpty(t, rest)
	require.Len(t, rest, len(ok), "the documentation shows an answer and an error of a method")
	system, err := filepath.Glob("testdata/errors/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, system)
	for _, file := range append(rest, system...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			var sample struct {
				Code        imbot.ErrorCode `json:"error"`
				Description string          `json:"error_description"`
			}
			require.NoError(t, json.Unmarshal(body, &sample))
			status := 400
			if parts := strings.Split(filepath.Base(file), "."); parts[len(parts)-2] != "error" {
				status, err = strconv.Atoi(parts[len(parts)-2])
				require.NoError(t, err)
			}

			client, _ := mockClient(t, "imbot.chat.leave", status, string(body), imbot.WithRetry(imbot.Retry{MaxAttempts: 1}))
			err = client.Chat.Leave(t.Context(), imbot.ChatLeaveRequest{ChatID: 5})
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, sample.Code, e.Code)
			require.Equal(t, sample.Description, e.Description)
			require.Equal(t, status, e.StatusCode)
			require.Equal(t, "imbot.chat.leave", e.Method)
			require.NotErrorIs(t, err, imbot.ErrInvalid)
			if sample.Code != "" {
				require.ErrorIs(t, err, sample.Code)
				require.ErrorIs(t, err, imbot.ErrorCode(strings.ToLower(string(sample.Code))))
				require.Contains(t, knownCodes(t), strings.ToUpper(string(sample.Code)))
			}
			require.NotErrorIs(t, err, imbot.ErrorCode(""))
			require.NotErrorIs(t, err, imbot.ErrorCode("ANOTHER_CODE"))
		})
	}
}

func TestErrorsAreBoundedAndOfOneLine(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	hostile := "a\r\nlevel=ERROR msg=\"another record\"\x1b[2J\u2028"
	for name, rt := range map[string]*wire{
		"a long description":    always(400, `{"error":"WRONG_REQUEST","error_description":"`+long+`"}`),
		"a long code":           always(400, `{"error":"`+long+`"}`),
		"a long argument":       always(400, `{"error":"ERROR_ARGUMENT","argument":"`+long+`"}`),
		"a long page":           always(502, long),
		"lines in a text":       always(400, `{"error":"WRONG_REQUEST","error_description":"a\r\nlevel=ERROR\u001b[2J\u2028"}`),
		"an error of transport": failing(errors.New(hostile + long)),
		"lines in a page":       always(502, hostile),
	} {
		t.Run(name, func(t *testing.T) {
			err := over(t, hook, rt).Call(t.Context(), "imbot.message.add", nil, nil)
			require.Error(t, err)
			for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
				require.Less(t, len(text), 3000)
				require.Equal(t, -1, strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == '\u2028' }), "%q", text)
			}
		})
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	ctx := t.Context()
	answering := func(code string) *imbot.Client { return over(t, hook, always(400, `{"error":"`+code+`"}`)) }
	for name, tt := range map[string]struct {
		err  error
		says string
	}{
		"a missing scope":         {answering("insufficient_scope").Call(ctx, "imopenlines.session.start", nil, nil), "needs the scope imopenlines"},
		"a command without bot":   {second(answering("BOT_ID_ERROR").Command.Register(ctx, imbot.CommandRegisterRequest{})), "Client.WithBot"},
		"a malformed dialog":      {second(answering("DIALOG_ID_EMPTY").Message.Add(ctx, imbot.MessageAddRequest{DialogID: "5chat"})), "as in chat5"},
		"a handler without URL":   {second(answering("EVENT_MESSAGE_ADD_ERROR").Bot.Register(ctx, imbot.BotRegisterRequest{})), "begins with https://"},
		"a webhook without https": {second(imbot.NewClient(imbot.Webhook{URL: "portal.bitrix24.com/rest/1/s3cr3t/"})), "begins with https://"},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorContains(t, tt.err, tt.says) })
	}
}

func second[T any](_ T, err error) error { return err }
