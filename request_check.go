package imbot

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/imbot-go/imbot/internal/secret"
)

// The checks refuse what the portal would lose without a word. What it reports
// itself is left to it. Each returns nil or an error that names the field.

// refused is the error of a call that its request's own Check does not let out.
func refused(method string, err error, secrets []string) *Error {
	if own, ok := err.(*Error); ok { // as all checks of this package return
		e := *own
		e.Method, e.kind = method, ErrInvalid
		return &e
	}
	e := &Error{Method: method, kind: ErrInvalid, cause: secret.Clean(err, secrets)}
	if errors.As(err, &e.Code) { // with which the text of e begins
		e.Description = strings.TrimPrefix(strings.TrimPrefix(e.cause.Error(), string(e.Code)), ": ")
		e.cause = secret.Hide("", func(target error) bool { return errors.Is(err, target) })
	}
	return e
}

// maxMessage is the longest text, in characters; the portal cuts longer ones (livecheck: text-cut).
const maxMessage = 20000

// checkAll returns the first error.
func checkAll(errs ...error) error {
	for _, e := range errs {
		if e != nil {
			return e
		}
	}
	return nil
}

// checkText refuses text that is not UTF-8 or longer than most characters
// (0: any length).
func checkText(field, s string, most int) error {
	if !utf8.ValidString(s) {
		return invalid("", "%s is not UTF-8", field)
	}
	if most > 0 && len(s) > most {
		if n := utf8.RuneCountInString(s); n > most {
			return invalid("", "%s has %d characters, the portal keeps %d", field, n, most)
		}
	}
	return nil
}

// checkTexts refuses text that is not UTF-8; pairs of field and text.
func checkTexts(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if e := checkText(pairs[i], pairs[i+1], 0); e != nil {
			return e
		}
	}
	return nil
}

func checkFlag(field string, f Flag) error {
	if f != "" && f != Yes && f != No {
		return invalid("", "%s is %.20q, not Yes or No", field, string(f))
	}
	return nil
}

// checkColor refuses names that the portal replaces or drops.
func checkColor(c Color) error {
	if c != "" && c.Hex() == "" {
		return invalid(ErrWrongColor, "COLOR %.20q is not one of Colors()", string(c))
	}
	return nil
}

func checkOneOf[T ~string](field string, value T, known ...T) error {
	if value != "" && !slices.Contains(known, value) {
		return invalid("", "%s %.20q is not known to the portal", field, string(value))
	}
	return nil
}

// checkLanguage refuses a title that the portal would skip.
func checkLanguage(language, title string) error {
	if len(language) != 2 || strings.Trim(strings.ToLower(language), "abcdefghijklmnopqrstuvwxyz") != "" {
		return invalid(ErrLang, "LANG: LANGUAGE_ID %.20q is not a two-letter language", language)
	}
	if title == "" {
		return invalid(ErrLang, "LANG: TITLE of %q is empty", language)
	}
	return checkTexts("LANG: TITLE", title)
}
