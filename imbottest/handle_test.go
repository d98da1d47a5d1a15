package imbottest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

type params = map[string]any

func TestAFunctionAnswersAMethod(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		says, want string
		answer     func(context.Context, params) (any, error)
		problem    string // in Err
	}{
		{"a result", `{"ID":"7"}`, func(context.Context, params) (any, error) { return map[string]string{"ID": "7"}, nil }, ""},
		{"null", `null`, func(context.Context, params) (any, error) { return nil, nil }, ""},
		{"an empty map, which is an empty list", `[]`, func(context.Context, params) (any, error) { return params{}, nil }, ""},
		{"an error of a portal", `418 TEAPOT`, func(context.Context, params) (any, error) {
			return nil, fmt.Errorf("inside: %w", &imbot.Error{Code: "TEAPOT", StatusCode: 418})
		}, ""},
		{"one without a status", `400 NOT_FOUND`, func(context.Context, params) (any, error) { return nil, &imbot.Error{Code: "NOT_FOUND"} }, ""},
		{"one whose status none is", `400 NOT_FOUND`, func(context.Context, params) (any, error) {
			return nil, &imbot.Error{Code: "NOT_FOUND", StatusCode: 7}
		}, ""},
		{"one without a code", `503 INTERNAL_SERVER_ERROR`, func(context.Context, params) (any, error) { return nil, &imbot.Error{StatusCode: 503} }, ""},
		{"one that is nil", `500 INTERNAL_SERVER_ERROR`, func(context.Context, params) (any, error) { return nil, (*imbot.Error)(nil) }, ""},
		{"another error", `500 INTERNAL_SERVER_ERROR`, func(context.Context, params) (any, error) { return nil, errors.New("no database") }, ""},
		{"a panic", `500 INTERNAL_SERVER_ERROR`, func(context.Context, params) (any, error) { panic("oops") }, `"crm.deal.get" panicked: oops`},
		{"what JSON cannot say", `500 INTERNAL_SERVER_ERROR`, func(context.Context, params) (any, error) { return func() {}, nil }, "cannot be written as JSON"},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newPortal(t)
			portal.Handle("crm.deal.get", tt.answer)
			require.Equal(t, tt.want, post(t, portal, "crm.deal.GET", `{}`))
			batched := post(t, portal, "batch", `{"cmd":{"a":"crm.deal.get"}}`)
			if code := ""; tt.want[0] >= '1' && tt.want[0] <= '9' {
				_, err := fmt.Sscanf(tt.want, "%s %s", new(string), &code)
				require.NoError(t, err)
				require.Contains(t, batched, `"error":"`+code+`"`)
			} else {
				require.Contains(t, batched, `"result":{"a":`+tt.want+`}`)
			}
			if tt.problem == "" {
				require.NoError(t, portal.Err())
			} else {
				require.ErrorContains(t, portal.Err(), tt.problem)
			}
		})
	}
}

func TestWhatAFunctionGets(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	var got params
	portal.Handle("crm.deal.list", func(_ context.Context, params params) (any, error) {
		got = params
		return 5, nil
	})
	post(t, portal, "crm.deal.list", `{"filter":{"Id":7,"on":true,"none":null},"select":["*",[]],"start":50,"empty":{},"auth":"secret"}`)
	require.Equal(t, params{
		"FILTER": params{"Id": json.Number("7"), "on": true, "none": nil}, "SELECT": []any{"*", []any{}},
		"START": json.Number("50"), "EMPTY": []any{},
	}, got)
	post(t, portal, "batch", `{"cmd":{"a":"crm.deal.list","b":"crm.deal.list?filter[Id]=$result[a]&start=$result[a]&x=a%20$result[a]&ACCESS_TOKEN=y"}}`)
	require.Equal(t, params{"FILTER": params{"Id": json.Number("5")}, "START": json.Number("5"), "X": "a 5"}, got)
}

