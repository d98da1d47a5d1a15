package imbottest_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// dialogAs finds a dialog of a user.
func dialogAs(t *testing.T, portal *imbottest.Portal, user imbot.ID, id imbot.DialogID) imbottest.Dialog {
	t.Helper()
	for _, d := range portal.Dialogs(user) {
		if d.ID == id {
			return d
		}
	}
	require.Fail(t, "no such dialog", "%s", id)
	return imbottest.Dialog{}
}

func TestChatsThatBotsMake(t *testing.T) {
	t.Parallel()
	for says, tt := range map[string]struct {
		fields          string
		title, kind     string
		members, people []imbot.ID // who is there, and who of them is a manager
		owner           imbot.ID
		events          []string
	}{
		"with nothing said":          {``, "Aqua Chat #1003", "chat", []imbot.ID{gamma}, []imbot.ID{gamma}, gamma, []string{"JOINCHAT"}},
		"an open one with people":    {`"type":"open","title":"New","userIds":[101,"102",99]`, "New", "open", []imbot.ID{gamma, anna, boris}, []imbot.ID{gamma}, gamma, []string{"JOINCHAT"}},
		"of another kind":            {`"type":"lines","title":"New","users":[101]`, "New", "chat", []imbot.ID{gamma}, []imbot.ID{gamma}, gamma, []string{"JOINCHAT"}},
		"of another owner":           {`"title":"New","ownerId":101`, "New", "chat", []imbot.ID{gamma, anna}, []imbot.ID{anna}, anna, []string{"JOINCHAT"}},
		"of an owner who is nobody":  {`"title":"New","ownerId":999`, "New", "chat", []imbot.ID{gamma}, nil, 999, []string{"JOINCHAT"}},
		"with a message of the bot":  {`"title":"New","message":" hi ","userIds":[101]`, "New", "chat", []imbot.ID{gamma, anna}, []imbot.ID{gamma}, gamma, []string{"JOINCHAT"}},
		"with a title that is long":  {`"title":"` + long(300) + `"`, long(255), "chat", []imbot.ID{gamma}, []imbot.ID{gamma}, gamma, []string{"JOINCHAT"}},
		"with a color in two words":  {`"title":"New","color":"lightBlue"`, "New", "chat", []imbot.ID{gamma}, []imbot.ID{gamma}, gamma, []string{"JOINCHAT"}},
		"with the tags of an entity": {`"title":"New","entityType":"CRM","entityId":"8"`, "New", "chat", []imbot.ID{gamma}, []imbot.ID{gamma}, gamma, []string{"JOINCHAT"}},
	} {
		t.Run(says, func(t *testing.T) {
			portal := newV2Portal(t)
			clear(t, portal)
			answer := post(t, portal, "imbot.v2.Chat.add", `{`+asGamma+`,"fields":{`+tt.fields+`}}`)
			require.Contains(t, answer, `"dialogId":"chat1003"`)
			require.Equal(t, strings.Contains(tt.fields, "lightBlue"), strings.Contains(answer, `"color":"`+imbot.ColorLightBlue.Hex()+`"`))
			require.Equal(t, strings.Contains(tt.fields, "entityId"), strings.Contains(answer, `"entityId":"8"`))
			d := dialogAs(t, portal, gamma, "chat1003")
			require.Equal(t, tt.kind, d.Type)
			require.Equal(t, tt.members, d.Members)
			require.Equal(t, tt.people, d.Managers)
			require.Equal(t, tt.owner, d.Owner)
			if tt.title != "Aqua Chat #1003" {
				require.Equal(t, tt.title, d.Title)
			}
			require.Equal(t, tt.events, fetch(t, portal, "").names(), "the bot hears of its own chat")
			require.Equal(t, strings.Contains(tt.fields, "message"), d.Last != nil && d.Last.Text == "hi")
		})
	}
}

