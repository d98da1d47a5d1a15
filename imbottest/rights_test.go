package imbottest_test

import (
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestStatesThatCannotBe(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	_, noSession := portal.Session(99)
	_, noHook := portal.WebhookOf(alpha, "one")
	for says, err := range map[string]error{
		"a chat that does not exist cannot be restricted": portal.Restrict(9, "send"),
		"nor can a chat be restricted in an unknown way":  portal.Restrict(team, "send", "fly"),
		"no such chat is the general one":                 portal.MakeGeneral(9),
		"nobody is no extranet user":                      portal.MakeExtranet(anna, 99),
		"a person does not fetch events":                  portal.MakeFetching(anna),
		"no module knows the method":                      portal.Veto("imbot.message.add"),
		"nobody has no session":                           noSession,
		"a bot has no webhook":                            noHook,
		"nobody opens no dialog":                          portal.OpenContext(t.Context(), 99, "103", `{}`),
		"a person opens no dialog with nobody":            portal.OpenContext(t.Context(), anna, "99", `{}`),
		"data have to be JSON":                            portal.OpenContext(t.Context(), anna, "103", `x`),
	} {
		require.Error(t, err, says)
	}
	require.Equal(t, "true", post(t, portal, "imbot.chat.leave", `{`+inTeam+`}`), "nothing of it has happened")
}

func TestRestrictionsAreThoseOfPeople(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	say := func() error {
		_, err := portal.Say(t.Context(), anna, "chat1001", "hi")
		return err
	}
	require.NoError(t, say())
	require.NoError(t, portal.Restrict(team, "send", "extend", "leave"))
	require.ErrorContains(t, say(), "nobody may write in chat1001")
	require.ErrorContains(t, portal.Invite(t.Context(), anna, team, boris), "nobody may be added to chat1001")
	require.ErrorContains(t, portal.Kick(t.Context(), anna, team, anna), "nobody may leave chat1001")
	require.NoError(t, portal.Restrict(team))
	require.NoError(t, say())
	require.Equal(t, "true", post(t, portal, "imbot.chat.updateTextFieldEnabled", `{`+inTeam+`,"TEXT_FIELD_ENABLED":"N"}`))
	require.Error(t, say())
}

func TestTheGeneralChat(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	title := func(bot string) string {
		return post(t, portal, "imbot.chat.updateTitle", `{`+bot+`,"CHAT_ID":1001,"TITLE":"x"}`)
	}
	require.NoError(t, portal.MakeGeneral(team))
	require.Equal(t, "true", title(`"CLIENT_ID":"one"`), "who may write there may rename it")
	require.Equal(t, "403 ACCESS_ERROR", title(`"CLIENT_ID":"two"`))
	require.Equal(t, "403 ACCESS_ERROR", post(t, portal, "imbot.chat.updateColor", `{`+inTeam+`,"COLOR":"RED"}`), "here the user behind the webhook counts")
	require.NoError(t, portal.MakeGeneral(portal.AddChat("Everybody", imbottest.Admin)))
	require.Equal(t, "true", title(`"CLIENT_ID":"two"`))
	require.Equal(t, "true", post(t, portal, "imbot.chat.updateColor", `{`+inTeam+`,"COLOR":"RED"}`))
}

func TestExtranetUsersAreMarked(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	require.NoError(t, portal.MakeExtranet(anna))
	_, err := portal.Say(t.Context(), anna, "chat1001", "[USER=103]Alpha[/USER] hi")
	require.NoError(t, err)
	e := box.take(t, portal)[0]
	require.Equal(t, "Y", e.Get("data[USER][IS_EXTRANET]"))
	require.Equal(t, "Y", e.Get("data[PARAMS][CHAT_EXTRANET]"))
	require.NoError(t, portal.Invite(t.Context(), anna, team, imbottest.Admin))
	require.Contains(t, post(t, portal, "imbot.dialog.get", `{"DIALOG_ID":"chat1001"}`), `"extranet":true`)
}

func TestCommandsForTheExtranet(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	require.NoError(t, portal.MakeExtranet(anna))
	given := func() string {
		_, err := portal.Say(t.Context(), anna, "chat1001", "/echo")
		require.NoError(t, err)
		events := box.take(t, portal)
		if len(events) == 0 {
			return "nothing"
		}
		return events[0].Get("event")
	}
	require.Equal(t, "nothing", given())
	require.Empty(t, portal.Commands(anna, "chat1001"))
	require.Equal(t, "true", post(t, portal, "imbot.command.update", `{"CLIENT_ID":"one","COMMAND_ID":701,"FIELDS":{"EXTRANET_SUPPORT":"Y"}}`))
	require.Equal(t, "ONIMCOMMANDADD", given())
	require.Len(t, portal.Commands(anna, "chat1001"), 1)
}

func TestScopes(t *testing.T) {
	t.Parallel()
	portal := newPortal(t, imbottest.WithScope("imopenlines"))
	require.Equal(t, "401 insufficient_scope", post(t, portal, "IMBOT.register", `{}`))
	require.Equal(t, "400 CHAT_ID_EMPTY", post(t, portal, "imopenlines.bot.session.operator", `{}`))
	require.Contains(t, post(t, portal, "profile", `{}`), `"ID":"1"`)
	client, err := imbot.NewClient(portal.Webhook("a-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	_, err = client.Bot.List(t.Context(), imbot.BotListRequest{})
	require.ErrorIs(t, err, imbot.ErrInsufficientScope)
}

// TestWhatAnotherModuleRefusesChangesNothing checks that nobody sees a change, and that
// the handler for commands, which imbot.command.register sets, stays as it was.
func TestWhatAnotherModuleRefusesChangesNothing(t *testing.T) {
	t.Parallel()
	for method, params := range map[string]string{
		"imbot.unregister":         `{"CLIENT_ID":"one","BOT_ID":103}`,
		"imbot.chat.add":           `{"CLIENT_ID":"one","USERS":[101]}`,
		"imbot.app.register":       `{"CLIENT_ID":"one","BOT_ID":103,"CODE":"new","JS_METHOD":"SEND","JS_PARAM":"/help",` + titles + `}`,
		"imbot.app.update":         `{"CLIENT_ID":"one","APP_ID":501,"FIELDS":{"HIDDEN":"Y"}}`,
		"imbot.app.unregister":     `{"CLIENT_ID":"one","APP_ID":501}`,
		"imbot.command.register":   `{"CLIENT_ID":"one","BOT_ID":103,"COMMAND":"new","EVENT_COMMAND_ADD":"https://new.example.com/",` + titles + `}`,
		"imbot.command.unregister": `{"CLIENT_ID":"one","COMMAND_ID":701}`,
	} {
		t.Run(method, func(t *testing.T) {
			portal, box := newMailboxPortal(t)
			require.NoError(t, portal.Veto(method))
			after := portal.Changed()
			require.Equal(t, "400 WRONG_REQUEST", post(t, portal, method, params))
			require.Empty(t, changesInWords(t, portal, anna, after))
			_, err := portal.Say(t.Context(), anna, "chat1001", "/echo")
			require.NoError(t, err)
			require.Equal(t, []string{"ONIMCOMMANDADD"}, names(box.take(t, portal)))
		})
	}
}
