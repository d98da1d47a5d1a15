package imbottest

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// delivery is an event on its way to a handler.
type delivery struct {
	event string
	to    world.Binding
	body  string
	fault Fault

	replay int64 // the exchange that is sent again; 0 for a new event
}

// Serve lets a handler receive the events for a URL, without a socket: those that are
// fired from then on, for every application that registered exactly this URL. Events
// for other URLs are posted over HTTP when the host is a loopback address; when it is
// not, they show up in [Portal.Err].
func (p *Portal) Serve(url string, handler http.Handler) {
	p.w.Lock()
	defer p.w.Unlock()
	p.handlers[url] = handler
}

// enqueueDelivery puts an event for a handler into a queue; the lock is held. Each queue has a
// goroutine that delivers its events and ends when it is empty.
func (p *Portal) enqueueDelivery(event string, to world.Binding, app *world.Application, queue, body string) {
	if p.w.Closed || app.OAuth && !app.Finished {
		return
	}
	if strings.HasPrefix(event, "ONIMBOTV2") && p.w.Differs(world.DoubtPostForm) {
		body = formAsJSON(body)
	}
	next := delivery{event: event, to: to, body: body, fault: p.takeFault(event, kindEvent)}
	waiting, running := p.queues[queue]
	if next.fault.Duplicate {
		p.active++
		waiting = append(waiting, delivery{event: event, to: to, body: body})
	}
	p.active++
	p.queues[queue] = append(waiting, next)
	if running {
		p.w.Notify() // nextDelivery may be waiting for an event that overtakes another
		return
	}
	p.w.Goroutines.Go(func() { p.deliverQueue(queue) })
}

func (p *Portal) deliverQueue(queue string) {
	for {
		next, handler, ok := p.nextDelivery(queue)
		if !ok {
			return
		}
		p.deliverNext(queue, next, handler)
	}
}

// nextDelivery takes the next event out of a queue. When there is none it removes the
// queue, and ok is false.
func (p *Portal) nextDelivery(queue string) (next delivery, handler http.Handler, ok bool) {
	p.w.Lock()
	defer p.w.Unlock()
	if waiting := p.queues[queue]; len(waiting) == 1 && waiting[0].fault.Reorder {
		p.w.Unlock()
		ctx, cancel := context.WithTimeout(p.ctx, overtakeTime)
		_ = p.w.Await(ctx, func() bool { return len(p.queues[queue]) > 1 }) // after overtakeTime the event goes first after all
		cancel()
		p.w.Lock()
	}
	waiting := p.queues[queue]
	if len(waiting) == 0 || p.w.Closed {
		delete(p.queues, queue)
		return delivery{}, nil, false
	}
	if len(waiting) > 1 && waiting[0].fault.Reorder {
		waiting[0], waiting[1] = waiting[1], waiting[0]
		waiting[1].fault.Reorder = false
	}
	next, p.queues[queue] = waiting[0], waiting[1:]
	return next, p.handlers[next.to.URL], true
}

// overtakeTime is how long an event waits for one that overtakes it.
const overtakeTime = time.Second

// deliverNext delivers one event. A handler can end the goroutine in which it runs, as
// a failed require does, and that is the goroutine of the queue; then a new one goes on
// with the queue.
func (p *Portal) deliverNext(queue string, next delivery, handler http.Handler) {
	returned := false
	defer func() {
		if !returned {
			p.problem("%s: the handler of %s ended its goroutine", next.event, publicURL(next.to.URL))
		}
		p.w.Lock()
		defer p.w.Unlock()
		p.active--
		p.w.Notify()
		if !returned {
			p.w.Goroutines.Go(func() { p.deliverQueue(queue) })
		}
	}()
	p.deliver(next, handler)
	returned = true
}