// TestChatsChange has what bots do with chats, and how a chat is after it.
func TestChatsChange(t *testing.T) {
	t.Parallel()
	shown := func(t *testing.T, portal *imbottest.Portal) string {
		d := dialogAs(t, portal, anna, crewDialog)
		return fmt.Sprint(d.Title, " ", d.Color, " owner ", d.Owner, " of ", d.Members, " managers ", d.Managers)
	}
	const as = "Crew MINT owner 105 of [105 101] managers []"
	for says, tt := range map[string]struct{ method, params, want string }{
		"its look":                           {"Chat.update", `"fields":{"title":" New ","color":"LIGHT_BLUE","description":"d"}`, "New LIGHT_BLUE owner 105 of [105 101] managers []"},
		"a color that is none":               {"Chat.update", `"fields":{"color":"blue"}`, as},
		"nothing":                            {"Chat.update", `"fields":{}`, as},
		"no fields at all":                   {"Chat.update", ``, as},
		"an owner, who becomes a manager":    {"Chat.setOwner", `"userId":101`, "Crew MINT owner 101 of [105 101] managers [105 101]"},
		"an owner who is nobody":             {"Chat.setOwner", `"userId":999`, "Crew MINT owner 999 of [105 101] managers [105]"},
		"people":                             {"Chat.User.add", `"userIds":[102,101,99]`, "Crew MINT owner 105 of [105 101 102] managers []"},
		"no people":                          {"Chat.User.add", ``, as},
		"one less who is not there":          {"Chat.User.delete", `"userId":102`, as},
		"managers, without those of outside": {"Chat.Manager.add", `"userIds":["101",102]`, "Crew MINT owner 105 of [105 101] managers [101]"},
		"managers who are none":              {"Chat.Manager.delete", `"userIds":[105]`, as},
	} {
		t.Run(says, func(t *testing.T) {
			portal := newV2Portal(t)
			prepare(t, portal, `imbot.v2.`+tt.method+` {`+strings.TrimSuffix(inCrew+`,`+tt.params, ",")+`}`)
			require.Equal(t, tt.want, shown(t, portal))
		})
	}
	portal := newV2Portal(t)
	prepare(t, portal, `imbot.v2.Chat.User.add {`+inCrew+`,"userIds":[102]}`)
	prepare(t, portal, `imbot.v2.Chat.User.delete {`+inCrew+`,"userId":101}`)
	require.Empty(t, portal.Messages(anna, crewDialog))
	prepare(t, portal, `imbot.v2.Chat.setOwner {`+inCrew+`,"userId":102}`)
	require.Equal(t, "400 ACCESS_DENIED", post(t, portal, "imbot.v2.Chat.User.delete", `{`+inCrew+`,"userId":102}`), "a manager does not remove the owner")
	prepare(t, portal, `imbot.v2.Chat.leave {`+inCrew+`}`)
	require.Equal(t, "400 ACCESS_DENIED", post(t, portal, "imbot.v2.Chat.leave", `{`+inCrew+`}`))
	prepare(t, portal, `imbot.v2.Chat.Message.send {`+asGamma+`,"dialogId":"101","fields":{"message":"x"}}`)
	prepare(t, portal, `imbot.v2.Chat.User.add {`+asGamma+`,"dialogId":"101","userIds":[102]}`)
	require.Equal(t, []imbot.ID{gamma, anna}, dialogAs(t, portal, anna, "105").Members, "nobody comes into a private dialog, and the answer is true")
}

func TestPicturesOfChats(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	avatar := func() string {
		var got struct{ Chat struct{ Avatar string } }
		require.NoError(t, json.Unmarshal([]byte(post(t, portal, "imbot.v2.Chat.get", `{`+inCrew+`}`)), &got))
		return got.Chat.Avatar
	}
	prepare(t, portal, `imbot.v2.Chat.update {`+inCrew+`,"fields":{"avatar":"`+png(10)+`"}}`)
	require.Contains(t, avatar(), "/avatars/1002.png")
	prepare(t, portal, `imbot.v2.Chat.update {`+inCrew+`,"fields":{"title":"x"}}`)
	require.NotEmpty(t, avatar())
	prepare(t, portal, `imbot.v2.Chat.update {`+inCrew+`,"fields":{"avatar":"dGV4dA=="}}`)
	require.Empty(t, avatar(), "what is no picture takes it away")
}

func TestListsOfMembers(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	prepare(t, portal, `imbot.v2.Chat.User.add {`+inCrew+`,"userIds":[102]}`)
	prepare(t, portal, `say chat1002 hi`)
	for more, want := range map[string][]imbot.ID{
		``: {gamma, anna, boris}, `,"order":{"id":"DESC"}`: {boris, anna, gamma}, `,"order":{"userId":"ASC"}`: {anna, boris, gamma},
		`,"order":{"lastSendMessageId":"DESC"}`: {anna, gamma, boris}, `,"limit":2`: {gamma, anna}, `,"limit":201`: {gamma, anna, boris},
	} {
		var users []struct{ ID imbot.ID }
		require.NoError(t, json.Unmarshal([]byte(post(t, portal, "imbot.v2.Chat.User.list", `{`+inCrew+more+`}`)), &users))
		var ids []imbot.ID
		for _, u := range users {
			ids = append(ids, u.ID)
		}
		require.Equal(t, want, ids, more)
	}
}

