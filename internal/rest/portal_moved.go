package rest

import (
	"context"
	"net/url"
	"strings"
)

// redirected describes a redirect. None is followed blindly: a POST would lose
// its body and the secret would go to another host. A portal that was renamed sends
// the same path at another host; a box without a licence sends another path.
func redirected(location string, from *url.URL) *Failure {
	to, err := from.Parse(location)
	if location == "" || err != nil {
		return &Failure{Description: "a redirect without a target"}
	}
	moved := to.Host != from.Host && to.Path == from.Path && (to.Scheme == "https" || IsLoopback(to.Hostname()))
	if !moved {
		return &Failure{Description: "an unexpected redirect to the host " + to.Host}
	}
	return &Failure{Description: "the portal has moved to " + to.Host, Kind: Moved, movedTo: to.Scheme + "://" + to.Host}
}

// follow decides whether a redirected call is sent to the portal's new host: the
// path is the same (see redirected), it is the first hop, and the host belongs
// to the same site or is confirmed by the authorization server. The token would
// be disclosed otherwise. A webhook's secret never follows.
func (c *Core) follow(ctx context.Context, cl *Call, f *Failure) bool {
	if f.movedTo == "" || c.portal.Tokens == nil || cl.hop != "" || ctx.Err() != nil {
		return false
	}
	from, err := url.Parse(*c.root.Load())
	if err != nil {
		return false
	}
	to, err := url.Parse(f.movedTo)
	if err != nil {
		return false
	}
	if !sameSite(from.Hostname(), to.Hostname()) {
		m, ok := c.portal.Tokens.(mover)
		if !ok || !m.Confirm(ctx, to.Host) {
			return false
		}
	}
	to.Path = from.Path
	cl.hop = to.String()
	return true
}

// arrived makes the new host of a portal the one for all calls.
func (c *Core) arrived(ctx context.Context, root string) {
	if *c.root.Load() == root {
		return
	}
	c.MoveTo(root)
	if m, ok := c.portal.Tokens.(mover); ok {
		m.Moved(ctx, root)
	}
}

// sameSite reports whether two hosts have the same owner: portals of the cloud
// with the same parent domain. A box portal's new host has to be confirmed.
func sameSite(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if a == b || IsLoopback(a) && IsLoopback(b) {
		return true
	}
	_, parent, _ := strings.Cut(a, ".")
	_, other, _ := strings.Cut(b, ".")
	return parent == other && strings.HasPrefix(parent, "bitrix24.")
}
