package bbcode

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

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

func TestCodeNames(t *testing.T) {
	for _, name := range strings.Fields(codeNames) {
		_, ok := form(name)
		require.True(t, ok, name)
		require.NotEmpty(t, find(knownMarkup, "["+name+"]"), name)
	}
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

func FuzzPlain(f *testing.F) {
	for _, text := range []string{"", "[b]x[/b]", "[url=/a][url]b[/url]", "[code][b][/code][/b]", "[icon=/a title=b c size=4]", "[timestamp=5][rating=3][br]#br#", "[img]x[url=/a][/img]y[/url]", "[CODE", "[user=5"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plain := Plain(text)
		require.Equal(t, withoutJoiners(text), Plain(Escape(text)))
		require.LessOrEqual(t, len(plain), 4*len(text)+64)
		require.Equal(t, withoutJoiners(strings.ToValidUTF8(text, "\uFFFD")), Plain(Code(text)))
	})
}

// The codes that Markdown makes, each with what its attribute may be.
var ofMarkdown = regexp.MustCompile(`^\[(/?(b|i|s|url|code|img)|url=(https?://|/)[^\[\]\s"<>]*|img size=medium)\]$|^>>$`)

func FuzzMarkdown(f *testing.F) {
	for _, text := range []string{
		"", "# a\n\n- b\n  1. c\n\n> d\n", "*a **b*** __c__ ~~d~~ `e`", "```go\n[b]\n```", "[a](https://e.com 't') ![b](/c) <https://e.com> https://e.com/[x]",
		"[a][b]\n\n[b]: /c \"d\"", "| a | b |\n|---|---|\n| c | d |", "a\n===\n\n---\n\n    code", `\[b] &#91;b] #BR# >> [/code]`, "[a](https://e.com/#BR#)", "- [x] a\n\t- b", "*[a*](/b)*",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		out := Markdown(text)
		require.True(t, utf8.ValidString(out))
		var open []string
		rest := regexp.MustCompile(`(?s)\[code\].*?\[/code\]`).ReplaceAllString(out, "[code][/code]")
		for _, code := range markupOf(rest) {
			require.Regexp(t, ofMarkdown, code)
			name, _, _ := strings.Cut(strings.Trim(code, "[]"), "=")
			name, _, _ = strings.Cut(name, " ")
			switch closed, isClosing := strings.CutPrefix(name, "/"); {
			case name == ">>":
			case isClosing:
				require.NotEmpty(t, open, out)
				require.Equal(t, open[len(open)-1], closed, out)
				open = open[:len(open)-1]
			default:
				open = append(open, name)
			}
		}
		require.Empty(t, open, out)
	})
}
