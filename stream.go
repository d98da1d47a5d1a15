package imbot

import (
	"context"
	"sync"
	"time"

	"github.com/imbot-go/imbot/bbcode"
	"github.com/imbot-go/imbot/internal/rest"
	"github.com/imbot-go/imbot/internal/stream"
)

// A Stream shows a text while it is written, as that of a language model. It is an
// [io.WriteCloser] that never waits for the portal: a message appears soon after the first
// text and is then changed about every second, less often when the answer gets long.
//
//	answer := client.Message.Stream(ctx, ev.Reply(""))
//	err := model.Stream(ctx, question, answer)
//	return errors.Join(err, answer.Close())
//
// The text is Markdown. It becomes BB code by [bbcode.Markdown] and messages by
// [bbcode.Split]: beyond 20,000 characters another one begins. While there is no text the
// bot is shown to be writing.
//
// All streams of a client and its copies share requests, so 60 answers at once take as
// long as one; the values of ctx do not come with them. First and last texts are
// [ClassAnswer], the changes between them [ClassNormal].
type Stream struct {
	Final   *Keyboard // of the last message when Close has shown all; nil: none. Read by Close only
	Stopped string    // what Close appends when the context has ended, " …" unless changed. Read by Close only

	noPrint
	stream *stream.Stream[*streamed]
	calls  *streamed
	close  sync.Once
}

// StreamCalls are the requests that show a [Stream]. The methods called Stream of this
// package and of imbotv2 have theirs; others are for messages of another kind. They must not
// block. Those of one stream are called by one goroutine at a time.
type StreamCalls struct {
	// Add sends message n of the answer, from 0. It is called again when nobody knows
	// whether a try has run, and should return a request that the portal takes for the same.
	Add func(n int, text string, keyboard *Keyboard) Request[ID]

	// ID is told of each message that is there. It may be nil.
	ID func(n int, id ID)

	// Update changes a message. No keyboard leaves the one that is there, an empty one
	// removes it.
	Update func(id ID, text string, keyboard *Keyboard) Request[OK]

	// Typing shows that the bot is writing. It may be nil.
	Typing func() Request[OK]
}

// streamed is how a stream is sent.
type streamed struct {
	client    *Client
	calls     StreamCalls
	keyboards [stream.Final + 1]*Keyboard
}

// NewStream returns a stream of messages that are sent by calls. While the answer grows
// its last message has the keyboard, unless that is nil.
func NewStream(ctx context.Context, c *Client, calls StreamCalls, keyboard *Keyboard) *Stream {
	s := &Stream{Stopped: " …", calls: &streamed{client: c, calls: calls}}
	s.calls.keyboards[stream.Growing] = keyboard
	s.stream = c.streaming().New(ctx, s.calls, keyboard != nil, calls.Typing != nil)
	return s
}

// Write appends to the text, which may end within a character. It fails with the cause of the
// context's end, with the portal's refusal, which ends the stream, and after Close.
func (s *Stream) Write(p []byte) (int, error) { return s.stream.Write(string(p)) }

// WriteString is Write without a copy.
func (s *Stream) WriteString(text string) (int, error) { return s.stream.Write(text) }

// Close shows the whole text and takes the keyboard away, or puts Final there. After the
// end of the context it appends Stopped, returns within 30 seconds, and that the text is
// not finished is no error. A text without anything to see is not sent.
//
// An answer that is never closed keeps its keyboard: where what writes it may panic, defer a
// Close, too; a second one does nothing more. The error is what has ended the stream; first
// and last texts are tried eight times. When the answer of the portal to a first message got
// lost, imbot.message.add is sent again, so that a message of some words may stay before the
// answer.
func (s *Stream) Close() error {
	s.close.Do(func() { s.calls.keyboards[stream.Final] = s.Final })
	return s.stream.Close(s.Stopped, s.calls.keyboards[stream.Final] != nil)
}

// IDs returns the ids of the messages so far, in their order.
func (s *Stream) IDs() []ID {
	var ids []ID
	for _, id := range s.stream.IDs() {
		ids = append(ids, ID(id))
	}
	return ids
}

