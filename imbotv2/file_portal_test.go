package imbotv2_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
	"github.com/stretchr/testify/require"
)

// Files on the portal in memory, by bots of both generations.

const anna imbot.ID = 101

// onPortal has Anna and a bot whose dialog is open.
func onPortal(t *testing.T, opts ...imbot.Option) (*imbottest.Portal, *imbotv2.Client) {
	t.Helper()
	portal := imbottest.NewPortal()
	t.Cleanup(portal.Close)
	require.Equal(t, anna, portal.AddUser("Anna", "Ivanova"))
	opts = append([]imbot.Option{imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil)}, opts...)
	client, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), opts...)
	require.NoError(t, err)
	bot, err := imbotv2.EnsureBot(t.Context(), client, imbotv2.BotRegisterRequest{Code: "filer", Properties: imbotv2.BotProperties{Name: "Filer"}})
	require.NoError(t, err)
	require.NoError(t, portal.Open(t.Context(), anna, bot.ID))
	return portal, client.WithBot(bot.ID)
}

// numbers gives bytes that differ.
func numbers(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	return b
}

func TestFilesGoToThePortalAndBack(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]imbot.Option{"alone": nil, "in batches": {imbot.WithAutoBatch()}} {
		portal, client := onPortal(t, opts...)
		for _, size := range []int{1, 24 << 10, 24<<10 + 1, 8 << 20} {
			content := numbers(size)
			sent, err := client.File.UploadFrom(t.Context(), bytes.NewReader(content), imbotv2.FileUploadRequest{DialogID: imbot.UserDialog(anna), Name: "a.bin", Message: "here"})
			require.NoError(t, err, name)
			require.EqualValues(t, size, sent.File.Size)
			seen := portal.Messages(anna, imbot.UserDialog(client.BotID()))
			last := seen[len(seen)-1]
			require.Equal(t, sent.MessageID, last.ID)
			require.Equal(t, "here", last.Text)
			require.True(t, bytes.Equal(content, last.Files[0].Content), "%s: %d bytes", name, size)
			got, err := client.File.Read(t.Context(), sent.File.ID, int64(size))
			require.NoError(t, err)
			require.True(t, bytes.Equal(content, got), "%s: %d bytes", name, size)
			_, err = client.File.Read(t.Context(), sent.File.ID, int64(size)-1)
			require.ErrorIs(t, err, map[bool]error{true: imbot.ErrTooLarge, false: imbot.ErrInvalid}[size > 1])
		}
		require.NoError(t, portal.Err())
	}
}

