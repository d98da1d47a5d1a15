package bbcode

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// wideJoiner is U+FEFF and a joiner. JavaScript takes U+FEFF, which has no width
// either, for a blank, and "*" or "_" before a blank begins no emphasis. The joiner
// behind it tells Plain that it was not typed.
const wideJoiner = "\ufeff" + joiner

// EscapeMarkdown is [Escape] for portals whose newest web client reads Markdown in
// messages: with it no link, picture, emphasis, heading, list, table, block of code
// or HTML tag comes out of what people typed either. A code span (`x`) still does:
// no character without width prevents it.
//
// Markdown is switched on by a flag of the portal. Documentation knows nothing of
// it, and whether it is on in the cloud is unknown (livecheck: markdown-bold, markdown-link, html-tag):
// measure, and use Escape until a literal **b** is shown bold. Of that client only the source was read and its
// patterns were tried on texts; it was not run. What Escape does was measured.
//
// It puts more invisible characters into a text than Escape: U+2060 at the beginning
// of lines that begin like a block, in "](", "~~" and rows of
// backticks, behind "<", "&" and "\", and U+FEFF U+2060 behind "*" and behind a "_"
// that begins a word. [Plain] takes them away.
func EscapeMarkdown(text string) string {
	text = Escape(text)
	e := escaper{text: text}
	if strings.HasPrefix(text, "(") { // a code before it would be the text of a link
		e.joiner(0)
	}
	inWord := false // of the last "_"
	for i := 0; i < len(text); i++ {
		if (i == 0 || text[i-1] == '\n' || text[i-1] == '\r') && beginsBlock(text[i:]) {
			e.joiner(i)
		}
		rest := text[i+1:]
		switch c := text[i]; c {
		case '*':
			if !strings.HasPrefix(rest, wideJoiner) {
				e.insert(i+1, wideJoiner)
			}
		case '_':
			if before, _ := utf8.DecodeLastRuneInString(text[:i]); before != '_' {
				inWord = isWord(before)
			}
			if !inWord && !strings.HasPrefix(rest, wideJoiner) {
				e.insert(i+1, wideJoiner)
			}
		case '~', '`':
			if rest == "" || rest[0] == c {
				e.joiner(i + 1)
			}
		case ']':
			if rest == "" || rest[0] == '(' {
				e.joiner(i + 1)
			}
		case '<':
			if rest == "" || isLetter(rest[0]) || rest[0] == '/' {
				e.joiner(i + 1)
			}
		case '&':
			if isEntity(text[i:]) {
				e.joiner(i + 1)
			}
		case '\\':
			if !strings.HasPrefix(rest, joiner) { // also before an address, where the portal writes "[URL]"
				e.joiner(i + 1)
			}
		}
	}
	return e.end()
}

// beginsBlock reports whether a line begins like a heading, a list, a rule, a
// table, a fence or indented code.
func beginsBlock(line string) bool {
	text := strings.TrimLeftFunc(line, func(c rune) bool { return isTrimmed(c) && c != '\n' && c != '\r' })
	before := line[:len(line)-len(text)]
	if len(before) > 3 || strings.Contains(before, "\t") {
		return true
	}
	if text == "" {
		return before != "" // the caller's next text may make it four blanks
	}
	if strings.IndexByte("#-+*=_|:~`", text[0]) >= 0 {
		return true
	}
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	return digits > 0 && strings.HasPrefix(text[digits:], ".")
}

// isWord reports whether a "_" behind c is within a word. The client knows fewer
// letters, so this must know no more.
func isWord(c rune) bool {
	if c < utf8.RuneSelf {
		return unicode.IsLetter(c) || unicode.IsDigit(c)
	}
	return c >= 0xC0 && c <= 0x24F || c >= 0x400 && c <= 0x4FF
}

// isEntity reports whether a text that begins with "&" begins like an entity, of the
// portal or any other: the newest web client reads them all.
func isEntity(text string) bool {
	n := 1
	if strings.HasPrefix(text[n:], "#") {
		n++
	}
	digits := n
	for n < len(text) && (isLetter(text[n]) || text[n] >= '0' && text[n] <= '9') {
		n++
	}
	return n > digits && n < len(text) && text[n] == ';'
}