func TestNobodyWritesWithoutATextField(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	require.NoError(t, portal.Open(t.Context(), anna, gamma))
	for _, dialog := range []struct{ bots, annas imbot.DialogID }{{crewDialog, crewDialog}, {"101", "105"}} {
		set := func(more string) {
			prepare(t, portal, `imbot.v2.Chat.TextField.enabled {`+asGamma+`,"dialogId":"`+string(dialog.bots)+`"`+more+`}`)
		}
		say := func() error {
			_, err := portal.Say(t.Context(), anna, dialog.annas, "x")
			return err
		}
		require.NoError(t, say())
		set(`,"enabled":"N"`)
		require.True(t, dialogAs(t, portal, anna, dialog.annas).Closed)
		require.ErrorContains(t, say(), "may")
		sendTo(t, portal, string(dialog.bots), `"message":"bots still do"`)
		set(``)
		require.False(t, dialogAs(t, portal, anna, dialog.annas).Closed, "without a word it comes back")
		require.NoError(t, say())
	}
}

func TestReactions(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	mine := imbottest.Message{ID: hello2}
	clear(t, portal)
	act := func(code string) { require.NoError(t, portal.React(t.Context(), anna, mine, code)) }
	act("fire")
	act("redHeart") // takes the place of fire
	require.NoError(t, portal.Like(t.Context(), anna, mine))
	prepare(t, portal, `imbot.v2.Chat.Message.Reaction.add {`+asGamma+`,"messageId":50001,"reaction":"fire"}`)
	prepare(t, portal, `imbot.v2.Chat.Message.Reaction.add {`+asGamma+`,"messageId":50001,"reaction":"eyes"}`)
	require.Equal(t, []imbottest.Reaction{{User: anna, Reaction: "like"}, {User: gamma, Reaction: "fire"}, {User: gamma, Reaction: "eyes"}}, portal.Messages(anna, crewDialog)[0].Reactions)
	require.Equal(t, []imbot.ID{anna}, portal.Messages(anna, crewDialog)[0].Likes)
	prepare(t, portal, `imbot.v2.Chat.Message.Reaction.delete {`+asGamma+`,"messageId":50001,"reaction":"fire"}`)
	prepare(t, portal, `imbot.v2.Chat.Message.Reaction.delete {`+asGamma+`,"messageId":50001,"reaction":"fire"}`)
	act("like")
	require.Equal(t, []imbottest.Reaction{{User: gamma, Reaction: "eyes"}}, portal.Messages(anna, crewDialog)[0].Reactions)
	var heard []string
	for _, e := range fetch(t, portal, "").Events {
		var data struct {
			Reaction, Action string
			User             struct{ ID imbot.ID }
		}
		require.NoError(t, json.Unmarshal(e.Data, &data))
		heard = append(heard, fmt.Sprint(data.User.ID, data.Action, data.Reaction))
	}
	require.Equal(t, []string{"101addfire", "101deletefire", "101addredHeart", "101deleteredHeart", "101addlike", "101deletelike"}, heard, "of its own the bot hears nothing")
	require.ErrorContains(t, portal.React(t.Context(), anna, mine, "Like"), "no reaction")
	require.Error(t, portal.React(t.Context(), boris, mine, "like"), "he does not see it")
	clear(t, portal)
	prepare(t, portal, `imbot.v2.Bot.update {`+asGamma+`,"fields":{"isReactionsEnabled":false}}`)
	act("like")
	require.Empty(t, fetch(t, portal, "").Events)
	require.Len(t, imbottest.Reactions(), 48)
}

