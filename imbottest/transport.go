package imbottest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// HTTPClient returns a client that reaches this portal, its authorization server
// and the URLs of [Portal.Serve], and nothing else, without a socket. It works
// inside a testing/synctest bubble.
func (p *Portal) HTTPClient() *http.Client { return &http.Client{Transport: transport{p}} }

type transport struct{ portal *Portal }

// RoundTrip calls the portal in the caller's goroutine.
func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	p := t.portal
	p.w.Lock()
	known, closed, handler := p.known(r.URL.Host), p.w.Closed, p.handlers[r.URL.String()]
	p.w.Unlock()
	switch {
	case closed:
		return nil, notReached(world.ErrClosed)
	case !known && handler == nil:
		return nil, notReached(fmt.Errorf("imbottest: this client reaches only %s and the URLs of Serve", p.host))
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	out := newRecorder()
	defer func() { // a handler ends the connection by panicking with http.ErrAbortHandler
		v := recover()
		switch {
		case v == nil:
		case v != http.ErrAbortHandler:
			panic(v)
		case out.status != 0:
			resp = out.response(r)
			resp.Body = io.NopCloser(io.MultiReader(&out.body, cutReader{}))
			resp.ContentLength++
		default:
			if err = r.Context().Err(); err == nil {
				err = io.EOF
			}
		}
	}()
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:1"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if known {
		p.serve(out, in, r.URL.Scheme == "https", r.URL.Host)
	} else {
		handler.ServeHTTP(out, in)
	}
	return out.response(r), nil
}

// notReached makes an error look like a failed dial, which tells a client that the call
// did not run.
func notReached(err error) error { return &net.OpError{Op: "dial", Net: "memory", Err: err} }

// cutReader ends a body as a broken connection does.
type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// recorder is an [http.ResponseWriter] that keeps the answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	file   []byte // of the portal, behind body and not copied
}

func newRecorder() *recorder { return &recorder{header: http.Header{}} }

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *recorder) response(r *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.header,
		Body:          io.NopCloser(io.MultiReader(bytes.NewReader(w.body.Bytes()), bytes.NewReader(w.file))),
		ContentLength: int64(w.body.Len() + len(w.file)),
		Request:       r,
	}
}
