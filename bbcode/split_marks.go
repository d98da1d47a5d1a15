package bbcode

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

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
	spare := limit / 4
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
