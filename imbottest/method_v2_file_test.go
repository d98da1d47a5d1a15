package imbottest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// uploadAs sends a file as gamma and returns the message with it.
func uploadAs(t *testing.T, portal *imbottest.Portal, fields string) imbottest.Message {
	t.Helper()
	var sent struct{ MessageID imbot.ID }
	answer := post(t, portal, "imbot.v2.File.upload", `{`+inCrew+`,"fields":{`+fields+`}}`)
	require.NoError(t, json.Unmarshal([]byte(answer), &sent), answer)
	seen := lastOf(portal, crewDialog)
	require.Equal(t, sent.MessageID, seen.ID)
	return seen
}

// link asks for a link to a file.
func link(t *testing.T, portal *imbottest.Portal, method, params string) string {
	t.Helper()
	var answer struct{ DownloadURL string }
	got := post(t, portal, method, params)
	require.NoError(t, json.Unmarshal([]byte(got), &answer), got)
	return answer.DownloadURL
}

// follow gets what a link leads to.
func follow(t *testing.T, client *http.Client, link string) (*http.Response, string) {
	t.Helper()
	resp, err := client.Get(link)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func TestFilesOfBots(t *testing.T) {
	t.Parallel()
	for says, tt := range map[string]struct {
		fields string
		want   imbottest.File
		text   string
	}{
		"a text":                     {`"name":"a.TXT","content":"YQ=="`, imbottest.File{Name: "a.TXT", Type: "file", Content: []byte("a")}, ""},
		"without its padding":        {`"name":"a.mp3","content":"YQ"`, imbottest.File{Name: "a.mp3", Type: "audio", Content: []byte("a")}, ""},
		"with a text":                {`"name":"a.mp3","content":"YQ==","message":" hi "`, imbottest.File{Name: "a.mp3", Type: "audio", Content: []byte("a")}, "hi"},
		"with a text that it drops":  {`"name":"a.mov","content":"YQ==","message":"0"`, imbottest.File{Name: "a.mov", Type: "video", Content: []byte("a")}, ""},
		"with a path in its name":    {`"name":"../a\\b","content":"YQ=="`, imbottest.File{Name: ".._a_b", Type: "file", Content: []byte("a")}, ""},
		"a picture that is none":     {`"name":"a.png","content":"YQ=="`, imbottest.File{Name: "a.png", Type: "image", Content: []byte("a")}, ""},
		"slashes that PHP escapes":   {`"name":"a","content":"\/\/\/\/"`, imbottest.File{Name: "a", Type: "file", Content: []byte{255, 255, 255}}, ""},
		"whose content is no Base64": {`"name":"a","content":"a-b"`, imbottest.File{}, ""},
	} {
		t.Run(says, func(t *testing.T) {
			portal := newV2Portal(t)
			if tt.want.Name == "" {
				require.Equal(t, "400 FILE_INVALID_CONTENT", post(t, portal, "imbot.v2.File.upload", `{`+inCrew+`,"fields":{`+tt.fields+`}}`))
				require.EqualValues(t, overhead, lastOf(portal, crewDialog).ID, "nothing is posted")
				return
			}
			m := uploadAs(t, portal, tt.fields)
			tt.want.ID = 9001
			require.Equal(t, []imbottest.File{tt.want}, m.Files)
			require.Equal(t, tt.text, m.Text)
			file, ok := portal.File(anna, m.ID, 9001)
			require.True(t, ok)
			require.Equal(t, tt.want, file)
			_, ok = portal.File(boris, m.ID, 9001)
			require.False(t, ok, "he is not in the chat")
		})
	}
}

// When the message is refused the file stays in the folder of the chat.
func TestAFileWithoutItsMessage(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	require.NoError(t, portal.Veto("imbot.v2.Chat.Message.send"))
	require.Equal(t, "400 FILE_SEND_FAILED", post(t, portal, "imbot.v2.File.upload", `{`+inCrew+`,"fields":{"name":"a.txt","content":"YQ=="}}`))
	require.NoError(t, portal.Veto())
	require.Equal(t, "a (1).txt", uploadAs(t, portal, `"name":"a.txt","content":"YQ=="`).Files[0].Name)
}

func TestFilesWithOneNameGetOthers(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	for _, want := range []string{"a.txt", "a (1).txt", "a (2).txt"} {
		require.Equal(t, want, uploadAs(t, portal, `"name":"a.txt","content":"YQ=="`).Files[0].Name)
	}
	require.NoError(t, portal.Idle(t.Context()))
	_, err := portal.SayFile(t.Context(), anna, imbot.UserDialog(gamma), "a.txt", []byte("a"), "")
	require.NoError(t, err)
	require.Equal(t, "a.txt", lastOf(portal, imbot.UserDialog(gamma)).Files[0].Name, "another chat has another folder")
}

// A text of Base64 is decoded while it is read, in pieces whose borders lie anywhere.
func TestLargeFiles(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	url := portal.Webhook("").URL + "imbot.v2.File.upload"
	for _, size := range []int{48 << 10, 49 << 10, 100_001, 1<<20 + 1, 1<<20 + 2} {
		content := bytes.Repeat([]byte("\xff\xff\xfe0a\x00"), size/6+1)[:size]
		text := base64.StdEncoding.EncodeToString(content)
		for says, sent := range map[string]string{"as it is": text, "as PHP writes it": strings.ReplaceAll(text, "/", `\/`), "without padding": strings.TrimRight(text, "=")} {
			before := lastOf(portal, crewDialog).ID
			for more, want := range map[string]int{"": http.StatusOK, `\"`: http.StatusBadRequest, "-": http.StatusBadRequest} {
				body := iotest.HalfReader(strings.NewReader(`{` + inCrew + `,"fields":{"content" : "` + sent + more + `","name":"a\"b\\"}}`))
				resp, err := portal.HTTPClient().Post(url, "application/json", body)
				require.NoError(t, err)
				require.Equal(t, want, resp.StatusCode, "%d bytes %s%s", size, says, more)
			}
			m := lastOf(portal, crewDialog)
			require.Equal(t, before+1, m.ID)
			require.True(t, bytes.Equal(content, m.Files[0].Content), "%d bytes %s", size, says)
		}
	}
	x, ok := portal.Exchange(portal.Exchanges(0, 1)[0].ID)
	require.True(t, ok)
	require.Contains(t, x.Sent, "bytes of Base64)", "the log keeps no files")
	require.Contains(t, string(portal.Calls("imbot.v2.File.upload")[0].Params), "bytes of Base64)")
}

func TestAFileThatIsTooLarge(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	prepare(t, portal, `imbot.v2.Chat.User.add {`+inCrew+`,"userIds":[1]}`)
	for method, params := range map[string]string{"imbot.v2.File.upload": inCrew, "im.v2.File.upload": `"dialogId":"chat1002"`} {
		body := io.MultiReader(strings.NewReader(`{`+params+`,"fields":{"name":"a","content":"`), io.LimitReader(letters{}, 139_810_134), strings.NewReader(`"}}`))
		resp, err := portal.HTTPClient().Post(portal.Webhook("").URL+method, "application/json", body)
		require.NoError(t, err)
		require.Equal(t, http.StatusBadRequest, resp.StatusCode)
		answer, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.JSONEq(t, sample(t, samplesV2+method+".error.json"), string(answer))
	}
	require.EqualValues(t, overhead, lastOf(portal, crewDialog).ID, "nothing is posted")
}

// letters gives the letter A, which is a digit of Base64.
type letters struct{}

func (letters) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'A'
	}
	return len(b), nil
}

