package imbottest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// inlineContent is how long a content may be to stay the text that it is.
const inlineContent = 64 << 10

// readJSON reads a body of JSON, nil when it is malformed: the portal ignores that without an
// error. A long text named content is decoded from its Base64 while it is read, because as a
// text it would take the memory of several files.
func readJSON(body io.Reader, length int64) (*php.Array, error) {
	v, err := sift(body, length, inlineContent)
	sent, _ := v.(*php.Array)
	return sent, err
}

// sift is readJSON of any value, and with the length of a content that is long.
func sift(body io.Reader, length int64, long int) (any, error) {
	s := &sieve{from: bufio.NewReaderSize(body, 2*long), length: length, long: long, mark: world.RandomHex(16)}
	if err := s.run(); err != io.EOF {
		return nil, err
	}
	v, _ := php.ParseJSON(s.rest.Bytes())
	return s.putBack(v), nil
}

// sieve copies JSON and puts a mark in the place of each long content.
type sieve struct {
	from   *bufio.Reader
	length int64 // of the body, -1 where it is not known
	long   int
	mark   string
	rest   bytes.Buffer
	blobs  []php.Blob
}

// run ends with io.EOF when all is well.
func (s *sieve) run() error {
	for last := ""; ; {
		start := s.rest.Len()
		if err := s.copy(); err != nil { // what is between two texts
			return err
		}
		between := strings.TrimSpace(string(s.rest.Bytes()[start : s.rest.Len()-1]))
		if last == "content" && between == ":" {
			if head, _ := s.from.Peek(s.long); len(head) == s.long && bytes.IndexByte(head, '"') < 0 {
				if err := s.take(); err != nil {
					return err
				}
				last = ""
				continue
			}
		}
		start = s.rest.Len()
		for {
			if err := s.copy(); err != nil {
				return err
			}
			if text := s.rest.Bytes()[start : s.rest.Len()-1]; !escapes(text) {
				last = string(text[:min(len(text), len("content")+1)])
				break
			}
		}
	}
}

// escapes reports whether a text ends with the escape of what follows.
func escapes(text []byte) bool { return (len(text)-len(bytes.TrimRight(text, `\`)))%2 == 1 }

// copy copies up to the next quotation mark, and that.
func (s *sieve) copy() error {
	for {
		part, err := s.from.ReadSlice('"')
		s.rest.Write(part)
		switch {
		case s.rest.Len() > maxBody:
			return errTooLarge
		case err != bufio.ErrBufferFull:
			return err
		}
	}
}

// take decodes a content.
func (s *sieve) take() error {
	var blob php.Blob
	var pending []byte
	padded := false
	content, good := make([]byte, 0, base64.StdEncoding.DecodedLen(int(min(max(s.length, 0), world.MaxFileText)))), true
	for closed := false; !closed; {
		part, err := s.from.ReadSlice('"')
		switch err {
		case nil:
			closed, part = true, part[:len(part)-1]
		case bufio.ErrBufferFull:
		default:
			return err
		}
		pending = append(pending, part...)
		if closed && escapes(pending) {
			closed, pending = false, append(pending, '"') // which no Base64 has
		}
		text, later := pending, []byte(nil)
		if !closed { // the end may be half an escape
			now := max(0, len(pending)-8)
			for now > 0 && pending[now-1] == '\\' {
				now--
			}
			text, later = pending[:now], pending[now:]
		}
		text = unescaped(text)
		if !closed {
			whole := len(text) / 4 * 4
			text, later = text[:whole], slices.Concat(text[whole:], later)
		}
		if blob.Encoded += len(text); blob.Encoded > 2*world.MaxFileText {
			return errTooLarge
		}
		if good = good && blob.Encoded <= world.MaxFileText && !(padded && len(text) > 0); good {
			content, err = php.AppendBase64(content, text)
			good = err == nil
		}
		padded = padded || bytes.HasSuffix(text, []byte(`=`)) // nothing may follow
		pending = append(pending[:0], later...)
	}
	if good {
		blob.Content = content
	}
	s.rest.WriteString(s.mark + strconv.Itoa(len(s.blobs)) + `"`)
	s.blobs = append(s.blobs, blob)
	return nil
}

// unescaped is a text in which each escape is one character: the slash that PHP escapes, and for
// all others one that no Base64 has.
func unescaped(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	var out []byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' {
			if i++; i == len(text) || text[i] != '/' {
				c = '!'
			} else {
				c = '/'
			}
		}
		out = append(out, c)
	}
	return out
}

// putBack puts the contents in the place of their marks.
func (s *sieve) putBack(v any) any {
	switch v := v.(type) {
	case string:
		if number, ok := strings.CutPrefix(v, s.mark); ok {
			n, _ := strconv.Atoi(number)
			return s.blobs[n]
		}
	case *php.Array:
		for _, k := range v.Keys {
			v.Values[k] = s.putBack(v.Values[k])
		}
	}
	return v
}
