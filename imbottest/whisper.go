package imbottest

import (
	"context"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// Whisper writes a message in an open line that its guest does not see, as an operator does who
// is in the chat. The bot of the conversation gets it like any other message, with
// PARAMS[COMPONENT_ID]=HiddenMessage, and must not answer it aloud. It executes no command and takes
// the conversation from nobody.
func (p *Portal) Whisper(ctx context.Context, operator imbot.ID, dialog imbot.DialogID, text string) (Message, error) {
	if err := ctx.Err(); err != nil {
		return Message{}, err
	}
	p.w.Lock()
	defer p.w.Unlock()
	chat, text, err := p.toWrite(operator, dialog, text)
	if err != nil {
		return Message{}, err
	}
	m, err := p.w.Whisper(chat, operator, text)
	if err != nil {
		return Message{}, err
	}
	return public(m), nil
}

// Quote does what [Portal.Say] does in the dialog of a message that the user sees, and quotes
// that message. A bot gets its id as PARAMS[REPLY_ID], and as REPLY_MESSAGE what it says, unless it
// was deleted; of imbot.v2 only the id, as REPLY_ID.
func (p *Portal) Quote(ctx context.Context, user imbot.ID, msg Message, text string) (Message, error) {
	quoted, unlock, err := p.lockMessage(ctx, user, msg.ID)
	if err != nil {
		return Message{}, err
	}
	defer unlock()
	chat, text, err := p.toWrite(user, p.w.DialogOf(p.w.Chats[quoted.ChatID], user), text)
	if err != nil {
		return Message{}, err
	}
	return public(p.w.Say(chat, user, world.Message{Text: text, ReplyTo: quoted.ID})), nil
}
