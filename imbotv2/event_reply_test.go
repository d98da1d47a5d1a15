package imbotv2

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestReplyAnswersWhateverItIs(t *testing.T) {
	t.Parallel()
	const where = `"bot":{"id":5},"chat":{"dialogId":"chat7"},"dialogId":"chat7","user":{"id":1}`
	first := imbot.EventMeta{Name: "ONIMBOTMESSAGEADD"}
	require.NoError(t, first.Raw.UnmarshalJSON([]byte(`{"data":{"PARAMS":{"DIALOG_ID":"chat7","BOT_ID":"5"}}}`)))
	rows := map[string]imbot.Event{
		"a message":            EventItem{EventID: 1, Type: "ONIMBOTV2MESSAGEADD", Data: []byte(`{` + where + `,"message":{"id":2}}`)}.event("m", []byte("seed")),
		"a new dialog":         EventItem{EventID: 2, Type: "ONIMBOTV2JOINCHAT", Data: []byte(`{` + where + `}`)}.event("m", []byte("seed")),
		"one by hand":          &JoinChatEvent{BotEvent: BotEvent{Bot: EventBot{ID: 5}}, DialogID: "chat7"},
		"a user's":             &UserMessageAddEvent{UserEvent: UserEvent{Chat: Chat{DialogID: "chat7"}}},
		"the first generation": &imbot.UnknownEvent{EventMeta: first},
	}
	for name, ev := range rows {
		t.Run(name, func(t *testing.T) {
			d := new(documented)
			id, err := d.client(t).WithBot(5).Reply(t.Context(), ev, "hi")
			require.NoError(t, err)
			require.NotZero(t, id)
			var sent struct {
				BotID    imbot.ID
				DialogID imbot.DialogID
				Fields   struct{ Message, TemplateID string }
			}
			require.NoError(t, json.Unmarshal([]byte(d.sent[0]), &sent), d.sent[0])
			require.Equal(t, imbot.ID(5), sent.BotID)
			require.Equal(t, imbot.DialogID("chat7"), sent.DialogID)
			require.Equal(t, "hi", sent.Fields.Message)
			require.Regexp(t, isTemplateID, sent.Fields.TemplateID)
		})
	}
	d := new(documented)
	_, err := d.client(t).WithBot(5).Reply(t.Context(), &imbot.AppInstallEvent{}, "hi")
	require.ErrorIs(t, err, imbot.ErrInvalid)
	require.Empty(t, d.sent)
}

// An event that comes again after a crash has the same replies.
func TestReplyIsTheSameForTheSameEvent(t *testing.T) {
	t.Parallel()
	d := new(documented)
	client := d.client(t).WithBot(5)
	for range 2 {
		ev := EventItem{EventID: 1, Type: "ONIMBOTV2MESSAGEADD", Data: []byte(`{"bot":{"id":5},"chat":{"dialogId":"7"},"message":{"id":2}}`)}.event("m", []byte("seed"))
		for range 2 {
			_, err := client.Reply(t.Context(), ev, "hi")
			require.NoError(t, err)
		}
	}
	require.NotEqual(t, d.sent[0], d.sent[1])
	require.Equal(t, d.sent[:2], d.sent[2:])
}

func TestWhatAMessageBringsWithIt(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		data    string
		quoted  imbot.Quoted
		whisper bool
		files   []imbot.EventFile
	}{
		"nothing":           {data: `"message":{"id":2}`},
		"the id of a reply": {data: `"message":{"id":2,"params":{"REPLY_ID":7}}`, quoted: imbot.Quoted{MessageID: 7}},
		"the reply, too": {
			data:   `"message":{"id":2,"params":{"REPLY_ID":7}},"additionalMessages":[{"id":6},{"id":7,"authorId":3,"text":"when?"}]`,
			quoted: imbot.Quoted{MessageID: 7, AuthorID: 3, Text: "when?"},
		},
		"messages that it does not answer": {data: `"message":{"id":2},"additionalMessages":[{"id":0,"text":"x"}]`},
		"a whisper":                        {data: `"message":{"id":2,"params":{"COMPONENT_ID":"HiddenMessage"}}`, whisper: true},
		"files":                            {data: `"message":{"id":2,"chatId":8,"params":{"FILE_ID":[9,10]}}`, files: []imbot.EventFile{{ID: 9, ChatID: 8}, {ID: 10, ChatID: 8}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []string{"ONIMBOTV2MESSAGEADD", "ONIMBOTV2MESSAGEUPDATE", "ONIMBOTV2COMMANDADD"} {
				ev := EventItem{Type: kind, Data: []byte(`{` + row.data + `}`)}.Event().(interface {
					ReplyTo() (imbot.Quoted, bool)
					IsWhisper() bool
				})
				quoted, is := ev.ReplyTo()
				if kind == "ONIMBOTV2COMMANDADD" { // which has no other messages
					require.Equal(t, row.quoted.MessageID, quoted.MessageID)
				} else {
					require.Equal(t, row.quoted, quoted)
					require.Equal(t, row.files, ev.(interface{ Files() []imbot.EventFile }).Files())
				}
				require.Equal(t, row.quoted.MessageID != 0, is)
				require.Equal(t, row.whisper, ev.IsWhisper())
			}
		})
	}
}

func TestGuestsAndOperators(t *testing.T) {
	t.Parallel()
	const line = `"bot":{"id":5},"chat":{"id":8,"dialogId":"chat8","type":"lines","entityType":"LINES","entityId":"telegrambot|1|786|13","entityData1":"Y|LEAD|4|N|N|33|1700000000"}`
	for name, row := range map[string]struct {
		data         string
		lines, guest bool
	}{
		"the guest of the chat":              {line + `,"user":{"id":13},"message":{"authorId":13}`, true, true},
		"somebody who writes by a connector": {line + `,"user":{"id":14,"connector":true},"message":{"authorId":14}`, true, true},
		"an operator":                        {line + `,"user":{"id":2},"message":{"authorId":2}`, true, false},
		"a whisper by a connector":           {line + `,"user":{"id":14,"connector":true},"message":{"params":{"COMPONENT_ID":"HiddenMessage"}}`, true, false},
		"another kind of chat":               {`"chat":{"id":8,"type":"chat","entityId":"x|1|2|13"},"user":{"id":13,"connector":true}`, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []string{"ONIMBOTV2MESSAGEADD", "ONIMBOTV2MESSAGEUPDATE", "ONIMBOTV2COMMANDADD"} {
				ev := EventItem{Type: kind, Data: []byte(`{` + row.data + `}`)}.Event().(interface {
					OpenLine() (imbot.OpenLine, bool)
					FromGuest() bool
				})
				open, is := ev.OpenLine()
				require.Equal(t, row.lines, is)
				require.Equal(t, row.guest, ev.FromGuest())
				if is {
					require.Equal(t, imbot.ID(8), open.ChatID)
					require.Equal(t, imbot.ID(13), open.GuestID)
					require.Equal(t, imbot.ID(33), open.SessionID)
				}
			}
		})
	}
}
