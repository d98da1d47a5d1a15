package imbotv2

import (
	"bytes"
	"cmp"
	"context"
	"io"

	"github.com/imbot-go/imbot"
)

// UserFileService groups the methods that send and read files as the person whose webhook or
// authorization it is. They need the scope im and no bot.
type UserFileService service

// UserFileUploadRequest are the parameters of im.v2.File.upload.
type UserFileUploadRequest struct {
	DialogID imbot.DialogID
	Name     string // with the extension and without a folder; the portal makes it unique in the chat
	Content  []byte // 1 to 104,857,599 bytes
	Message  string // the text beside the file; the portal drops the text 0
}

// Method returns the name of the REST method.
func (UserFileUploadRequest) Method() string { return "im.v2.File.upload" }

// MarshalJSON writes the parameters as the portal takes them.
func (r UserFileUploadRequest) MarshalJSON() ([]byte, error) { return r.ofBot().MarshalJSON() }

// Check refuses what the portal would refuse after the whole file was sent, or lose.
func (r UserFileUploadRequest) Check() error { return r.ofBot().Check() }

// Decode reads the result of a call.
func (r UserFileUploadRequest) Decode(data []byte) (FileUploadResult, error) {
	return r.ofBot().Decode(data)
}

// ofBot is the same upload without a bot, whose parameters are the same.
func (r UserFileUploadRequest) ofBot() FileUploadRequest {
	return FileUploadRequest{DialogID: r.DialogID, Name: r.Name, Content: r.Content, Message: r.Message}
}

// userUpload is a request whose content is written while it is sent.
type userUpload struct{ upload }

// Method returns the name of the REST method.
func (userUpload) Method() string { return UserFileUploadRequest{}.Method() }

// UserFileDownloadRequest are the parameters of im.v2.File.download.
type UserFileDownloadRequest struct {
	DialogID imbot.DialogID `json:"dialogId"` // where the file is
	FileID   imbot.ID       `json:"fileId"`   // of an event or an upload
}

// Method returns the name of the REST method.
func (UserFileDownloadRequest) Method() string { return "im.v2.File.download" }

// Repeatable is true: each call gives another link.
func (UserFileDownloadRequest) Repeatable() bool { return true }

// Check refuses a request without a file or a dialog.
func (r UserFileDownloadRequest) Check() error {
	return cmp.Or(FileDownloadRequest{FileID: r.FileID}.Check(), checkDialog(r.DialogID))
}

// Decode reads the result of a call.
func (UserFileDownloadRequest) Decode(data []byte) (imbot.FileURL, error) {
	return FileDownloadRequest{}.Decode(data)
}

// Upload posts a file in a message of the person. What [FileService.Upload] says holds here, too.
//
// REST method: im.v2.File.upload. Errors: [ErrFileEmpty], [ErrFileInvalidContent], [ErrFileTooLarge],
// [ErrChatNotFound], [ErrAccessDenied] (the person may not write there); [ErrFolder], [ErrUploadFailed],
// [ErrSendFailed], for which portals have [ErrFileFolder], [ErrFileUploadFailed], [ErrFileSendFailed], too.
// Page: api-reference/chat-bots/chat-bots-v2/im.v2/files/file-upload.html
func (s *UserFileService) Upload(ctx context.Context, req UserFileUploadRequest) (FileUploadResult, error) {
	return imbot.Do(ctx, s.client.base, userUpload{upload{req.ofBot(), nil}.packed()})
}

// UploadFrom is [UserFileService.Upload] of what r gives, in place of Content; see
// [FileService.UploadFrom].
func (s *UserFileService) UploadFrom(ctx context.Context, r io.Reader, req UserFileUploadRequest) (FileUploadResult, error) {
	u, err := read(ctx, req.Method(), r, req.ofBot())
	if err != nil {
		return FileUploadResult{}, err
	}
	return imbot.Do(ctx, s.client.base, userUpload{u.packed()})
}

// Download asks for a link to a file, which [imbot.Client.Download] follows: use
// [UserFileService.DownloadTo] or [UserFileService.Read], which do both. The link is a secret,
// because it holds the credential of the client; no verb prints it.
//
// Repeatable. REST method: im.v2.File.download. Errors: [ErrFileNotFound], [ErrAccessDenied], for which
// portals have [ErrFileAccess], too, [ErrDiskNotInstalled].
// Page: api-reference/chat-bots/chat-bots-v2/im.v2/files/file-download.html
func (s *UserFileService) Download(ctx context.Context, req UserFileDownloadRequest) (imbot.FileURL, error) {
	return imbot.Do(ctx, s.client.base, req)
}

// DownloadTo writes a file to w, at most so many bytes, and returns how many it wrote, as
// [FileService.DownloadTo] does.
func (s *UserFileService) DownloadTo(ctx context.Context, w io.Writer, req UserFileDownloadRequest, most int64) (int64, error) {
	link, err := s.Download(ctx, req)
	if err != nil {
		return 0, err
	}
	return s.client.base.Download(ctx, link, w, most)
}

// Read returns a file of at most so many bytes.
func (s *UserFileService) Read(ctx context.Context, req UserFileDownloadRequest, most int64) ([]byte, error) {
	var b bytes.Buffer
	if _, err := s.DownloadTo(ctx, &b, req, most); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
