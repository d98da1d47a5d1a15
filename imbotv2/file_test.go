package imbotv2

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// fileSent is what the portal reads of an upload.
type fileSent struct {
	BotToken string
	BotID    int
	DialogID string
	Fields   struct {
		Name, Message string
		Content       []byte
	}
}

func TestFilesOfEverySizeArrive(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 3, maxInline, maxInline + 1, 64 << 10, 100_001, 3 << 20} {
		content := bytes.Repeat([]byte("\x00\xffab/+"), size/6+1)[:size]
		req := FileUploadRequest{DialogID: "chat5", Name: "a.bin", Message: "b"}
		for name, send := range map[string]func(c *Client) (FileUploadResult, error){
			"Upload": func(c *Client) (FileUploadResult, error) {
				req.Content = content
				return c.File.Upload(t.Context(), req)
			},
			"UploadFrom": func(c *Client) (FileUploadResult, error) {
				req.Content = nil
				return c.File.UploadFrom(t.Context(), iotest.HalfReader(bytes.NewReader(content)), req)
			},
			"UploadFrom of a reader that ends with its last bytes": func(c *Client) (FileUploadResult, error) {
				req.Content = nil
				return c.File.UploadFrom(t.Context(), iotest.DataErrReader(bytes.NewReader(content)), req)
			},
		} {
			d := &documented{}
			got, err := send(d.client(t).WithBot(5))
			require.NoError(t, err)
			require.Equal(t, imbot.ID(123), got.MessageID)
			require.Equal(t, "report.pdf", got.File.Name)
			var sent fileSent
			require.NoError(t, json.Unmarshal([]byte(d.sent[0]), &sent), "%s %d", name, size)
			require.True(t, bytes.Equal(content, sent.Fields.Content), "%s %d", name, size)
			sent.Fields.Content = nil
			want := fileSent{BotToken: "token", BotID: 5, DialogID: "chat5"}
			want.Fields.Name, want.Fields.Message = "a.bin", "b"
			require.Equal(t, want, sent)
		}
	}
}

// zeros gives bytes, and counts them.
type zeros struct{ left, read int }

func (z *zeros) Read(b []byte) (int, error) {
	n := min(len(b), z.left)
	z.left, z.read = z.left-n, z.read+n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func TestUploadsThatAreRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	for name, row := range map[string]struct {
		file string
		from io.Reader
		want error
		most int // bytes that are read
	}{
		"zero bytes":               {"a", &zeros{}, ErrFileEmpty, 0},
		"100 MiB":                  {"a", &zeros{left: 200 << 20}, ErrFileTooLarge, 100 << 20},
		"no name":                  {"", &zeros{left: 1}, ErrFileEmpty, 0},
		"a name of 0":              {"0", &zeros{left: 1}, ErrFileEmpty, 0},
		"a path":                   {"/etc/passwd", &zeros{left: 1}, imbot.ErrInvalid, 0},
		"a path of Windows":        {`C:\a`, &zeros{left: 1}, imbot.ErrInvalid, 0},
		"the folder above":         {"..", &zeros{left: 1}, imbot.ErrInvalid, 0},
		"a NUL":                    {"a.exe\x00.txt", &zeros{left: 1}, imbot.ErrInvalid, 0},
		"a line of a header":       {"a\r\nX: b", &zeros{left: 1}, imbot.ErrInvalid, 0},
		"one that has nothing":     {"a", iotest.ErrReader(broken), broken, 0},
		"a reader that breaks off": {"a", io.MultiReader(&zeros{left: 1 << 20}, iotest.ErrReader(broken)), broken, 0},
		"no reader":                {"a", nil, imbot.ErrInvalid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := &documented{}
			_, err := d.client(t).WithBot(5).File.UploadFrom(t.Context(), row.from, FileUploadRequest{DialogID: "chat5", Name: row.file})
			require.ErrorIs(t, err, row.want)
			require.Zero(t, d.count())
			if z, ok := row.from.(*zeros); ok {
				require.Equal(t, row.most, z.read)
			}
		})
	}
	d := &documented{}
	for _, content := range [][]byte{nil, make([]byte, maxFile+1)} {
		_, err := d.client(t).WithBot(5).File.Upload(t.Context(), FileUploadRequest{DialogID: "chat5", Name: "a", Content: content})
		require.ErrorIs(t, err, imbot.ErrInvalid)
	}
	_, err := d.client(t).WithBot(5).File.Download(t.Context(), FileDownloadRequest{})
	require.ErrorIs(t, err, imbot.ErrInvalid)
	require.Zero(t, d.count())
	require.NoError(t, FileUploadRequest{DialogID: "chat5", Name: "a"}.check(104_857_599), "as much as a file may have")
}

