package imbottest_test

import (
	"testing"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestMethodsOfOtherScopes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		says, method, want string
		scopes             []imbottest.Option
	}{
		{"one of another scope", "crm.deal.list", "401 insufficient_scope", nil},
		{"in any case", "CRM.deal.LIST", "401 insufficient_scope", nil},
		{"one named like a controller", "catalog.priceType.get", "401 insufficient_scope", nil},
		{"one of a scope that has another name", "tasks.task.list", "401 insufficient_scope", nil},
		{"one of users", "user.current", "401 insufficient_scope", nil},
		{"the same with its scope", "user.current", `{"ACTIVE":true,"ID":"1","IS_ONLINE":"Y","LAST_NAME":"Administrator","NAME":"Portal","PERSONAL_GENDER":"M","TIME_ZONE":"","UF_DEPARTMENT":[1],"USER_TYPE":"employee","WORK_POSITION":""}`, []imbottest.Option{imbottest.WithScope("user")}},
		{"one of the messenger", "im.message.add", "401 insufficient_scope", []imbottest.Option{imbottest.WithScope("imbot")}},
		{"an unknown one of a known scope", "imbot.no.such", "404 ERROR_METHOD_NOT_FOUND", nil},
		{"of a scope that nobody has", "no.such.method", "404 ERROR_METHOD_NOT_FOUND", nil},
		{"an unknown family of another scope", "crm.no.such", "404 ERROR_METHOD_NOT_FOUND", nil},
		{"a name without a dot", "crm", "404 ERROR_METHOD_NOT_FOUND", nil},
		{"one that the scope allows, and this portal does not have", "im.message.add", "404 ERROR_METHOD_NOT_FOUND", []imbottest.Option{imbottest.WithScope("im")}},
		{"one of bots, without their scope", "imbot.bot.list", "401 insufficient_scope", []imbottest.Option{imbottest.WithScope("im")}},
		{"one of bots that is unknown", "imbot.no.such", "404 ERROR_METHOD_NOT_FOUND", []imbottest.Option{imbottest.WithScope("im")}},
		{"one without a scope", "user.admin", "true", []imbottest.Option{imbottest.WithScope()}},
	} {
		t.Run(row.says, func(t *testing.T) {
			portal := newPortal(t, row.scopes...)
			require.Equal(t, row.want, post(t, portal, row.method, `{}`))
			inBatch := post(t, portal, "batch", `{"cmd":["`+row.method+`"]}`)
			if row.want[0] == '4' {
				require.Contains(t, inBatch, `"error":"`+row.want[4:]+`"`)
			} else {
				require.Contains(t, inBatch, `"result":[`+row.want+`]`)
			}
		})
	}
	portal := newPortal(t)
	require.Equal(t, "401 insufficient_scope", post(t, portal, "crm.lead.add", `{}`))
	require.ErrorContains(t, portal.Err(), `no method "crm.lead.add"`, "a test should know that it went too far")
	require.Equal(t, `{"isAvailable":false,"isExisting":true}`, post(t, portal, "method.get", `{"name":"crm.deal.list"}`))
	all := post(t, portal, "scope", `{"full":true}`)
	for _, scope := range []string{"crm", "im", "imbot", "task", "user.userfield"} {
		require.Contains(t, all, `"`+scope+`"`)
	}
	require.Equal(t, `["im"]`, post(t, newPortal(t, imbottest.WithScope("im")), "scope", `{}`))
}
