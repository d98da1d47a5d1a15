package imbottest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// peoplesPage asks for events of the administrator, to whom the webhook belongs.
func peoplesPage(t *testing.T, portal *imbottest.Portal, params string) (got page) {
	t.Helper()
	answer := post(t, portal, "im.v2.Event.get", `{`+params+`}`)
	require.NoError(t, json.Unmarshal([]byte(answer), &got), answer)
	return got
}

func TestEventsOfPeople(t *testing.T) {
	t.Parallel()
	known := knownFields(t)
	portal := newV2Portal(t)
	prepare(t, portal, `imbot.v2.Chat.User.add {`+inCrew+`,"userIds":[1]}`)
	require.Empty(t, peoplesPage(t, portal, ``).Events, "nobody has subscribed, which is no error")
	require.Equal(t, "true", post(t, portal, "im.v2.Event.subscribe", `{}`))
	_, err := portal.SayFile(t.Context(), anna, crewDialog, "a.txt", []byte("a"), "hi")
	require.NoError(t, err)
	said := lastOf(portal, crewDialog)
	sent := sendTo(t, portal, "chat1002", `"message":"x","keyboard":[{"TEXT":"A","LINK":"/a"}]`)
	prepare(t, portal, fmt.Sprintf(`imbot.v2.Chat.Message.update {%s,"messageId":%d,"fields":{"message":"y"}}`, asGamma, sent))
	require.NoError(t, portal.React(t.Context(), anna, said, "fire"))
	prepare(t, portal, `imbot.v2.Chat.User.add {`+inCrew+`,"userIds":[102]}`)
	require.NoError(t, portal.Delete(t.Context(), anna, said))
	prepare(t, portal, `imbot.message.add {"CLIENT_ID":"three","BOT_ID":105,"DIALOG_ID":"chat1002","MESSAGE":"of the first generation"}`)
	_, err = portal.Say(t.Context(), anna, imbot.UserDialog(gamma), "not the administrator's")
	require.NoError(t, err)
	got := peoplesPage(t, portal, ``)
	var names []string
	for _, e := range got.Events {
		names = append(names, strings.TrimPrefix(e.Type, "ONIMV2"))
		require.NotContains(t, string(e.Data), `"bot":{`)
	}
	require.Equal(t, []string{"MESSAGEADD", "MESSAGEADD", "MESSAGEUPDATE", "REACTIONCHANGE", "JOINCHAT", "MESSAGEDELETE", "MESSAGEADD"}, names)
	requireLike(t, known, sample(t, samplesOfEvents+"im_v2_events_0.json"), string(got.Events[0].Data))
	require.Contains(t, string(got.Events[0].Data), `"FILE_ID":[9001]`)
	require.Contains(t, string(got.Events[1].Data), `"KEYBOARD":[`, "a message is whole when it is told")
	require.Contains(t, string(got.Events[3].Data), `"reaction":"fire","action":"add"`)
	require.Contains(t, string(got.Events[4].Data), `"user":{"id":102`, "who was added, not by whom")
	require.Equal(t, got.Events[6].EventID+1, got.NextOffset)
	require.Len(t, portal.Queued(1), 7)

	require.Equal(t, "true", post(t, portal, "im.v2.Event.unsubscribe", `{}`))
	prepare(t, portal, `say chat1002 unheard`)
	require.Len(t, peoplesPage(t, portal, ``).Events, 7, "what was kept stays")
	require.Empty(t, peoplesPage(t, portal, fmt.Sprintf(`"offset":%d`, got.NextOffset)).Events)
	require.Empty(t, portal.Queued(1))
	require.Nil(t, portal.Queued(anna))
}

// Two queues with one offset: it acknowledges in both.
func TestEventsOfABotAndAPersonTogether(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	prepare(t, portal, `imbot.v2.Chat.User.add {`+inCrew+`,"userIds":[1]}`)
	clear(t, portal)
	require.Equal(t, "true", post(t, portal, "im.v2.Event.subscribe", `{}`))
	for range 2 {
		_, err := portal.Say(t.Context(), anna, crewDialog, "[USER=105]Gamma[/USER] hi")
		require.NoError(t, err)
	}
	got := fetch(t, portal, `,"withUserEvents":true,"limit":3`)
	require.Equal(t, []string{"ONIMV2MESSAGEADD", "MESSAGEADD", "ONIMV2MESSAGEADD"}, got.names())
	require.True(t, got.HasMore)
	got = fetch(t, portal, fmt.Sprintf(`,"withUserEvents":true,"offset":%d`, got.NextOffset))
	require.Equal(t, []string{"MESSAGEADD"}, got.names())
	require.Empty(t, portal.Queued(1))
	require.Len(t, portal.Queued(gamma), 1)
}

func TestOperatorsHearWhispers(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	prepare(t, portal, `imbot.v2.Bot.update {`+asGamma+`,"fields":{"isSupportOpenline":true}}`)
	require.Equal(t, "true", post(t, portal, "im.v2.Event.subscribe", `{}`))
	_, chat, err := portal.AddGuest(t.Context(), "Greta", gamma, 1)
	require.NoError(t, err)
	prepare(t, portal, fmt.Sprintf(`imopenlines.bot.session.operator {"CLIENT_ID":"three","CHAT_ID":%d}`, chat))
	before := len(portal.Queued(1))
	_, err = portal.Whisper(t.Context(), 1, imbot.ChatDialog(chat), "psst")
	require.NoError(t, err)
	require.Len(t, portal.Queued(1), before+1)
}

func TestSendContext(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	clear(t, portal)
	require.Equal(t, `{"result":true}`, post(t, portal, "im.v2.Chat.Bot.sendContext", `{"dialogId":"105","context":{"entityId":7}}`))
	events := fetch(t, portal, "").Events
	require.Equal(t, "ONIMBOTV2CONTEXTGET", events[1].Type)
	require.Contains(t, string(events[1].Data), `"context":{"entityId":7}`)
}
