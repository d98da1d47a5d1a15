package bbcode

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestEscape(t *testing.T) {
	t.Parallel()
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
		{"NUL stays", "a\x00b", "a\x00b"},
		{"a code of entities", "&#91;b&#93;x&#91;/b&#93;", "&\u2060#91;b&\u2060#93;x&\u2060#91;/b&\u2060#93;"},
		{"entities that the portal resolves", "&lt; &gt; &amp; &quot; &#39; &nbsp;", "&\u2060lt; &\u2060gt; &\u2060amp; &\u2060quot; &\u2060#39; &\u2060nbsp;"},
		{"entities that it leaves alone", "&copy; &#x5b; &#091; &LT;", "&copy; &#x5b; &#091; &LT;"},
		{"an entity in an entity", "&amp;lt;", "&\u2060amp;lt;"},
		{"the first half of an entity", "a &#9", "a &\u2060#9"},
		{"the second half of an entity", "lt; a", "\u2060lt; a"},
		{"an ampersand in a text", "R&D, AT&T & more", "R&D, AT&T & more"},
		{"the tag that is a line break", "a<br />b", "a<\u2060br />b"},
		{"that tag with a no-break space", "a<br\u00a0/>b", "a<\u2060br\u00a0/>b"},
		{"a quote behind that tag", "a<br />>>b", "a<\u2060br />>>b"},
		{"the second half of that tag", "br />", "\u2060br />"},
		{"the beginning of what an ampersand before would complete", "am", "\u2060am"},
		{"other tags", "<br> <b>", "<br> <b>"},
		{"/me at the beginning", "/me waves", "\u2060/me waves"},
		{"a word that begins like it, behind blanks", " \n\x00/Menu", " \n\x00\u2060/Menu"},
		{"/loud at the beginning", "/loudspeaker", "\u2060/loudspeaker"},
		{"half of it", "/lo", "\u2060/lo"},
		{"/me inside", "say /me", "say /me"},
		{"another command", "/help", "/help"},
		{"rows of #", "####NOTE####", "\u2060#\u2060#\u2060#\u2060#NOTE#\u2060#\u2060#\u2060#\u2060"},
		{"an address", "see https://e.com/a.", "see https://e.com/a."},
		{"the address of a picture", "see https://www.e.com/p.JPG?a=1.", "see https:\u2060//www\u2060.e.com/p.JPG?a=1."},
		{"an address beside the name of a picture", "https://e.com p.png", "https://e.com p.png"},
	} {
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, row.want, Escape(row.text))
			require.Equal(t, row.want, Escape(Escape(row.text)), "twice is once")
		})
	}
}

// A second reading of BB code, by regular expressions: what stands in a message
// besides text. It shares nothing with the code under test.
var markup = regexp.MustCompile(`(?i)\[/?[a-z*][^\]]*\]|#BR#|(?m:^[ \t]*>>)|-{54}` + served26)

// What the portal resolves.
const served26 = `|(?-i:&(?:nbsp|quot|#092|#036|#33|#91|#93|#39|lt|gt|#124|amp|#169|#153|#174);|<br[ \x{a0}]/>)`

// The same with the known codes only: a bare bracket before a word is text.
var knownMarkup = regexp.MustCompile(`(?i)\[/?(b|i|u|s|code|br|size|color|user|chat|context|dialog|pch|url|send|put|call|img|icon|timestamp|disk|attach|rating|like|dislike)\]` +
	`|\[(b|i|u|s|code|br|size|color|user|chat|context|dialog|pch|url|send|put|call|img|icon|timestamp|disk|attach|rating|like|dislike)=[^\]]*\]` +
	`|\[(size|color|user|chat|context|dialog|pch|url|send|put|call|img|icon|timestamp|disk|attach|rating|like|dislike)\s[^\]]*\]` +
	`|#BR#|(?m:^[ \t]*>>)|-{54}` + served26)

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
	{"&", ";"},
	{"&", "t;"},
	{"<", ">"},
	{"<", "r />"},
}

func checkEscape(t *testing.T, text string) {
	t.Helper()
	escaped := Escape(text)
	require.True(t, utf8.ValidString(escaped))
	require.Equal(t, escaped, Escape(escaped), "twice is once")
	require.Empty(t, markupOf(escaped))
	require.Equal(t, typed(text), Plain(escaped), "it reads as it was typed")
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

// typed returns what Plain can give back of a text.
func typed(text string) string {
	return withoutJoiners(string([]rune(text)))
}

func FuzzEscape(f *testing.F) {
	for _, text := range []string{"", "hello", "[b]x[/b]", ">>q", "#BR#", "#BR", "R#", quoteRule, "[", "\u2060", "\xff[", " >\n>>", "[user=all]", "-\u2060-", "br", "icon=https://e.com/x.png size=400", "/b", "u\u017fer=5", "#7", "B", "/", "&#91;b&#93;", "&amp;lt;", "<br />>>", "/me", "####NOTE####", "https://www.e.com/p.jpg"} {
		f.Add(text)
	}
	f.Fuzz(checkEscape)
}

func TestEscapeKeepsTheRest(t *testing.T) {
	t.Parallel()
	pieces := []string{"[", "/b]", "BR", "#", ">", "-", quoteRule[:30], "\n", " ", "x", joiner, "u", "/", "icon", "=", "&", "lt;", "<br />"}
	for _, a := range pieces {
		for _, b := range pieces {
			for _, c := range pieces {
				checkEscape(t, a+b+c)
			}
		}
	}
}

func BenchmarkEscape(b *testing.B) {
	const ordinary = "Hello Anna, the order 4711 is ready. It's 5 > 3 & 2 < 4 - ok? See https://example.com/orders/4711 or ask at the desk; " +
		"the price is $120 (about 7% less than last year).\nSecond line: the lift #2 is out of order until Friday, please use the stairs - thank you!\n"
	for name, text := range map[string]string{
		"ordinary text": strings.Repeat(ordinary, 4)[:1024],
		"entities":      strings.Repeat("&#91;", 1024/5),
		"a name":        "Anna Ivanova",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Escape(text)
			}
		})
	}
}