// deliver delivers one event, logs it, and reports to [Portal.Err] what went wrong
// without a [Fault] that asked for it.
func (p *Portal) deliver(d delivery, handler http.Handler) {
	x := p.beginEvent(d)
	status, body, why := 0, "", ""
	defer func() { p.endEvent(x, status, body, why) }()
	if p.pause(d.fault.Delay); d.fault.Cut == BeforeRun || p.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.to.Full, strings.NewReader(d.body))
	if err != nil {
		why = "the handler's URL with CLIENT_ID behind it is no URL"
		p.problem("%s: %s", d.event, why)
		return
	}
	kind := "application/x-www-form-urlencoded"
	if strings.HasPrefix(d.body, "{") { // a form begins with the name of its first field
		kind = "application/json"
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("User-Agent", "imbottest")
	if p.w.Differs(world.DoubtPostHeaders) {
		r.Header.Set("X-Signature", "signed")
	}
	switch {
	case handler != nil:
		if d.fault.Cut == AfterRun {
			cancel() // the handler can still read the body, which is in memory
		}
		status, body, why = p.callHandler(d, handler, r)
	case world.IsLoopback(r.URL.Hostname()):
		status, body, why = p.postToHandler(d, r)
	default:
		why = "events are posted to loopback addresses only"
		p.problem("%s: nothing serves %s (see Portal.Serve)", d.event, publicURL(d.to.URL))
	}
	p.pause(d.fault.Late)
	if status != 0 && d.fault.Cut == NoCut && (status < 200 || status > 299) {
		p.problem("%s: %s answered %d", d.event, publicURL(d.to.URL), status)
	}
}

// pause waits; Close ends it.
func (p *Portal) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ctx.Done():
	}
}

// callHandler runs a handler as a server does. Status 0 means that it did not answer,
// for the reason why.
func (p *Portal) callHandler(d delivery, handler http.Handler, r *http.Request) (status int, body, why string) {
	r.RequestURI = r.URL.RequestURI()
	r.RemoteAddr = "127.0.0.1:1"
	w := newRecorder()
	defer func() {
		if v := recover(); v != nil {
			status = 0
			switch {
			case v != http.ErrAbortHandler:
				why = "the handler panicked"
				p.problem("%s: the handler of %s panicked: %v", d.event, publicURL(d.to.URL), v)
			case r.Context().Err() == nil: // the portal has not hung up: the handler aborted by itself
				why = "the handler gave up"
				p.problem("%s: %s does not answer", d.event, publicURL(d.to.URL))
			}
		}
	}()
	handler.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK)
	return w.status, w.body.String(), ""
}

// deliveryTime is how long a handler behind a socket may take to answer.
const deliveryTime = 30 * time.Second

// postToHandler posts to a handler over HTTP. Status 0 means that it did not answer,
// for the reason why.
func (p *Portal) postToHandler(d delivery, r *http.Request) (status int, body, why string) {
	p.w.Lock()
	if p.client == nil {
		p.client = &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			Timeout:       deliveryTime,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	post := p.client.Do
	p.w.Unlock()
	if d.fault.Cut == AfterRun {
		post = hangUp
	}
	resp, err := post(r)
	if err != nil {
		var withURL *url.Error // its text has CLIENT_ID in it
		if errors.As(err, &withURL) {
			err = withURL.Err
		}
		if errors.Is(err, errHungUp) || r.Context().Err() != nil { // a fault asked for it, or the portal is closed
			return 0, "", ""
		}
		p.problem("%s: %s cannot be reached: %v", d.event, publicURL(d.to.URL), err)
		return 0, "", err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	page, _ := io.ReadAll(io.LimitReader(resp.Body, maxPage)) // if it breaks off, what came before is enough
	return resp.StatusCode, string(page), ""
}

var errHungUp = errors.New("hung up")

// hangUp sends a request and closes the connection without reading an answer. It does
// without [http.Client], whose trace reports WroteRequest before all bytes have left;
// they have when [http.Request.Write] returns.
func hangUp(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), deliveryTime)
	defer cancel()
	if u := r.URL.User; u != nil {
		password, _ := u.Password()
		r.SetBasicAuth(u.Username(), password)
	}
	dial, port := new(net.Dialer).DialContext, "80"
	if r.URL.Scheme == "https" {
		dial, port = new(tls.Dialer).DialContext, "443"
	}
	conn, err := dial(ctx, "tcp", net.JoinHostPort(r.URL.Hostname(), cmp.Or(r.URL.Port(), port)))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	r.Close = true
	return nil, cmp.Or(r.Write(conn), errHungUp)
}

// maxPage is how many bytes of a handler's answer are read.
const maxPage = 1 << 20
