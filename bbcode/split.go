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
// that takes less than a quarter of it), and so are quotes and code blocks. Links, mentions and the like stay in one message
// unless one alone is longer than half of it.
//
// No character is lost or added besides these marks: the messages read the same
// one behind the other as the text did. Only what would be a message without
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

// maxMessage is the longest message, in characters; the portal cuts longer ones.
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
	next, visible := s.end(at, utf8.RuneCountInString(head))
	for len(s.marks) > 0 {
		m := s.marks[0]
		// A closing code right behind the cut stands for the one that the cut
		// would need.
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
	return head + s.text[at.pos:next.pos] + codes.String() + blocks.String(), next
}

// head returns what a part begins with, and moves the place behind what the
// head takes from the text.
func (s *splitter) head(at *place) string {
	var codes, blocks strings.Builder
	inCode := false
	for _, m := range s.open {
		inCode = inCode || m.code
		if m.block { // a quoted message encloses everything
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

// becomesQuote reports whether rest would be a quote at the beginning of a
// message, where the portal trims it, and is none in the text.
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

// A unit is what is never cut: a mark or a character.
type unit struct {
	end, size int
	mark      *mark // nil for a character
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

func isInvisible(r rune) bool {
	return unicode.IsSpace(r) || r >= '\u200b' && r <= '\u200d' || r == '\u2060' || r == '\ufeff'
}

// border says how good the place before a unit is for a cut. Between a word and
// the blank behind it none is needed, unless there is no more room.
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
		c.quoted = u.mark == nil && strings.HasPrefix(c.text[c.pos:], ">>") && !slices.ContainsFunc(c.open, func(m *mark) bool { return m.code })
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
