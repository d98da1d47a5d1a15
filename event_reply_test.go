package imbot_test

import (
	"context"
	"fmt"
	"log"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestReplyAnswersWhateverItIs(t *testing.T) {
	const params = `"BOT":{"39":{"BOT_ID":"39"}},"PARAMS":{"DIALOG_ID":"chat5","BOT_ID":"39"}`
	message := `{"CLIENT_ID":"bot-secret-1","BOT_ID":39,"DIALOG_ID":"chat5","MESSAGE":"hi"}`
	for name, row := range map[string]struct{ body, method, sent string }{
		"a message":             {`{"event":"ONIMBOTMESSAGEADD","data":{` + params + `}}`, "imbot.message.add", message},
		"a change":              {`{"event":"ONIMBOTMESSAGEUPDATE","data":{` + params + `}}`, "imbot.message.add", message},
		"the end of a message":  {`{"event":"ONIMBOTMESSAGEDELETE","data":{` + params + `}}`, "imbot.message.add", message},
		"a link with context":   {`{"event":"ONIMBOTCONTEXTGET","data":{` + params + `}}`, "imbot.message.add", message},
		"a new dialog":          {`{"event":"ONIMBOTJOINCHAT","data":{` + params + `}}`, "imbot.message.add", message},
		"an unknown event":      {`{"event":"ONIMBOTTOMORROW","data":{` + params + `}}`, "imbot.message.add", message},
		"the second generation": {`{"event":"ONIMBOTV2MESSAGEADD","data":{"bot":{"id":39},"chat":{"dialogId":"chat5"}}}`, "imbot.message.add", message},
		"a command": {
			`{"event":"ONIMCOMMANDADD","data":{"COMMAND":{"7":{"BOT_ID":"39","COMMAND_ID":"7","MESSAGE_ID":"8"}},"PARAMS":{"DIALOG_ID":"chat5"}}}`, "imbot.command.answer",
			`{"CLIENT_ID":"bot-secret-1","BOT_ID":39,"COMMAND_ID":7,"MESSAGE_ID":8,"MESSAGE":"hi"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, sent := mockClient(t, row.method, 200, documented(t, row.method))
			ev := parseAs[imbot.Event](t, "", row.body)
			id, err := client.Reply(t.Context(), ev, "hi")
			require.NoError(t, err)
			require.NotZero(t, id)
			require.JSONEq(t, row.sent, sent())
			if own, is := ev.(interface {
				Reply(string) imbot.MessageAddRequest
			}); is {
				require.Equal(t, imbot.MessageAddRequest{BotID: 39, DialogID: "chat5", Message: "hi"}, own.Reply("hi"))
			} else {
				require.Contains(t, []string{"an unknown event", "the second generation", "a command"}, name)
			}
		})
	}
}

func TestReplyIsRefusedWhereThereIsNoDialog(t *testing.T) {
	client, _ := mockClient(t, "imbot.message.add", 200, documented(t, "imbot.message.add"))
	for _, ev := range []imbot.Event{&imbot.AppInstallEvent{}, &imbot.BotDeleteEvent{BotID: 39}, &imbot.CommandAddEvent{}} {
		_, err := client.Reply(t.Context(), ev, "hi")
		require.ErrorIs(t, err, imbot.ErrInvalid)
	}
}

func TestReplyIsOfTheClientsBotWhenNoneIsMeant(t *testing.T) {
	client, sent := mockClient(t, "imbot.message.add", 200, documented(t, "imbot.message.add"))
	ev := messageAdd(t, twoBots+`,"PARAMS":{"DIALOG_ID":"chat5"}`)
	_, err := client.WithBot(571).Reply(t.Context(), ev, "hi")
	require.NoError(t, err)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":571,"DIALOG_ID":"chat5","MESSAGE":"hi"}`, sent())
}

func TestWhatAMessageBringsWithIt(t *testing.T) {
	t.Parallel()
	type brought struct {
		quoted  imbot.Quoted
		whisper bool
		files   []imbot.EventFile
	}
	for name, row := range map[string]struct {
		params string
		want   brought
	}{
		"nothing":                  {``, brought{}},
		"a quoted message":         {`"REPLY_MESSAGE":{"ID":"5","AUTHOR_ID":"27","MESSAGE":"when?"}`, brought{quoted: imbot.Quoted{MessageID: 5, AuthorID: 27, Text: "when?"}}},
		"the id of one":            {`"PARAMS":{"REPLY_ID":"5"}`, brought{quoted: imbot.Quoted{MessageID: 5}}},
		"both":                     {`"REPLY_MESSAGE":{"id":"5","text":"when?"},"PARAMS":{"REPLY_ID":"5"}`, brought{quoted: imbot.Quoted{MessageID: 5, Text: "when?"}}},
		"a whisper":                {`"PARAMS":{"COMPONENT_ID":"HiddenMessage"}`, brought{whisper: true}},
		"another component":        {`"PARAMS":{"COMPONENT_ID":"ChatCopilotCreationMessage"}`, brought{}},
		"files":                    {`"FILES":{"9":{"id":"9","name":"a.txt","size":"3"}},"PARAMS":{"FILE_ID":["9"]}`, brought{files: []imbot.EventFile{{ID: 9, Name: "a.txt", Size: 3}}}},
		"the ids of files":         {`"PARAMS":{"FILE_ID":{"0":"9","1":"10","2":"x"}}`, brought{files: []imbot.EventFile{{ID: 9}, {ID: 10}}}},
		"the id of a file":         {`"PARAMS":{"FILE_ID":"9"}`, brought{files: []imbot.EventFile{{ID: 9}}}},
		"something else than maps": {`"REPLY_MESSAGE":"x","PARAMS":"y"`, brought{}},
	} {
		t.Run(name, func(t *testing.T) {
			data := `{"PARAMS":{` + row.params + `}}`
			message := parseAs[*imbot.MessageAddEvent](t, "", `{"event":"ONIMBOTMESSAGEADD","data":`+data+`}`)
			change := parseAs[*imbot.MessageUpdateEvent](t, "", `{"event":"ONIMBOTMESSAGEUPDATE","data":`+data+`}`)
			command := parseAs[*imbot.CommandAddEvent](t, "", `{"event":"ONIMCOMMANDADD","data":`+data+`}`)
			for _, ev := range []interface {
				ReplyTo() (imbot.Quoted, bool)
				IsWhisper() bool
			}{message, change, command} {
				quoted, is := ev.ReplyTo()
				require.Equal(t, row.want.quoted, quoted)
				require.Equal(t, quoted != imbot.Quoted{}, is)
				require.Equal(t, row.want.whisper, ev.IsWhisper())
			}
			require.Equal(t, row.want.files, message.Files())
			require.Equal(t, row.want.files, change.Files())
		})
	}
}

func ExampleClient_Reply() {
	ctx := context.Background()
	portal := imbottest.NewPortal()
	defer portal.Close()
	const url = "https://bot.example.com/events"
	hook := portal.Webhook("a-long-random-client-id")
	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}
	id, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
		Code: "polite", EventHandler: url, Properties: imbot.BotProperties{Name: "Polite"},
	})
	if err != nil {
		log.Fatal(err)
	}
	bot := &imbot.EventHandler{Verifier: hook.Verifier(), OnEvent: func(ctx context.Context, ev imbot.Event) error {
		if ev.AuthorID() == 0 {
			return nil
		}
		_, err := client.Reply(ctx, ev, "Hello, "+string(ev.Dialog())) // a message, a command, or whatever it is
		return err
	}}
	portal.Serve(url, bot)
	answer, err := portal.Ask(ctx, portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(id), "hi")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Plain())
	// Output: Hello, 102
}
