package imbottest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

const aUUID = "3f0c9d0e-8a55-4b5e-9c35-0e1d2f3a4b5c"

// sendTo sends as gamma and returns the id of the message.
func sendTo(t *testing.T, portal *imbottest.Portal, dialog, members string) imbot.ID {
	t.Helper()
	var sent struct{ ID imbot.ID }
	answer := post(t, portal, "imbot.v2.Chat.Message.send", `{`+asGamma+`,"dialogId":"`+dialog+`","fields":{`+members+`}}`)
	require.NoError(t, json.Unmarshal([]byte(answer), &sent), answer)
	return sent.ID
}

func TestSendingInTheSecondGeneration(t *testing.T) {
	t.Parallel()
	for says, tt := range map[string]struct {
		dialog, fields string
		want           func(*testing.T, imbottest.Message)
	}{
		"a text, without the blanks around it": {"chat1002", `"message":" x\n"`, func(t *testing.T, m imbottest.Message) {
			require.Equal(t, imbottest.Message{ID: m.ID, ChatID: crew, AuthorID: gamma, Text: "x", Time: m.Time}, m)
		}},
		"to a person, whose dialog it opens": {"101", `"message":"0"`, func(t *testing.T, m imbottest.Message) { require.Equal(t, "0", m.Text) }},
		"to a dialog in capitals":            {"CHAT1002", `"message":"x"`, func(t *testing.T, m imbottest.Message) { require.EqualValues(t, crew, m.ChatID) }},
		"a text that is too long": {"chat1002", `"message":"` + long(20_010) + `"`, func(t *testing.T, m imbottest.Message) {
			require.True(t, strings.HasSuffix(m.Text, "x (...)"))
		}},
		"of the system": {"chat1002", `"message":"x","system":"Y"`, func(t *testing.T, m imbottest.Message) {
			require.True(t, m.System)
			require.Zero(t, m.AuthorID)
		}},
		"an attachment alone, in the short form": {"chat1002", `"attach":[{"MESSAGE":"a"}]`, func(t *testing.T, m imbottest.Message) { require.Len(t, m.Attach.Blocks, 1) }},
		"a keyboard, whose bot is the one that sends": {"chat1002", `"message":"x","keyboard":{"BOT_ID":103,"BUTTONS":[{"TEXT":"A","COMMAND":"help"}]}`, func(t *testing.T, m imbottest.Message) {
			_, keyboard, _ := m.Wire()
			require.Contains(t, string(keyboard), `"BOT_ID":105`)
		}},
		"a menu is not read": {"chat1002", `"message":"x","menu":[{"TEXT":"A","LINK":"/a"}]`, func(t *testing.T, m imbottest.Message) { require.Empty(t, m.Menu.Items) }},
	} {
		t.Run(says, func(t *testing.T) {
			portal := newV2Portal(t)
			id := sendTo(t, portal, tt.dialog, tt.fields)
			seen := lastOf(portal, imbot.DialogID(map[string]string{"101": "105"}[tt.dialog]+strings.ToLower(strings.TrimPrefix(tt.dialog, "101"))))
			require.Equal(t, id, seen.ID)
			tt.want(t, seen)
		})
	}
}

