package imbottest

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/stretchr/testify/require"
)

// FuzzContent compares bodies whose contents are taken out with the same bodies read at once. A
// content is long from 16 bytes on here, so that borders of the buffer lie everywhere.
func FuzzContent(f *testing.F) {
	text := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("\xff\xfe\x00a"), 30))
	for _, seed := range []string{
		`{"fields":{"name":"a","content":"` + text + `"}}`, `{"content" : "` + strings.ReplaceAll(text, "/", `\/`) + `","b":[1,"content"]}`,
		`{"content":"` + text + `\"","content":"` + text + `-"}`, `{"a\"content":"` + text + `"}`, `["content","` + text + `"]`,
		`{"content":"` + text + `\\"}`, `{"content":"` + text, `{"content":{"content":"x"}}`, `"content":"` + text + `"`, `{"content":"` + text + `\`, `{"content":"00\/0000\/0000\/\/000\\/0\/\/000"}`, `{"a":"\\","content":"` + strings.TrimRight(text, "=") + `"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		want, wrong := php.ParseJSON([]byte(body))
		got, err := sift(iotest.OneByteReader(strings.NewReader(body)), -1, 16)
		require.NoError(t, err)
		if wrong != nil {
			return // what is malformed inside of a content is no Base64, and else it is nothing
		}
		requireSame(t, want, got)
	})
}

func requireSame(t *testing.T, want, got any) {
	t.Helper()
	blob, taken := got.(php.Blob)
	a, isArray := want.(*php.Array)
	switch {
	case taken:
		text, isText := want.(string)
		require.True(t, isText)
		content, err := php.AppendBase64([]byte{}, []byte(text))
		if err != nil || strings.ContainsAny(text, "\r\n") { // a line break is an escape, which is no Base64 here
			content = nil
		}
		require.Equal(t, content, blob.Content)
	case isArray:
		b, ok := got.(*php.Array)
		require.True(t, ok)
		require.Equal(t, a.Keys, b.Keys)
		for _, k := range a.Keys {
			requireSame(t, a.Values[k], b.Values[k])
		}
	default:
		require.Equal(t, want, got)
	}
}
