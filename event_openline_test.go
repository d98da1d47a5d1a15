package imbot_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestOpenLineIsSplitIntoItsParts(t *testing.T) {
	t.Parallel()
	const lines = `"CHAT_TYPE":"L","CHAT_ENTITY_TYPE":"LINES","DIALOG_ID":"chat7"`
	rows := map[string]struct {
		params string
		want   imbot.OpenLine
		ok     bool
	}{
		"all of it": {
			lines + `,"CHAT_ENTITY_ID":"telegrambot|3|786792821|13","CHAT_ENTITY_DATA_1":"Y|DEAL|56|N|Y|1765|1678008993|0|0|0","CHAT_ENTITY_DATA_2":"LEAD|1|COMPANY|0|CONTACT|3|DEAL|56"`,
			imbot.OpenLine{
				ChatID: 7, Connector: "telegrambot", LineID: 3, ConnectorChatID: "786792821", GuestID: 13, SessionID: 1765, SessionStart: time.Unix(1678008993, 0),
				Pinned: imbot.No, WaitsForClose: imbot.Yes, CRM: imbot.Yes, CRMEntityType: "DEAL", CRMEntityID: 56, LeadID: 1, ContactID: 3, DealID: 56,
			}, true,
		},
		"the six fields of older portals": {
			lines + `,"CHAT_ENTITY_ID":"livechat|8|1498|569","CHAT_ENTITY_DATA_1":"N|NONE|0|Y|N|1765"`,
			imbot.OpenLine{ChatID: 7, Connector: "livechat", LineID: 8, ConnectorChatID: "1498", GuestID: 569, SessionID: 1765, Pinned: imbot.Yes, WaitsForClose: imbot.No, CRM: imbot.No, CRMEntityType: "NONE"}, true,
		},
		"bars in the connector's id": {lines + `,"CHAT_ENTITY_ID":"network|8|a|b|c|569"`, imbot.OpenLine{ChatID: 7, Connector: "network", LineID: 8, ConnectorChatID: "a|b|c", GuestID: 569}, true},
		"nothing but a connector":    {lines + `,"CHAT_ENTITY_ID":"livechat"`, imbot.OpenLine{ChatID: 7, Connector: "livechat"}, true},
		"no guest":                   {lines + `,"CHAT_ENTITY_ID":"livechat|8|x"`, imbot.OpenLine{ChatID: 7, Connector: "livechat", LineID: 8, ConnectorChatID: "x"}, true},
		"nothing at all":             {lines, imbot.OpenLine{ChatID: 7}, true},
		"what is no number is zero": {
			lines + `,"CHAT_ENTITY_ID":"c|x|y|z","CHAT_ENTITY_DATA_1":"?|T|x|?|?|x|x","CHAT_ENTITY_DATA_2":"LEAD|x|DEAL"`,
			imbot.OpenLine{ChatID: 7, Connector: "c", ConnectorChatID: "y", CRMEntityType: "T", CRM: "?", Pinned: "?", WaitsForClose: "?"}, true,
		},
		"the tag says it": {`"DIALOG_ID":"chat7","CHAT_TYPE":"C","CHAT_ENTITY_TYPE":"LINES","CHAT_ENTITY_ID":"a|1|b|2"`, imbot.OpenLine{ChatID: 7, Connector: "a", LineID: 1, ConnectorChatID: "b", GuestID: 2}, true},
		"a group chat":    {`"CHAT_TYPE":"C","CHAT_ENTITY_TYPE":"THREAD","CHAT_ENTITY_ID":"a|1|b|2"`, imbot.OpenLine{}, false},
		"a task's chat":   {`"CHAT_TYPE":"X","CHAT_ENTITY_TYPE":"TASKS","CHAT_ENTITY_ID":"77","DIALOG_ID":"chat7"`, imbot.OpenLine{}, false},
		"a private one":   {`"CHAT_TYPE":"P","DIALOG_ID":"27"`, imbot.OpenLine{}, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			event := func(kind string) string {
				return `{"event":"` + kind + `","data":{"PARAMS":{` + row.params + `}}}`
			}
			got, ok := parseAs[*imbot.MessageAddEvent](t, "", event("ONIMBOTMESSAGEADD")).OpenLine()
			require.Equal(t, row.ok, ok)
			require.Equal(t, row.want, got)
			for _, ev := range []interface {
				OpenLine() (imbot.OpenLine, bool)
			}{
				parseAs[*imbot.MessageUpdateEvent](t, "", event("ONIMBOTMESSAGEUPDATE")),
				parseAs[*imbot.MessageDeleteEvent](t, "", event("ONIMBOTMESSAGEDELETE")),
				parseAs[*imbot.CommandAddEvent](t, "", event("ONIMCOMMANDADD")),
			} {
				got, ok := ev.OpenLine()
				require.Equal(t, row.ok, ok)
				require.Equal(t, row.want, got)
			}
			line := imbot.OpenLine{ChatID: row.want.ChatID, Connector: row.want.Connector, LineID: row.want.LineID, ConnectorChatID: row.want.ConnectorChatID, GuestID: row.want.GuestID}
			for _, ev := range []interface {
				OpenLine() (imbot.OpenLine, bool)
			}{
				parseAs[*imbot.JoinChatEvent](t, "", event("ONIMBOTJOINCHAT")),
				parseAs[*imbot.ContextGetEvent](t, "", event("ONIMBOTCONTEXTGET")),
			} {
				got, ok := ev.OpenLine()
				require.Equal(t, row.ok, ok)
				require.Equal(t, line, got)
			}
		})
	}
}

