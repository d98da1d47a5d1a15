package imbottest

import (
	"errors"
	"net/http"
	"strings"
)

// Rename gives the portal another host name. From then on the former host answers
// everything with a redirect (302) to the same path at the new one, and events,
// renewals and app.info name the new endpoint; the member id and all tokens stay.
// After [Portal.Listen] the name has to be another loopback address, such as
// "127.0.0.1:0".
func (p *Portal) Rename(host string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rename(host)
}

// rename is Rename under the lock.
func (p *Portal) rename(host string) error {
	defer p.notify()
	if p.listen != "" {
		listener, err := p.open(host)
		if err != nil {
			return err
		}
		p.former[p.listen] = true
		p.listen = p.start(listener)
		return nil
	}
	host = strings.ToLower(host)
	switch {
	case p.closed:
		return errClosed
	case host == "" || hostOf("https://"+host) != host || host == p.authHost:
		return errors.New("imbottest: the new name of the portal is no host name")
	}
	p.former[p.host] = true
	p.host = host
	delete(p.former, host)
	return nil
}

// redirect is the answer of a former host; the lock is held.
func (p *Portal) redirect(uri string) answer {
	a := page(http.StatusFound)
	a.location = strings.TrimSuffix(p.endpoint(), "/rest/") + uri
	return a
}
