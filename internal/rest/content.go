package rest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"sync"
)

// Bulky is a request with a file. The call is encoded from parameters that end in an empty
// text, `""}}`, and the file goes there in Base64 while it is sent, anew for each attempt:
// encoded at once it would take the memory of several files. Such a call never travels in
// a batch.
type Bulky interface {
	Bulk() (params any, content [][]byte) // no content: the request itself is encoded
}

// bulkyEnd is how the parameters of a call with content end; the content goes behind the
// first of the bytes.
const bulkyEnd = `""}}`

// payload is the body of one attempt of a call with content. Whoever called may use the
// content again as soon as the attempt is over, but a transport may go on reading for
// longer, so it then gets nothing any more.
type payload struct {
	params  []byte
	content [][]byte
	size    int64

	mu   sync.Mutex
	over bool
}

var errOver = errors.New("the attempt is over")

func newPayload(params []byte, content [][]byte) *payload {
	n := 0
	for _, part := range content {
		n += len(part)
	}
	return &payload{params: params, content: content, size: int64(len(params) + base64.StdEncoding.EncodedLen(n))}
}

// open returns a reader of all of it.
func (p *payload) open() io.ReadCloser {
	middle := len(p.params) - len(bulkyEnd) + 1
	parts := make([]io.Reader, len(p.content))
	for i, part := range p.content {
		parts[i] = bytes.NewReader(part)
	}
	encoded := &base64Reader{from: io.MultiReader(parts...)}
	return io.NopCloser(&payloadReader{p, io.MultiReader(bytes.NewReader(p.params[:middle]), encoded, bytes.NewReader(p.params[middle:]))})
}

// end lets no more of the content be read.
func (p *payload) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}

type payloadReader struct {
	*payload
	from io.Reader
}

func (r *payloadReader) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return 0, errOver
	}
	return r.from.Read(b)
}

// base64Reader encodes what it reads.
type base64Reader struct {
	from io.Reader
	in   [6 << 10]byte // a multiple of three, so that only the end is padded
	out  [8 << 10]byte
	left []byte // of out
}

func (r *base64Reader) Read(b []byte) (int, error) {
	if len(r.left) == 0 {
		n, err := io.ReadFull(r.from, r.in[:])
		if n == 0 {
			return 0, err // the end: the parts are in memory, so there is no other
		}
		r.left = r.out[:base64.StdEncoding.EncodedLen(n)]
		base64.StdEncoding.Encode(r.left, r.in[:n])
	}
	n := copy(b, r.left)
	r.left = r.left[n:]
	return n, nil
}
