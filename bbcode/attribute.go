package bbcode

import (
	"fmt"
	"strings"
	"unicode"
)

// codeText breaks up what would be read even inside a code block: the ends of the
// block, line breaks, and rows of "#" as in Escape, of which two stay together
// because code has them often.
func codeText(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	e, hashes := escaper{text: text}, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '#':
			if hashes++; hashes > 2 {
				e.joiner(i)
				hashes = 1
			}
			if hasFoldPrefix(text[i:], "#BR#") {
				e.joiner(i + 1)
				hashes = 0
			}
			continue
		case '[':
			for _, code := range []string{"[code", "[/code", LineBreak} {
				if hasFoldPrefix(text[i:], code) {
					e.joiner(i + 1)
				}
			}
		}
		hashes = 0
	}
	return e.end()
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
	dashes, fragment, entity := 0, false, 0
	for i, c := range url {
		unsafe := strings.ContainsRune("[]\"'<>\\^`{|}", c) || c != '\u200d' && !unicode.IsGraphic(c) || unicode.IsSpace(c)
		if c != '-' {
			dashes = 0
		}
		switch c {
		case ':': // an address in the address, unless it is plainly a part of it
			unsafe = unsafe || strings.HasPrefix(url[i:], "://") && stands(url[:i])
		case '.':
			unsafe = unsafe || i >= 3 && strings.EqualFold(url[i-3:i], "www") && stands(url[:i])
		case '-':
			dashes++
			unsafe = dashes%maxDashes == 0
		case '#': // the first begins the fragment; a second could end a "#BR#"
			unsafe, fragment = fragment, true
		case '&':
			if _, n := decodeEntity(url[i:]); n > 0 {
				entity = i + n - 1
			}
		case ';': // whoever is called reads ";" and "%3B" alike
			unsafe = unsafe || i == entity
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

// stands reports whether the word at the end of an address is one that the portal
// could take for the beginning of another address.
func stands(address string) bool {
	i := len(address)
	for i > 0 && isLetter(address[i-1]) {
		i--
	}
	return i > 0 && address[i-1] != '=' && address[i-1] != '/'
}

// oneOfMany is attribute for a code that has several: with "=" in it, text could
// begin another one.
func oneOfMany(text string) string {
	return attribute(strings.ReplaceAll(text, "=", "＝"))
}

// attribute returns text that cannot break out of the attribute of a code. A joiner
// at an edge protects nothing there.
func attribute(text string) string {
	return strings.Trim(escapeName(inAttribute(text)), joiner)
}

// commandValue is attribute for what [send] and [put] send. The portal leaves the code
// alone when it stands on one line, label included: then entities and tags stay as
// they are, because a joiner would be sent with them.
func commandValue(text, label string) string {
	value := inAttribute(text)
	plain := isOneLine(value) && !strings.Contains(value, "##") && !strings.Contains(value, quoteRule)
	if plain && isOneLine(label) {
		return value
	}
	return attribute(value)
}

// inAttribute returns text without brackets and line breaks.
func inAttribute(text string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
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
}
