//go:build !then

package probe

import (
	"context"
	"iter"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
)

// answering is the context of an answer to a person.
func answering(ctx context.Context) context.Context { return imbot.WithClass(ctx, imbot.ClassAnswer) }

func fastDoAll(ctx context.Context, c *imbot.Client, messages iter.Seq[imbot.MessageAddRequest]) iter.Seq2[imbot.ID, error] {
	return imbot.DoAll(ctx, c, messages, imbot.Ahead(8))
}

// begins is an answer that is shown while it is written.
func begins(ctx context.Context, c *imbot.Client, req imbot.MessageAddRequest) *imbot.Stream {
	return c.Message.Stream(ctx, req)
}

func render(text string) []string { return bbcode.Split(bbcode.Markdown(text)) }

// Bulk and ordinary calls leave a reserve for better ones.
const bulkBurst, normalBurst = 40, 45
