package bbcode

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// joiner is U+2060, the word joiner: it has no width, no line breaks at it, and
// the portal does not trim it.
const joiner = "\u2060"

// quoteRule is the line above and below a quoted message.
const quoteRule = "------------------------------------------------------"

// maxDashes is how many dashes in a row Escape leaves together. It breaks up more
// of them, because a row as long as quoteRule would begin or end a quote.
const maxDashes = 20

// Escape makes text from people safe to stand in a message: nothing in it is
// read as a code, mention, command link, quote or line break code, and the text
// around it is read as if it were not there: even "[" before and "]" behind do
// not make a code of it. Only a code or a row of dashes that the text before
// leaves unfinished ("[b", "[url=") goes on in it. Line breaks stay line breaks.
//
// The portal has no escape for "[". Escape puts U+2060 (word joiner, a
// character without width) behind each "[", before a ">" that begins a line,
// inside "#BR#", into and behind long rows of dashes, and in front of text that
// begins with "#" or like the inside of a code ("b]", "icon=", or nothing but
// "b", "ur" or "/"). The reader sees exactly what was typed; what is copied from
// the message has the invisible character, too, and a search for the words finds
// them. [Plain] takes it away. Text that must be copied byte for byte belongs
// into [Code].
//
// Escaping twice is the same as once. Bytes that are not UTF-8 become U+FFFD.
func Escape(text string) string {
	if text != "" && (continuesCode(text) || overlap(text, "BR#") || overlap(text, "R#") || overlap(text, "#")) {
		return joiner + escape(text)
	}
	return escape(text)
}

// escape is Escape without the joiner in front. That is enough behind a whole
// code or behind escaped text, which leave nothing unfinished.
func escape(text string) string {
	var out strings.Builder
	out.Grow(len(text) + 16)
	lineStart, dashes := true, 0
	for i, c := range text {
		rest := text[i:]
		if lineStart && c == '>' {
			out.WriteString(joiner)
		}
		if c != '-' {
			dashes = 0
		} else if dashes++; dashes > maxDashes {
			out.WriteString(joiner)
			dashes = 1
		}
		out.WriteRune(c)
		switch {
		case c == '[' && !strings.HasPrefix(rest[1:], joiner),
			c == '#' && overlap(rest, "#BR#"),
			c == '-' && len(rest) == 1:
			out.WriteString(joiner)
		}
		lineStart = isLineBreak(c) || lineStart && unicode.IsSpace(c)
	}
	return out.String()
}

// overlap reports whether text begins with the code or is the beginning of it,
// which what follows could complete. Capitals make no difference.
func overlap(text, code string) bool {
	n := min(len(text), len(code))
	return strings.EqualFold(text[:n], code[:n])
}

// continuesCode reports whether text would make a code of a "[" or "[/" before
// it, alone or with what follows.
func continuesCode(text string) bool {
	text = strings.TrimPrefix(text, "/")
	word := text
	if n := strings.IndexFunc(text, func(c rune) bool { return !unicode.IsLetter(c) }); n >= 0 {
		word = text[:n]
	}
	letters := utf8.RuneCountInString(word)
	next, _ := utf8.DecodeRuneInString(text[len(word):])
	for name := range strings.FieldsSeq(codeNames) {
		if letters > len(name) || !strings.EqualFold(word, name[:letters]) {
			continue
		}
		f, _ := form(name)
		switch {
		case word == text,
			letters == len(name) && (next == ']' || next == '=' || unicode.IsSpace(next) && (f.valued || f.blankOnly)):
			return true
		}
	}
	return false
}

func isLineBreak(c rune) bool {
	switch c {
	case '\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// codeText breaks up the few codes that would be read inside a code block.
func codeText(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	var out strings.Builder
	out.Grow(len(text))
	for i, c := range text {
		out.WriteRune(c)
		if c != '[' && c != '#' {
			continue
		}
		for _, code := range []string{"[code", "[/code", "[br]", "#BR#"} {
			if hasFoldPrefix(text[i:], code) {
				out.WriteString(joiner)
			}
		}
	}
	return out.String()
}

// linkAddress returns an address that cannot break out of a code.
func linkAddress(url string) string {
	url = strings.TrimSpace(strings.ToValidUTF8(url, "\uFFFD"))
	if url == "" {
		return ""
	}
	switch { // the portal looks for the scheme in small letters
	case hasFoldPrefix(url, "https://"):
		url = "https://" + url[len("https://"):]
	case hasFoldPrefix(url, "http://"):
		url = "http://" + url[len("http://"):]
	case url[0] != '/':
		url = "https://" + url
	}
	var out strings.Builder
	out.Grow(len(url))
	dashes, fragment := 0, false
	for _, c := range url {
		unsafe := strings.ContainsRune("[]\"'<>\\^`{|}", c) || c != '\u200d' && !unicode.IsGraphic(c) || unicode.IsSpace(c)
		if c != '-' {
			dashes = 0
		}
		switch c {
		case '-':
			dashes++
			unsafe = dashes%maxDashes == 0
		case '#': // the first begins the fragment; a second could end a "#BR#"
			unsafe, fragment = fragment, true
		}
		if !unsafe {
			out.WriteRune(c)
			continue
		}
		for _, b := range []byte(string(c)) {
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}

// oneOfMany is attribute for a code that has several: with "=" in it, text could
// begin another one.
func oneOfMany(text string) string {
	return attribute(strings.ReplaceAll(text, "=", "＝"))
}

// attribute returns text that cannot break out of the attribute of a code.
func attribute(text string) string {
	text = strings.TrimSpace(strings.Map(func(c rune) rune {
		switch {
		case c == '[':
			return '［'
		case c == ']':
			return '］'
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsControl(c):
			return -1
		}
		return c
	}, text))
	// Without brackets and line breaks, only "#BR#" and rows of dashes can still
	// break out. A joiner at an edge protects nothing, and the portal would send
	// it with the command.
	if !strings.Contains(text, quoteRule) && !strings.Contains(strings.ToUpper(text), "#BR#") {
		return text
	}
	return strings.Trim(escape(text), joiner)
}
