package imbottest

import (
	"context"
	"fmt"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// A File is a file of a message.
type File struct {
	ID      imbot.ID // by which bots read it, with imbotv2.FileService.Read
	Name    string   // the portal made it unique in the chat
	Type    string   // "image", "video", "audio" or "file"
	Width   int      // of a picture, where it is known
	Height  int
	Content []byte // not to be changed
}

func publicFile(f *world.File) File {
	return File{ID: f.ID, Name: f.Name, Type: f.Kind(), Width: f.Width, Height: f.Height, Content: f.Content}
}

// SayFile does what [Portal.Say] does, with a file beside the text, which may be empty. A bot
// gets the id of the file, one of the first generation what there is to know about it, and no
// bot gets the content; it asks for that with imbot.v2.File.download. The links that this gives
// work with [Portal.HTTPClient] until the token or webhook ends, and hold that.
func (p *Portal) SayFile(ctx context.Context, user imbot.ID, dialog imbot.DialogID, name string, content []byte, text string) (Message, error) {
	if err := ctx.Err(); err != nil {
		return Message{}, err
	}
	if name == "" || name == "0" || len(content) == 0 {
		return Message{}, fmt.Errorf("imbottest: a file needs a name and content")
	}
	p.w.Lock()
	defer p.w.Unlock()
	if err := p.w.CheckPerson(user); err != nil {
		return Message{}, err
	}
	chat, err := p.w.ChatToWriteIn(user, dialog)
	if err != nil {
		return Message{}, err
	}
	file := p.w.AddFile(chat, user, name, append([]byte(nil), content...))
	return public(p.w.Say(chat, user, world.Message{Text: world.TrimmedText(text), Files: []*world.File{file}})), nil
}

// File returns a file of a message that the person sees. ok is false when there is none.
func (p *Portal) File(user, message, file imbot.ID) (found File, ok bool) {
	p.w.Lock()
	defer p.w.Unlock()
	m, err := p.w.VisibleMessage(user, message)
	if err != nil {
		return found, false
	}
	for _, f := range m.Files {
		if f.ID == file {
			return publicFile(f), true
		}
	}
	return found, false
}

// RemoveDrive uninstalls the drive: uploads fail with FILE_UPLOAD_FAILED from then on, downloads
// with DISK_NOT_INSTALLED.
func (p *Portal) RemoveDrive() {
	p.w.Lock()
	defer p.w.Unlock()
	p.w.NoDisk = true
}
