package imbot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
