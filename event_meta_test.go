package imbot_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// The methods of Event answer the same from the fields of a typed event and from its raw
// body, which is all that an unknown event has.
func TestEveryEventTellsWhereWhoAndForWhom(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob("testdata/events/*.form")
	require.NoError(t, err)
	require.NotEmpty(t, samples)
	for _, path := range samples {
		ev := parseAs[imbot.Event](t, formType, readSample(t, filepath.Base(path)))
		meta := ev.Meta()
		require.Equal(t, meta.Dialog(), ev.Dialog(), path)
		require.Equal(t, meta.AuthorID(), ev.AuthorID(), path)
		require.Equal(t, meta.ForBot(), ev.ForBot(), path)
		require.NotEmpty(t, ev.MemberID(), path)
		require.NotZero(t, ev.ForBot(), path)
		if _, gone := ev.(*imbot.BotDeleteEvent); !gone {
			require.NotEmpty(t, ev.Dialog(), path)
			require.NotZero(t, ev.AuthorID(), path)
		}
	}
}

func TestAnEventOfTheSecondGenerationTellsItToo(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		body           string
		dialog         imbot.DialogID
		author, forBot imbot.ID
	}{
		"a message": {
			`event=ONIMBOTV2MESSAGEADD&data[bot][id]=456&data[message][authorId]=1&data[chat][dialogId]=chat5&data[user][id]=1`, "chat5", 1, 456,
		},
		"a reaction to what the bot has written": {
			`event=ONIMBOTV2REACTIONCHANGE&data[bot][id]=456&data[message][authorId]=456&data[chat][dialogId]=chat5&data[user][id]=1`, "chat5", 1, 456,
		},
		"a bot that joins": {
			`event=ONIMBOTV2JOINCHAT&data[bot][id]=456&data[dialogId]=chat5&data[user][id]=1`, "chat5", 1, 456,
		},
		"a message without a user": {
			`event=ONIMBOTV2MESSAGEADD&data[bot][id]=456&data[message][authorId]=1&data[chat][dialogId]=1`, "1", 1, 456,
		},
		"a bot that is gone": {`event=ONIMBOTV2DELETE&data[bot][id]=456`, "", 0, 456},
	} {
		ev := parseAs[*imbot.UnknownEvent](t, formType, row.body+"&auth[member_id]=m")
		require.Equal(t, "m", ev.MemberID(), name)
		require.Equal(t, row.dialog, ev.Dialog(), name)
		require.Equal(t, row.author, ev.AuthorID(), name)
		require.Equal(t, row.forBot, ev.ForBot(), name)
	}
}

func TestWithTwoBotsNoneIsMeantUnlessOneIsAddressed(t *testing.T) {
	t.Parallel()
	require.Zero(t, messageAdd(t, twoBots+`,"PARAMS":{"DIALOG_ID":"chat5"}`).ForBot())
	ev := messageAdd(t, twoBots+`,"PARAMS":{"DIALOG_ID":"chat5","TO_USER_ID":"571"}`)
	require.EqualValues(t, 571, ev.ForBot())
	require.EqualValues(t, 571, ev.Meta().ForBot())
}

// Events that a test makes by hand have no raw body.
func TestAnEventMadeByHandTellsItFromItsFields(t *testing.T) {
	t.Parallel()
	ev := imbot.Event(&imbot.JoinChatEvent{Params: imbot.JoinChatParams{DialogID: "chat5", UserID: 1, BotID: 456}})
	require.EqualValues(t, "chat5", ev.Dialog())
	require.EqualValues(t, 1, ev.AuthorID())
	require.EqualValues(t, 456, ev.ForBot())
	require.EqualValues(t, 456, imbot.Event(&imbot.BotDeleteEvent{BotID: 456}).ForBot())
}
