package imbottest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

var withoutBots = imbottest.WithScope("im")

type systemError struct {
	HTTP       int
	Code, When string
	Source     string
	ServerHTTP int `json:"server_http"`
}

// TestSystemErrors provokes the errors that a server sends for any method.
func TestSystemErrors(t *testing.T) {
	t.Parallel()
	get := func(portal *imbottest.Portal, address string) func(*testing.T) (int, string) {
		return func(t *testing.T) (int, string) {
			status, body := postTo(t, portal, address, "application/json", "{}")
			return status, string(body)
		}
	}
	profile := func(t *testing.T, portal *imbottest.Portal) (int, string) {
		return get(portal, portal.Webhook("").URL+"profile")(t)
	}
	withToken := func(t *testing.T, portal *imbottest.Portal, token string) (int, string) {
		return get(portal, portal.OAuth("local.1").Endpoint+"profile?auth="+token)(t)
	}
	token := func(t *testing.T, portal *imbottest.Portal) string {
		token, err := portal.OAuth("local.1").Tokens.Token()
		require.NoError(t, err)
		return token.AccessToken
	}
	inBatch := func(command string) func(*testing.T, *imbottest.Portal) (int, string) {
		return func(t *testing.T, portal *imbottest.Portal) (int, string) {
			failed := partOf(t, post(t, portal, "batch", `{"cmd":[`+strings.Repeat(`"profile",`, 50)+command+`]}`), "result_error")
			var errors map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(failed), &errors))
			require.Len(t, errors, 1)
			return http.StatusOK, string(errors["50"])
		}
	}
	// For errors that depend on the vendor's account: this portal has no state for them.
	fault := func(status int, code, description string) func(*testing.T, *imbottest.Portal) (int, string) {
		return func(t *testing.T, portal *imbottest.Portal) (int, string) {
			portal.Fail("", imbottest.Fault{Status: status, Code: code, Description: description})
			return profile(t, portal)
		}
	}
	provoked := map[string]func(*testing.T, *imbottest.Portal) (int, string){
		"OVERLOAD_LIMIT":    fault(401, "OVERLOAD_LIMIT", "REST API is blocked due to overload"),
		"user_access_error": fault(401, "user_access_error", "The user does not have access to the application"),
		"PORTAL_DELETED":    fault(403, "PORTAL_DELETED", "Portal was deleted"),
		"ERROR_ARGUMENT":    fault(400, "ERROR_ARGUMENT", "Argument is wrong"),
		"ERROR_CORE":        fault(400, "ERROR_CORE", "Unknown error"),
		"CONNECTION_ERROR":  fault(401, "CONNECTION_ERROR", "Error connecting to the authorization server"),
		"ACCESS_DENIED REST not included in the plan": fault(401, "ACCESS_DENIED", "REST is available only on commercial plans"),
		"ERROR_BATCH_LENGTH_EXCEEDED":                 inBatch(`"profile"`),
		"ERROR_BATCH_METHOD_NOT_ALLOWED": func(t *testing.T, portal *imbottest.Portal) (int, string) {
			failed := partOf(t, post(t, portal, "batch", `{"cmd":["batch"]}`), "result_error")
			return http.StatusOK, strings.Trim(failed, "[]")
		},
		"ACCESS_DENIED webhook call of an ownership-checking imbot method without CLIENT_ID": func(t *testing.T, portal *imbottest.Portal) (int, string) {
			return get(portal, portal.Webhook("").URL+"imbot.chat.add")(t)
		},
		"NO_AUTH_FOUND": func(t *testing.T, portal *imbottest.Portal) (int, string) { return withToken(t, portal, "") },
		"invalid_token": func(t *testing.T, portal *imbottest.Portal) (int, string) { return withToken(t, portal, "x") },
		"expired_token": func(t *testing.T, portal *imbottest.Portal) (int, string) {
			dead := token(t, portal)
			time.Sleep(time.Hour)
			return withToken(t, portal, dead)
		},
		"APPLICATION_NOT_FOUND": func(t *testing.T, portal *imbottest.Portal) (int, string) {
			dead := token(t, portal)
			require.NoError(t, portal.Application("local.1", "secret").Uninstall(t.Context()))
			status, body := postTo(t, portal, portal.Webhook("").URL[:strings.Index(portal.Webhook("").URL, "1/")]+"profile?auth="+dead, "application/json", "")
			return status, string(body)
		},
		"INVALID_REQUEST": func(t *testing.T, portal *imbottest.Portal) (int, string) {
			return get(portal, strings.Replace(portal.Webhook("").URL, "https", "http", 1)+"profile")(t)
		},
		"INVALID_CREDENTIALS": func(t *testing.T, portal *imbottest.Portal) (int, string) {
			return get(portal, portal.OAuth("local.1").Endpoint+"1/x/profile")(t)
		},
		"ERROR_METHOD_NOT_FOUND": func(t *testing.T, portal *imbottest.Portal) (int, string) {
			return get(portal, portal.Webhook("").URL+"imbot.nothing")(t)
		},
		"WRONG_LICENSE": func(t *testing.T, portal *imbottest.Portal) (int, string) {
			return get(portal, portal.Webhook("").URL+"profile?auth_connector=x")(t)
		},
		"authorization_error": func(t *testing.T, portal *imbottest.Portal) (int, string) {
			require.NoError(t, portal.Dismiss(imbottest.Admin))
			return profile(t, portal)
		},
		"WRONG_AUTH_TYPE": func(t *testing.T, portal *imbottest.Portal) (int, string) {
			sessid, err := portal.Session(imbottest.Admin)
			require.NoError(t, err)
			return get(portal, portal.OAuth("local.1").Endpoint+"imbot.bot.list?sessid="+sessid)(t)
		},
		"OPERATION_TIME_LIMIT": func(t *testing.T, _ *imbottest.Portal) (int, string) {
			portal := newPortal(t, imbottest.WithOperatingLimit(time.Minute))
			portal.Fail("profile", imbottest.Fault{Delay: time.Minute})
			status, _ := profile(t, portal)
			require.Equal(t, http.StatusOK, status)
			return profile(t, portal)
		},
		"insufficient_scope": func(t *testing.T, _ *imbottest.Portal) (int, string) {
			portal := newPortal(t, withoutBots)
			return get(portal, portal.Webhook("").URL+"imbot.bot.list")(t)
		},
	}
	var spec struct {
		Conventions struct {
			Errors []systemError `json:"system_errors"`
		} `json:"rest_conventions"`
	}
	data, err := os.ReadFile("../testdata/spec/imbot-v1-events.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &spec))
	require.NotEmpty(t, spec.Conventions.Errors)
	unused := maps.Clone(provoked)
	for _, e := range spec.Conventions.Errors {
		if e.Source == "docs" {
			continue
		}
		key := e.Code
		if provoked[key] == nil {
			key += " " + e.When
		}
		do := provoked[key]
		delete(unused, key)
		t.Run(e.Code+": "+e.When, func(t *testing.T) {
			require.NotNil(t, do)
			synctest.Test(t, func(t *testing.T) {
				portal := newPortal(t)
				status, body := do(t, portal)
				var got struct {
					Error       imbot.ErrorCode
					Description string `json:"error_description"`
				}
				require.NoError(t, json.Unmarshal([]byte(body), &got), body)
				require.EqualValues(t, e.Code, got.Error)
				require.NotEmpty(t, got.Description)
				if !strings.HasPrefix(e.Code, "ERROR_BATCH_") { // those stand inside the answer of a batch, which has 200
					want := e.ServerHTTP
					if want == 0 {
						want = e.HTTP
					}
					require.Equal(t, want, status)
				}
				portal.Close()
			})
		})
	}
	require.Empty(t, slices.Collect(maps.Keys(unused)), "errors that are not documented")
}