func TestMessagesAreStoredOncePerUUID(t *testing.T) {
	t.Parallel()
	with := func(uuid, more string) string { return `"message":"x","templateId":"` + uuid + `"` + more }
	for says, tt := range map[string]struct {
		first, second string
		dialog        string // of the second, "" for that of the first
		after         time.Duration
		twice         bool
	}{
		"the same UUID":                            {first: with(aUUID, ""), second: with(aUUID, "")},
		"with another text":                        {first: with(aUUID, ""), second: `"message":"y","templateId":"` + aUUID + `"`},
		"with another dialog":                      {first: with(aUUID, ""), second: with(aUUID, ""), dialog: "101"},
		"after thirty days":                        {first: with(aUUID, ""), second: with(aUUID, ""), after: 30 * 24 * time.Hour},
		"but not after more than thirty-one":       {first: with(aUUID, ""), second: with(aUUID, ""), after: 31*24*time.Hour + 1, twice: true},
		"nor in capitals":                          {first: with(strings.ToUpper(aUUID), ""), second: with(strings.ToUpper(aUUID), ""), twice: true},
		"nor of another version":                   {first: with("3f0c9d0e-8a55-7b5e-9c35-0e1d2f3a4b5c", ""), second: with("3f0c9d0e-8a55-7b5e-9c35-0e1d2f3a4b5c", ""), twice: true},
		"nor any other text":                       {first: with("mine", ""), second: with("mine", ""), twice: true},
		"nor messages of the system":               {first: with(aUUID, `,"system":true`), second: with(aUUID, `,"system":true`), twice: true},
		"another UUID is another message":          {first: with(aUUID, ""), second: with("3f0c9d0e-8a55-4b5e-9c35-0e1d2f3a4b5d", ""), twice: true},
		"no UUID at all":                           {first: `"message":"x"`, second: `"message":"x"`, twice: true},
		"a message of the system is not looked up": {first: with(aUUID, ""), second: with(aUUID, `,"system":true`), twice: true},
	} {
		t.Run(says, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				portal := newV2Portal(t)
				defer portal.Close()
				first := sendTo(t, portal, "chat1002", tt.first)
				time.Sleep(tt.after)
				dialog := tt.dialog
				if dialog == "" {
					dialog = "chat1002"
				}
				second := sendTo(t, portal, dialog, tt.second)
				if tt.twice {
					require.Greater(t, second, first)
				} else {
					require.Equal(t, first, second)
					require.Equal(t, "x", lastOf(portal, "chat1002").Text)
				}
			})
		})
	}
	t.Run("an error leaves the UUID unused", func(t *testing.T) {
		portal := newV2Portal(t)
		require.Equal(t, "400 REPLY_ERROR", post(t, portal, "imbot.v2.Chat.Message.send", `{`+inCrew+`,"fields":{`+with(aUUID, `,"replyId":9`)+`}}`))
		require.EqualValues(t, 50003, sendTo(t, portal, "chat1002", with(aUUID, "")))
	})
	t.Run("the answer that was lost is found by it", func(t *testing.T) {
		portal := newV2Portal(t)
		portal.Fail("imbot.v2.Chat.Message.send", imbottest.Fault{Cut: imbottest.AfterRun})
		_, err := portal.HTTPClient().Post(portal.Webhook("").URL+"imbot.v2.Chat.Message.send", "application/json", strings.NewReader(`{`+inCrew+`,"fields":{`+with(aUUID, "")+`}}`))
		require.Error(t, err)
		require.EqualValues(t, 50003, sendTo(t, portal, "chat1002", with(aUUID, "")))
		require.EqualValues(t, 50003, lastOf(portal, "chat1002").ID)
	})
}

