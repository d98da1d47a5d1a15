package imbotv2

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestFilesOfAPersonArrive(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, maxInline, maxInline + 1, 3 << 20} {
		content := bytes.Repeat([]byte("\x00\xffab/+"), size/6+1)[:size]
		d := &documented{}
		files := d.client(t).WithBot(5).UserFile
		_, err := files.Upload(t.Context(), UserFileUploadRequest{DialogID: "chat5", Name: "a.bin", Content: content})
		require.NoError(t, err)
		got, err := files.UploadFrom(t.Context(), iotest.HalfReader(bytes.NewReader(content)), UserFileUploadRequest{DialogID: "chat5", Name: "a.bin"})
		require.NoError(t, err)
		require.NotZero(t, got.MessageID)
		for _, body := range d.sent {
			var sent fileSent
			require.NoError(t, json.Unmarshal([]byte(body), &sent))
			require.True(t, bytes.Equal(content, sent.Fields.Content), size)
			sent.Fields.Content = nil
			want := fileSent{DialogID: "chat5"} // neither a bot nor its token
			want.Fields.Name = "a.bin"
			require.Equal(t, want, sent)
		}
	}
	d := &documented{}
	_, err := d.client(t).UserFile.UploadFrom(t.Context(), nil, UserFileUploadRequest{DialogID: "chat5", Name: "a.bin"})
	require.ErrorIs(t, err, imbot.ErrInvalid)
	_, err = d.client(t).UserFile.UploadFrom(t.Context(), &zeros{left: 200 << 20}, UserFileUploadRequest{DialogID: "chat5", Name: "a.bin"})
	require.ErrorIs(t, err, ErrFileTooLarge)
	require.ErrorContains(t, err, "im.v2.File.upload")
	require.Zero(t, d.count())
}

func TestFilesOfAPersonAreRead(t *testing.T) {
	t.Parallel()
	client, err := NewClient(imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/s3cr3t/"}, imbot.WithLimiter(nil),
		imbot.WithHTTPClient(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			body := "the file"
			if r.Method == http.MethodPost {
				body = `{"result":{"downloadUrl":"https://portal.bitrix24.com/rest/1/s3cr3t/download/?token=im%7CX"}}`
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}, nil
		})}))
	require.NoError(t, err)
	req := UserFileDownloadRequest{DialogID: "chat5", FileID: 7}
	content, err := client.UserFile.Read(t.Context(), req, 8)
	require.NoError(t, err)
	require.Equal(t, "the file", string(content))
	_, err = client.UserFile.Read(t.Context(), req, 7)
	require.ErrorIs(t, err, imbot.ErrTooLarge)
	_, err = client.UserFile.Read(t.Context(), UserFileDownloadRequest{FileID: 7}, 8)
	require.ErrorIs(t, err, imbot.ErrInvalid)
}
