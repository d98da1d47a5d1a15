package imbot_test

import (
	"strings"
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
		"the second of two is addressed":        {twoBots + `,"PARAMS":{"TO_USER_ID":"571"}`, imbot.EventBot{BotID: 571, BotCode: "B"}},
		"the first of two is addressed":         {twoBots + `,"PARAMS":{"TO_USER_ID":"567"}`, imbot.EventBot{BotID: 567, BotCode: "A"}},
		"none of two is addressed":              {twoBots + `,"PARAMS":{"TO_USER_ID":"0"}`, imbot.EventBot{}},
		"a person is addressed, two listen":     {twoBots + `,"PARAMS":{"TO_USER_ID":"27"}`, imbot.EventBot{}},
		"a person comes first, then one of two": {twoBots + `,"PARAMS":{"TO_USER_ID":"27","MESSAGE_ORIGINAL":"[USER=27]A[/USER], [user=571]B[/user] hi"}`, imbot.EventBot{BotID: 571, BotCode: "B"}},
		"a person comes first, then both":       {twoBots + `,"PARAMS":{"TO_USER_ID":"27","MESSAGE_ORIGINAL":"[BOT=571]B[/BOT] [USER=567]A[/USER] hi","MENTIONED_LIST":{"567":"567","571":"571"}}`, imbot.EventBot{BotID: 571, BotCode: "B"}},
		"a person comes first in the list":      {twoBots + `,"PARAMS":{"TO_USER_ID":"27","MENTIONED_LIST":{"27":"27","571":"571"}}`, imbot.EventBot{BotID: 571, BotCode: "B"}},
		"the only one needs no address":         {`"BOT":{"567":{"BOT_ID":"567","BOT_CODE":"A"}},"PARAMS":{"TO_USER_ID":"0"}`, imbot.EventBot{BotID: 567, BotCode: "A"}},
		"a bot without BOT_ID has its key":      {`"BOT":{"567":{"BOT_CODE":"A"}}`, imbot.EventBot{BotID: 567, BotCode: "A"}},
		"there is none":                         {`"PARAMS":{"TO_USER_ID":"571"}`, imbot.EventBot{}},
		"the map of bots is PHP's empty":        {`"BOT":[]`, imbot.EventBot{}},
		"the map of bots is a text":             {`"BOT":"567"`, imbot.EventBot{}},
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
		"one behind a person":             {`"PARAMS":{"TO_USER_ID":"27","MESSAGE_ORIGINAL":"[USER=27]A[/USER], [USER=571]B[/USER] hi"}`, 571, true},
		"one in small letters":            {`"PARAMS":{"TO_USER_ID":"0","MESSAGE_ORIGINAL":"hi [user=571]B[/user]"}`, 571, true},
		"one as a bot":                    {`"PARAMS":{"TO_USER_ID":"0","MESSAGE_ORIGINAL":"hi [Bot=571]B[/Bot]"}`, 571, true},
		"one whose name is not its own":   {`"PARAMS":{"TO_USER_ID":"0","MESSAGE_ORIGINAL":"hi [USER=571 REPLACE]B[/USER]"}`, 571, true},
		"one that was not cut out":        {`"PARAMS":{"TO_USER_ID":"0","MESSAGE":"hi [user=571]B[/user]"}`, 571, true},
		"one with a longer id":            {`"PARAMS":{"TO_USER_ID":"0","MESSAGE_ORIGINAL":"hi [USER=5710]B[/USER]"}`, 571, false},
		"half of a mention":               {`"PARAMS":{"TO_USER_ID":"0","MESSAGE_ORIGINAL":"hi [USER=571]B"}`, 571, false},
		"nobody is asked for":             {`"PARAMS":{"TO_USER_ID":"0"}`, 0, false},
		"a supervisor that only listens":  {`"PARAMS":{"TO_USER_ID":"0","DIALOG_ID":"chat5"}`, 567, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) { require.Equal(t, row.want, messageAdd(t, row.data).Mentioned(row.bot)) })
	}
}

func TestTextIsWhatWasWrittenToTheBot(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ message, original, want string }{
		"a private dialog":                        {"how are you?", "", "how are you?"},
		"the comma that a portal has left":        {", how are you?", "[USER=567]A[/USER] , how are you?", "how are you?"},
		"a portal that does not tell the rest":    {" , : how are you?", "", "how are you?"},
		"people's mentions stay":                  {"ask  please", "[USER=567]A[/USER], ask [USER=7]Bob[/USER] please", "ask [USER=7]Bob[/USER] please"},
		"a person's mention in front stays":       {"look at this", "[USER=7]Bob[/USER], [USER=567]A[/USER] look at this", "[USER=7]Bob[/USER],  look at this"},
		"another bot's stays":                     {"and", "[USER=567]A[/USER] and [USER=571]B[/USER]", "and [USER=571]B[/USER]"},
		"at the end":                              {"help", "help [USER=567]A[/USER]", "help"},
		"twice":                                   {"hi", "[USER=567]A[/USER], [user=567]A[/user]: hi", "hi"},
		"in small letters":                        {"hi", "[user=567]A[/user]: hi", "hi"},
		"as a bot":                                {"hi", "[BOT=567]A[/BOT] hi", "hi"},
		"with another name":                       {"hi", "[USER=567 REPLACE]A[/USER]hi", "hi"},
		"nothing but the mention":                 {"", "[USER=567]A[/USER],", ""},
		"in a private dialog, where all is there": {"[USER=567]A[/USER], hi", "", "hi"},
		"a smiley":                                {":)", "[USER=567]A[/USER] :)", ":)"},
		"a smiley with a letter":                  {":D yes", "[USER=567]A[/USER], :D yes", ":D yes"},
		"a smiley alone":                          {":D", "", ":D"},
		"a word right behind the colon":           {":hi", "[USER=567]A[/USER]:hi", "hi"},
		"codes stay":                              {"[b]x[/b]", "[USER=567]A[/USER] [b]x[/b]", "[b]x[/b]"},
		"blanks of Unicode are text":              {"\u00a0x", "", "\u00a0x"},
		"half of a mention":                       {"[USER=567]A", "", "[USER=567]A"},
	} {
		t.Run(name, func(t *testing.T) {
			bots := []imbot.EventBot{{BotID: 567}, {BotID: 571}}
			params := imbot.MessageParams{Message: row.message, MessageOriginal: row.original, ToUserID: 567}
			require.Equal(t, row.want, (&imbot.MessageAddEvent{Bots: bots, Params: params}).Text())
			require.Equal(t, row.want, (&imbot.MessageUpdateEvent{Bots: bots, Params: params}).Text())
		})
	}
	for _, whole := range []string{":idea: hi", ":wq", ", and"} { // nothing was cut
		for _, params := range []imbot.MessageParams{{DialogID: "27", Message: whole}, {DialogID: "chat5", Message: whole, MessageOriginal: whole}} {
			require.Equal(t, whole, (&imbot.MessageAddEvent{Params: params}).Text())
		}
	}
	long := strings.Repeat("[USER=567]", 100_000) + strings.Repeat(",:[USER=7]x[/USER]", 10_000)
	ev := imbot.MessageAddEvent{Bots: []imbot.EventBot{{BotID: 567}}, Params: imbot.MessageParams{Message: long}}
	require.NotEmpty(t, ev.Text(), "and in no time")
	require.Equal(t, "", (&imbot.CommandAddEvent{}).Text())
	require.Equal(t, "two  words", (&imbot.CommandAddEvent{Commands: []imbot.EventCommand{{CommandParams: "  two  words "}, {CommandParams: "x"}}}).Text())
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