// TestChangesComeBack makes bots change messages, and looks for the event that they get of it.
func TestChangesComeBack(t *testing.T) {
	t.Parallel()
	const update, remove = "imbot.v2.Chat.Message.update", "imbot.v2.Chat.Message.delete"
	for _, tt := range []struct {
		says, method, params string
		event                string
		part                 string // of its data
		want                 func(*testing.T, imbottest.Message)
	}{
		{"a new text", update, `"fields":{"message":" y "}`, "MESSAGEUPDATE", `"text":"y"`, func(t *testing.T, m imbottest.Message) {
			require.Equal(t, "y", m.Text)
			require.Len(t, m.Attach.Blocks, 1, "what is not sent stays")
			require.Len(t, m.Keyboard.Rows, 1)
		}},
		{"by the bot itself", update, `"fields":{"message":"y"}`, "MESSAGEUPDATE", `"user":{"id":105,`, func(*testing.T, imbottest.Message) {}},
		{"another attachment", update, `"fields":{"attach":{"BLOCKS":[{"MESSAGE":"a"},{"MESSAGE":"b"}]}}`, "MESSAGEUPDATE", `"ATTACH":[{`, func(t *testing.T, m imbottest.Message) {
			require.Len(t, m.Attach.Blocks, 2)
			require.Equal(t, "hi", m.Text)
		}},
		{"an attachment in the short form removes it", update, `"fields":{"attach":[{"MESSAGE":"a"}]}`, "MESSAGEUPDATE", `"KEYBOARD"`, func(t *testing.T, m imbottest.Message) { require.Empty(t, m.Attach.Blocks) }},
		{"so does an empty text", update, `"fields":{"attach":""}`, "MESSAGEUPDATE", `"text":"hi"`, func(t *testing.T, m imbottest.Message) { require.Empty(t, m.Attach.Blocks) }},
		{"N removes a keyboard", update, `"fields":{"keyboard":"N"}`, "MESSAGEUPDATE", `"ATTACH"`, func(t *testing.T, m imbottest.Message) { require.Empty(t, m.Keyboard.Rows) }},
		{"a message that is empty with all its parts is deleted", update, `"fields":{"message":"\n","attach":""}`, "MESSAGEDELETE", `"messageId":50003`, func(t *testing.T, m imbottest.Message) { require.True(t, m.Deleted) }},
		{"with an attachment it is not", update, `"fields":{"message":" "}`, "MESSAGEUPDATE", `"text":""`, func(t *testing.T, m imbottest.Message) { require.False(t, m.Deleted) }},
		{"a deleted message leaves a notice", remove, `"complete":"N"`, "MESSAGEDELETE", `"messageId":50003`, func(t *testing.T, m imbottest.Message) {
			require.True(t, m.Deleted)
			require.EqualValues(t, 50003, m.ID)
		}},
		{"or nothing", remove, `"complete":"Y"`, "MESSAGEDELETE", `"messageId":50003`, func(t *testing.T, m imbottest.Message) { require.EqualValues(t, 50002, m.ID) }},
		{"nothing, said otherwise", remove, `"complete":true`, "MESSAGEDELETE", `"messageId":50003`, func(t *testing.T, m imbottest.Message) { require.EqualValues(t, 50002, m.ID) }},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newV2Portal(t)
			id := sendTo(t, portal, "chat1002", `"message":"hi","attach":[{"MESSAGE":"a"}],"keyboard":[{"TEXT":"A","COMMAND":"help"}]`)
			clear(t, portal)
			require.Equal(t, `{"result":true}`, post(t, portal, tt.method, fmt.Sprintf(`{%s,"messageId":%d,%s}`, asGamma, id, tt.params)))
			got := fetch(t, portal, "")
			require.Equal(t, []string{tt.event}, got.names())
			require.Contains(t, string(got.Events[0].Data), tt.part)
			tt.want(t, lastOf(portal, "chat1002"))
		})
	}
}

func TestABotThatAdministersAChatDeletesWhatOthersWrote(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	write := func(dialog imbot.DialogID) string {
		m, err := portal.Say(t.Context(), anna, dialog, "hi")
		require.NoError(t, err)
		return fmt.Sprintf(`{%s,"messageId":%d,"fields":{"message":"y"}}`, asGamma, m.ID)
	}
	mine, hers := write("chat1002"), write(imbot.ChatDialog(portal.AddChat("Hers", anna, gamma)))
	require.Equal(t, `{"result":true}`, post(t, portal, "imbot.v2.Chat.Message.delete", mine))
	require.Equal(t, "400 ACCESS_DENIED", post(t, portal, "imbot.v2.Chat.Message.delete", hers))
	require.Equal(t, "400 ACCESS_DENIED", post(t, portal, "imbot.v2.Chat.Message.update", write("chat1002")), "but changes only its own")
}