func TestAnUploadWithoutAnAnswerIsNotRepeated(t *testing.T) {
	t.Parallel()
	calls := 0
	c, err := NewClient(imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/s3cr3t/", BotToken: "token"}, imbot.WithLimiter(nil),
		imbot.WithHTTPClient(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			calls++
			_, _ = io.Copy(io.Discard, r.Body)
			return nil, io.ErrUnexpectedEOF
		})}))
	require.NoError(t, err)
	_, err = c.WithBot(5).File.Upload(t.Context(), FileUploadRequest{DialogID: "chat5", Name: "a", Content: make([]byte, 1<<20)})
	require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
	require.Equal(t, 1, calls)
}

// After Upload has returned nobody reads its content any more.
func TestContentIsTheCallersAfterTheCall(t *testing.T) {
	t.Parallel()
	var late io.ReadCloser
	var length int64
	c, err := NewClient(imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/s3cr3t/", BotToken: "token"}, imbot.WithLimiter(nil),
		imbot.WithHTTPClient(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			length = r.ContentLength
			late, _ = r.GetBody()
			return nil, context.Canceled
		})}))
	require.NoError(t, err)
	content := make([]byte, 3<<20)
	_, err = c.WithBot(5).File.Upload(t.Context(), FileUploadRequest{DialogID: "chat5", Name: "a", Content: content})
	require.Error(t, err)
	require.Greater(t, length, int64(base64.StdEncoding.EncodedLen(len(content))))
	_, err = io.Copy(io.Discard, late)
	require.ErrorContains(t, err, "the attempt is over")
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const secretLink = "https://portal.bitrix24.com/rest/1/s3cr3t/download/?token=imbot%7Csigned"

// files answers File.download with a link and the link with a file.
func files(t testing.TB, link string, answer func(r *http.Request) (*http.Response, error)) *Client {
	t.Helper()
	c, err := NewClient(imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/s3cr3t/", BotToken: "token"}, imbot.WithLimiter(nil),
		imbot.WithHTTPClient(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "imbot.v2.File.download") {
				body, _ := json.Marshal(map[string]any{"result": map[string]any{"downloadUrl": link}})
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: -1}, nil
			}
			return answer(r)
		})}))
	require.NoError(t, err)
	return c.WithBot(5)
}

func response(status int, header http.Header, body io.Reader, length int64) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(body), ContentLength: length}, nil
}

func TestFilesAreRead(t *testing.T) {
	t.Parallel()
	c := files(t, secretLink, func(r *http.Request) (*http.Response, error) {
		require.Equal(t, secretLink, r.URL.String())
		require.Equal(t, http.MethodGet, r.Method)
		require.Empty(t, r.Header.Get("Referer"))
		return response(200, http.Header{"Content-Disposition": {"attachment"}, "Content-Type": {"text/html"}}, strings.NewReader("hello"), -1)
	})
	got, err := c.File.Read(t.Context(), 7, 5)
	require.NoError(t, err)
	require.Equal(t, "hello", string(got))
	var b strings.Builder
	n, err := c.File.DownloadTo(t.Context(), &b, 7, 4)
	require.ErrorIs(t, err, imbot.ErrTooLarge)
	require.Equal(t, int64(4), n)
	require.Equal(t, "hell", b.String())
	link, err := c.File.Download(t.Context(), FileDownloadRequest{FileID: 7})
	require.NoError(t, err)
	require.Equal(t, secretLink, string(link))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		require.NotContains(t, fmt.Sprintf(verb, link), "s3cr3t")
		require.NotContains(t, fmt.Sprintf(verb, link), "signed")
	}
}

