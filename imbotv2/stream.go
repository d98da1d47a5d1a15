package imbotv2

import (
	"context"

	"github.com/imbot-go/imbot"
)

// Stream begins an answer that is shown while it is written; see [imbot.Stream]. Message of req
// is not sent; its Keyboard is there while the answer grows, its Attach and ReplyID go with the
// first message. Each message has a TemplateID of its own, so none is there twice.
//
// The bot gets the events of its own changes. The requests are those of Send, Update and
// [ChatService.NotifyAction], and so are the errors.
func (s *MessageService) Stream(ctx context.Context, req MessageSendRequest) *imbot.Stream {
	req.BotID = (*service)(s).bot(req.BotID)
	if req.TemplateID == "" && req.System != imbot.Yes {
		req.TemplateID = newTemplateID()
	}
	next := 0 // the message that req is for: it is the same for all tries of one
	return imbot.NewStream(ctx, s.client.base, imbot.StreamCalls{
		Add: func(n int, text string, keyboard *imbot.Keyboard) imbot.Request[imbot.ID] {
			if n > next {
				if next, req.Attach, req.ReplyID = n, nil, 0; req.TemplateID != "" {
					req.TemplateID = newTemplateID()
				}
			}
			req.Message, req.Keyboard = text, keyboard
			return req
		},
		ID: func(int, imbot.ID) { s.client.kept.sent(place{req.BotID, req.DialogID}) },
		Update: func(id imbot.ID, text string, keyboard *imbot.Keyboard) imbot.Request[imbot.OK] {
			return MessageUpdateRequest{BotID: req.BotID, MessageID: id, Message: &text, Keyboard: keyboard, URLPreview: req.URLPreview}
		},
		Typing: func() imbot.Request[imbot.OK] {
			return ChatNotifyActionRequest{BotID: req.BotID, DialogID: req.DialogID, Status: ActionGenerating}
		},
	}, req.Keyboard)
}
