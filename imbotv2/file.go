package imbotv2

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imbot-go/imbot"
)

// FileService groups the methods that send and read files. They serve bots of both
// generations: for one of the first take [From], its client id is the token.
type FileService service

// FileUploadRequest are the parameters of imbot.v2.File.upload.
type FileUploadRequest struct {
	BotID    imbot.ID
	DialogID imbot.DialogID
	Name     string // with the extension and without a folder; the portal makes it unique in the chat
	Content  []byte // 1 to 104,857,599 bytes
	Message  string // the text beside the file; the portal drops the text 0
}

// maxFile is the most bytes of a file: the portal counts those of the Base64, and servers in front may
// take less (livecheck: body-limit).
const maxFile = 100<<20 - 1

// Method returns the name of the REST method.
func (FileUploadRequest) Method() string { return "imbot.v2.File.upload" }

// MarshalJSON writes the parameters as the portal takes them.
func (r FileUploadRequest) MarshalJSON() ([]byte, error) {
	type fields struct {
		Name    string `json:"name"`
		Message string `json:"message,omitempty"`
		Content []byte `json:"content"` // the last one, see upload
	}
	if r.Content == nil {
		r.Content = []byte{} // null otherwise
	}
	return json.Marshal(struct {
		BotID    imbot.ID       `json:"botId,omitempty"`
		DialogID imbot.DialogID `json:"dialogId"`
		Fields   fields         `json:"fields"`
	}{r.BotID, r.DialogID, fields{r.Name, r.Message, r.Content}})
}

// Check refuses what the portal would refuse after the whole file was sent, or lose.
func (r FileUploadRequest) Check() error { return r.check(len(r.Content)) }

