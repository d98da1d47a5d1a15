package imbot_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func testGrant(member, access string) imbot.Grant {
	return imbot.Grant{
		MemberID: member, Domain: "portal.bitrix24.com", ClientEndpoint: "https://portal.bitrix24.com/rest/",
		ServerEndpoint: "https://oauth.bitrix.info/rest/", AccessToken: access, RefreshToken: "refresh-of-" + access,
		Expires: time.Now().Add(time.Hour), UserID: 1, Scope: "imbot", Status: "L", ApplicationToken: "s3cr3t-application",
	}.WithBookkeeping("s3cr3t-previous", time.Unix(1771932585, 0).UTC(), "0123456789abcdef")
}

// A database compares what it holds with Encode of what was decoded.
func TestAGrantFromBeforeANewFieldKeepsItsEncoding(t *testing.T) {
	t.Parallel()
	const stored = `{"member_id":"m1","domain":"portal.bitrix24.com","client_endpoint":"https://portal.bitrix24.com/rest/",` +
		`"server_endpoint":"https://oauth.bitrix.info/rest/","access_token":"a","refresh_token":"b","expires":"2026-02-24T11:29:45Z",` +
		`"user_id":1,"scope":"imbot","status":"L","application_token":"c"}`
	g, err := imbot.DecodeGrant([]byte(stored))
	require.NoError(t, err)
	require.Equal(t, stored, string(g.Encode()))
	require.Equal(t, "c", g.ApplicationToken)

	whole := strings.TrimSuffix(stored, "}") + `,"previous_token":"d","previous_until":"2026-02-24T11:39:45Z","installs":"0123456789abcdef,fedcba9876543210"}`
	g, err = imbot.DecodeGrant([]byte(whole))
	require.NoError(t, err)
	require.Equal(t, whole, string(g.Encode()))
}

func TestGrantSurvivesEncoding(t *testing.T) {
	t.Parallel()
	g := testGrant("m1", "s3cr3t-access")
	back, err := imbot.DecodeGrant(g.Encode())
	require.NoError(t, err)
	require.Equal(t, string(g.Encode()), string(back.Encode()))
	require.WithinDuration(t, g.Expires, back.Expires, time.Second)
	back.Expires = g.Expires
	require.True(t, g == back)

	for _, bad := range []string{"", "null", "[]", "{}", `{"access_token":"s3cr3t-access"}`, `"s3cr3t-access"`} {
		_, err := imbot.DecodeGrant([]byte(bad))
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "s3cr3t")
	}
}

// Whoever sends an installation chooses the time in it.
func TestATimeThatJSONCannotHoldCostsNoGrant(t *testing.T) {
	t.Parallel()
	g := testGrant("m1", "s3cr3t-access")
	for _, expires := range []time.Time{time.Unix(1<<61, 0), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)} {
		g.Expires = expires
		back, err := imbot.DecodeGrant(g.Encode())
		require.NoError(t, err)
		require.True(t, back.Expires.IsZero())
		require.Equal(t, g.AccessToken, back.AccessToken)
	}
	c := newCloud()
	store := imbot.NewFileStore(privateDir(t))
	h, failures, _ := eventsOf(c.app(store))
	var at []time.Time
	h.OnMessage = func(_ context.Context, ev *imbot.MessageAddEvent) error {
		_, err := json.Marshal(ev)
		at = append(at, ev.Time)
		return err
	}
	pair := c.issue("one.bitrix24.com", 1, appID)
	require.Equal(t, 200, post(t, h, pair.event("ONAPPINSTALL", "auth[expires]", "99999999999999")))
	require.Equal(t, pair.access, load(t, store).AccessToken)
	require.Equal(t, 200, post(t, h, pair.event("ONIMBOTMESSAGEADD", "ts", "9223372036854775807")))
	require.Equal(t, 200, post(t, h, pair.event("ONIMBOTMESSAGEADD", "ts", "253370764799")))
	require.Empty(t, *failures)
	require.Len(t, at, 2)
	require.True(t, at[0].IsZero())
	require.Equal(t, 9998, at[1].UTC().Year())
}

func TestGrantPrintsNoSecret(t *testing.T) {
	t.Parallel()
	g := testGrant("m1", "s3cr3t-access")
	g.RefreshToken = "s3cr3t-refresh"
	js, err := json.Marshal(map[string]any{"value": g, "pointer": &g, "list": []imbot.Grant{g}})
	require.NoError(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("grant", "value", g, "pointer", &g)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("grant", "value", g, "nested", struct{ G imbot.Grant }{g})
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s %q %x %d", g, g, g, g, g, g, g),
		fmt.Sprintf("%v %+v %#v", &g, []imbot.Grant{g}, struct{ G imbot.Grant }{g}),
		string(js), log.String(),
	} {
		require.NotContains(t, text, "s3cr3t")
		require.NotContains(t, text, fmt.Sprintf("%x", "s3cr3t"))
	}
}