func TestAFunctionAnswersInPagesAndInPlaceOfThePortal(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	portal.Handle("crm.deal.list", func(_ context.Context, params params) (any, error) {
		if fmt.Sprint(params["START"]) == "50" {
			return imbottest.Page{Total: 51}, nil
		}
		return imbottest.Page{Items: []int{7}, Next: 50, Total: 51}, nil
	})
	_, body := postTo(t, portal, portal.Webhook("").URL+"crm.deal.list", "application/json", `{}`)
	require.Regexp(t, `^\{"result":\[7\],"next":50,"total":51,"time"`, string(body))
	_, body = postTo(t, portal, portal.Webhook("").URL+"crm.deal.list", "application/json", `{"start":50}`)
	require.Regexp(t, `^\{"result":\[\],"total":51,"time"`, string(body))
	got := post(t, portal, "batch", `{"cmd":{"a":"crm.deal.list","b":"crm.deal.list?start=$next[a]","c":"method.get?name=crm.deal.list"}}`)
	require.Regexp(t, `^\{"result":\{"a":\[7\],"b":\[\],"c":\{"isAvailable":true,"isExisting":true\}\},"result_error":\[\],"result_total":\{"a":51,"b":51\},"result_next":\{"a":50\}`, got)
	require.Contains(t, post(t, portal, "methods", `{}`), `,"crm.deal.list"]`)

	portal.Handle("profile", func(context.Context, params) (any, error) { return "mine", nil })
	require.Equal(t, `"mine"`, post(t, portal, "profile", `{}`))
	portal.Handle("Profile", nil)
	require.Contains(t, post(t, portal, "profile", `{}`), `"ADMIN":true`)
	require.NoError(t, portal.Err())
	portal.Handle("batch", func(context.Context, params) (any, error) { return 1, nil })
	require.ErrorContains(t, portal.Err(), "batch")
}

// Codes of the portal's core replace those that follow in a batch; those of functions are what
// they say.
func TestCodesOfFunctionsStayInABatch(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	code := imbot.ErrorCode("CANCELED")
	portal.Handle("x.y", func(context.Context, params) (any, error) { return nil, &imbot.Error{Code: code} })
	require.Contains(t, post(t, portal, "batch", `{"cmd":{"a":"x.y","b":"imbot.chat.add"}}`), `"b":{"error":"ACCESS_DENIED"`)
	code = "MINE"
	require.Contains(t, post(t, portal, "batch", `{"cmd":{"a":"imbot.message.add?CLIENT_ID=one&DIALOG_ID=chat77&MESSAGE=x","b":"x.y"}}`), `"b":{"error":"MINE"`)
}

// A function holds no lock: it writes on the portal, calls it, and ends with it.
func TestAFunctionUsesThePortal(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	client, err := imbot.NewClient(portal.Webhook("one"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	portal.Handle("crm.deal.add", func(ctx context.Context, params params) (any, error) {
		if _, err := portal.Say(ctx, anna, imbot.UserDialog(alpha), fmt.Sprint("new deal: ", params["TITLE"])); err != nil {
			return nil, err
		}
		var scopes []string
		return len(scopes), client.Call(ctx, "scope", nil, &scopes)
	})
	var id int
	require.NoError(t, client.Call(t.Context(), "crm.deal.add", map[string]string{"TITLE": "x"}, &id))
	events := box.take(t, portal)
	require.Equal(t, "new deal: x", events[len(events)-1].Get("data[PARAMS][MESSAGE]"))
	require.NoError(t, portal.Err())

	entered := make(chan struct{})
	portal.Handle("slow", func(ctx context.Context, _ params) (any, error) {
		close(entered)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	answered := make(chan error, 1)
	url := portal.Webhook("").URL + "slow"
	go func() {
		resp, err := portal.HTTPClient().Post(url, "application/json", http.NoBody)
		if err == nil {
			err = resp.Body.Close()
		}
		answered <- err
	}()
	<-entered
	portal.Close()
	require.NoError(t, <-answered)
}