func TestLinksToFiles(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	uploadAs(t, portal, `"name":"ä b.txt","content":"YQ=="`)
	client := portal.HTTPClient()
	got := link(t, portal, "imbot.v2.File.download", `{`+asGamma+`,"fileId":9001}`)
	require.True(t, strings.HasPrefix(got, portal.Webhook("").URL+"download/?token=imbot%7C"), "it holds the webhook")
	for range 2 { // nothing is stored, so it works again
		resp, body := follow(t, client, got)
		require.Equal(t, "200 a", fmt.Sprint(resp.StatusCode, " ", body))
		require.Equal(t, "attachment; filename*=utf-8''%C3%A4%20b.txt", resp.Header.Get("Content-Disposition"))
		require.EqualValues(t, 1, resp.ContentLength)
	}
	for says, tt := range map[string]struct{ link, want string }{
		"another file":       {strings.Replace(got, "token=imbot%7C", "token=imbot%7Cx", 1), "403"},
		"another scope":      {strings.Replace(got, "token=imbot", "token=im", 1), "403"},
		"no signature":       {portal.Webhook("").URL + "download/", "403"},
		"another webhook":    {strings.Replace(got, "/rest/1/", "/rest/1/0", 1), "401"},
		"no credential":      {"https://" + strings.Split(got, "/")[2] + "/rest/download.json?" + strings.SplitN(got, "?", 2)[1], "401"},
		"a token in between": {strings.SplitN(got, "?", 2)[0] + "?auth=x&" + strings.SplitN(got, "?", 2)[1], "200"},
	} {
		resp, _ := follow(t, client, tt.link)
		require.Equal(t, tt.want, fmt.Sprint(resp.StatusCode), says)
	}
	for _, x := range portal.Exchanges(0, 100) {
		whole, _ := portal.Exchange(x.ID)
		require.NotContains(t, whole.Sent+whole.Answer, strings.Split(portal.Webhook("").URL, "/")[5], "the log masks the webhook")
	}
	for _, c := range portal.Calls("download") {
		require.NotContains(t, string(c.Params), "imbot|")
	}
	require.NoError(t, portal.Delete(t.Context(), anna, func() imbottest.Message {
		m, err := portal.SayFile(t.Context(), anna, crewDialog, "b", []byte("b"), "")
		require.NoError(t, err)
		return m
	}()))
	require.Equal(t, "400 FILE_NOT_FOUND", post(t, portal, "imbot.v2.File.download", `{`+asGamma+`,"fileId":9002}`), "it went with its message")
}

