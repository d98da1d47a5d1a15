package imbottest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

func TestBatch(t *testing.T) {
	t.Parallel()
	many := make([]string, 52)
	for i := range many {
		many[i] = fmt.Sprintf(`"c%d":"profile"`, i)
	}
	const add = `imbot.message.add?CLIENT_ID=one&DIALOG_ID=101&MESSAGE=`
	for _, tt := range []struct {
		says, params string
		want         map[string]string // the parts of the answer except result_time; a part that is missing here is []
	}{
		{"empty maps are lists", `{"cmd":{}}`, nil},
		{"results keep their keys", `{"cmd":{"z":"imbot.chat.add?CLIENT_ID=one","a":"imbot.bot.list"}}`,
			map[string]string{"result": `{"z":1002,"a":{"103":{"ID":103,"NAME":"Alpha","CODE":"alpha","OPENLINE":"N"},"104":{"ID":104,"NAME":"Beta","CODE":"beta","OPENLINE":"N"}}}`}},
		{"a list of commands has a list of results", `{"CMD":["imbot.chat.add?CLIENT_ID=one","imbot.chat.add?CLIENT_ID=one"]}`,
			map[string]string{"result": `[1002,1003]`}},
		{"a list with a hole has a map", `{"cmd":["imbot.nothing","imbot.chat.add?CLIENT_ID=one"]}`,
			map[string]string{"result": `{"1":1002}`, "result_error": `[{"error":"ERROR_METHOD_NOT_FOUND","error_description":"Method not found!"}]`}},
		{"a failure stops nothing", `{"cmd":{"a":"imbot.chat.add","b":"imbot.chat.add?CLIENT_ID=one"},"halt":0}`,
			map[string]string{"result": `{"b":1002}`, "result_error": `{"a":{"error":"ACCESS_DENIED","error_description":"Client ID not specified"}}`}},
		{"unless it halts", `{"cmd":{"a":"imbot.chat.add","b":"imbot.chat.add?CLIENT_ID=one"},"halt":1}`,
			map[string]string{"result_error": `{"a":{"error":"ACCESS_DENIED","error_description":"Client ID not specified"}}`}},
		{"the text false is true", `{"cmd":{"a":"imbot.chat.add","b":"imbot.chat.add?CLIENT_ID=one"},"halt":"false"}`,
			map[string]string{"result_error": `{"a":{"error":"ACCESS_DENIED","error_description":"Client ID not specified"}}`}},
		{"no batch in a batch", `{"cmd":{"a":"batch"}}`,
			map[string]string{"result_error": `{"a":{"error":"ERROR_BATCH_METHOD_NOT_ALLOWED","error_description":"Method is not allowed for batch usage"}}`}},
		{"what is no text leaves no trace", `{"cmd":{"a":5}}`, nil},
		{"null is a result", `{"cmd":{"a":"imbot.chat.get"}}`, map[string]string{"result": `{"a":null}`}},
		{"values are decoded once", `{"cmd":{"a":"` + add + `a%26b%20%2B+c"}}`, map[string]string{"result": `{"a":50001}`}},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newTestPortal(t)
			got := post(t, portal, "batch", tt.params)
			for _, part := range []string{"result", "result_error", "result_total", "result_next"} {
				want, ok := tt.want[part]
				if !ok {
					want = "[]"
				}
				require.Equal(t, want, partOf(t, got, part), part)
			}
		})
	}
	t.Run("commands after the fiftieth do not run", func(t *testing.T) {
		portal := newTestPortal(t)
		got := post(t, portal, "batch", `{"cmd":{`+strings.Join(many, ",")+`}}`)
		require.Equal(t, 2, strings.Count(got, "ERROR_BATCH_LENGTH_EXCEEDED"))
		require.Equal(t, 50, strings.Count(partOf(t, got, "result"), "ADMIN"))
	})
}

