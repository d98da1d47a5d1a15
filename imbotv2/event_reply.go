package imbotv2

import (
	"cmp"
	"context"

	"github.com/imbot-go/imbot"
)

// Reply answers an event of either generation with a message of the bot that it is for, or of
// [Client.WithBot] when it is for none, and returns the id of the message. It is what the event's own
// Reply makes, so an event of this generation that is handled twice is answered once. For a keyboard
// or an attachment there is the Reply of the event; for a command in a chat where the bot is no
// member there is its Answer.
//
// An event about the application has no dialog: the error is [imbot.ErrInvalid].
//
// REST method: imbot.v2.Chat.Message.send; see [MessageService.Send] for errors.
func (c *Client) Reply(ctx context.Context, ev imbot.Event, text string) (imbot.ID, error) {
	req := MessageSendRequest{BotID: ev.ForBot(), Message: text}
	if own, is := ev.(interface {
		Reply(string) MessageSendRequest
	}); is {
		req = own.Reply(text)
	}
	req.DialogID = cmp.Or(req.DialogID, ev.Dialog())
	return c.Message.Send(ctx, req)
}

// ReplyTo returns the message that this one answers; false for none. The portal may tell its id
// alone.
func (ev *MessageAddEvent) ReplyTo() (imbot.Quoted, bool) {
	return replyTo(ev.Message, ev.AdditionalMessages)
}

// ReplyTo returns the message that this one answers, as [MessageAddEvent.ReplyTo] does.
func (ev *MessageUpdateEvent) ReplyTo() (imbot.Quoted, bool) {
	return replyTo(ev.Message, ev.AdditionalMessages)
}

// ReplyTo returns the message that the one with the command answers; false for none.
func (ev *CommandAddEvent) ReplyTo() (imbot.Quoted, bool) { return replyTo(ev.Message, nil) }

func replyTo(m Message, others []Message) (imbot.Quoted, bool) {
	for _, other := range others {
		if m.ReplyID != 0 && other.ID == m.ReplyID {
			return imbot.Quoted{MessageID: other.ID, AuthorID: other.AuthorID, Text: other.Text}, true
		}
	}
	return imbot.Quoted{MessageID: m.ReplyID}, m.ReplyID != 0
}

// IsWhisper reports whether operators of an open line write among themselves: the guest does
// not see it, and sees what a bot answers. So answer no whisper aloud.
func (ev *MessageAddEvent) IsWhisper() bool { return isWhisper(ev.Message) }

// IsWhisper reports whether operators write among themselves; see [MessageAddEvent.IsWhisper].
func (ev *MessageUpdateEvent) IsWhisper() bool { return isWhisper(ev.Message) }

// IsWhisper reports whether operators write among themselves; see [MessageAddEvent.IsWhisper].
func (ev *CommandAddEvent) IsWhisper() bool { return isWhisper(ev.Message) }

// whisper is the component of what operators tell each other.
const whisper = "HiddenMessage"

func isWhisper(m Message) bool { return m.Params.Get("COMPONENT_ID") == whisper }

// Files returns the files of the message, of which the event tells the ids alone: read them with
// [FileService.Read].
func (ev *MessageAddEvent) Files() []imbot.EventFile { return filesOf(ev.Message) }

// Files returns the files of the message, as [MessageAddEvent.Files] does.
func (ev *MessageUpdateEvent) Files() []imbot.EventFile { return filesOf(ev.Message) }

func filesOf(m Message) []imbot.EventFile {
	var files []imbot.EventFile
	for _, id := range m.FileIDs {
		files = append(files, imbot.EventFile{ID: id, ChatID: m.ChatID})
	}
	return files
}

// OpenLine returns what the event tells about its open line; false for a chat of another kind.
func (ev *BotEvent) OpenLine() (imbot.OpenLine, bool) { return ev.first(0, false).OpenLine() }

// FromGuest reports whether the guest of an open line did it. Who else does something there is an
// operator, unless FromBot is true or there is no author.
func (ev *BotEvent) FromGuest() bool { return ev.first(ev.User.ID, false).FromGuest() }

// FromGuest reports whether the guest of an open line wrote the message, which is never a whisper.
func (ev *MessageAddEvent) FromGuest() bool {
	return ev.first(ev.AuthorID(), ev.IsWhisper()).FromGuest()
}

// FromGuest reports whether the guest of an open line wrote the message, which is never a whisper.
func (ev *MessageUpdateEvent) FromGuest() bool {
	return ev.first(ev.AuthorID(), ev.IsWhisper()).FromGuest()
}

// FromGuest reports whether the guest of an open line gave the command.
func (ev *CommandAddEvent) FromGuest() bool {
	return ev.first(ev.AuthorID(), ev.IsWhisper()).FromGuest()
}

// first is the event as the first generation has it, as far as its open line is concerned.
func (ev *BotEvent) first(author imbot.ID, isWhisper bool) *imbot.MessageAddEvent {
	chat := ev.Chat
	m := &imbot.MessageAddEvent{
		Params: imbot.MessageParams{
			DialogID: chat.DialogID, ChatID: chat.ID, AuthorID: author, ChatEntityType: chat.EntityType,
			MessageType: chat.MessageType, ChatEntityID: chat.EntityID, ChatEntityData1: chat.EntityData1, ChatEntityData2: chat.EntityData2,
		},
		User: imbot.EventUser{IsConnector: ev.User.Connector},
	}
	if chat.IsOpenLine() {
		m.Params.ChatEntityType = "LINES"
	}
	if isWhisper {
		m.Params.ComponentID = whisper
	}
	return m
}