func TestLinksOfAnApplicationEndWithItsToken(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	token, err := portal.OAuth("app").Tokens.Token()
	require.NoError(t, err)
	call := func(method, params string) string {
		status, body := postTo(t, portal, portal.OAuth("app").Endpoint+method+"?auth="+token.AccessToken, "application/json", params)
		return outcome(t, status, body)
	}
	require.Contains(t, call("imbot.v2.Bot.register", `{"fields":{"code":"g","properties":{"name":"G"}}}`), `"id":105`)
	require.Contains(t, call("imbot.v2.File.upload", `{"botId":105,"dialogId":"101","fields":{"name":"a","content":"YQ=="}}`), `"file":{"id":9001`)
	var got struct{ DownloadURL string }
	require.NoError(t, json.Unmarshal([]byte(call("imbot.v2.File.download", `{"botId":105,"fileId":9001}`)), &got))
	require.Contains(t, got.DownloadURL, "/rest/download.json?auth="+token.AccessToken+"&token=imbot%7C")
	resp, body := follow(t, portal.HTTPClient(), got.DownloadURL)
	require.Equal(t, "200 a", fmt.Sprint(resp.StatusCode, " ", body))
	portal.Application("app", "secret").ExpireTokens()
	resp, body = follow(t, portal.HTTPClient(), got.DownloadURL)
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	require.Contains(t, body, "expired_token")
}

func TestFilesOfPeople(t *testing.T) {
	t.Parallel()
	portal, box := newV2Portal(t), &mailbox{}
	require.NoError(t, portal.Idle(t.Context()))
	portal.Serve(eventURL, box)
	clear(t, portal)
	m, err := portal.SayFile(t.Context(), anna, imbot.UserDialog(gamma), "a.pdf", []byte("abc"), " hi ")
	require.NoError(t, err)
	require.Equal(t, "hi", m.Text)
	added := fetch(t, portal, "").Events[1]
	require.Contains(t, string(added.Data), `"params":{"FILE_ID":[9001]}`)
	_, err = portal.SayFile(t.Context(), anna, imbot.UserDialog(alpha), "b.pdf", []byte("abc"), "")
	require.NoError(t, err)
	old := box.take(t, portal)[1]
	for key, want := range map[string]string{"[FILES][9002][name]": "b.pdf", "[FILES][9002][size]": "3", "[FILES][9002][type]": "file", "[PARAMS][FILE_ID][0]": "9002", "[MESSAGE]": ""} {
		require.Equal(t, want, old.Get("data[PARAMS]"+key), key)
	}
	for _, bad := range []struct {
		user    imbot.ID
		dialog  imbot.DialogID
		name    string
		content string
	}{{anna, "105", "", "a"}, {anna, "105", "a", ""}, {gamma, "101", "a", "a"}, {boris, crewDialog, "a", "a"}} {
		_, err := portal.SayFile(t.Context(), bad.user, bad.dialog, bad.name, []byte(bad.content), "")
		require.Error(t, err, "%v", bad)
	}
	require.Contains(t, post(t, portal, "im.v2.File.upload", `{"dialogId":"105","fields":{"name":"c","content":"YQ=="}}`), `"dialogId":"105"`)
	require.Equal(t, []imbottest.QueuedEvent{{ID: 3, Name: "ONIMBOTV2JOINCHAT"}, {ID: 4, Name: "ONIMBOTV2MESSAGEADD"}}, portal.Queued(gamma)[2:], "the administrator has said it")
	require.Equal(t, "200 a", func() string {
		resp, body := follow(t, portal.HTTPClient(), link(t, portal, "im.v2.File.download", `{"dialogId":"105","fileId":9003}`))
		return fmt.Sprint(resp.StatusCode, " ", body)
	}())
}