func TestForwards(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	first := uploadAs(t, portal, `"name":"a.txt","content":"YQ==","message":"look"`)
	two := `"` + aUUID + `":50001,"00000000-0000-4000-8000-000000000002":` + first.ID.String()
	want := `{"id":null,"uuidMap":{"` + aUUID + `":50004,"00000000-0000-4000-8000-000000000002":50005}}`
	for range 2 { // the UUIDs are known
		require.Equal(t, want, post(t, portal, "imbot.v2.Chat.Message.send", `{`+asGamma+`,"dialogId":"101","fields":{"forwardIds":{`+two+`}}}`))
	}
	require.Contains(t, post(t, portal, "imbot.v2.Chat.Message.send", `{`+asGamma+`,"dialogId":"101","fields":{"message":"see","forwardIds":{"00000000-0000-4000-8000-000000000003":50005}}}`), `{"id":50006,`)
	seen := portal.Messages(anna, "105")
	require.Equal(t, []string{"hello", "look", "see", "look"}, []string{seen[0].Text, seen[1].Text, seen[2].Text, seen[3].Text})
	require.Equal(t, imbottest.Forward{MessageID: 50001, AuthorID: gamma, ChatID: crew, Time: portal.Messages(anna, crewDialog)[0].Time}, seen[0].Forward)
	require.Equal(t, first.ID, seen[3].Forward.MessageID, "of a forwarded one the first is told")
	require.Equal(t, []byte("a"), seen[3].Files[0].Content)
	require.NotEqual(t, first.Files[0].ID, seen[3].Files[0].ID, "each chat has its own")
	clear(t, portal)
	m, err := portal.Forward(t.Context(), anna, imbottest.Message{ID: hello2}, "105")
	require.NoError(t, err)
	require.Equal(t, anna, int(m.AuthorID))
	require.Contains(t, string(fetch(t, portal, "").Events[0].Data), `"forward":{"id":"1002/50001","userId":105,"chatId":1002,"date":"`+seen[0].Forward.Time.Format(time.RFC3339))
	_, err = portal.Forward(t.Context(), boris, imbottest.Message{ID: hello2}, "105")
	require.Error(t, err, "he does not see it")
	_, err = portal.Forward(t.Context(), anna, imbottest.Message{ID: overhead}, "105")
	require.Error(t, err, "of the system")
}

func TestReadingAChat(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"three","code":"seer","type":"supervisor","properties":{"name":"Seer"}}}`)
	prepare(t, portal, `imbot.v2.Chat.User.add {`+inCrew+`,"userIds":[106]}`)
	for range 5 {
		prepare(t, portal, `say chat1002 hi`)
	}
	for params, want := range map[string]string{
		`"messageId":50001,"range":2`: "[50001 50002 50003] [105 101] false true", `"messageId":50004,"range":1`: "[50003 50004 50005] [101] true true",
		`"messageId":50007,"range":0`: "[50006 50007] [101] true false", `"messageId":50004,"range":99`: "[50001 50002 50003 50004 50005 50006 50007] [105 101] false false",
		`"messageId":50004`: "[50001 50002 50003 50004 50005 50006 50007] [105 101] false false",
	} {
		var got struct {
			Messages, Users          []struct{ ID imbot.ID }
			HasPrevPage, HasNextPage bool
		}
		answer := post(t, portal, "imbot.v2.Chat.Message.getContext", `{"botToken":"three","botId":106,`+params+`}`)
		require.NoError(t, json.Unmarshal([]byte(answer), &got), answer)
		var messages, users []imbot.ID
		for _, m := range got.Messages {
			messages = append(messages, m.ID)
		}
		for _, u := range got.Users {
			users = append(users, u.ID)
		}
		require.Equal(t, want, fmt.Sprint(messages, users, got.HasPrevPage, got.HasNextPage), params)
	}
	marks := func() string {
		answer := post(t, portal, "imbot.v2.Chat.Message.get", `{"botToken":"three","botId":106,"messageId":50003}`)
		return regexp.MustCompile(`"viewedByOthers.*"viewed":\w+`).FindString(answer)
	}
	require.Equal(t, `"viewedByOthers":false,"unread":true,"viewed":false`, marks(), "there is no other person than its author")
	prepare(t, portal, `imbot.v2.Chat.Message.read {"botToken":"three","botId":106,"dialogId":"chat1002","messageId":50003}`)
	prepare(t, portal, `imbot.v2.Chat.User.add {`+inCrew+`,"userIds":[102]}`)
	require.Equal(t, `"viewedByOthers":true,"unread":false,"viewed":true`, marks())
	require.Equal(t, "400 MESSAGE_NOT_FOUND", post(t, portal, "imbot.v2.Chat.Message.get", `{"botToken":"three","botId":106,"messageId":9}`))
}