func TestOpenLineNamesItsChat(t *testing.T) {
	t.Parallel()
	for params, want := range map[string]imbot.ID{
		`"CHAT_ID":"8","TO_CHAT_ID":"9","DIALOG_ID":"chat7"`: 8,
		`"TO_CHAT_ID":"9","DIALOG_ID":"chat7"`:               9,
		`"DIALOG_ID":"chat7"`:                                7,
		`"DIALOG_ID":"27"`:                                   0,
	} {
		line, ok := messageAdd(t, `"PARAMS":{"CHAT_TYPE":"L",`+params+`}`).OpenLine()
		require.True(t, ok)
		require.Equal(t, want, line.ChatID, params)
	}
	line, ok := parseAs[*imbot.JoinChatEvent](t, "", `{"event":"ONIMBOTJOINCHAT","data":{"PARAMS":{"CHAT_TYPE":"L","CHAT_ID":"8"}}}`).OpenLine()
	require.True(t, ok)
	require.Equal(t, imbot.ID(8), line.ChatID)
}

func TestGuestsAndOperators(t *testing.T) {
	t.Parallel()
	const lines = `"CHAT_TYPE":"L","CHAT_ENTITY_ID":"telegrambot|1|786|13"`
	rows := map[string]struct {
		data  string
		guest bool
	}{
		"the guest of the chat":              {`"PARAMS":{` + lines + `,"FROM_USER_ID":"13"}`, true},
		"somebody who writes by a connector": {`"PARAMS":{` + lines + `,"FROM_USER_ID":"14"},"USER":{"ID":"14","IS_CONNECTOR":"Y"}`, true},
		"an operator":                        {`"PARAMS":{` + lines + `,"FROM_USER_ID":"2"},"USER":{"ID":"2","IS_CONNECTOR":"N"}`, false},
		"a whisper by a connector":           {`"PARAMS":{` + lines + `,"FROM_USER_ID":"14","PARAMS":{"COMPONENT_ID":"HiddenMessage"}},"USER":{"ID":"14","IS_CONNECTOR":"Y"}`, false},
		"the system":                         {`"PARAMS":{"CHAT_TYPE":"L","CHAT_ENTITY_ID":"x","FROM_USER_ID":"0"}`, false},
		"a guest in another kind of chat":    {`"PARAMS":{"CHAT_TYPE":"C","FROM_USER_ID":"14"},"USER":{"ID":"14","IS_CONNECTOR":"Y"}`, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, row.guest, messageAdd(t, row.data).FromGuest())
			require.Equal(t, row.guest, parseAs[*imbot.MessageUpdateEvent](t, "", `{"event":"ONIMBOTMESSAGEUPDATE","data":{`+row.data+`}}`).FromGuest())
			require.Equal(t, row.guest, parseAs[*imbot.CommandAddEvent](t, "", `{"event":"ONIMCOMMANDADD","data":{`+row.data+`}}`).FromGuest())
		})
	}
}

func TestTheChatOfATaskIsAGroup(t *testing.T) {
	t.Parallel()
	ev := messageAdd(t, `"BOT":{"567":{"BOT_ID":"567"}},"PARAMS":{"DIALOG_ID":"chat7","CHAT_TYPE":"X","MESSAGE_TYPE":"X","CHAT_ENTITY_TYPE":"TASKS","CHAT_ENTITY_ID":"77","TO_USER_ID":"567","FROM_USER_ID":"27"}`)
	require.True(t, ev.IsGroup())
	require.False(t, ev.IsOpenLine())
	require.False(t, ev.FromGuest())
	require.Equal(t, imbot.EntityID("77"), ev.Params.ChatEntityID)
	require.Equal(t, imbot.MessageAddRequest{BotID: 567, DialogID: "chat7", Message: "done"}, ev.Reply("done"))
}