// streaming returns the streams of all copies of the client.
func (c *connection) streaming() *stream.Set[*streamed] {
	c.streams.CompareAndSwap(nil, stream.NewSet(stream.Way[*streamed]{
		Send:   c.sendStreams,
		Render: func(text string) []string { return bbcode.Split(bbcode.Markdown(text)) },
	}))
	return c.streams.Load()
}

// sendStreams sends what is due of several streams in one request.
func (c *connection) sendStreams(ctx context.Context, urgent bool, load func() ([]*stream.Op[*streamed], time.Duration)) error {
	var sent []func() // tells an op what became of it
	if ctx = WithClass(ctx, ClassNormal); urgent {
		ctx = WithClass(ctx, ClassAnswer)
	}
	return c.rest.SendOnce(ctx, func() ([]*rest.Item, time.Duration) {
		ops, limit := load()
		var items []*rest.Item
		for _, op := range ops {
			it, result := op.Calls.prepare(op)
			sent = append(sent, func() { op.Calls.sent(op, it, result) })
			if it.refused == nil {
				items = append(items, it.Item)
			}
		}
		return items, limit
	}, func() {
		for _, tell := range sent {
			tell()
		}
	})
}

// prepare encodes what is to be sent.
func (s *streamed) prepare(op *stream.Op[*streamed]) (*item, func() (ID, error)) {
	keyboard := s.keyboards[op.Board]
	var req Request[OK]
	switch op.Kind {
	case stream.Add:
		req := s.calls.Add(op.N, op.Text, keyboard)
		it := s.client.newItem(methodOf(req), req)
		return it, func() (ID, error) { return resultOf(req, it) }
	case stream.Update:
		if !op.Turn {
			keyboard = nil
		} else if keyboard == nil {
			keyboard = &Keyboard{}
		}
		req = s.calls.Update(ID(op.ID), op.Text, keyboard)
	default:
		req = s.calls.Typing()
	}
	it := s.client.newItem(methodOf(req), req)
	return it, func() (ID, error) {
		_, err := resultOf(req, it)
		return ID(op.ID), err
	}
}

// sent says what became of a call.
func (s *streamed) sent(op *stream.Op[*streamed], it *item, result func() (ID, error)) {
	if it.refused != nil {
		op.Outcome, op.Err = stream.Refused, it.refused
		return
	}
	if op.Outcome, op.Later, op.Alone = stream.Outcome(it.Verdict), it.Later, it.GoesAlone(); op.Outcome == stream.NotSent {
		return
	}
	id, err := result()
	switch op.ID, op.Err = int64(id), err; {
	case err == nil && op.Kind == stream.Add && s.calls.ID != nil:
		s.calls.ID(op.N, id)
	case err != nil && op.Outcome == stream.Ran && op.Kind == stream.Add:
		op.Outcome = stream.Refused // it is there, and nobody knows where: another try would add one more
	case err != nil && op.Outcome == stream.Ran:
		op.Outcome = stream.Failed
	}
}

// Stream begins an answer that is shown while it is written; see [Stream]. Message of req
// is not sent; its Keyboard is there while the answer grows, its Attach under the first message.
//
// The requests are those of Add, Update and [ChatService.SendTyping], and so are the errors.
func (s *MessageService) Stream(ctx context.Context, req MessageAddRequest) *Stream {
	return NewStream(ctx, s.client, StreamCalls{
		Add: func(n int, text string, keyboard *Keyboard) Request[ID] {
			req := req
			if req.Message, req.Keyboard = text, keyboard; n > 0 {
				req.Attach = nil
			}
			return req
		},
		Update: func(id ID, text string, keyboard *Keyboard) Request[OK] {
			return MessageUpdateRequest{BotID: req.BotID, MessageID: id, Message: &text, Keyboard: keyboard,
				URLPreview: req.URLPreview, SkipConnector: req.SkipConnector}
		},
		Typing: func() Request[OK] { return ChatSendTypingRequest{BotID: req.BotID, DialogID: req.DialogID} },
	}, req.Keyboard)
}
