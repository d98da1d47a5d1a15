package imbottest_test

import (
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestEventBind(t *testing.T) {
	t.Parallel()
	portal, box := imbottest.NewPortal(), &mailbox{}
	defer portal.Close()
	portal.Serve(eventURL, box)
	app := portal.Application(clientID, secret)
	client, err := imbot.NewClient(portal.OAuth(clientID), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	call := func(method, event, handler string) (any, error) {
		var result any
		err := client.Call(t.Context(), method, map[string]any{"event": event, "handler": handler}, &result)
		return result, err
	}
	for _, tc := range []struct {
		name           string
		event, handler string
		want           error
	}{
		{"an event that no application has", "ONCRMLEADADD", eventURL, imbot.ErrEventNotFound},
		{"a handler without a dot in its host", "ONAPPUNINSTALL", "https://bot/", imbot.ErrCore},
		{"a first binding", "onappuninstall", eventURL, nil},
		{"the same binding again", "ONAPPUNINSTALL", eventURL, imbot.ErrCore},
		{"another event", "ONAPPUPDATE", eventURL, nil},
	} {
		result, err := call("event.bind", tc.event, tc.handler)
		require.ErrorIs(t, err, tc.want, tc.name)
		require.Equal(t, err == nil, result == true, tc.name)
	}
	result, err := call("event.unbind", "ONAPPUPDATE", "")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"count": 1.0}, result)
	result, err = call("event.get", "", "")
	require.NoError(t, err)
	require.Equal(t, []any{map[string]any{"event": "ONAPPUNINSTALL", "handler": eventURL, "auth_type": 0.0, "offline": 0.0}}, result)

	_, err = call("event.bind", "ONAPPUPDATE", eventURL)
	require.NoError(t, err)
	require.NoError(t, app.Update(t.Context()))
	require.NoError(t, app.Uninstall(t.Context()))
	events := box.take(t, portal)
	require.Len(t, events, 1, "the update has dropped the binding of the uninstallation")
	require.Equal(t, "ONAPPUPDATE", events[0].Get("event"))
	require.NoError(t, portal.Err())

	hook, err := imbot.NewClient(portal.Webhook("one"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	for _, method := range []string{"event.bind", "event.unbind", "event.get"} {
		require.ErrorIs(t, hook.Call(t.Context(), method, nil, nil), imbot.ErrWrongAuthType, method)
	}
}