func (r FileUploadRequest) check(size int) error {
	switch {
	case blank(r.Name), r.Name == "0":
		return refuse(ErrFileEmpty, "name is blank or 0")
	case !utf8.ValidString(r.Name):
		return refuse("", "name is not UTF-8")
	case strings.ContainsAny(r.Name, `/\`), r.Name == ".", r.Name == "..":
		return refuse("", "name is a path: give the name alone")
	case strings.ContainsFunc(r.Name, unicode.IsControl):
		return refuse("", "name has a control character")
	case size == 0:
		return refuse(ErrFileEmpty, "content is empty")
	case size > maxFile:
		return refuse(ErrFileTooLarge, "content has more than %d bytes", maxFile)
	case r.Message == "0":
		return refuse("", "message is 0, which the portal drops")
	}
	return cmp.Or(checkDialog(r.DialogID), checkMessage(r.Message))
}

// Decode reads the result of a call.
func (FileUploadRequest) Decode(data []byte) (FileUploadResult, error) {
	f, err := result(data)
	if err != nil {
		return FileUploadResult{}, err
	}
	r := FileUploadResult{File: f.sub("file").file(), MessageID: f.id("messageId"), ChatID: f.id("chatId"), DialogID: f.dialog("dialogId")}
	if r.MessageID == 0 {
		return FileUploadResult{}, errNoID
	}
	return r, nil
}

// FileUploadResult is the message that an upload has posted.
type FileUploadResult struct {
	File      File // the name may be another than the one sent; zero where the portal does not tell (livecheck: file-name-unique, file-object)
	MessageID imbot.ID
	ChatID    imbot.ID
	DialogID  imbot.DialogID // as the bot sees it
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (r *FileUploadResult) Format(f fmt.State, verb rune) {
	type fileUploadResult FileUploadResult
	printPlain(f, verb, (*fileUploadResult)(r))
}

// upload is a request whose content is written while it is sent.
type upload struct {
	FileUploadRequest
	content [][]byte
}

// maxInline is the content that goes as it is, so that the call may travel in a batch.
const maxInline = 24 << 10

// Check refuses what the request without its own content would.
func (u upload) Check() error { return u.check(u.size()) }

func (u upload) size() int {
	n := len(u.Content)
	for _, part := range u.content {
		n += len(part)
	}
	return n
}

// packed is how the upload travels.
func (u upload) packed() upload {
	if u.size() <= maxInline {
		u.Content, u.content = append(bytes.Join(u.content, nil), u.Content...), nil
	} else if u.Content != nil {
		u.Content, u.content = nil, [][]byte{u.Content}
	}
	return u
}

// Bulk implements the interface of package rest.
func (u upload) Bulk() (any, [][]byte) { return u.FileUploadRequest, u.content }

// FileDownloadRequest are the parameters of imbot.v2.File.download.
type FileDownloadRequest struct {
	BotID  imbot.ID `json:"botId,omitempty"`
	FileID imbot.ID `json:"fileId"` // of an event or an upload
}

// Method returns the name of the REST method.
func (FileDownloadRequest) Method() string { return "imbot.v2.File.download" }

// Repeatable is true: each call gives another link.
func (FileDownloadRequest) Repeatable() bool { return true }

// Check refuses a request without a file.
func (r FileDownloadRequest) Check() error {
	if r.FileID <= 0 {
		return refuse("", "fileId is missing")
	}
	return nil
}

// Decode reads the result of a call.
func (FileDownloadRequest) Decode(data []byte) (imbot.FileURL, error) {
	f, err := result(data)
	if err != nil {
		return "", err
	}
	link := f.fileURL("downloadUrl")
	if link == "" {
		return "", errors.New("the result holds no link")
	}
	return link, nil
}

// Upload posts a file in a message of the bot.
//
// The portal has a minute for all of it, and the name that it gives the file is in the result.
// A call that got no answer is not repeated, see [imbot.ErrOutcomeUnknown]: the file may be
// there. Content is sent as it is read, so it must not change before Upload returns.
//
// REST method: imbot.v2.File.upload. Errors: [ErrBotTokenNotSpecified], [ErrBotIDRequired], [ErrBotNotFound],
// [ErrBotOwnership], [ErrFileEmpty], [ErrFileInvalidContent], [ErrFileTooLarge], [ErrFileFolder],
// [ErrFileUploadFailed], [ErrFileSendFailed], [ErrChatNotFound], [ErrAccessDenied] (the bot may not write there).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/files/file-upload.html
func (s *FileService) Upload(ctx context.Context, req FileUploadRequest) (FileUploadResult, error) {
	return s.upload(ctx, upload{req, nil})
}

// UploadFrom is [FileService.Upload] of what r gives, in place of Content. It reads to the end
// before it sends anything, and no more than a file may have; an error of r is its own.
func (s *FileService) UploadFrom(ctx context.Context, r io.Reader, req FileUploadRequest) (FileUploadResult, error) {
	u, err := read(ctx, req.Method(), r, req)
	if err != nil {
		return FileUploadResult{}, err
	}
	return s.upload(ctx, u)
}

func (s *FileService) upload(ctx context.Context, u upload) (FileUploadResult, error) {
	u.BotID = (*service)(s).bot(u.BotID)
	r, err := imbot.Do(ctx, s.client.base, u.packed())
	if err == nil {
		s.client.kept.sent(place{u.BotID, u.DialogID})
	}
	return r, err
}

// read makes the upload of what r gives.
func read(ctx context.Context, method string, r io.Reader, req FileUploadRequest) (upload, error) {
	if r == nil || req.Content != nil {
		return upload{}, invalid("UploadFrom: needs a reader, and no Content beside it")
	}
	content := [][]byte{{0}}
	if req.check(1) == nil { // nothing is read for what will be refused
		var err error
		if content, err = readParts(ctx, io.LimitReader(r, maxFile+1)); err != nil {
			return upload{}, fmt.Errorf("imbotv2: %s: content: %w", method, err)
		}
	}
	return upload{req, content}, nil
}

// readParts reads to the end in pieces that stay where they are: a slice that grows would
// take the memory of several files.
func readParts(ctx context.Context, r io.Reader) (parts [][]byte, err error) {
	for size := 64 << 10; ; size = min(2*size, 1<<20) {
		part := make([]byte, size)
		n, err := fill(ctx, part, r)
		if n > 0 {
			parts = append(parts, part[:n])
		}
		switch err {
		case nil:
		case io.EOF:
			return parts, nil
		default:
			return nil, err
		}
	}
}

// fill reads until part is full. [io.ReadFull] says io.ErrUnexpectedEOF at the end of r, as the body of
// an answer does that was cut off: half a file would pass for a whole one.
func fill(ctx context.Context, part []byte, r io.Reader) (n int, err error) {
	for n < len(part) && err == nil {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		var read int
		read, err = r.Read(part[n:])
		n += read
	}
	return n, err
}

// Download asks for a link to a file, which [imbot.Client.Download] follows: use
// [FileService.DownloadTo] or [FileService.Read], which do both. The link is a secret, because
// it holds the credential of the client; no verb prints it.
//
// Repeatable. REST method: imbot.v2.File.download. Errors: [ErrBotTokenNotSpecified], [ErrBotIDRequired],
// [ErrBotNotFound], [ErrBotOwnership], [ErrFileAccess], [ErrFileNotFound], [ErrDiskNotInstalled].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/files/file-download.html
func (s *FileService) Download(ctx context.Context, req FileDownloadRequest) (imbot.FileURL, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// DownloadTo writes a file to w as it was uploaded (livecheck: file-down), at most so many bytes, and
// returns how many it wrote: a new link by [FileService.Download], then [imbot.Client.Download], whose
// errors it has, such as [imbot.ErrTooLarge]. w may have got a part when it fails.
func (s *FileService) DownloadTo(ctx context.Context, w io.Writer, file imbot.ID, most int64) (int64, error) {
	link, err := s.Download(ctx, FileDownloadRequest{FileID: file})
	if err != nil {
		return 0, err
	}
	return s.client.base.Download(ctx, link, w, most)
}

// Read returns a file of at most so many bytes, as [FileService.DownloadTo] does.
func (s *FileService) Read(ctx context.Context, file imbot.ID, most int64) ([]byte, error) {
	var b bytes.Buffer
	if _, err := s.DownloadTo(ctx, &b, file, most); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
