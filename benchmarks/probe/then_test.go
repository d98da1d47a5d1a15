//go:build then

package probe

import (
	"context"
	"iter"
	"time"

	"github.com/imbot-go/imbot"
)

// The build that today's is compared with knows no classes and no Ahead.

func answering(ctx context.Context) context.Context { return ctx }

func fastDoAll(ctx context.Context, c *imbot.Client, messages iter.Seq[imbot.MessageAddRequest]) iter.Seq2[imbot.ID, error] {
	return imbot.DoAll(ctx, c, messages)
}

// begins is an answer that is shown while it is written, by an edit a second.
func begins(ctx context.Context, c *imbot.Client, req imbot.MessageAddRequest) *edited {
	return &edited{ctx: ctx, client: c, req: req}
}

type edited struct {
	ctx    context.Context
	client *imbot.Client
	req    imbot.MessageAddRequest
	id     imbot.ID
	last   time.Time
}

func (e *edited) WriteString(text string) (int, error) {
	e.req.Message += text
	if time.Since(e.last) < time.Second {
		return len(text), nil
	}
	err := e.Close()
	e.last = time.Now()
	return len(text), err
}

func (e *edited) Close() (err error) {
	if e.id == 0 {
		e.id, err = e.client.Message.Add(e.ctx, e.req)
		return err
	}
	return e.client.Message.Update(e.ctx, imbot.MessageUpdateRequest{BotID: e.req.BotID, MessageID: e.id, Message: &e.req.Message})
}

func render(text string) []string { return imbot.Split(imbot.Markdown(text)) }

const bulkBurst, normalBurst = 50, 50
