package imbot_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// filePortal takes files and gives the last one back; its first answer to an upload is 429.
func filePortal(t *testing.T) (url string, lengths *[]int64) {
	lengths = new([]int64)
	var stored string
	server := httptest.NewUnstartedServer(nil)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch body, _ := io.ReadAll(r.Body); r.URL.Path {
		case "/rest/1/s3cr3t/imbot.v2.File.upload":
			if *lengths = append(*lengths, r.ContentLength-int64(len(body))); len(*lengths) == 1 {
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			stored = string(body)
			_, _ = io.WriteString(w, `{"result":{"messageId":1}}`)
		case "/rest/1/s3cr3t/imbot.v2.File.download":
			_, _ = fmt.Fprintf(w, `{"result":{"downloadUrl":"http://%s/rest/1/s3cr3t/download/?token=x"}}`, r.Host)
		case "/rest/1/s3cr3t/download/":
			w.Header().Set("Content-Disposition", "attachment")
			_, _ = io.WriteString(w, stored)
		}
	})
	server.Start()
	t.Cleanup(server.Close)
	return server.URL + "/rest/1/s3cr3t/", lengths
}

// A bot of the first generation sends and reads files over the calls of the second.
func TestFilesOfABotOfTheFirstGeneration(t *testing.T) {
	t.Parallel()
	url, lengths := filePortal(t)
	for name, opts := range map[string][]imbot.Option{"alone": nil, "in batches": {imbot.WithAutoBatch()}} {
		*lengths = nil
		client, err := imbot.NewClient(imbot.Webhook{URL: url, ClientID: "token"}, append(opts, imbot.WithLimiter(nil), imbot.WithRetry(imbot.Retry{MaxAttempts: 2, MinBackoff: 1, MaxBackoff: 1}))...)
		require.NoError(t, err)
		files := imbotv2.From(client.WithBot(5)).File
		_, err = files.UploadFrom(t.Context(), strings.NewReader(strings.Repeat("a", 300_000)), imbotv2.FileUploadRequest{DialogID: "7", Name: "a.txt"})
		require.NoError(t, err, name)
		require.Equal(t, []int64{0, 0}, *lengths, "each attempt sends all of it, and says how much that is")
		got, err := files.Read(t.Context(), 1, 1<<20)
		require.NoError(t, err, name)
		require.Contains(t, string(got), `"botId":5`)
		require.Contains(t, string(got), `"content":"YWFh`)
		require.True(t, strings.HasSuffix(string(got), `YWFh"}}`), name)
	}
}

func TestDownloadWantsAWriterAndABound(t *testing.T) {
	t.Parallel()
	client, err := imbot.NewClient(imbot.Webhook{URL: "https://portal.example/rest/1/s3cr3t/"})
	require.NoError(t, err)
	_, err = client.Download(t.Context(), "https://portal.example/rest/1/s3cr3t/download/", nil, 1)
	require.ErrorIs(t, err, imbot.ErrInvalid)
	_, err = client.Download(t.Context(), "https://portal.example/rest/1/s3cr3t/download/", io.Discard, 0)
	require.ErrorIs(t, err, imbot.ErrInvalid)
	_, err = client.Download(t.Context(), "https://portal.example.evil/rest/1/s3cr3t/download/", io.Discard, 1)
	require.ErrorIs(t, err, imbot.ErrInvalid)
	require.NotContains(t, err.Error(), "s3cr3t")
}
