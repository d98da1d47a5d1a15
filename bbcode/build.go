package bbcode

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// LineBreak is a line break, the same as "\n".
const LineBreak = "[br]"

// joiner is the word joiner: without width, a line is not broken at it, and
// the portal's trimming does not know it.
const joiner = "\u2060"

// quoteRule is the line above and below a quoted message.
const quoteRule = "------------------------------------------------------"

// maxDashes is how many dashes Escape leaves together.
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
//
// The functions that build codes take BB code where a parameter is called text,
// so that they nest; what people typed goes through Escape first:
//
//	bbcode.Bold("Found: ") + bbcode.Link("https://example.com/7", bbcode.Escape(title))
//
// Their other parameters are taken as they are, and what would break out of the
// code is made harmless: it is percent-encoded in addresses; elsewhere square
// brackets become the wide ［ and ］ and a line break becomes a blank; where a code
// has several attributes, "=" becomes the wide ＝. The result is always one
// well-formed code. Codes that are not documented (the comment
// says so) may show as text in some clients.
func Escape(text string) string {
	if text != "" && (continuesCode(text) || overlap(text, "BR#") || overlap(text, "R#") || overlap(text, "#")) {
		return joiner + escape(text)
	}
	return escape(text)
}

// escape is Escape for text behind a code or behind escaped text, which leave
// nothing open.
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

// overlap reports whether one of text and code begins with the other: then text
// is the code, or with what follows it could become it.
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

func hasFoldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// Bold shows text in bold.
func Bold(text string) string { return "[b]" + text + "[/b]" }

// Italic shows text in italics.
func Italic(text string) string { return "[i]" + text + "[/i]" }

// Underline underlines text.
func Underline(text string) string { return "[u]" + text + "[/u]" }

// Strike strikes text through.
func Strike(text string) string { return "[s]" + text + "[/s]" }

// Size sets the size of text, from 8 to 30; other values become the nearest of
// these.
func Size(n int, text string) string {
	return fmt.Sprintf("[size=%d]%s[/size]", min(max(n, 8), 30), text)
}

// TextColor colours text: "#rgb" or "#rrggbb", as the method Hex of an
// imbot.Color returns it. Text with any other colour is returned without a code.
func TextColor(hex, text string) string {
	digits := strings.TrimPrefix(hex, "#")
	if len(digits) != 3 && len(digits) != 6 || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return text
	}
	return "[color=#" + digits + "]" + text + "[/color]"
}

// Code is a code block. Its text is taken as it is and shown as it is: no code
// in it is read. Only "[code]", "[/code]", "[br]" and "#BR#" themselves get the
// invisible character of [Escape].
func Code(text string) string { return "[code]" + codeText(text) + "[/code]" }

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

// Quote quotes text: each of its lines gets ">>" in front. A quote begins and
// ends a line; put a line break before it and behind it.
func Quote(text string) string {
	return ">>" + eachLine(text, func(string) string { return ">>" })
}

// QuoteBlock quotes a message: text between two lines of 54 dashes. It begins
// and ends a line; put a line break before it and behind it.
func QuoteBlock(text string) string {
	half := quoteRule[:len(quoteRule)/2]
	return quoteRule + "\n" + strings.ReplaceAll(text, quoteRule, half+joiner+half) + "\n" + quoteRule
}

// eachLine puts a prefix in front of all lines but the first; a code block is
// one line. The prefix may depend on what follows.
func eachLine(text string, prefix func(rest string) string) string {
	var out strings.Builder
	lines := func(s string) {
		for first := true; ; first = false {
			if !first {
				out.WriteString(prefix(s))
			}
			line, rest, more := strings.Cut(s, "\n")
			out.WriteString(line)
			if !more {
				return
			}
			out.WriteByte('\n')
			s = rest
		}
	}
	done := 0
	for _, t := range scan(text) {
		switch {
		case t.start < done:
		case t.name == "br":
			lines(text[done:t.start] + "\n")
			done = t.end
		case t.name == "code" && t.kind == opening && t.pair != nil:
			lines(text[done:t.start])
			out.WriteString(text[t.start:t.pair.end])
			done = t.pair.end
		}
	}
	lines(text[done:])
	return out.String()
}

// Rating shows one to five stars; other values become the nearest of these. Not
// documented.
func Rating(n int) string { return fmt.Sprintf("[rating=%d]", min(max(n, 1), 5)) }

// Disk shows a file of the account's drive.
func Disk[I ~int | ~int64](file I) string { return "[disk=" + number(file) + "]" }

// AttachPlace is the place in the text where the attachment with that number
// stands. Not documented.
func AttachPlace[I ~int | ~int64](n I) string { return "[attach=" + number(n) + "]" }

func number[I ~int | ~int64](n I) string { return strconv.FormatInt(int64(n), 10) }

// TimeFormat says how a [Timestamp] is shown; the portal's language decides the
// details.
type TimeFormat string

// The formats of a timestamp.
const (
	TimeFormatDate                     TimeFormat = "FORMAT_DATE"
	TimeFormatDateTime                 TimeFormat = "FORMAT_DATETIME"
	TimeFormatShortDate                TimeFormat = "SHORT_DATE_FORMAT"
	TimeFormatMediumDate               TimeFormat = "MEDIUM_DATE_FORMAT"
	TimeFormatLongDate                 TimeFormat = "LONG_DATE_FORMAT"
	TimeFormatDayMonth                 TimeFormat = "DAY_MONTH_FORMAT"
	TimeFormatDayShortMonth            TimeFormat = "DAY_SHORT_MONTH_FORMAT"
	TimeFormatShortDayOfWeekMonth      TimeFormat = "SHORT_DAY_OF_WEEK_MONTH_FORMAT"
	TimeFormatShortDayOfWeekShortMonth TimeFormat = "SHORT_DAY_OF_WEEK_SHORT_MONTH_FORMAT"
	TimeFormatDayOfWeekMonth           TimeFormat = "DAY_OF_WEEK_MONTH_FORMAT"
	TimeFormatFullDate                 TimeFormat = "FULL_DATE_FORMAT"
	TimeFormatShortTime                TimeFormat = "SHORT_TIME_FORMAT"
	TimeFormatLongTime                 TimeFormat = "LONG_TIME_FORMAT"
)

// Timestamp shows a time in the reader's own time zone. The empty format is
// [TimeFormatDateTime].
func Timestamp(t time.Time, format TimeFormat) string {
	name := strings.Map(func(c rune) rune {
		if c == '_' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, string(format))
	if name == "" {
		name = string(TimeFormatDateTime)
	}
	return "[timestamp=" + number(t.Unix()) + " format=" + name + "]"
}