func TestReferences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ says, text, want string }{
		{"a result inside a text", "chat $result[a] is open", "chat 1002 is open"},
		{"a path into a result", "$result[who][NAME] wrote", "Portal wrote"},
		{"punctuation behind a reference is swallowed", "open $result[a], all", "open 1002 all"},
		{"a map does not fit into a text", "x $result[who] y", "x $result[who] y"},
		{"a whole value becomes the result", "$result[who][NAME]", "Portal"},
		{"a name may go on", "see $results[a] here", "see 1002 here"},
		{"and anything may stand before the brackets", "now $result:[b]5[/b] and $results=[a]!", "now $result:[b]5[/b] and 1002"},
		{"two in one word are one path", "x $result[who]$result[NAME] y", "x Portal y"},
		{"a name in capital letters finds nothing", "x $RESULT[a] y", "x $RESULT[a] y"},
		{"a word without brackets is none", "$result [a]", "$result [a]"},
		{"nor is one whose brackets are empty", "$result[]", "$result[]"},
		{"a no-break space ends no word", "x $result [a] y", "x 1002 y"},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newTestPortal(t)
			got := post(t, portal, "batch", fmt.Sprintf(`{"halt":1,"cmd":{"a":"imbot.chat.add?CLIENT_ID=one","who":"profile","say":%q}}`,
				"imbot.message.add?CLIENT_ID=one&DIALOG_ID=101&MESSAGE="+strings.ReplaceAll(tt.text, " ", "%20")))
			require.Equal(t, "[]", partOf(t, got, "result_error"))
			seen := portal.Messages(anna, imbot.UserDialog(alpha))
			require.Len(t, seen, 1)
			require.Equal(t, tt.want, seen[0].Text)
		})
	}
	t.Run("a path that leads nowhere gives the last container", func(t *testing.T) {
		portal := newTestPortal(t)
		got := post(t, portal, "batch", `{"cmd":{"a":"profile","b":"imbot.chat.add?CLIENT_ID=one&USERS=$result[nothing]"}}`)
		require.Contains(t, partOf(t, got, "result_error"), "INVALID_FORMAT", "the whole result map, whose only value is a map")
	})
	t.Run("another case finds nothing", func(t *testing.T) {
		portal := newTestPortal(t)
		got := post(t, portal, "batch", `{"cmd":{"a":"imbot.chat.add?CLIENT_ID=one","b":"imbot.message.add?CLIENT_ID=one&DIALOG_ID=101&MESSAGE=$Result[a]"}}`)
		require.Contains(t, partOf(t, got, "result_error"), "MESSAGE_EMPTY")
	})
}

// The rule for references is written twice, in the SDK and in the portal. Whatever text
// the SDK lets into a batch, the portal leaves as it leaves one that came alone.
func TestWhatTheSDKLetsIntoABatchIsNoReference(t *testing.T) {
	t.Parallel()
	const texts = 2000
	parts := []string{"$", "$result", "$Error", "$total", "$NEXT", "$time", "s", "[", "]", "[]", "[c0]", "[0]", "[b]", "[/b]", "x", ":",
		" ", "\n", "\t", "\v", "\f", "\u00a0", "ü", "\u2060"}
	random := rand.New(rand.NewPCG(5, 3))
	portal := newTestPortal(t)
	auth := portal.Webhook("one")
	client, err := imbot.NewClient(auth, imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(imbot.NewLimiter(1e6, 1e6)))
	require.NoError(t, err)
	var adds []imbot.MessageAddRequest
	for range texts {
		var b strings.Builder
		for range 1 + random.IntN(8) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		adds = append(adds, imbot.MessageAddRequest{BotID: alpha, DialogID: "chat1001", Message: "(" + b.String() + ")"})
	}
	before := len(portal.Messages(anna, "chat1001"))
	for _, err := range imbot.DoAll(t.Context(), client, slices.Values(adds)) {
		require.NoError(t, err)
	}
	travelled := 0
	for _, call := range portal.Calls("imbot.message.add") {
		if call.Batch {
			travelled++
		}
	}
	require.Greater(t, travelled, texts/2)
	require.Less(t, travelled, texts)
	for _, add := range adds {
		_, err := client.Message.Add(t.Context(), add)
		require.NoError(t, err)
	}
	seen := portal.Messages(anna, "chat1001")[before:]
	require.Len(t, seen, 2*texts)
	for i, add := range adds {
		require.Equal(t, seen[texts+i].Text, seen[i].Text, "%q", add.Message)
	}
}

