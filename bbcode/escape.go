package bbcode

import (
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
// read as a code, mention, command link, quote, line break code, entity or "/me",
// and the text around it is read as if it were not there: even "[" before and "]"
// behind do not make a code of it. Only what the text before leaves unfinished
// goes on in it: a code ("[b", "[url="), an entity ("&#"), an address, a row of
// dashes, a "/" that begins the message. Line breaks stay line breaks.
//
// The portal has no escape for "[", and it makes characters of entities like
// "&#91;" before people's clients look for codes. Escape puts U+2060 (word joiner,
// a character without width) behind each "[", behind the "&" of an entity and the
// "<" of "<br />", before a ">" that begins a line, before a "/me" or "/loud" that
// begins the text, inside "#BR#", rows of "#" and long rows of dashes, and in front
// of text that begins with "#" or like the inside of a code or entity ("b]",
// "icon=", "lt;", or nothing but "b", "ur", "am" or "/"). The reader sees exactly what
// was typed (livecheck: escaped); what is copied from the message has the invisible character, too, and a
// search for the words finds them. [Plain] takes it away. Text that must be copied
// byte for byte belongs into [Code].
//
// An address stays a link. That of a picture stays text, because the web client
// would show the picture (livecheck: picture-link), and each reader would load it from a host that a stranger
// has chosen; [Image] shows one. Smileys stay smileys. Against Markdown see
// [EscapeMarkdown].
//
// Escaping twice is the same as once. Bytes that are not UTF-8 become U+FFFD.
func Escape(text string) string { return escapeFor(anywhere, text) }

// escape is Escape for text behind a whole code or behind escaped text, which leave
// nothing unfinished, and not at the beginning of a message.
func escape(text string) string { return escapeFor(inside, text) }

// escapeName is escape for names and titles, where an address must not become a link:
// the client would show the HTML of it, or end the code at its "]".
func escapeName(text string) string { return escapeFor(aName, text) }

// Where an escaped text is going to stand.
const (
	anywhere = iota
	inside
	aName
)

func escapeFor(place int, text string) string {
	if !utf8.ValidString(text) {
		text = string([]rune(text))
	}
	e := escaper{text: text}
	front := place == anywhere && goesOn(text)
	if front {
		e.joiner(0)
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '[':
			if !strings.HasPrefix(text[i+1:], joiner) {
				e.joiner(i + 1)
			}
		case '#':
			// Rows of "#" are kept apart, as in ####NOTE####: there are texts with
			// such rows that keep a reader's client busy for ever (livecheck: client-freeze).
			if strings.HasPrefix(text[i+1:], "#") || overlap(text[i:], "#BR#") {
				e.joiner(i + 1)
			}
		case '&':
			if _, n := decodeEntity(text[i:]); n > 0 || beginsEntity(text[i:]) {
				e.joiner(i + 1)
			}
		case '<':
			if overlap(text[i:], breakTag) || overlap(text[i:], "<br\u00a0/>") { // the portal makes a blank of U+00A0 first
				e.joiner(i + 1)
			}
		case '-':
			i = e.dashes(i)
		case '>':
			if line := strings.TrimRightFunc(text[:i], isIndent); line == "" || endsLine(line) {
				e.joiner(i)
			}
		case '/':
			if place != anywhere || front && i == 0 {
				continue
			}
			begins := overlap(text[i:], "/me") || overlap(text[i:], "/loud")
			if begins && strings.TrimLeftFunc(text[:i], isTrimmed) == "" {
				e.joiner(i)
			}
		case ':':
			if strings.HasPrefix(text[i+1:], "//") && (place == aName || e.inPicture(i)) {
				e.joiner(i + 1)
			}
		case '.':
			if i >= 3 && strings.EqualFold(text[i-3:i], "www") && (place == aName || e.inPicture(i)) {
				e.joiner(i)
			}
		}
	}
	return e.end()
}

// An escaper writes a text with joiners in it. A text without any is not copied.
type escaper struct {
	text    string
	done    int // text[:done] is in out
	out     strings.Builder
	word    int // where the word ends that inPicture has looked at
	picture int // where its last ending of a picture's name begins
}

// joiner puts a joiner in front of text[i].
func (e *escaper) joiner(i int) { e.insert(i, joiner) }

func (e *escaper) insert(i int, s string) {
	if e.out.Cap() == 0 {
		e.out.Grow(len(e.text) + len(e.text)/16 + 16)
	}
	e.out.WriteString(e.text[e.done:i])
	e.out.WriteString(s)
	e.done = i
}

func (e *escaper) end() string {
	if e.out.Cap() == 0 {
		return e.text
	}
	e.out.WriteString(e.text[e.done:])
	return e.out.String()
}

