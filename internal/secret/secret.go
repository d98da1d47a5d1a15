// Package secret keeps credentials out of what people read: printed values,
// texts that come from a portal, errors from below.
package secret

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mask hides a secret, but shows that there is none.
func Mask(secret string) string {
	if secret == "" {
		return ""
	}
	return "***"
}

// MaskURL keeps scheme and host of a URL whose path or query is a secret.
func MaskURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return Mask(raw)
	}
	return u.Scheme + "://" + u.Host + "/***"
}

// Scrub cuts secrets out of a text that comes from elsewhere, and makes it one
// line of at most 1,000 characters, because errors end up in logs. A secret of less
// than four characters stays: it would take every text apart.
func Scrub(text string, secrets []string) string { return line(cut(text, secrets, 4), 1000) }

// ScrubCode does the same for an error code, of at most 100 characters. A secret of
// less than eight (BOT, say) stays there: it would take known codes (BOT_ID_ERROR)
// apart.
func ScrubCode(code string, secrets []string) string { return line(cut(code, secrets, 8), 100) }

// line makes text a single line that no terminal acts on.
func line(text string, most int) string {
	if utf8.RuneCountInString(text) > most {
		runes := 0
		for i := range text {
			if runes++; runes > most {
				text = text[:i] + "…"
				break
			}
		}
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}

func cut(text string, secrets []string, shortest int) string {
	longestFirst := func(a, b string) int { return len(b) - len(a) } // one may be part of another, whose rest would stay
	for _, s := range slices.SortedFunc(slices.Values(secrets), longestFirst) {
		if len(s) >= shortest {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}

// Error stands for an error whose text or fields may hold a secret: it has a
// text of its own and says what errors.Is says of the original, and holds nothing
// else that could be printed.
type Error struct {
	text string
	is   func(target error) bool
}

// Hide returns an error that reads as text and matches what is says.
func Hide(text string, is func(target error) bool) *Error { return &Error{text: text, is: is} }

func (e *Error) Error() string { return e.text }

// Is reports whether the hidden error matches target.
func (e *Error) Is(target error) bool { return e.is(target) }

// Clean makes an error from below safe to pass on: the URL of a *url.Error and
// the secrets go, and its text becomes that of [Scrub]; an error that is safe is
// passed on as it is.
func Clean(err error, secrets []string) error {
	if err == nil {
		return nil
	}
	inner := err
	if ue, ok := err.(*url.Error); ok {
		inner = ue.Err
	}
	text := Scrub(inner.Error(), secrets)
	var ue *url.Error
	if text == inner.Error() && !errors.As(inner, &ue) {
		return inner
	}
	return Hide(text, func(target error) bool { return errors.Is(err, target) })
}
