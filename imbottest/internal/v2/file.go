package v2

import (
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func fileMethods(name string) world.Method {
	switch name {
	case "imbot.v2.file.upload":
		return botUpload
	case "imbot.v2.file.download":
		return botDownload
	case "im.v2.file.upload":
		return personUpload
	case "im.v2.file.download":
		return personDownload
	}
	return nil
}

func botUpload(c *world.Call) (any, *world.Refusal) {
	b, dialog, fail := botInDialog(c, "fields")
	if fail != nil {
		return nil, fail
	}
	chat, fail := writable(c.World, b, dialog)
	if fail != nil {
		return nil, fail
	}
	return upload(c, chat, b.ID, func(m world.Message) *world.Message { return c.World.Store(chat, m) })
}

func personUpload(c *world.Call) (any, *world.Refusal) {
	w := c.World
	dialog, fail := dialogOf(c)
	switch {
	case fail != nil:
		return nil, fail
	case !c.Params.Given("FIELDS"):
		return nil, noValue("fields")
	}
	if _, private := dialog.UserID(); !private && w.Find(c.User, dialog) == nil {
		return nil, errNoChat
	}
	chat, err := w.ChatToWriteIn(c.User, dialog)
	if err != nil {
		return nil, errDenied
	}
	return documented(c)(upload(c, chat, c.User, func(m world.Message) *world.Message { return w.Say(chat, c.User, m) }))
}

// documented gives the errors of a person's files the codes of the documentation, where a portal has those.
func documented(c *world.Call) func(any, *world.Refusal) (any, *world.Refusal) {
	return func(result any, fail *world.Refusal) (any, *world.Refusal) {
		if fail == nil || !c.World.Differs(world.DoubtFileCodes) {
			return result, fail
		}
		other := *fail
		switch fail.Code {
		case "FILE_FOLDER_ERROR", "FILE_UPLOAD_FAILED", "FILE_SEND_FAILED":
			other.Code = strings.TrimPrefix(fail.Code, "FILE_")
		case "FILE_ACCESS_ERROR":
			other.Code = "ACCESS_DENIED"
		}
		return nil, &other
	}
}

// upload stores the file, then posts it in a message. When that is refused the file stays.
func upload(c *world.Call, chat *world.Chat, author imbot.ID, post func(world.Message) *world.Message) (any, *world.Refusal) {
	w, fields := c.World, c.Params.Array("FIELDS")
	name := fields.Text("name")
	content, fail := contentOf(fields)
	switch {
	case !php.Truthy(name):
		return nil, errFileEmpty
	case fail != nil:
		return nil, fail
	case w.NoDisk:
		return nil, world.BadRequest("FILE_UPLOAD_FAILED", "The file can't be stored")
	}
	if fail := vetoedAs(c, "FILE_FOLDER_ERROR", "The folder of the chat can't be opened"); fail != nil {
		return nil, fail
	}
	file := w.AddFile(chat, author, name, content)
	if w.Vetoed["imbot.v2.chat.message.send"] {
		return nil, world.BadRequest("FILE_SEND_FAILED", "The message with the file can't be sent")
	}
	text := world.TrimmedText(fields.Text("message"))
	if text == "0" {
		text = ""
	}
	m := post(world.Message{AuthorID: author, Text: text, Files: []*world.File{file}})
	answered := any(w.FileObject(file))
	if w.Differs(world.DoubtFileObject) {
		answered = nil
	}
	return php.Object("file", answered, "messageId", m.ID, "chatId", chat.ID, "dialogId", string(w.DialogOf(chat, author))), nil
}

var errFileEmpty = world.BadRequest("FILE_EMPTY", "File name or content is empty")

// contentOf reads the file of an upload, which the REST layer has decoded when it is large.
func contentOf(fields *php.Array) ([]byte, *world.Refusal) {
	text, isText := fields.Get("content").(string)
	large, isLarge := fields.Get("content").(php.Blob)
	size := len(text)
	if isLarge {
		size = large.Encoded
	}
	switch {
	case !isText && !isLarge || size == 0:
		return nil, errFileEmpty
	case size > world.MaxFileText:
		return nil, world.BadRequest("FILE_TOO_LARGE", "File too large")
	case large.Content != nil:
		return large.Content, nil
	}
	content, err := php.AppendBase64(nil, []byte(text))
	if err != nil || isLarge {
		return nil, world.BadRequest("FILE_INVALID_CONTENT", "File content is no Base64")
	}
	return content, nil
}

func botDownload(c *world.Call) (any, *world.Refusal) {
	b, fail := botOf(c, "fileId")
	if fail != nil {
		return nil, fail
	}
	return download(c, "imbot", b.ID)
}

func personDownload(c *world.Call) (any, *world.Refusal) {
	if !c.Params.Given("FILEID") { // dialogId is documented, but not read
		return nil, noValue("fileId")
	}
	return documented(c)(download(c, "im", c.User))
}

func download(c *world.Call, scope string, reader imbot.ID) (any, *world.Refusal) {
	w, file := c.World, c.World.Files[c.Params.ID("FILEID")]
	switch {
	case w.NoDisk:
		return nil, world.BadRequest("DISK_NOT_INSTALLED", "The module disk is not installed")
	case file == nil:
		return nil, world.BadRequest("FILE_NOT_FOUND", "File not found")
	case file.Chat.Member(reader) == nil && file.Chat.Kind != world.KindOpen:
		return nil, world.BadRequest("FILE_ACCESS_ERROR", "Access to the file is denied")
	}
	return php.Object("downloadUrl", c.FileLink(scope, file.ID)), nil
}