// dashes breaks up the row of dashes at i and returns where its last one is. The
// joiner at the end of a text keeps it apart from those that may follow.
func (e *escaper) dashes(i int) int {
	n := runLength(e.text[i:], '-')
	for at := maxDashes; at < n; at += maxDashes {
		e.joiner(i + at)
	}
	if i+n == len(e.text) {
		e.joiner(i + n)
	}
	return i + n - 1
}

// inPicture reports whether the ending of a picture's name follows i in the same
// word. Each word is looked at once.
func (e *escaper) inPicture(i int) bool {
	if i >= e.word {
		word := e.text[i:]
		if n := strings.IndexAny(word, " \t\n\r\v\f"); n >= 0 {
			word = word[:n]
		}
		e.word, e.picture = i+len(word), i+lastPicture(word)
	}
	return i < e.picture
}

// lastPicture returns where the last ending like ".jpg" begins, -1 without one.
func lastPicture(word string) int {
	for i := len(word) - 1; i >= 0; i-- {
		if word[i] != '.' {
			continue
		}
		for _, name := range []string{"jpg", "jpeg", "png", "gif", "webp"} {
			rest := word[i+1:]
			if hasFoldPrefix(rest, name) && (len(rest) == len(name) || rest[len(name)] >= utf8.RuneSelf || !isWordByte(rest[len(name)])) {
				return i
			}
		}
	}
	return -1
}

// goesOn reports whether text would make something of a "[", "[/", "#", "#B",
// "#BR", "&" or "<" before it, alone or with what follows.
func goesOn(text string) bool {
	if text == "" {
		return false
	}
	return continuesCode(text) || overlap(text, "BR#") || overlap(text, "R#") || text[0] == '#' ||
		continuesEntity(text) || overlap(text, breakTag[1:]) || overlap(text, "br\u00a0/>")
}

// overlap reports whether text begins with the code or is the beginning of it,
// which what follows could complete. Capitals make no difference.
func overlap(text, code string) bool {
	n := min(len(text), len(code))
	return strings.EqualFold(text[:n], code[:n])
}

// newestNames are the codes that only the newest web client reads, with Markdown
// on. Nothing here makes or reads them.
const newestNames = "h1 h2 hr list table tr th td icode"

// continuesCode reports whether text would make a code of a "[" or "[/" before
// it, alone or with what follows.
func continuesCode(text string) bool {
	text = strings.TrimPrefix(text, "/")
	word := text
	if n := strings.IndexFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }); n >= 0 {
		word = text[:n]
	}
	next, _ := utf8.DecodeRuneInString(text[len(word):])
	if word != text && next != ']' && next != '=' && !unicode.IsSpace(next) {
		return false
	}
	letters := utf8.RuneCountInString(word)
	for name := range strings.FieldsSeq(codeNames + " " + newestNames) {
		if letters > len(name) || !strings.EqualFold(word, name[:letters]) {
			continue
		}
		f, _ := form(name)
		if word == text || letters == len(name) && (!unicode.IsSpace(next) || f.valued || f.blankOnly) {
			return true
		}
	}
	return false
}

// beginMessage puts a joiner before a "/me" or "/loud" that begins a message,
// where the web client cuts it off and changes the look of the rest.
func beginMessage(text string) string {
	if i := messageStart(text); isSlashCommand(text[i:]) {
		return text[:i] + joiner + text[i:]
	}
	return text
}

// messageStart returns where a message begins: behind the blanks and line breaks,
// in all their spellings, that the portal and the client trim.
func messageStart(text string) int {
	for i := 0; ; {
		rest := text[i:]
		if r, n := utf8.DecodeRuneInString(rest); n > 0 && isTrimmed(r) {
			i += n
			continue
		}
		n := 0
		for _, blank := range []string{LineBreak, "#BR#", breakTag, "&nbsp;"} {
			if hasFoldPrefix(rest, blank) {
				n = len(blank)
			}
		}
		if n == 0 {
			return i
		}
		i += n
	}
}

// isSlashCommand reports whether a message that begins so is restyled: the web client does not ask
// whether the word ends there, so "/menu" is, too (livecheck: me-italic, menu-cut).
func isSlashCommand(text string) bool {
	return hasFoldPrefix(text, "/me") || hasFoldPrefix(text, "/loud")
}

func isLineBreak(c rune) bool {
	switch c {
	case '\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// isTrimmed reports whether the portal or a client takes c from the edges of a
// message.
func isTrimmed(c rune) bool { return unicode.IsSpace(c) || c == 0 || c == '\ufeff' }

// isIndent is isTrimmed without the line breaks.
func isIndent(c rune) bool { return isTrimmed(c) && !isLineBreak(c) }

func endsLine(text string) bool {
	c, _ := utf8.DecodeLastRuneInString(text)
	return isLineBreak(c)
}
