package bbcode

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Split cuts a long text into messages of at most 20,000 characters, to be sent
// in this order. It cuts between paragraphs, else lines, sentences or words, as
// long as the message is at least half full; only a longer word is cut itself.
// It never cuts inside a code or a character made of several. Codes that are
// open at a cut are closed there and opened again in the next message (while
// that takes less than a quarter of it), and so are quotes and code blocks.
// Links, mentions and the like stay in one message unless one alone is longer
// than half of it.
//
// No character is lost or added besides these marks: the messages read the same
// one behind the other as the text did. A message that would begin with "/me" or
// "/loud", which the web client cuts off, gets the invisible character of [Escape];
// who wants that look sends the text without Split. Only what would be a message without
// anything to see is left out, so a blank text has no message at all.
func Split(text string) []string { return split(text, maxMessage) }

func split(text string, limit int) []string {
	s := splitter{text: text, limit: limit, marks: findMarks(text, limit)}
	var parts []string
	for at := (place{lineStart: true}); at.pos < len(text); {
		var part string
		if part, at = s.part(at); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// maxMessage is the longest message, in characters; the portal cuts longer ones (livecheck: text-cut).
const maxMessage = 20000

type splitter struct {
	text  string
	limit int
	marks []*mark // those behind the beginning of the next part
	open  []*mark // open at that beginning
}

// A place is where a part may begin.
type place struct {
	pos       int
	lineStart bool
	quoted    bool // in a line that begins with ">>"
}

// How good a place is for a cut.
const (
	nowhere = iota
	betweenWords
	betweenSentences
	betweenLines
	betweenParagraphs
)

// part returns the part that begins at a place, empty if there would be nothing
// to see, and where the next one begins.
func (s *splitter) part(at place) (text string, next place) {
	head := s.head(&at)
	spare := 0
	if head == "" && s.beginsCommand(at.pos) {
		spare = 1 // for the joiner of beginMessage
	}
	next, visible := s.end(at, utf8.RuneCountInString(head)+spare)
	for len(s.marks) > 0 {
		m := s.marks[0]
		// A closing code right behind the cut goes into this part, too: the part
		// needs one there, and the next has nothing to open again.
		if m.start > next.pos || m.start == next.pos && (m.kind != closing || openIndex(s.open, m) < 0) {
			break
		}
		s.marks, s.open = s.marks[1:], m.apply(s.open)
		if m.end > next.pos {
			next = place{pos: m.end}
		}
	}
	if !visible {
		return "", next
	}
	var codes, blocks strings.Builder
	for _, m := range slices.Backward(s.open) {
		if m.block {
			blocks.WriteString(m.closer)
		} else {
			codes.WriteString(m.closer)
		}
	}
	return beginMessage(head + s.text[at.pos:next.pos] + codes.String() + blocks.String()), next
}

// beginsCommand reports whether a message that begins at i begins with "/me".
func (s *splitter) beginsCommand(i int) bool {
	rest := s.text[i:min(len(s.text), i+s.limit*utf8.UTFMax)]
	return isSlashCommand(rest[messageStart(rest):])
}

// head returns what a part begins with, and moves the place behind what the
// head takes from the text.
func (s *splitter) head(at *place) string {
	var codes, blocks strings.Builder
	inCode := false
	for _, m := range s.open {
		inCode = inCode || m.code
		if m.block { // a quoted message encloses the codes
			blocks.WriteString(m.opener)
		} else {
			codes.WriteString(m.opener)
		}
	}
	rest := s.text[at.pos:]
	switch {
	case inCode:
	case at.lineStart && strings.HasPrefix(rest, ">>"):
		*at = place{pos: at.pos + 2, quoted: true}
		return blocks.String() + ">>" + codes.String()
	case at.quoted:
		return blocks.String() + ">>" + codes.String()
	case at.becomesQuote(rest[:min(len(rest), s.limit)]):
		return blocks.String() + codes.String() + joiner
	}
	return blocks.String() + codes.String()
}

// becomesQuote reports whether rest is no quote in the text but would be one at
// the beginning of a message, where the portal trims the blanks before it.
func (at place) becomesQuote(rest string) bool {
	text := strings.TrimLeftFunc(rest, unicode.IsSpace)
	blanks := rest[:len(rest)-len(text)]
	begins := at.lineStart && blanks == "" || strings.HasSuffix(blanks, "\n")
	return at.pos > 0 && strings.HasPrefix(text, ">") && !begins
}

// end returns where the part ends that begins at a place behind a head of n
// characters, and whether there is anything to see in it.
func (s *splitter) end(at place, n int) (end place, visible bool) {
	c := cursor{splitter: s, place: at, n: n, open: slices.Clone(s.open), firstSeen: -1}
	for _, m := range c.open {
		c.closers += m.closerLen
	}
	if n+utf8.RuneCountInString(s.text[at.pos:]) <= s.limit { // it is the last part
		for c.pos < len(s.text) && c.firstSeen < 0 {
			c.take(c.unit())
		}
		return place{pos: len(s.text)}, c.firstSeen >= 0
	}
	best, bestLevel := place{}, nowhere
	for c.pos < len(s.text) {
		u := c.unit()
		if level := c.border(u); level >= bestLevel && level > nowhere && c.n >= s.limit/2 {
			best, bestLevel = c.place, level
		}
		if c.n+u.size+c.closers+u.closers > s.limit {
			if bestLevel == nowhere {
				best = c.place
			}
			return best, c.firstSeen >= 0 && c.firstSeen < best.pos
		}
		c.take(u)
	}
	return c.place, c.firstSeen >= 0
}

// A cursor goes through a part to find its end.
type cursor struct {
	*splitter
	place
	n       int // characters so far
	mark    int // marks[mark] is the next one
	open    []*mark
	closers int // characters needed to close what is open

	firstSeen int  // where the first character is that can be seen
	breaks    int  // line breaks since the last one
	blank     bool // there was a blank since
	sentence  sentenceState
}

// A unit is what is never cut: a mark, an entity or a character.
type unit struct {
	end, size int
	mark      *mark // nil for what is no mark
	closers   int   // how the length of the closing codes changes
	look      look
}

// look says what a reader sees of a unit.
type look uint8

const (
	seen look = iota
	space
	lineBreak
	unseen
)

// unit returns the unit at the cursor.
func (c *cursor) unit() unit {
	stop := len(c.text)
	if c.mark < len(c.marks) {
		m := c.marks[c.mark]
		if stop = m.start; stop <= c.pos {
			u := unit{end: m.end, size: m.size, mark: m, look: m.look}
			switch {
			case m.kind == opening:
				u.closers = m.closerLen
			case m.kind == closing && openIndex(c.open, m) >= 0:
				u.closers = -m.pair.closerLen
			}
			return u
		}
	}
	if u, ok := c.served(stop); ok && !c.inCode() {
		return u
	}
	end, size := nextCharacter(c.text[:stop], c.pos, max(1, min(c.limit/4, 500)))
	u := unit{end: end, size: size}
	switch r, _ := utf8.DecodeRuneInString(c.text[c.pos:]); {
	case r == '\n' || r == '\r':
		u.look = lineBreak
	case strings.TrimFunc(c.text[c.pos:end], isInvisible) != "":
	case unicode.IsSpace(r):
		u.look = space
	default:
		u.look = unseen
	}
	return u
}

// served reads what the portal makes one character of.
func (c *cursor) served(stop int) (u unit, ok bool) {
	rest := c.text[c.pos:stop]
	if strings.HasPrefix(rest, breakTag) {
		return unit{end: c.pos + len(breakTag), size: len(breakTag), look: lineBreak}, true
	}
	meant, n := decodeEntity(rest)
	u = unit{end: c.pos + n, size: n}
	if meant == " " {
		u.look = space
	}
	return u, n > 0
}

func (c *cursor) inCode() bool {
	return slices.ContainsFunc(c.open, func(m *mark) bool { return m.code })
}

func isInvisible(r rune) bool {
	return unicode.IsSpace(r) || r >= '\u200b' && r <= '\u200d' || r == '\u2060' || r == '\ufeff'
}

// border says how good the place before a unit is for a cut. Before a blank is as
// good as behind it: the later place wins, and the earlier one is there for a
// blank that no longer fits.
func (c *cursor) border(u unit) int {
	closes := u.mark != nil && u.mark.kind == closing
	switch {
	case c.firstSeen < 0 || closes:
		return nowhere
	case c.breaks > 1 && c.lineStart:
		return betweenParagraphs
	case c.breaks > 0:
		if c.lineStart {
			return betweenLines
		}
		return nowhere // behind the blanks that begin a line
	case u.look == lineBreak:
		return nowhere
	case c.blank && c.sentence == sentenceEnded, c.sentence == wideSentenceEnded && u.look == seen:
		return betweenSentences
	case c.blank || u.look == space:
		return betweenWords
	}
	return nowhere
}

// take moves the cursor behind a unit.
func (c *cursor) take(u unit) {
	if c.lineStart {
		c.quoted = u.mark == nil && strings.HasPrefix(c.text[c.pos:], ">>") && !c.inCode()
		c.lineStart = false
	}
	switch u.look {
	case seen:
		if c.firstSeen < 0 {
			c.firstSeen = c.pos
		}
		c.breaks, c.blank = 0, false
		c.sentence = c.sentence.next(c.text[c.pos:u.end])
	case space:
		c.blank = true
	case lineBreak:
		c.breaks++
		c.lineStart, c.quoted = true, false
	}
	if u.mark != nil {
		c.open = u.mark.apply(c.open)
		c.mark++
	}
	c.pos, c.n, c.closers = u.end, c.n+u.size, c.closers+u.closers
}

// A mark is a stretch of text that is not cut: an opening or closing code, or
// anything else that would mean something else in two pieces.
type mark struct {
	start, end     int // text[start:end]
	size           int // in characters
	kind           tokenKind
	look           look
	pair           *mark
	opener, closer string // what opens and closes it again; on the opening mark
	closerLen      int    // of closer, in characters
	code, block    bool   // a code block, a quoted message
}

// apply returns what is open behind a mark.
func (m *mark) apply(open []*mark) []*mark {
	switch m.kind {
	case opening:
		return append(open, m)
	case closing:
		if i := openIndex(open, m); i >= 0 {
			return slices.Delete(open, i, i+1)
		}
	}
	return open
}

// openIndex finds what a closing mark closes, which is one of the last.
func openIndex(open []*mark, m *mark) int {
	for i, o := range slices.Backward(open) {
		if o == m.pair {
			return i
		}
	}
	return -1
}

// findMarks returns the marks of a text in order. A code whose other end is
// missing is a mark without a pair, and so is one that would need too much of
// each message for being opened and closed again.
func findMarks(text string, limit int) []*mark {
	marks := pairMarks(text, addQuoteBlocks(text, scan(text)), limit/2)
	spare := limit / 4 // characters that opening and closing again may still take
	for _, m := range marks {
		if m.kind != opening {
			if m.kind == closing {
				spare += utf8.RuneCountInString(m.pair.opener) + m.pair.closerLen
			}
			continue
		}
		need := utf8.RuneCountInString(m.opener) + m.closerLen
		if need > spare {
			m.kind, m.pair.kind = single, single
			continue
		}
		spare -= need
	}
	return marks
}

// pairMarks makes marks of tokens: links and the like become one mark with all
// that is inside, if that is at most longest characters; a longer code is text.
func pairMarks(text string, tokens []*token, longest int) []*mark {
	sizes := characterCounts(text, tokens)
	marks := make([]*mark, 0, len(tokens))
	done := 0
	for i, t := range tokens {
		if t.start < done {
			if t.pair != nil && t.pair.mark != nil { // its other end is outside
				t.pair.mark.kind = single
			}
			continue
		}
		m := &mark{start: t.start, end: t.end, kind: t.kind, look: unseen, code: t.name == "code", block: t.name == quoteRule}
		m.size = sizes[i].end - sizes[i].start
		f, _ := form(t.name)
		switch {
		case t.name == "br":
			m.look = lineBreak
		case t.kind == single || t.isText():
			m.kind, m.look = single, seen
		case t.pair == nil:
			m.kind = single
		case t.kind == closing:
			if m.pair = t.pair.mark; m.pair == nil || m.pair.kind != opening {
				m.kind, m.pair = single, nil
			} else {
				m.pair.pair = m
			}
		case f.keepsTogether:
			if whole := sizes[t.pair.number].end - sizes[i].start; whole <= longest {
				m.kind, m.look, m.size, m.end = single, seen, whole, t.pair.end
			} else if t.name == "img" {
				m.kind = single
			}
		}
		if m.size > longest {
			continue
		}
		if m.kind == opening {
			m.opener, m.closer = text[t.start:t.end], text[t.pair.start:t.pair.end]
			if m.block {
				m.opener, m.closer = quoteRule+"\n", "\n"+quoteRule
			}
			m.closerLen = utf8.RuneCountInString(m.closer)
			t.mark = m
		}
		done = m.end
		marks = append(marks, m)
	}
	for _, m := range marks {
		if m.kind == opening && m.pair == nil || m.kind == closing && m.pair.kind != opening { // the other end is inside something else
			m.kind = single
		}
	}
	return marks
}

type span struct{ start, end int }

// characterCounts returns the places of tokens in characters, and notes in each
// token its number.
func characterCounts(text string, tokens []*token) []span {
	counts := make([]span, len(tokens))
	bytes, chars := 0, 0
	to := func(i int) int {
		chars += utf8.RuneCountInString(text[bytes:i])
		bytes = i
		return chars
	}
	for i, t := range tokens {
		t.number = i
		counts[i] = span{to(t.start), to(t.end)}
	}
	return counts
}

// addQuoteBlocks adds the lines around quoted messages to the tokens of a text.
// The line break between such a line and the message belongs to the line.
func addQuoteBlocks(text string, tokens []*token) []*token {
	if !strings.Contains(text, quoteRule) {
		return tokens
	}
	all := make([]*token, 0, len(tokens)+2)
	var open *token
	for start, i, codeEnd, done := 0, 0, 0, 0; start < len(text); {
		end, next := len(text), len(text)
		if at := strings.IndexByte(text[start:], '\n'); at >= 0 {
			end, next = start+at, start+at+1
		}
		for i < len(tokens) && tokens[i].start < start {
			if t := tokens[i]; t.name == "code" && t.kind == opening && t.pair != nil {
				codeEnd = t.pair.end
			}
			done = tokens[i].end
			all = append(all, tokens[i])
			i++
		}
		if text[start:end] == quoteRule && start >= codeEnd && start >= done {
			if open == nil {
				open = &token{start: start, end: next, kind: opening, name: quoteRule}
				all = append(all, open)
			} else {
				t := &token{start: max(start-1, open.end), end: end, kind: closing, name: quoteRule, pair: open}
				open.pair, open = t, nil
				all = append(all, t)
			}
		}
		start = next
		if start == len(text) {
			all = append(all, tokens[i:]...)
		}
	}
	return all
}

// nextCharacter returns the end of the character at i as a person counts them:
// with the marks, joiners and modifiers behind it, at most longest code points.
func nextCharacter(text string, i, longest int) (end, size int) {
	r, n := utf8.DecodeRuneInString(text[i:])
	end, size = i+n, 1
	if r == '\n' || r == '\r' && !strings.HasPrefix(text[end:], "\n") {
		return end, size // marks behind a line break begin a line
	}
	for last := r; end < len(text) && size < longest && text[end-1] != '\n'; size++ {
		if text[end] < utf8.RuneSelf && last < utf8.RuneSelf && (last != '\r' || text[end] != '\n') {
			break
		}
		r, n = utf8.DecodeRuneInString(text[end:])
		flag := size == 1 && isRegional(last) && isRegional(r)
		if !flag && !extends(r) && !joins(last, r) {
			break
		}
		last, end = r, end+n
	}
	return end, size
}

func extends(r rune) bool {
	switch {
	case r == '\u200c', r == '\u200d', r == '\u2060',
		r >= 0x1F3FB && r <= 0x1F3FF, // colours of skin
		r >= 0xE0020 && r <= 0xE007F, // letters of flags
		r >= 0x1160 && r <= 0x11FF:   // parts of Korean syllables
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Mc, unicode.Me)
}

func joins(last, r rune) bool {
	switch last {
	case '\u2060':
		return !unicode.IsSpace(r)
	case '\u200d':
		return r >= 0x2000 // an emoji
	case '\r':
		return r == '\n'
	}
	return last >= 0x1100 && last <= 0x115F && r >= 0x1100 && r <= 0x115F
}

func isRegional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

// sentenceState says whether a sentence ended with the last characters.
type sentenceState uint8

const (
	inSentence sentenceState = iota
	sentenceEnded
	wideSentenceEnded // no blank follows
)

func (s sentenceState) next(char string) sentenceState {
	switch char {
	case ".", "!", "?", "…", "।", "؟", "۔":
		return sentenceEnded
	case "。", "！", "？", "｡":
		return wideSentenceEnded
	case ")", "]", "\"", "'", "”", "’", "»", "」", "』", "）":
		return s
	}
	return inSentence
}
