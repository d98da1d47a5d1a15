package imbottest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// masker masks what leaves the portal to be looked at: by the names of secrets,
// and their values wherever they got to.
type masker struct{ secrets *strings.Replacer }

// secrets are the values that may appear nowhere; the lock is held.
func (p *Portal) secrets() *strings.Replacer {
	var pairs []string
	add := func(secret string) {
		if len(secret) < minSecret {
			return // it is in ordinary words
		}
		pairs = append(pairs, secret, hidden)
		if escaped := url.QueryEscape(secret); escaped != secret {
			pairs = append(pairs, escaped, hidden)
		}
	}
	add(p.secret)
	for _, g := range p.tokens {
		add(g.access)
		add(g.refresh)
	}
	for code := range p.codes {
		add(code)
	}
	for _, app := range p.apps {
		add(app.secret)
		add(app.token)
	}
	for _, app := range p.chatApps {
		add(app.hash)
	}
	return strings.NewReplacer(pairs...)
}

// secretNames are the names of parameters, in lower case, whose values are
// secrets.
var secretNames = map[string]bool{
	"access_token": true, "refresh_token": true, "client_id": true, "client_secret": true, "application_token": true,
	"auth_id": true, "refresh_id": true, "hash": true, "ap": true, "aplogin": true, "code_verifier": true,
}

// inText finds secrets in addresses and forms.
var inText = regexp.MustCompile(`(?i)\b(access_token|refresh_token|client_id|client_secret|application_token|auth|hash|domain_hash|user_hash)(=|%3D)[^&\s"'<>\\]+`)

// inPath finds the secret of a webhook in its address.
var inPath = regexp.MustCompile(`(/rest/[0-9]+/)[^/\s"'<>\\]+`)

// inJSON finds secrets in what began as JSON and was cut.
var inJSON = regexp.MustCompile(`(?i)("(?:access_token|refresh_token|client_id|client_secret|application_token|auth|auth_id|refresh_id|hash)"\s*:\s*")[^"]*`)

func (m masker) text(s string) string {
	s = m.secrets.Replace(s)
	s = inText.ReplaceAllString(s, "${1}${2}"+hidden)
	return inPath.ReplaceAllString(s, "${1}"+hidden)
}

// body is a body as people may see it.
func (m masker) body(data []byte) string {
	if v, err := parseJSON(data); err == nil {
		return m.value(v)
	}
	s, more := shorten(strings.ToValidUTF8(string(data), "\uFFFD"), maxShown)
	return trimCut(inJSON.ReplaceAllString(m.text(s), "${1}"+hidden), more)
}

// value is a PHP value as masked and indented JSON.
func (m masker) value(v any) string {
	var out bytes.Buffer
	m.write(&out, v, "\n")
	s, more := shorten(out.String(), maxShown)
	return trimCut(s, more)
}

func (m masker) write(out *bytes.Buffer, v any, indent string) {
	a, ok := v.(*array)
	switch {
	case !ok:
		writeScalar(out, v, m)
		return
	case a.len() == 0:
		out.WriteString("[]")
		return
	}
	list, brackets := a.isList(), "{}"
	if list {
		brackets = "[]"
	}
	out.WriteByte(brackets[0])
	for i, key := range a.keys {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(indent + "  ")
		if !list {
			writeScalar(out, key, m)
			out.WriteString(": ")
		}
		child := a.values[key]
		if _, nested := child.(*array); secretNames[strings.ToLower(key)] || !nested && strings.EqualFold(key, "auth") {
			child = hidden
		}
		m.write(out, child, indent+"  ")
	}
	out.WriteString(indent)
	out.WriteByte(brackets[1])
}

// writeScalar writes what is no array, as JSON without escapes for HTML.
func writeScalar(out *bytes.Buffer, v any, m masker) {
	if s, ok := v.(string); ok {
		s, more := shorten(s, maxString)
		v = trimCut(m.text(s), more)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // holds nothing that JSON cannot express
	out.Truncate(out.Len() - 1)
}

// How much is shown of one text, and of one body, in bytes.
const (
	maxString = 30_000
	maxShown  = 300_000
)

// shorten cuts a long text and tells how many bytes are missing.
func shorten(s string, limit int) (cut string, more int) {
	if len(s) <= limit {
		return s, 0
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit], len(s) - limit
}

// maxTail is longer than any secret: at the end of a cut text there may be half
// of one, which nothing recognises.
const maxTail = 512

// trimCut ends a text that was cut before it was masked.
func trimCut(s string, more int) string {
	if more == 0 {
		return s
	}
	s, tail := shorten(s, max(0, len(s)-maxTail))
	return fmt.Sprintf("%s … (about %d bytes more)", s, more+tail)
}
