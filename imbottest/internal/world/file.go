package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	_ "image/gif"  // their sizes are told
	_ "image/jpeg" // the same
	_ "image/png"  // the same
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// File is a file of a message.
type File struct {
	ID      imbot.ID
	Chat    *Chat
	Author  imbot.ID
	Name    string
	Content []byte // several files may share it, so it never changes
	Time    time.Time
	Width   int // of a picture; zero where it is not known
	Height  int
}

// MaxFileText is how many bytes of Base64 a file may be.
const MaxFileText = 139_810_133

// AddFile stores a file in the folder of a chat, under a name that no other file there has.
func (w *World) AddFile(chat *Chat, author imbot.ID, name string, content []byte) *File {
	name = noFileName.ReplaceAllString(name, "_")
	base, end := name, path.Ext(name)
	base = strings.TrimSuffix(base, end)
	for n := 1; !w.Differs(DoubtFileNameUnique) && slices.ContainsFunc(chat.files, func(f *File) bool { return f.Name == name }); n++ {
		name = fmt.Sprintf("%s (%d)%s", base, n, end)
	}
	w.lastFile++
	f := &File{ID: w.lastFile, Chat: chat, Author: author, Name: name, Content: content, Time: time.Now()}
	if f.Kind() == "image" {
		config, _, _ := image.DecodeConfig(bytes.NewReader(content)) // zero when it is broken
		f.Width, f.Height = config.Width, config.Height
	}
	w.Files[f.ID] = f
	chat.files = append(chat.files, f)
	return f
}

// noFileName is what the portal's drive has in no name.
var noFileName = regexp.MustCompile(`[\\/:*?"<>|\x00-\x1f]`)

// dropFiles deletes the files of a message.
func (w *World) dropFiles(m *Message) {
	for _, f := range m.Files {
		delete(w.Files, f.ID)
		f.Chat.files = slices.DeleteFunc(f.Chat.files, func(other *File) bool { return other == f })
	}
	m.Files = nil
}

// Extension is that of the name, in lower case and without the dot.
func (f *File) Extension() string { return strings.ToLower(strings.TrimPrefix(path.Ext(f.Name), ".")) }

// Kind is what a file is, by its extension.
func (f *File) Kind() string {
	switch f.Extension() {
	case "png", "jpg", "jpeg", "gif", "webp", "bmp":
		return "image"
	case "mp4", "webm", "mov", "avi":
		return "video"
	case "mp3", "ogg", "wav", "m4a":
		return "audio"
	}
	return "file"
}

// fileIDs are the ids of the files of a message.
func fileIDs(m *Message) *php.Array {
	ids := php.NewArray()
	for _, f := range m.Files {
		ids.Add(php.Number(f.ID))
	}
	return ids
}

// FileObject is a file in an answer or event. Its addresses are for browsers that are logged in.
func (w *World) FileObject(f *File) *php.Array {
	author := ""
	if u := w.Users[f.Author]; u != nil {
		author = u.Name()
	}
	address := fmt.Sprintf("https://%s/bitrix/services/main/ajax.php?action=disk.api.file.download&SITE_ID=s1&humanRE=1&fileId=%d&exact=N&fileName=%s",
		w.Hooks.Host(), f.ID, url.QueryEscape(f.Name))
	preview, picture := "", any(false)
	if f.Width > 0 {
		picture, preview = php.Object("height", f.Height, "width", f.Width), address+"&preview=Y"
	}
	actions, _ := json.Marshal([]map[string]string{{"type": "download"}})
	a := php.Object("id", f.ID, "chatId", f.Chat.ID, "date", f.Time.Format(time.RFC3339), "type", f.Kind(), "name", f.Name,
		"extension", f.Extension(), "size", len(f.Content), "image", picture, "status", "done", "progress", 100,
		"authorId", f.Author, "authorName", author, "urlPreview", preview, "urlShow", address, "urlDownload", address)
	a.Set("viewerAttrs", php.Object("viewer", "", "viewerType", "code", "src", address, "objectId", f.ID.String(), "viewerGroupBy", f.Chat.ID.String(),
		"imChatId", f.Chat.ID, "title", f.Name, "unifiedLink", "https://"+w.Hooks.Host()+"/file/"+f.ID.String(), "actions", string(actions)))
	a.Set("mediaUrl", php.Object("preview", php.Object("250", preview)))
	for _, name := range []string{"isTranscribable", "isVideoNote", "isVoiceNote"} {
		a.Set(name, false)
	}
	return a
}
