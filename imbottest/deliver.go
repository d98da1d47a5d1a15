package imbottest

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// delivery is an event on its way to a handler.
type delivery struct {
	event string
	to    binding
	body  string

	replay int64 // the exchange that is repeated
}

// chatQueue names the queue of a chat: within one, events keep their order.
func chatQueue(c *chat) string { return "chat" + c.id.String() }

// appQueue names the queue of what happens to an application and its bots: they
// go before it does.
func appQueue(app *application) string { return "application" + app.id }

// Serve lets a handler receive the events for a URL, without a socket. It counts
// for events that are fired from then on and for every application that
// registered exactly this URL. Events for other URLs are posted over HTTP when
// the host is a loopback address; the rest ends in [Portal.Err].
func (p *Portal) Serve(url string, handler http.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[url] = handler
}

// post queues an event; the lock is held. A goroutine of the portal delivers and
// ends when the queue is empty.
func (p *Portal) post(event string, app *application, queue, body string) {
	to, ok := app.handlers[event]
	if !ok || p.closed || app.oauth && !app.finished {
		return
	}
	p.active++
	waiting, running := p.queues[queue]
	p.queues[queue] = append(waiting, delivery{event: event, to: to, body: body})
	if !running {
		p.wg.Go(func() { p.drain(queue) })
	}
}

func (p *Portal) drain(queue string) {
	for {
		p.mu.Lock()
		waiting := p.queues[queue]
		if len(waiting) == 0 || p.closed {
			delete(p.queues, queue)
			p.mu.Unlock()
			return
		}
		next := waiting[0]
		p.queues[queue] = waiting[1:]
		handler := p.handlers[next.to.url]
		p.mu.Unlock()

		p.deliverNext(queue, next, handler)
	}
}

// deliverNext delivers one event. A handler that ends its goroutine, as a failed
// require in it does, ends the drain as well; another one takes over.
func (p *Portal) deliverNext(queue string, next delivery, handler http.Handler) {
	returned := false
	defer func() {
		if !returned {
			p.problem("%s: the handler of %s ended its goroutine", next.event, publicURL(next.to.url))
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.active--
		p.notify()
		if !returned {
			p.wg.Go(func() { p.drain(queue) })
		}
	}()
	p.deliver(next, handler)
	returned = true
}

// deliver hands one event over and records what went wrong.
func (p *Portal) deliver(d delivery, handler http.Handler) {
	x := p.beginEvent(d)
	status, body := 0, ""
	defer func() { p.endEvent(x, status, body) }()
	r, err := http.NewRequestWithContext(p.ctx, http.MethodPost, d.to.full, strings.NewReader(d.body))
	if err != nil {
		p.problem("%s: the handler's URL with CLIENT_ID behind it is no URL", d.event)
		return
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "imbottest")
	switch {
	case handler != nil:
		status, body = p.call(d, handler, r)
	case isLoopback(r.URL.Hostname()):
		status, body = p.send(d, r)
	default:
		p.problem("%s: nothing serves %s (see Portal.Serve)", d.event, publicURL(d.to.url))
	}
	if status != 0 && (status < 200 || status > 299) {
		p.problem("%s: %s answered %d", d.event, publicURL(d.to.url), status)
	}
}

// call runs a handler like a server does; status 0 means that there is no answer.
func (p *Portal) call(d delivery, handler http.Handler, r *http.Request) (status int, body string) {
	r.RequestURI = r.URL.RequestURI()
	r.RemoteAddr = "127.0.0.1:1"
	w := newRecorder()
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler {
				p.problem("%s: the handler of %s panicked: %v", d.event, publicURL(d.to.url), v)
			}
			status = 0
		}
	}()
	handler.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK)
	return w.status, w.body.String()
}

func (p *Portal) send(d delivery, r *http.Request) (status int, body string) {
	p.mu.Lock()
	if p.client == nil {
		p.client = &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			Timeout:       30 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	client := p.client
	p.mu.Unlock()
	resp, err := client.Do(r)
	if err != nil {
		var withURL *url.Error // its text has CLIENT_ID in it
		if errors.As(err, &withURL) {
			err = withURL.Err
		}
		if p.ctx.Err() == nil {
			p.problem("%s: %s cannot be reached: %v", d.event, publicURL(d.to.url), err)
		}
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	page, _ := io.ReadAll(io.LimitReader(resp.Body, maxPage)) // what came before it broke off is enough
	return resp.StatusCode, string(page)
}

// maxPage bounds what is read of a handler's answer.
const maxPage = 1 << 20

// publicURL is a URL without what could be a secret.
func publicURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "a URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