func TestAListInATextEndsTheWholeBatch(t *testing.T) {
	t.Parallel()
	const who, add = `"who":"profile","a":"imbot.chat.add?CLIENT_ID=one",`, `imbot.message.add?CLIENT_ID=one`
	for _, tt := range []struct{ says, command, want string }{
		{"in a text", "imbot.chat.updateTitle?CLIENT_ID=one&CHAT_ID=1001&TITLE=$result[who]", ""},
		{"in a number", "imbot.chat.user.list?CLIENT_ID=one&CHAT_ID=$results:[who]", ""},
		{"that nobody has put there by a reference", "imbot.chat.updateTitle?CLIENT_ID=one&CHAT_ID=1001&TITLE[0]=x", ""},
		{"the same of a text that is one", "imbot.chat.updateTitle?CLIENT_ID=one&CHAT_ID=1001&TITLE=$result[who][NAME]", `"result_error":[]`},
		{"where the method looks by itself", add + "&DIALOG_ID=101&MESSAGE=$result[who]", "MESSAGE_EMPTY"},
		{"where the method looks by itself, too", add + "&DIALOG_ID=$result[who]&MESSAGE=x", "DIALOG_ID_EMPTY"},
		{"where a list is right", "imbot.chat.user.add?CLIENT_ID=one&CHAT_ID=1001&USERS=$result[none]", `"x"`},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newTestPortal(t)
			status, body := postTo(t, portal, portal.Webhook("").URL+"batch", "application/json", fmt.Sprintf(`{"cmd":{%s"x":%q}}`, who, tt.command))
			chats := portal.Calls("imbot.chat.add")
			require.Len(t, chats, 2, "what came before has run")
			if tt.want == "" {
				require.Equal(t, 500, status)
				require.Empty(t, body)
				return
			}
			require.Equal(t, 200, status)
			require.Contains(t, string(body), tt.want)
		})
	}
}

// TestTextsArriveFromABatch holds that the portal and the SDK mean the same by a
// reference: a text that would be one travels by itself.
func TestTextsArriveFromABatch(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	client, err := imbot.NewClient(portal.Webhook("one"), imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(t, err)
	texts := []string{"$total:[b]120[/b]", "$errors[email]", "see $results[c0] here", "$RESULT[c0]", "$time\u00a0[c0]", "$nexts[[]", "$result [c0]", "$result[]", "$5 [c0]"}
	parts := []string{"$", "$result", "$Error", "$total", "s", "[", "]", "[]", "[c0]", "[c1]", "x", " ", "\n", "\v", "\u00a0"}
	random := rand.New(rand.NewPCG(12, 53))
	for range 3000 {
		text := "a"
		for range 1 + random.IntN(6) {
			text += parts[random.IntN(len(parts))]
		}
		texts = append(texts, text+"z")
	}
	sent := len(texts)
	for chunk := range slices.Chunk(texts, 48) {
		batch := imbot.NewBatch()
		imbot.Queue(batch, imbot.ChatAddRequest{BotID: alpha}) // has a result that could be put in
		for _, text := range chunk {
			imbot.Queue(batch, imbot.MessageAddRequest{BotID: alpha, DialogID: "101", Message: text})
		}
		require.NoError(t, client.DoBatch(t.Context(), batch))
	}
	var got []string
	for _, m := range portal.Messages(anna, imbot.UserDialog(alpha)) {
		got = append(got, m.Text)
	}
	require.Equal(t, texts, got)
	inside := 0
	for _, call := range portal.Calls("imbot.message.add") {
		if call.Batch {
			inside++
		}
	}
	require.Greater(t, inside, sent/2)
	require.Less(t, inside, sent)
}

func TestBatchedCallsAreRecordedWithoutSecrets(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	post(t, portal, "batch", `{"halt":1,"cmd":{"a":"imbot.message.add?CLIENT_ID=one&DIALOG_ID=101&MESSAGE=x"}}`)
	batch, inside := portal.Calls("batch"), portal.Calls("imbot.message.add")
	require.Len(t, batch, 1)
	require.False(t, batch[0].Batch)
	require.JSONEq(t, `{"halt":1,"cmd":{"a":"imbot.message.add"}}`, string(batch[0].Params))
	require.Len(t, inside, 1)
	require.True(t, inside[0].Batch)
	require.JSONEq(t, `{"DIALOG_ID":"101","MESSAGE":"x"}`, string(inside[0].Params))
}

// partOf returns one part of the answer of a batch, such as result_error.
func partOf(t *testing.T, result, part string) string {
	t.Helper()
	var parts map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(result), &parts))
	return string(parts[part])
}

func TestTheFragmentOfACommandIsLost(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	const title = "imbot.chat.updateTitle?CLIENT_ID=one&BOT_ID=103&CHAT_ID=1001&TITLE="
	got := post(t, portal, "batch", `{"cmd":{"a":"profile#x","b":"`+title+`C%23%20and#more&TITLE=x","c":"#profile","d":"profile#?x=1"}}`)
	require.Contains(t, got, `"b":true`)
	require.Contains(t, got, `"result_error":{"c":{"error":"ERROR_METHOD_NOT_FOUND"`)
	require.Contains(t, got, `"d":{"ADMIN":true`)
	require.Len(t, portal.Calls("profile"), 2)
	require.Equal(t, "C# and", portal.Dialogs(anna)[0].Title)
	require.NotContains(t, string(portal.Calls("batch")[0].Params), "more")
}
