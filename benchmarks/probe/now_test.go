//go:build !then

package probe

import (
	"context"
	"iter"

	"github.com/imbot-go/imbot"
)

// answering is the context of an answer to a person.
func answering(ctx context.Context) context.Context { return imbot.WithClass(ctx, imbot.ClassAnswer) }

func fastDoAll(ctx context.Context, c *imbot.Client, messages iter.Seq[imbot.MessageAddRequest]) iter.Seq2[imbot.ID, error] {
	return imbot.DoAll(ctx, c, messages, imbot.Ahead(8))
}

// Bulk and ordinary calls leave a reserve for better ones.
const bulkBurst, normalBurst = 40, 45
