package bbcode

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestEscape(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"plain text is left alone", "Hello, it's 5 > 3 & 2 < 4 - ok", "Hello, it's 5 > 3 & 2 < 4 - ok"},
		{"a code is broken behind its bracket", "[b]x[/b]", "[\u2060b]x[\u2060/b]"},
		{"a mention", "[USER=all]x[/USER]", "[\u2060USER=all]x[\u2060/USER]"},
		{"a bracket at the end, where a code could follow", "[", "[\u2060"},
		{"a quote at the start", ">>x", "\u2060>>x"},
		{"a quote on a later line", "a\n>>x", "a\n\u2060>>x"},
		{"a quote behind blanks that the portal trims", "  >>x", "  \u2060>>x"},
		{"half a quote at the start", ">", "\u2060>"},
		{"no quote within a line", "a >> b", "a >> b"},
		{"a line break code", "a#BR#x", "a#\u2060BR#x"},
		{"a line break code in lower case", "a#br#x", "a#\u2060br#x"},
		{"the first half of a line break code", "a#B", "a#\u2060B"},
		{"the second half of a line break code", "R#a", "\u2060R#a"},
		{"the end of a line break code", "#7", "\u2060#7"},
		{"what a bracket before would make a code", "br", "\u2060br"},
		{"what a bracket before would make a code with attributes", "icon=/x size=4", "\u2060icon=/x size=4"},
		{"what a bracket before would make a closing code", "/B] x", "\u2060/B] x"},
		{"the beginning of a code's name", "ra", "\u2060ra"},
		{"a name", "Anna", "Anna"},
		{"a word that begins like a code's name", "urls: /home", "urls: /home"},
		{"a word that is the name of a code without attributes", "I think", "I think"},
		{"a line break stays one", "a\r\nb\nc", "a\r\nb\nc"},
		{"twenty dashes", quoteRule[:20] + ".", quoteRule[:20] + "."},
		{"a line of dashes", quoteRule, quoteRule[:20] + "\u2060" + quoteRule[:20] + "\u2060" + quoteRule[:14] + "\u2060"},
		{"bytes that are no text", "a\xffb", "a\uFFFDb"},
	} {
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, row.want, Escape(row.text))
			require.Equal(t, row.want, Escape(Escape(row.text)), "twice is once")
		})
	}
}

// A second reading of BB code, by regular expressions: what stands in a message
// besides text. It shares nothing with the code under test.
var markup = regexp.MustCompile(`(?i)\[/?[a-z*][^\]]*\]|#BR#|(?m:^[ \t]*>>)|-{54}`)

// The same with the known codes only: a bare bracket before a word is text.
var knownMarkup = regexp.MustCompile(`(?i)\[/?(b|i|u|s|code|br|size|color|user|chat|context|dialog|pch|url|send|put|call|img|icon|timestamp|disk|attach|rating)\]` +
	`|\[(b|i|u|s|code|br|size|color|user|chat|context|dialog|pch|url|send|put|call|img|icon|timestamp|disk|attach|rating)=[^\]]*\]` +
	`|\[(size|color|user|chat|context|dialog|pch|url|send|put|call|img|icon|timestamp|disk|attach|rating)\s[^\]]*\]` +
	`|#BR#|(?m:^[ \t]*>>)|-{54}`)

func markupOf(text string) []string { return find(markup, text) }

func find(markup *regexp.Regexp, text string) []string {
	found := markup.FindAllString(text, -1)
	if found == nil {
		found = []string{}
	}
	return found
}

const aLink = "[url=https://e.com]"

// What may stand around text from people: whole codes and text.
var surroundings = []struct{ before, after string }{
	{"", ""},
	{"Anna wrote: ", " (end)"},
	{"[b]", "[/b]"},
	{aLink, "[/url]"},
	{"[user=5]", "[/user] hello"},
	{"[send=/help]", "[/send]"},
	{">>", "\n>>next"},
	{quoteRule + "\n", "\n" + quoteRule},
	{"#BR#", "[br]more[br]"},
	{"a\n", "\nb"},
	{"x", "b]not code[/b]"},
	{"x", "/b] BR# > - "},
	{"x", "#BR# [i]y[/i]"},
	{"[", "] x"},
	{"[", "rl=https://e.com]x[/url]"},
	{"[/", "]"},
	{"#BR", ""},
	{"#B", "#"},
}

func checkEscape(t *testing.T, text string) {
	t.Helper()
	escaped := Escape(text)
	require.True(t, utf8.ValidString(escaped))
	require.Equal(t, escaped, Escape(escaped), "twice is once")
	require.Empty(t, markupOf(escaped))
	require.Equal(t, withoutJoiners(text), Plain(escaped), "it reads as it was typed")
	for _, s := range surroundings {
		markup := markup
		if s.before == "[" || s.before == "[/" {
			markup = knownMarkup
		}
		require.Equal(t, append(find(markup, s.before), find(markup, "x"+s.after)...), find(markup, s.before+escaped+s.after), "%q", s)
		if s.before == aLink && (Plain(escaped) == "" || Plain(escaped) == "https://e.com") {
			continue // then the address is not shown twice
		}
		before, after, _ := strings.Cut(Plain(s.before+"\x01"+s.after), "\x01")
		require.Equal(t, before+Plain(escaped)+after, Plain(s.before+escaped+s.after), "%q", s)
	}
	both := Escape(text) + Escape(text)
	require.Empty(t, markupOf(both), "%q twice", text)
}

// withoutJoiners returns what Plain can give back of a text.
func withoutJoiners(text string) string {
	return strings.ReplaceAll(string([]rune(text)), joiner, "")
}

func FuzzEscape(f *testing.F) {
	for _, text := range []string{"", "hello", "[b]x[/b]", ">>q", "#BR#", "#BR", "R#", quoteRule, "[", "\u2060", "\xff[", " >\n>>", "[user=all]", "-\u2060-", "br", "icon=https://e.com/x.png size=400", "/b", "u\u017fer=5", "#7", "B", "/"} {
		f.Add(text)
	}
	f.Fuzz(checkEscape)
}

func TestEscapeKeepsTheRest(t *testing.T) {
	pieces := []string{"[", "/b]", "BR", "#", ">", "-", quoteRule[:30], "\n", " ", "x", joiner, "u", "/", "icon", "="}
	for _, a := range pieces {
		for _, b := range pieces {
			for _, c := range pieces {
				checkEscape(t, a+b+c)
			}
		}
	}
}
