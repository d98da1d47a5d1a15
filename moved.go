package imbot

import (
	"context"
	"net/url"
	"strings"
)

// mover is a token source that knows where its portal is.
type mover interface {
	confirm(ctx context.Context, host string) bool // asks the authorization server whether the portal is there now
	moved(ctx context.Context, root string)        // the portal has answered from there
}

// endpoint is the portal's REST root.
func (c *core) endpoint() string {
	if root := c.at.Load(); root != nil {
		return *root
	}
	return c.root
}

// follow decides whether a redirected call is sent to the portal's new host: the
// path is the same (see redirected), it is the first hop, and the host belongs
// to the same site or is confirmed by the authorization server. The token would
// be disclosed otherwise. A webhook's secret never follows.
func (c *core) follow(ctx context.Context, cl *call, e *Error) bool {
	if e.movedTo == "" || c.tokens == nil || cl.hop != "" || ctx.Err() != nil {
		return false
	}
	from, err := url.Parse(c.endpoint())
	if err != nil {
		return false
	}
	to, err := url.Parse(e.movedTo)
	if err != nil {
		return false
	}
	if !sameSite(from.Hostname(), to.Hostname()) {
		m, ok := c.tokens.(mover)
		if !ok || !m.confirm(ctx, to.Host) {
			return false
		}
	}
	to.Path = from.Path
	cl.hop = to.String()
	return true
}

// arrived makes the new host of a portal the one for all calls.
func (c *core) arrived(ctx context.Context, root string) {
	if c.endpoint() == root {
		return
	}
	c.at.Store(&root)
	if m, ok := c.tokens.(mover); ok {
		m.moved(ctx, root)
	}
}

// sameSite reports whether two hosts have the same owner: portals of the cloud
// with the same parent domain. A box portal's new host has to be confirmed.
func sameSite(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if a == b || isLoopback(a) && isLoopback(b) {
		return true
	}
	_, parent, _ := strings.Cut(a, ".")
	_, other, _ := strings.Cut(b, ".")
	return parent == other && strings.HasPrefix(parent, "bitrix24.")
}