// What is refused has left nothing behind: no message, no file, and no call of what the client sees itself.
func TestBadFilesLeaveNothing(t *testing.T) {
	t.Parallel()
	portal, client := onPortal(t)
	broken := errors.New("the disk is gone")
	for says, row := range map[string]struct {
		name string
		from io.Reader
		want error
	}{
		"a path in the name":        {"../a", strings.NewReader("a"), imbot.ErrInvalid},
		"zero bytes":                {"a", strings.NewReader(""), imbotv2.ErrFileEmpty},
		"104,857,600 bytes":         {"a", io.LimitReader(endless{}, 104_857_600), imbotv2.ErrFileTooLarge},
		"a reader that breaks off":  {"a", io.MultiReader(strings.NewReader("a"), iotest.ErrReader(broken)), broken},
		"an answer that is cut off": {"a", io.MultiReader(strings.NewReader("a"), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
	} {
		_, err := client.File.UploadFrom(t.Context(), row.from, imbotv2.FileUploadRequest{DialogID: imbot.UserDialog(anna), Name: row.name})
		require.ErrorIs(t, err, row.want, says)
	}
	require.Empty(t, portal.Calls("imbot.v2.File.upload"))
	_, err := client.File.UploadFrom(t.Context(), strings.NewReader("a"), imbotv2.FileUploadRequest{DialogID: imbot.ChatDialog(999), Name: "a"})
	require.ErrorIs(t, err, imbotv2.ErrAccessDenied)
	require.Empty(t, portal.Messages(anna, imbot.UserDialog(client.BotID())))
	_, err = client.File.Read(t.Context(), 9001, 1)
	require.ErrorIs(t, err, imbotv2.ErrFileNotFound)
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// A link that does not lead to the portal is not followed, whatever the portal says.
func TestLinksThatLeadElsewhere(t *testing.T) {
	t.Parallel()
	portal, client := onPortal(t)
	for says, to := range map[string]string{
		"to another host": "https://files.example/rest/1/x/download/?token=x", "to this machine": "http://127.0.0.1:80/rest/1/x/download/?token=x",
		"for browsers": "https://" + strings.Split(portal.Webhook("").URL, "/")[2] + "/bitrix/services/main/ajax.php?fileId=9001",
	} {
		portal.Fail("imbot.v2.File.download", imbottest.Fault{Status: http.StatusOK, Body: `{"result":{"downloadUrl":"` + to + `"}}`})
		var b bytes.Buffer
		n, err := client.File.DownloadTo(t.Context(), &b, 9001, 1<<20)
		require.ErrorIs(t, err, imbot.ErrInvalid, says)
		require.Zero(t, n)
		require.Zero(t, b.Len())
	}
	require.Empty(t, portal.Calls("download"))
}

// A download that the portal refuses, or that breaks off, says so; it is not repeated.
func TestDownloadsThatGoWrong(t *testing.T) {
	t.Parallel()
	portal, client := onPortal(t)
	sent, err := client.File.Upload(t.Context(), imbotv2.FileUploadRequest{DialogID: imbot.UserDialog(anna), Name: "a", Content: []byte("abcdef")})
	require.NoError(t, err)
	for _, row := range []struct {
		fault   imbottest.Fault
		written string
		want    error
	}{
		{imbottest.Fault{Cut: imbottest.AfterRun, Body: "abc"}, "abc", io.ErrUnexpectedEOF},
		{imbottest.Fault{Cut: imbottest.BeforeRun}, "", io.EOF},
		{imbottest.Fault{Status: http.StatusUnauthorized, Code: "expired_token"}, "", imbot.ErrorCode("expired_token")},
	} {
		portal.Fail("download", row.fault)
		var b bytes.Buffer
		_, err := client.File.DownloadTo(t.Context(), &b, sent.File.ID, 100)
		require.ErrorIs(t, err, row.want)
		require.Equal(t, row.written, b.String())
	}
	require.Len(t, portal.Calls("download"), 3)
}

// A bot of the first generation reads what a person sends, and answers with a file.
func TestABotOfTheFirstGenerationHasFiles(t *testing.T) {
	t.Parallel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "old", EventHandler: "https://bot.example.com/", Properties: imbot.BotProperties{Name: "Old"}})
	require.NoError(t, err)
	files := imbotv2.From(client.WithBot(bot)).File
	portal.Serve("https://bot.example.com/", &imbot.EventHandler{Verifier: portal.Webhook("a-long-random-client-id").Verifier(), OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
		content, err := files.Read(ctx, ev.Files()[0].ID, 1<<20)
		if err != nil {
			return err
		}
		_, err = files.Upload(ctx, imbotv2.FileUploadRequest{DialogID: ev.Dialog(), Name: ev.Files()[0].Name, Content: bytes.ToUpper(content)})
		return err
	}})
	person := portal.AddUser("Anna", "Ivanova")
	_, err = portal.SayFile(t.Context(), person, imbot.UserDialog(bot), "a.txt", []byte("abc"), "")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(portal.Messages(person, imbot.UserDialog(bot))) == 2 }, 10*time.Second, time.Millisecond)
	answer := portal.Messages(person, imbot.UserDialog(bot))[1].Files[0]
	require.Equal(t, "a (1).txt ABC", answer.Name+" "+string(answer.Content))
	require.NoError(t, portal.Err())
}

// Not parallel: it counts what the whole program allocates, the portal's own copy of the file too.
func TestMemoryOfFilesOnThePortal(t *testing.T) {
	const size = 8 << 20
	_, client := onPortal(t)
	content := numbers(size)
	req := imbotv2.FileUploadRequest{DialogID: imbot.UserDialog(anna), Name: "a.bin"}
	var file imbot.ID
	for _, row := range []struct {
		says   string
		portal float64 // what the portal keeps
		most   float64
		do     func() error
	}{
		{"Upload", 1, 0.1, func() error {
			whole := req
			whole.Content = content
			sent, err := client.File.Upload(t.Context(), whole)
			file = sent.File.ID
			return err
		}},
		{"UploadFrom", 1, 1.5, func() error {
			_, err := client.File.UploadFrom(t.Context(), bytes.NewReader(content), req)
			return err
		}},
		{"DownloadTo", 0, 0.1, func() error {
			_, err := client.File.DownloadTo(t.Context(), io.Discard, file, size)
			return err
		}},
	} {
		require.NoError(t, row.do()) // what is made once
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		require.NoError(t, row.do())
		runtime.ReadMemStats(&after)
		got := float64(after.TotalAlloc-before.TotalAlloc)/size - row.portal
		t.Logf("%s allocates %.3f of the file", row.says, got)
		require.LessOrEqual(t, got, row.most, row.says)
	}
}
