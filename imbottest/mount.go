package imbottest

import (
	"net/http"
	"strings"
)

// Mount lets a handler answer the requests to the portal's address that are
// outside /rest/, instead of 404: with [Portal.Listen], a web page and the REST
// endpoint share one address. The rate limit and [Portal.Idle] do not count its
// requests, and [Portal.Close] waits for those that came through Listen, whose
// contexts it ends.
func (p *Portal) Mount(handler http.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mounted = handler
}

// mountedFor is the handler of a request that is not for the portal itself; the
// lock is held.
func (p *Portal) mountedFor(r *http.Request, host string) http.Handler {
	if host == p.authHost || host == p.authAddr || p.former[host] || strings.Contains(r.URL.Path, "/rest/") {
		return nil
	}
	return p.mounted
}
