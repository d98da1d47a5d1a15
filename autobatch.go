package imbot

import (
	"context"
	"encoding/json"
)

// do sends a call by itself or together with others.
func (c *core) do(ctx context.Context, cl *call) (json.RawMessage, error) {
	return c.send(ctx, cl)
}

type autoBatch struct{}
