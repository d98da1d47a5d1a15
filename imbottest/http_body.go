package imbottest

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/internal/phpform"
)

// maxBody is how many bytes the body of a call may have beside a file.
const maxBody = 32 << 20

// maxVariables is how many variables PHP reads from a form, each pair counted; it drops
// the others without a word. PHP 8.2 lets one more pass in a urlencoded body.
const maxVariables = 1000

var errTooLarge = errors.New("body too large")

// readParams reads the parameters of the query and of the body. Those of the body win.
func readParams(r *http.Request) (*php.Array, error) {
	params := parseForm([]byte(r.URL.RawQuery))
	if r.Method != http.MethodPost {
		return params, nil
	}
	var sent *php.Array
	var err error
	if kind, more := mediaType(r.Header.Get("Content-Type")); kind == "application/json" || strings.Contains(kind, "+json") {
		sent, err = readJSON(r.Body, r.ContentLength)
	} else {
		sent, err = readForm(r.Body, kind == "multipart/form-data", more["boundary"])
	}
	if err != nil {
		return nil, errTooLarge
	}
	if sent != nil {
		for _, k := range sent.Keys {
			params.Set(k, sent.Values[k])
		}
	}
	return params, nil
}

func readForm(from io.Reader, multi bool, boundary string) (*php.Array, error) {
	body, err := io.ReadAll(io.LimitReader(from, maxBody+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxBody:
		return nil, errTooLarge
	case multi:
		return parseMultipart(body, boundary), nil
	}
	return parseForm(body), nil
}

func mediaType(contentType string) (kind string, more map[string]string) {
	kind, more, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = strings.ToLower(contentType)
	}
	return kind, more
}

func isJSON(contentType string) bool {
	kind, _ := mediaType(contentType)
	return kind == "application/json" || strings.Contains(kind, "+json")
}

// parseForm reads a form. One that cannot be read counts as empty, as in PHP.
func parseForm(data []byte) *php.Array {
	node, err := phpform.Parse(firstVariables(data))
	if err != nil {
		return php.NewArray()
	}
	return fromForm(node)
}

// firstVariables is the part of a form that PHP reads.
func firstVariables(form []byte) []byte {
	count := 0
	for at := 0; at < len(form); {
		end := bytes.IndexByte(form[at:], '&')
		if end != 0 {
			count++
		}
		if end < 0 {
			break
		}
		if at += end; count == maxVariables {
			return form[:at]
		}
		at++
	}
	return form
}

// parseMultipart reads the fields of a multipart/form-data body like those of a form, as
// PHP does; no method reads files that are sent this way. It ends where the body is torn.
func parseMultipart(body []byte, boundary string) *php.Array {
	var form bytes.Buffer
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			break
		}
		kind, names, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if _, isFile := names["filename"]; err != nil || kind != "form-data" || isFile {
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			break
		}
		if form.Len() > 0 {
			form.WriteByte('&')
		}
		form.WriteString(url.QueryEscape(names["name"]))
		form.WriteByte('=')
		form.WriteString(url.QueryEscape(string(value)))
	}
	return parseForm(form.Bytes())
}

func fromForm(node phpform.Node) *php.Array {
	a := php.NewArray()
	for k, child := range node.All() {
		if child.IsMap() {
			a.Set(k, fromForm(child))
		} else {
			a.Set(k, child.Get())
		}
	}
	return a
}

// formAsJSON is the body of an event as JSON, with texts for all values.
func formAsJSON(form string) string {
	node, _ := phpform.Parse([]byte(form))  // the portal wrote it
	data, _ := fromForm(node).MarshalJSON() // PHP values can always be written
	return string(data)
}
