package imbottest_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const urlencoded = "application/x-www-form-urlencoded"

// multipartOf is a body with these names and values, and its media type.
func multipartOf(t *testing.T, pairs ...string) (contentType, body string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for i := 0; i < len(pairs); i += 2 {
		require.NoError(t, w.WriteField(pairs[i], pairs[i+1]))
	}
	require.NoError(t, w.Close())
	return w.FormDataContentType(), out.String()
}

func TestMultipartIsReadLikeAForm(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	call := func(method, contentType, body string) string {
		status, answer := postTo(t, portal, portal.Webhook("").URL+method, contentType, body)
		return outcome(t, status, answer)
	}
	contentType, body := multipartOf(t, "CLIENT_ID", "one", "users[0]", "101", "users[]", "102", "TITLE", "a+b%26&c=ж\r\nd", "TITLE.x", "x")
	require.Equal(t, "1002", call("imbot.chat.add", contentType, body))
	require.JSONEq(t, `{"users":["101","102"],"TITLE":"a+b%26&c=ж\r\nd","TITLE_x":"x"}`, string(portal.Calls("imbot.chat.add")[1].Params))

	for _, row := range []struct{ says, contentType, body, want string }{
		{"a file is not a field", "multipart/form-data; boundary=B",
			"--B\r\nContent-Disposition: form-data; name=\"NAME\"; filename=\"a.txt\"\r\n\r\nprofile\r\n--B--\r\n", "false"},
		{"nor is an empty choice of a file", "multipart/form-data; boundary=B",
			"--B\r\nContent-Disposition: form-data; name=\"NAME\"; filename=\"\"\r\n\r\nprofile\r\n--B--\r\n", "false"},
		{"what came before the body was torn counts", "Multipart/Form-Data; Boundary=B",
			"--B\r\nContent-Disposition: form-data; name=\"NAME\"\r\n\r\nprofile\r\n--B\r\nContent-Dispo", "true"},
		{"a body without its boundary is empty", "multipart/form-data", "--B\r\nContent-Disposition: form-data; name=\"NAME\"\r\n\r\nprofile\r\n--B--\r\n", "false"},
		{"a body with another boundary, too", "multipart/form-data; boundary=C", "--B\r\nContent-Disposition: form-data; name=\"NAME\"\r\n\r\nprofile\r\n--B--\r\n", "false"},
	} {
		require.Equal(t, `{"isAvailable":`+row.want+`,"isExisting":`+row.want+`}`, call("method.get", row.contentType, row.body), row.says)
	}
}

func TestFormsKeepTheFirstThousandVariables(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	hook := portal.Webhook("").URL + "method.get"
	known := func(status int, body []byte) bool {
		return outcome(t, status, body) == `{"isAvailable":true,"isExisting":true}`
	}
	pad := func(n int, name string) string {
		var out strings.Builder
		for i := range n {
			fmt.Fprintf(&out, name+"=x&", i)
		}
		return out.String()
	}
	for _, row := range []struct {
		says   string
		before string
		want   bool
	}{
		{"the thousandth is read", pad(999, "v%d"), true},
		{"the next one is not", pad(1000, "v%d"), false},
		{"members of one list count each", pad(1000, "v[%d][x]"), false},
		{"a name that is repeated counts again", strings.Repeat("v=x&", 1000), false},
		{"nothing between two signs does not count", strings.Repeat("&", 5000), true},
	} {
		t.Run(row.says, func(t *testing.T) {
			form := row.before + "NAME=profile"
			require.Equal(t, row.want, known(postTo(t, portal, hook, urlencoded, form)), "a form")
			require.Equal(t, row.want, known(postTo(t, portal, hook, "text/plain", form)), "anything else counts as a form")
			require.Equal(t, row.want, known(postTo(t, portal, hook+"?"+form, "application/json", "{}")), "a query")
			command := post(t, portal, "batch", `{"cmd":["method.get?`+form+`"]}`)
			require.Equal(t, row.want, strings.Contains(command, `"isExisting":true`), "a command of a batch")
			if strings.Contains(row.before, "=") {
				var pairs []string
				for pair := range strings.SplitSeq(form, "&") {
					name, value, _ := strings.Cut(pair, "=")
					pairs = append(pairs, name, value)
				}
				contentType, body := multipartOf(t, pairs...)
				require.Equal(t, row.want, known(postTo(t, portal, hook, contentType, body)), "multipart/form-data")
			}
		})
	}
	require.True(t, known(postTo(t, portal, hook, "application/json", `{`+strings.Repeat(`"v":1,`, 5000)+`"NAME":"profile"}`)), "JSON has no such limit")
}

func TestNumbersOfJSON(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	for _, row := range []struct{ says, params, want string }{
		{"a float without a fraction is an id", `{` + asAlpha + `,"CHAT_ID":1001.0}`, "[103,101]"},
		{"so is one with an exponent", `{` + asAlpha + `,"CHAT_ID":1.001e3}`, "[103,101]"},
		{"a fraction is cut off", `{` + asAlpha + `,"CHAT_ID":1001.9}`, "[103,101]"},
		{"as a text it is none", `{` + asAlpha + `,"CHAT_ID":"1001.0"}`, "400 CHAT_ID_EMPTY"},
		{"the bot is found, too", `{"CLIENT_ID":"one","BOT_ID":103.0,"CHAT_ID":1001}`, "[103,101]"},
	} {
		require.Equal(t, row.want, post(t, portal, "imbot.chat.user.list", row.params), row.says)
	}
	send := func(text string) string {
		require.Equal(t, "true", post(t, portal, "imbot.chat.updateTitle", `{`+inTeam+`,"TITLE":`+text+`}`))
		return portal.Dialogs(anna)[0].Title
	}
	for sent, want := range map[string]string{ // from PHP 8.2
		"2.0": "2", "2e0": "2", "1.50": "1.5", "0.1": "0.1", "1e13": "10000000000000", "1e14": "1.0E+14", "1e15": "1.0E+15", "1e17": "1.0E+17",
		"123456789012345678901234": "1.2345678901235E+23", "1e-4": "0.0001", "1e-5": "1.0E-5", "-2.0": "-2", "1.5e300": "1.5E+300",
		"9223372036854775807": "9223372036854775807", "9223372036854775808": "9.2233720368548E+18", "-0.0": "-0",
	} {
		require.Equal(t, want, send(sent), sent)
	}
}
