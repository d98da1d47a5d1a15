package imbottest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// masker masks the bodies of exchanges: parameters that have the name of a secret, and
// the secrets of this portal wherever they stand.
type masker struct{ secrets *strings.Replacer }

// credentials yields the secrets of this portal. Short ones are left out, because they
// can be part of ordinary words. The lock is held.
func (p *Portal) credentials(yield func(string) bool) {
	send := func(secrets ...string) bool {
		for _, secret := range secrets {
			if len(secret) >= minSecret && !yield(secret) {
				return false
			}
		}
		return true
	}
	if !send(p.secret) {
		return
	}
	for _, g := range p.tokens {
		if !send(g.access, g.refresh) {
			return
		}
	}
	for code := range p.codes {
		if !send(code) {
			return
		}
	}
	for _, app := range p.w.Apps {
		if !send(app.Secret, app.Token) {
			return
		}
	}
}

// replacerOf masks secrets, as they are and as forms escape them. When one begins with
// another, the longer one has to be tried first.
func replacerOf(secrets []string) *strings.Replacer {
	for _, secret := range secrets {
		if escaped := url.QueryEscape(secret); escaped != secret {
			secrets = append(secrets, escaped)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, secret := range secrets {
		pairs = append(pairs, secret, hidden)
	}
	return strings.NewReplacer(pairs...)
}

// scrub masks the portal's credentials in a text; the lock is held.
func (p *Portal) scrub(text string) string {
	for secret := range p.credentials {
		if strings.Contains(text, secret) { // rare, so the replacer is made only then
			return replacerOf(slices.Collect(p.credentials)).Replace(text)
		}
	}
	return text
}

// secretReplacer masks the credentials, and the HASH of chat applications, which
// [Portal.Calls] does not mask because tests look at it. The lock is held.
func (p *Portal) secretReplacer() *strings.Replacer {
	list := slices.Collect(p.credentials)
	for _, app := range p.w.ChatApps {
		if len(app.Hash) >= minSecret {
			list = append(list, app.Hash)
		}
	}
	return replacerOf(list)
}

// secretNames are the names of parameters, in lower case, whose values are
// secrets.
var secretNames = map[string]bool{
	"access_token": true, "refresh_token": true, "client_id": true, "client_secret": true, "application_token": true,
	"bottoken": true, "bot_token": true, "clientid": true, "auth_id": true, "refresh_id": true, "hash": true, "ap": true, "aplogin": true, "code_verifier": true,
}

// secretInText finds secrets by their names in texts that are no JSON as a whole: in
// addresses, forms, parts of JSON, and what Python and PHP print of these.
var secretInText = regexp.MustCompile(`(?i)((?:\b|%5B|%22|%26|%3F)(?:access_token|refresh_token|bot_?token|client_id|client_secret|application_token|auth|auth_id|refresh_id|hash|domain_hash|user_hash)` +
	`(?:["'\]\\]|%22|%27|%5D)*\s*(?:=>?|:|%3D|%3A)\s*(?:["'\\]|%22|%27)*)(?:[^&\s"'<>\\{\[%]|%2[^267]|%[^2])(?:[^&\s"'<>\\%]|%2[^267]|%[^2])*`)

// secretInPath finds the secret of a webhook in its address.
var secretInPath = regexp.MustCompile(`(/rest/[0-9]+/)[^/\s"'<>\\]+`)

func (m masker) text(s string) string {
	s = m.secrets.Replace(s)
	s = secretInText.ReplaceAllString(s, "${1}"+hidden)
	return secretInPath.ReplaceAllString(s, "${1}"+hidden)
}

// body masks a body and indents it when it is JSON.
func (m masker) body(data []byte) string {
	if v, err := php.ParseJSON(data); err == nil {
		return m.value(v)
	}
	s, more := shorten(strings.ToValidUTF8(string(data), "\uFFFD"), maxShown)
	return trimCut(m.text(s), more)
}

// value writes a PHP value as indented JSON and masks it.
func (m masker) value(v any) string {
	var out bytes.Buffer
	m.write(&out, v, "\n")
	s, more := shorten(out.String(), maxShown)
	return trimCut(s, more)
}

func (m masker) write(out *bytes.Buffer, v any, indent string) {
	a, ok := v.(*php.Array)
	switch {
	case !ok:
		writeScalar(out, v, m)
		return
	case a.Len() == 0:
		out.WriteString("[]")
		return
	}
	list, brackets := a.IsList(), "{}"
	if list {
		brackets = "[]"
	}
	out.WriteByte(brackets[0])
	for i, key := range a.Keys {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(indent + "  ")
		if !list {
			writeScalar(out, key, m)
			out.WriteString(": ")
		}
		child := a.Values[key]
		if _, nested := child.(*php.Array); secretNames[strings.ToLower(key)] || !nested && strings.EqualFold(key, "auth") {
			child = hidden
		}
		m.write(out, child, indent+"  ")
	}
	out.WriteString(indent)
	out.WriteByte(brackets[1])
}

// writeScalar writes a value that is no array, as JSON without escapes for HTML, because
// people read it.
func writeScalar(out *bytes.Buffer, v any, m masker) {
	if s, ok := v.(string); ok {
		s, more := shorten(s, maxString)
		v = trimCut(m.text(s), more)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // PHP values can always be written
	out.Truncate(out.Len() - 1)
}

// How many bytes are shown of one text, and of one body.
const (
	maxString = 30_000
	maxShown  = 300_000
)

// shorten cuts a long text and returns how many bytes are missing.
func shorten(s string, limit int) (cut string, more int) {
	if len(s) <= limit {
		return s, 0
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit], len(s) - limit
}

// maxTail is longer than any secret. A text that was cut before it was masked can end
// with half a secret, which nothing recognises; so its end is left out.
const maxTail = 512

// trimCut takes the end away from a text that was cut before it was masked, and says how
// many bytes are missing.
func trimCut(s string, more int) string {
	if more == 0 {
		return s
	}
	s, tail := shorten(s, max(0, len(s)-maxTail))
	return fmt.Sprintf("%s … (about %d bytes more)", s, more+tail)
}

const (
	hidden    = "***"
	minSecret = 16 // characters
)

func isCredential(name string) bool {
	switch strings.ToLower(name) {
	case "auth", "access_token", "token", "bottoken", "bot_token", "clientid", "sessid", "client_id", "client_secret", "refresh_token", "ap", "aplogin":
		return true
	}
	return false
}
