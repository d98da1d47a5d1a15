package imbottest

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"

	"github.com/imbot-go/imbot"
)

// maxImage is how wide and how high a picture may be, in pixels. Only PNG is measured.
const maxImage = 5000

// isImage reports whether a parameter is a picture: base64, or a file name and base64.
func isImage(v any) bool {
	if file, ok := v.(*array); ok {
		v = file.get("1")
	}
	data, err := base64.StdEncoding.DecodeString(text(v))
	if err != nil || !strings.HasPrefix(http.DetectContentType(data), "image/") {
		return false
	}
	return !isLarge(data)
}

// isLarge reports whether a picture is wider or higher than the portal takes.
func isLarge(data []byte) bool {
	if http.DetectContentType(data) != "image/png" || len(data) < 24 {
		return false
	}
	return max(binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])) > maxImage
}

// picture decodes a picture that isImage accepts. It returns nil for anything else.
func picture(v any) []byte {
	if !isImage(v) {
		return nil
	}
	if file, ok := v.(*array); ok {
		v = file.get("1")
	}
	data, _ := base64.StdEncoding.DecodeString(text(v))
	return data
}

// Avatar returns the picture of a user, named as a private dialog, or of a group
// chat, as it was sent; nil when there is none.
func (p *Portal) Avatar(dialog imbot.DialogID) []byte {
	p.Lock()
	defer p.Unlock()
	if id, ok := dialog.UserID(); ok {
		if u := p.users[id]; u != nil {
			return u.picture
		}
	} else if id, ok := dialog.ChatID(); ok && p.chats[id] != nil {
		return p.chats[id].picture
	}
	return nil
}