func TestDownloadsThatFail(t *testing.T) {
	t.Parallel()
	to := func(location string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "portal.bitrix24.com" {
				return nil, errors.New("sent to " + r.URL.Host)
			}
			return response(302, http.Header{"Location": {location}}, strings.NewReader(""), 0)
		}
	}
	never := func(*http.Request) (*http.Response, error) { return nil, errors.New("was sent") }
	for name, row := range map[string]struct {
		link   string
		answer func(*http.Request) (*http.Response, error)
		is     error
		says   string
	}{
		"a link to another host":            {"https://evil.example/rest/1/s3cr3t/download/", never, imbot.ErrInvalid, "evil.example"},
		"a link to this machine":            {"http://127.0.0.1/rest/1/s3cr3t/download/", never, imbot.ErrInvalid, "127.0.0.1"},
		"a link without encryption":         {"http://portal.bitrix24.com/rest/1/s3cr3t/download/", never, imbot.ErrInvalid, "https"},
		"a link with a name and password":   {"https://a:b@portal.bitrix24.com/rest/1/s3cr3t/", never, imbot.ErrInvalid, "https"},
		"a link for browsers":               {"https://portal.bitrix24.com/bitrix/services/main/ajax.php?a=s3cr3t", never, imbot.ErrInvalid, "browsers"},
		"no link":                           {"s3cr3t", never, imbot.ErrInvalid, "no URL"},
		"a redirect to this machine":        {secretLink, to("https://127.0.0.1/"), nil, "127.0.0.1"},
		"a redirect to a short form of it":  {secretLink, to("https://127.1/"), nil, "127.1"},
		"a redirect to its name":            {secretLink, to("https://localhost./"), nil, "localhost"},
		"a redirect to a private address":   {secretLink, to("https://10.0.0.1/"), nil, "10.0.0.1"},
		"a redirect to the host's own data": {secretLink, to("https://169.254.169.254/"), nil, "169.254"},
		"a redirect to private IPv6":        {secretLink, to("https://[fd00::1]/"), nil, "fd00"},
		"a redirect without encryption":     {secretLink, to("http://files.example/"), nil, "files.example"},
		"a redirect that takes the secret":  {secretLink, to("https://files.example/?back=s3cr3t"), nil, "files.example"},
		"one that takes it escaped":         {secretLink, to("https://files.example/?back=%25733cr3t"), nil, "files.example"},
		"a redirect to nowhere":             {secretLink, to(""), nil, "without a target"},
		"a redirect after a redirect":       {secretLink, to(secretLink), nil, "second redirect"},
		"an error of the portal": {secretLink, func(*http.Request) (*http.Response, error) {
			return response(401, http.Header{}, strings.NewReader(`{"error":"expired_token","error_description":"s3cr3t"}`), -1)
		}, imbot.ErrorCode("expired_token"), ""},
		"a page": {secretLink, func(*http.Request) (*http.Response, error) {
			return response(200, http.Header{"Content-Type": {"text/html"}}, strings.NewReader("login"), -1)
		}, nil, "no file"},
		"a file that says it is too long": {secretLink, func(*http.Request) (*http.Response, error) {
			return response(200, http.Header{}, strings.NewReader(""), 1000)
		}, imbot.ErrTooLarge, ""},
		"a file that is longer than it says": {secretLink, func(*http.Request) (*http.Response, error) {
			return response(200, http.Header{}, &zeros{left: 1000}, -1)
		}, imbot.ErrTooLarge, ""},
		"a file that breaks off": {secretLink, func(*http.Request) (*http.Response, error) {
			return response(200, http.Header{}, io.MultiReader(strings.NewReader("a"), iotest.ErrReader(io.ErrUnexpectedEOF)), -1)
		}, io.ErrUnexpectedEOF, "broke off"},
		"a file that is shorter than it says": {secretLink, func(*http.Request) (*http.Response, error) {
			return response(200, http.Header{}, strings.NewReader("half"), 8)
		}, io.ErrUnexpectedEOF, "broke off"},
		"a redirect to a shared address":       {secretLink, to("https://100.100.100.200/"), nil, "100.100"},
		"a transport whose error has the link": {secretLink, func(r *http.Request) (*http.Response, error) { return nil, errors.New("cannot GET " + r.URL.String()) }, nil, "no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := files(t, row.link, row.answer).File.Read(t.Context(), 7, 100)
			require.Error(t, err)
			if row.is != nil {
				require.ErrorIs(t, err, row.is)
			}
			text := fmt.Sprintf("%v %+v %#v", err, err, err)
			require.Contains(t, text, row.says)
			for _, hidden := range []string{"s3cr3t", "signed", "was sent", "sent to"} {
				require.NotContains(t, text, hidden)
			}
		})
	}
}

