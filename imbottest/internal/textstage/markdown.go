package textstage

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What the newest web client reads as Markdown when a flag of the portal is on, from
// its source; the client was not run. In JavaScript U+FEFF is a blank and a dot is no
// line break.
const jsBlank = `\s\x{00a0}\x{feff}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`

var markdown = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"fence", regexp.MustCompile("(?m)^(?:`{3,}|~{3,})")},
	{"indented code", regexp.MustCompile(`(?:^|\n)\n(?: {4}|\t).`)},
	{"list", regexp.MustCompile(`(?m)^[ \t]*(?:[*+-]|\d+\.)[ \t]`)},
	{"heading", regexp.MustCompile(`(?m)^#{1,6}[` + jsBlank + `]`)},
	{"rule or underline", regexp.MustCompile(`(?m)^[` + jsBlank + `]*(?:={3,}|(?:- ?){3,}|(?:\* ?){3,}|(?:_ ?){3,})[` + jsBlank + `]*$`)},
	{"table", regexp.MustCompile(`(?m)^[` + jsBlank + `]*\|?[` + jsBlank + `]*:?-+:?[` + jsBlank + `]*(?:\|[` + jsBlank + `]*:?-+:?[` + jsBlank + `]*)*\|?[` + jsBlank + `]*$`)},
	{"quote", regexp.MustCompile(`(?m)^>`)},
	{"link or picture", regexp.MustCompile(`\[[^\]]{0,500}\]\([^` + jsBlank + `()]*(?:\([^` + jsBlank + `()]*\)[^` + jsBlank + `()]*)*\)`)},
	{"bold", regexp.MustCompile(`\*{2}.+?\*{2}`)},
	{"italic", regexp.MustCompile(`\*[^*` + jsBlank + `](?:.*?[^*` + jsBlank + `])?\*`)},
	{"strike", regexp.MustCompile(`~~.+?~~`)},
	{"tag", regexp.MustCompile(`(?is)<(?:b|u|strong|i|em|s|del|strike)(?:[` + jsBlank + `][^>]*)?>.*?</`)},
	{"address in angle brackets", regexp.MustCompile(`<(?:https?://[^>]+|[\w%+.-]+@[\d.A-Za-z-]+\.[A-Za-z]{2,})>`)},
	{"escape", regexp.MustCompile("\\\\[!#()*+.>\\[\\\\\\]_`{|}~-]")},
	{"entity", regexp.MustCompile(`&(?:#x?[\dA-Fa-f]+|[A-Za-z]+);`)},
}

// Underscores: not within a word, so what stands before and behind counts.
var underscores = []*regexp.Regexp{
	regexp.MustCompile(`_{3}[^_](?:[^_\n]*[^_])?_{3}`),
	regexp.MustCompile(`_{2}[^_](?:[^_\n]*[^_])?_{2}`),
	regexp.MustCompile(`_[^_` + jsBlank + `](?:[^_\n]*[^_` + jsBlank + `])?_`),
}

// Markdown returns what the newest web client takes for Markdown in a text that the
// portal handed out, if the portal has it on. Code spans are left out.
func Markdown(text string) []string {
	var found []string
	for _, m := range markdown {
		if m.pattern.MatchString(text) {
			found = append(found, m.what)
		}
	}
	for _, pattern := range underscores {
		for i := 0; i < len(text); i++ {
			at := pattern.FindStringIndex(text[i:])
			if at == nil {
				break
			}
			start, end := i+at[0], i+at[1]
			before, _ := utf8.DecodeLastRuneInString(text[:start])
			after, _ := utf8.DecodeRuneInString(text[end:])
			if !isMarkdownWord(before) && !isMarkdownWord(after) {
				found = append(found, "emphasis: "+strings.TrimSpace(text[start:end]))
			}
			i = start
		}
	}
	return found
}

func isMarkdownWord(c rune) bool {
	return c < utf8.RuneSelf && (c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c)) || c >= 0xC0 && c <= 0x24F || c >= 0x400 && c <= 0x4FF
}
