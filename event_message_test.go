package imbot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestTheBotOfAMessageIsTheAddressedOne(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		data string
		want imbot.EventBot
	}{
		"the second of two is addressed":    {twoBots + `,"PARAMS":{"TO_USER_ID":"571"}`, imbot.EventBot{BotID: 571, BotCode: "B"}},
		"the first of two is addressed":     {twoBots + `,"PARAMS":{"TO_USER_ID":"567"}`, imbot.EventBot{BotID: 567, BotCode: "A"}},
		"none of two is addressed":          {twoBots + `,"PARAMS":{"TO_USER_ID":"0"}`, imbot.EventBot{}},
		"a person is addressed, two listen": {twoBots + `,"PARAMS":{"TO_USER_ID":"27"}`, imbot.EventBot{}},
		"the only one needs no address":     {`"BOT":{"567":{"BOT_ID":"567","BOT_CODE":"A"}},"PARAMS":{"TO_USER_ID":"0"}`, imbot.EventBot{BotID: 567, BotCode: "A"}},
		"a bot without BOT_ID has its key":  {`"BOT":{"567":{"BOT_CODE":"A"}}`, imbot.EventBot{BotID: 567, BotCode: "A"}},
		"there is none":                     {`"PARAMS":{"TO_USER_ID":"571"}`, imbot.EventBot{}},
		"the map of bots is PHP's empty":    {`"BOT":[]`, imbot.EventBot{}},
		"the map of bots is a text":         {`"BOT":"567"`, imbot.EventBot{}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			ev := messageAdd(t, row.data)
			require.Equal(t, row.want, ev.Bot())
			require.Equal(t, row.want.BotID, ev.Reply("hi").BotID)
		})
	}
	require.Len(t, messageAdd(t, twoBots).Bots, 2)
	require.Nil(t, messageAdd(t, `"BOT":[]`).Bots)
}

func TestMentioned(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		data string
		bot  imbot.ID
		want bool
	}{
		"the partner of a private dialog": {`"PARAMS":{"TO_USER_ID":"567","DIALOG_ID":"27"}`, 567, true},
		"the second of two mentioned":     {`"PARAMS":{"TO_USER_ID":"567","MENTIONED_LIST":{"567":"567","571":"571"}}`, 571, true},
		"another one":                     {`"PARAMS":{"TO_USER_ID":"567","MENTIONED_LIST":{"567":"567"}}`, 571, false},
		"nobody is asked for":             {`"PARAMS":{"TO_USER_ID":"0"}`, 0, false},
		"a supervisor that only listens":  {`"PARAMS":{"TO_USER_ID":"0","DIALOG_ID":"chat5"}`, 567, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) { require.Equal(t, row.want, messageAdd(t, row.data).Mentioned(row.bot)) })
	}
}

func TestAuthors(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		data    string
		author  imbot.ID
		fromBot bool
	}{
		"a person":                     {twoBots + `,"PARAMS":{"FROM_USER_ID":"27","AUTHOR_ID":"28"},"USER":{"ID":"29","IS_BOT":"N"}`, 27, false},
		"only AUTHOR_ID names it":      {`"PARAMS":{"FROM_USER_ID":"0","AUTHOR_ID":"28"},"USER":{"ID":"29"}`, 28, false},
		"only USER names it":           {`"USER":{"ID":"29"}`, 29, false},
		"a bot by its flag":            {`"PARAMS":{"FROM_USER_ID":"30"},"USER":{"ID":"30","IS_BOT":"Y"}`, 30, true},
		"one of the bots of the event": {twoBots + `,"PARAMS":{"FROM_USER_ID":"571"}`, 571, true},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			ev := messageAdd(t, row.data)
			require.Equal(t, row.author, ev.AuthorID())
			require.Equal(t, row.fromBot, ev.FromBot())
		})
	}
}

// An event without an author must not look like one of a bot without an id.
func TestNobodyIsNoBot(t *testing.T) {
	t.Parallel()
	require.False(t, messageAdd(t, `"BOT":{"x":{"BOT_CODE":"A"}},"PARAMS":{"FROM_USER_ID":"0"}`).FromBot())
}

func TestReplies(t *testing.T) {
	t.Parallel()
	want := imbot.MessageAddRequest{BotID: 571, DialogID: "chat5", Message: "hi"}
	require.Equal(t, want, messageAdd(t, twoBots+`,"PARAMS":{"TO_USER_ID":"571","DIALOG_ID":"chat5"}`).Reply("hi"))
	join := joinChat(t, twoBots+`,"PARAMS":{"BOT_ID":"571","DIALOG_ID":"chat5"}`)
	require.Equal(t, want, join.Reply("hi"))
	require.Equal(t, "B", join.Bot().BotCode)
	require.Equal(t, want, joinChat(t, `"PARAMS":{"BOT_ID":"571","DIALOG_ID":"chat5"}`).Reply("hi"), "no BOT, but its id")
}

func TestMessageUpdateEvent(t *testing.T) {
	t.Parallel()
	bodies := specBodies(t, "ONIMBOTMESSAGEUPDATE")
	ev := parseAs[*imbot.MessageUpdateEvent](t, formType, bodies[0])
	require.Equal(t, "How to add an observer?", ev.Params.Message)
	require.Equal(t, imbot.ID(84531), ev.Params.ID)
	require.Equal(t, imbot.ID(84531), ev.Params.MessageID)
	require.Equal(t, imbot.ID(571), ev.Bot().BotID)
	require.Equal(t, imbot.ID(27), ev.AuthorID())
	require.True(t, ev.Mentioned(571))
	require.False(t, ev.IsGroup())
	require.False(t, ev.IsOpenLine())
	require.False(t, ev.FromBot())

	group := parseAs[*imbot.MessageUpdateEvent](t, formType, bodies[1])
	require.True(t, group.IsGroup())
	require.Zero(t, group.User)
	require.NotZero(t, group.AuthorID())
	require.False(t, group.Mentioned(0))
}

func TestMessageDeleteEvent(t *testing.T) {
	t.Parallel()
	bodies := specBodies(t, "ONIMBOTMESSAGEDELETE")
	ev := parseAs[*imbot.MessageDeleteEvent](t, formType, bodies[0])
	require.Equal(t, "Message from 02/26/2026 09:27:30 has been deleted", ev.Params.Message)
	require.Equal(t, imbot.ID(84525), ev.Params.ID)
	require.Equal(t, imbot.ID(571), ev.Bot().BotID)
	require.Equal(t, imbot.ID(27), ev.AuthorID())
	require.False(t, ev.IsGroup())
	require.False(t, ev.IsOpenLine())
	require.False(t, ev.FromBot())
	require.True(t, parseAs[*imbot.MessageDeleteEvent](t, formType, bodies[1]).IsGroup())
	require.True(t, parseAs[*imbot.MessageDeleteEvent](t, formType, "event=ONIMBOTMESSAGEDELETE&data[BOT][5][BOT_ID]=5&data[PARAMS][AUTHOR_ID]=5").FromBot())
}