func TestAFileMayLieElsewhere(t *testing.T) {
	t.Parallel()
	c := files(t, secretLink, func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "portal.bitrix24.com" {
			return response(302, http.Header{"Location": {"https://files.example/a?sig=1"}}, strings.NewReader(""), 0)
		}
		require.Equal(t, "https://files.example/a?sig=1", r.URL.String())
		require.NotContains(t, fmt.Sprint(r.Header), "s3cr3t")
		return response(200, http.Header{}, strings.NewReader("hello"), 5)
	})
	got, err := c.File.Read(t.Context(), 7, 5)
	require.NoError(t, err)
	require.Equal(t, "hello", string(got))
}

// Not parallel: it counts what the whole program allocates.
func TestMemoryOfFiles(t *testing.T) {
	const size = 8 << 20
	allocated := func(f func()) float64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc-before.TotalAlloc) / size
	}
	up := files(t, secretLink, func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		return response(200, http.Header{}, strings.NewReader(`{"result":{"messageId":1}}`), -1)
	})
	down := files(t, secretLink, func(*http.Request) (*http.Response, error) {
		return response(200, http.Header{}, &zeros{left: size}, size)
	})
	req := FileUploadRequest{DialogID: "chat5", Name: "a"}
	whole := make([]byte, size)
	for name, row := range map[string]struct {
		most float64
		do   func() error
	}{
		"Upload":     {0.1, func() error { r := req; r.Content = whole; _, err := up.File.Upload(t.Context(), r); return err }},
		"UploadFrom": {1.5, func() error { _, err := up.File.UploadFrom(t.Context(), &zeros{left: size}, req); return err }},
		"DownloadTo": {0.1, func() error { _, err := down.File.DownloadTo(t.Context(), io.Discard, 7, size); return err }},
	} {
		require.NoError(t, row.do()) // what is made once
		got := allocated(func() { require.NoError(t, row.do()) })
		t.Logf("%s allocates %.3f of the file", name, got)
		require.LessOrEqual(t, got, row.most, name)
	}
}

// A body that trickles is read no longer than the context lasts.
func TestUploadFromObeysItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		begun := time.Now()
		_, err := From(nil).File.UploadFrom(ctx, trickle{}, FileUploadRequest{DialogID: "chat5", Name: "a"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(begun), 2*time.Second)
	})
}

// trickle gives a byte each tenth of a second, without an end.
type trickle struct{}

func (trickle) Read([]byte) (int, error) {
	time.Sleep(100 * time.Millisecond)
	return 1, nil
}
