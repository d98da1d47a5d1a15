package imbottest

import (
	"github.com/imbot-go/imbot"
)

// Avatar returns the picture of a user, named as a private dialog, or of a group
// chat, as it was sent; nil when there is none.
func (p *Portal) Avatar(dialog imbot.DialogID) []byte {
	p.w.Lock()
	defer p.w.Unlock()
	if id, ok := dialog.UserID(); ok {
		if u := p.w.Users[id]; u != nil {
			return u.Picture
		}
	} else if id, ok := dialog.ChatID(); ok && p.w.Chats[id] != nil {
		return p.w.Chats[id].Picture
	}
	return nil
}