func TestRepliesNameTheirMessage(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	m, err := portal.Say(t.Context(), anna, crewDialog, "hi")
	require.NoError(t, err)
	id := sendTo(t, portal, "chat1002", fmt.Sprintf(`"message":"x","replyId":%d,"templateId":%q`, m.ID, aUUID))
	clear(t, portal)
	prepare(t, portal, fmt.Sprintf(`imbot.v2.Chat.Message.update {%s,"messageId":%d,"fields":{"message":"y"}}`, asGamma, id))
	data := string(fetch(t, portal, "").Events[0].Data)
	require.Contains(t, data, fmt.Sprintf(`"params":{"REPLY_ID":%d}`, m.ID))
	require.Contains(t, data, `"uuid":"`+aUUID+`"`)
}

func TestReading(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t) // messages 50001 and 50002 are of gamma and of the system
	for range 3 {
		_, err := portal.Say(t.Context(), anna, crewDialog, "hi")
		require.NoError(t, err)
	}
	sendTo(t, portal, "chat1002", `"message":"mine"`)
	for _, tt := range []struct{ says, params, want string }{
		{"up to a message", `,"messageId":50003`, `{"chatId":1002,"lastId":50003,"counter":2,"viewedMessages":[50002,50003]}`},
		{"once more", `,"messageId":50003`, `{"chatId":1002,"lastId":50003,"counter":2,"viewedMessages":[]}`},
		{"all", ``, `{"chatId":1002,"lastId":50006,"counter":0,"viewedMessages":[50004,50005]}`},
		{"what is read stays read", `,"messageId":50003`, `{"chatId":1002,"lastId":50006,"counter":0,"viewedMessages":[]}`},
	} {
		require.Equal(t, tt.want, post(t, portal, "imbot.v2.Chat.Message.read", `{`+inCrew+tt.params+`}`), tt.says)
	}
}

func TestActionsAreShownAsLongAsTheySay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := newV2Portal(t)
		defer portal.Close()
		for params, want := range map[string]time.Duration{``: 10 * time.Second, `,"duration":30`: 30 * time.Second, `,"duration":9999`: 10 * time.Minute} {
			typing := func() []imbot.ID { return dialogOf(t, portal, crewDialog).Typing }
			require.Equal(t, `{"result":true}`, post(t, portal, "imbot.v2.Chat.InputAction.notify", `{`+inCrew+`,"statusMessageCode":"IMBOT_AGENT_ACTION_THINKING"`+params+`}`))
			time.Sleep(want - time.Second)
			require.Equal(t, []imbot.ID{gamma}, typing(), params)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			require.Empty(t, typing(), params)
		}
		prepare(t, portal, `imbot.v2.Chat.InputAction.notify {`+inCrew+`,"duration":30}`)
		sendTo(t, portal, "chat1002", `"message":"x"`)
		require.Empty(t, dialogOf(t, portal, crewDialog).Typing, "the message ends it")
	})
}

// dialogOf is a dialog as Anna sees it.
func dialogOf(t *testing.T, portal *imbottest.Portal, dialog imbot.DialogID) imbottest.Dialog {
	t.Helper()
	for _, d := range portal.Dialogs(anna) {
		if d.ID == dialog {
			return d
		}
	}
	require.Fail(t, "no such dialog", dialog)
	return imbottest.Dialog{}
}

func TestTextsOfEventsAreServed(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	clear(t, portal)
	_, err := portal.Say(t.Context(), anna, crewDialog, "[USER=105]Gamma[/USER] see https://e.com/ &amp;")
	require.NoError(t, err)
	var data struct{ Message struct{ Text string } }
	require.NoError(t, json.Unmarshal(fetch(t, portal, "").Events[0].Data, &data))
	require.Equal(t, "[USER=105]Gamma[/USER] see [URL]https://e.com/[/URL] &", data.Message.Text, "mentions stay")
}
