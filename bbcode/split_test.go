package bbcode

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	word := func(n int) string { return strings.Repeat("x", n) }
	for _, row := range []struct {
		name, text string
		want       []string
	}{
		{"nothing has no message", "", nil},
		{"blanks have no message", " \n\t[br]#BR# ", nil},
		{"codes around nothing have no message", "[b] [/b]", nil},
		{"a short text is one message", "[b]a[/b] b", []string{"[b]a[/b] b"}},
		{"a text of exactly the limit", word(100), []string{word(100)}},
		{"a word that is too long is cut hard", word(250), []string{word(100), word(100), word(50)}},
		{"between words", word(60) + " " + word(30) + " " + word(60), []string{word(60) + " " + word(30) + " ", word(60)}},
		{"sentences before words", word(60) + ". " + word(30) + " " + word(60), []string{word(60) + ". ", word(30) + " " + word(60)}},
		{"a sentence in quotation marks", "\"" + word(60) + ".\" " + word(30) + " " + word(60), []string{"\"" + word(60) + ".\" ", word(30) + " " + word(60)}},
		{"wide sentences", strings.Repeat("字", 60) + "。" + strings.Repeat("字", 60), []string{strings.Repeat("字", 60) + "。", strings.Repeat("字", 60)}},
		{"lines before sentences", word(60) + "\n" + word(20) + ". " + word(60), []string{word(60) + "\n", word(20) + ". " + word(60)}},
		{"line break codes are lines", word(60) + "[br]" + word(20) + ". " + word(60), []string{word(60) + "[br]", word(20) + ". " + word(60)}},
		{"paragraphs before lines", word(55) + "\n\n" + word(20) + "\n" + word(60), []string{word(55) + "\n\n", word(20) + "\n" + word(60)}},
		{"no short message for the sake of a paragraph", word(20) + "\n\n" + word(60) + " " + word(60), []string{word(20) + "\n\n" + word(60) + " ", word(60)}},
		{"the indentation of a line stays with it", word(60) + "\n   " + word(60), []string{word(60) + "\n", "   " + word(60)}},
		{"open codes go on", "[b][size=9]" + word(150) + "[/size][/b]", []string{"[b][size=9]" + word(78) + "[/size][/b]", "[b][size=9]" + word(72) + "[/size][/b]"}},
		{"codes that end at the cut do not go on", "[b]" + word(93) + "[/b]" + word(60), []string{"[b]" + word(93) + "[/b]", word(60)}},
		{"closed codes do not go on", "[b]x[/b]" + word(150), []string{"[b]x[/b]" + word(92), word(58)}},
		{"stray codes do not go on", "[b]" + word(150), []string{"[b]" + word(97), word(53)}},
		{"crossing codes go on", "[b]" + word(50) + "[i]" + word(20) + "[/b]" + word(70) + "[/i]", []string{"[b]" + word(50) + "[i]" + word(20) + "[/b]" + word(16) + "[/i]", "[i]" + word(54) + "[/i]"}},
		{"a mention stays in one piece", word(80) + "[user=5]Anna Ivanova[/user]", []string{word(80), "[user=5]Anna Ivanova[/user]"}},
		{"a link too long for one message goes on", "[url=/x]" + word(100) + "[/url]", []string{"[url=/x]" + word(86) + "[/url]", "[url=/x]" + word(14) + "[/url]"}},
		{"a line break code stays in one piece", word(98) + "#BR#" + word(9), []string{word(98), "#BR#" + word(9)}},
		{"code goes on", "[code]" + word(60) + "\n  " + word(60) + "[/code]", []string{"[code]" + word(60) + "\n[/code]", "[code]  " + word(60) + "[/code]"}},
		{"codes in code are text", "[code]" + word(80) + "[b][/code]" + word(60), []string{"[code]" + word(80) + "[b][/code]" + word(4), word(56)}},
		{"a quoted line goes on", ">>" + word(150), []string{">>" + word(98), ">>" + word(52)}},
		{"a quoted line inside a code", "[b]" + word(60) + "\n>>" + word(60) + "[/b]", []string{"[b]" + word(60) + "\n[/b]", ">>[b]" + word(60) + "[/b]"}},
		{"what was no quote does not become one", word(99) + ">>" + word(9), []string{word(99) + ">", "\u2060>" + word(9)}},
		{"nor in a short text", "  >> a", []string{"  >> a"}},
		{"what was no /me does not become one", word(90) + ". /menu" + word(9), []string{word(90) + ". ", "\u2060/menu" + word(9)}},
		{"nor behind a line break code", word(99) + "[br] /loud", []string{word(99), "[br] \u2060/loud"}},
		{"nor at the beginning", "/me x", []string{"\u2060/me x"}},
		{"and the message is not too long for that", word(60) + ". /me" + word(97), []string{word(60) + ". ", "\u2060/me" + word(96), "x"}},
		{"behind an open code it is none", "[b]" + word(60) + " /me " + word(60) + "[/b]", []string{"[b]" + word(60) + " /me [/b]", "[b]" + word(60) + "[/b]"}},
		{"an entity stays in one piece", word(97) + "&#91;" + word(9), []string{word(97), "&#91;" + word(9)}},
		{"the tag that is a line break is a line", word(60) + "<br />" + word(20) + ". " + word(60), []string{word(60) + "<br />", word(20) + ". " + word(60)}},
		{"in code it is text", "[code]<br />&nbsp;[/code]", []string{"[code]<br />&nbsp;[/code]"}},
		{"a quote behind an empty line stays one", word(99) + "\n\n>>" + word(9), []string{word(99) + "\n", "\n>>" + word(9)}},
		{"a character with many marks", word(98) + "e" + strings.Repeat("\u0301", 5) + "x", []string{word(98), "e" + strings.Repeat("\u0301", 5) + "x"}},
		{"a family", word(96) + "👩‍👩‍👧x", []string{word(96), "👩‍👩‍👧x"}},
		{"a flag", word(99) + "🇩🇪🇫🇷", []string{word(99), "🇩🇪🇫🇷"}},
		{"a bracket that was escaped", word(98) + Escape("[b]"), []string{word(98), Escape("[b]")}},
	} {
		t.Run(row.name, func(t *testing.T) { require.Equal(t, row.want, split(row.text, 100)) })
	}
}

func TestSplitQuoteBlock(t *testing.T) {
	t.Parallel()
	text := "before\n" + QuoteBlock(strings.Repeat("line of text\n", 60)) + "\nafter"
	parts := split(text, 500)
	require.Greater(t, len(parts), 1)
	for _, part := range parts {
		require.LessOrEqual(t, utf8.RuneCountInString(part), 500)
		require.Equal(t, 2, strings.Count(part, quoteRule), part)
	}
}

func TestSplitAtTheLimitOfThePortal(t *testing.T) {
	t.Parallel()
	parts := Split(Bold(strings.Repeat("Слово. ", 10000)))
	require.Len(t, parts, 4)
	for _, part := range parts {
		require.LessOrEqual(t, utf8.RuneCountInString(part), 20000)
		require.True(t, strings.HasPrefix(part, "[b]") && strings.HasSuffix(part, "[/b]"))
	}
}

// checkSplit holds the promises of Split for any text.
func checkSplit(t *testing.T, text string, limit int, longCode bool) {
	t.Helper()
	parts := split(text, limit)
	for _, part := range parts {
		require.LessOrEqual(t, utf8.RuneCountInString(part), limit, "too long: %q", part)
		require.NotEmpty(t, strings.TrimSpace(part), "blank")
		if utf8.ValidString(text) {
			require.True(t, utf8.ValidString(part), "a character is cut: %q", part)
		}
	}
	// Marks of quotes and addresses are repeated; a code longer than half a
	// message is text.
	if strings.Contains(text, ">>") || strings.Contains(text, quoteRule) || longCode {
		return
	}
	words := func(s string) string { return strings.Join(strings.FieldsFunc(s, isInvisible), "") }
	require.Equal(t, words(Plain(text)), words(Plain(strings.Join(parts, ""))))
}

// styled lists the characters of a message that can be seen, each with the codes
// around it and whether its line is quoted.
func styled(text string) []string {
	var out, open []string
	quoted := false
	code := regexp.MustCompile(`^\[(/?)([a-z]+)(=[^\]]*)?\]`)
	for i, lineStart := 0, true; i < len(text); {
		inCode := slices.Contains(open, "code")
		if lineStart {
			quoted = !inCode && strings.HasPrefix(text[i:], ">>")
			if lineStart = false; quoted {
				i += 2
				continue
			}
		}
		if m := code.FindStringSubmatch(text[i:]); m != nil && (!inCode || m[0] == "[/code]") {
			i += len(m[0])
			if m[1] == "" {
				open = append(open, m[2]+m[3])
			} else {
				open = open[:len(open)-1]
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if i += n; r == '\n' {
			lineStart = true
		}
		if !unicode.IsSpace(r) {
			out = append(out, fmt.Sprint(string(r), open, quoted))
		}
	}
	return append(out, open...)
}

func TestSplitKeepsEveryStyle(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var write func(depth int) string
	write = func(depth int) string {
		var out strings.Builder
		for range random.IntN(6) {
			inner := func() string {
				if depth == 0 {
					return "x"
				}
				return write(depth - 1)
			}
			switch random.IntN(12) {
			case 0:
				out.WriteString(Bold(inner()))
			case 1:
				out.WriteString(Italic(inner()))
			case 2:
				out.WriteString(Size(8+random.IntN(20), inner()))
			case 3:
				out.WriteString("\n" + Quote(strings.Repeat("quoted words ", random.IntN(3))) + "\n")
			case 4:
				out.WriteString(Code(strings.Repeat("code [b] >>\n>>", random.IntN(9))))
			case 5:
				out.WriteString(Mention(5, "Anna"))
			case 6:
				out.WriteString("\n\n")
			case 7:
				out.WriteString(strings.Repeat("字。", random.IntN(20)))
			default:
				out.WriteString(strings.Repeat("some words, ", random.IntN(9)) + "end. ")
			}
		}
		return out.String()
	}
	for range 500 {
		text := write(5)
		var got []string
		for _, part := range split(text, 400) {
			require.LessOrEqual(t, utf8.RuneCountInString(part), 400)
			got = append(got, styled(part)...)
		}
		require.Equal(t, strings.Join(styled(text), "\n"), strings.Join(got, "\n"), text)
	}
}

func FuzzSplit(f *testing.F) {
	for _, text := range []string{"", "[b]a [i]b[/b] c[/i]\n\n", "[code]\n[b][/code]>>", "[url=/a]b[/url][user=1]", ">>a\n" + quoteRule + "\nb\n" + quoteRule, "e\u0301👩‍👩‍👧🇩🇪[\u2060b]", "[img size=small]/a [/img]#BR#[br]", "\r\r\u030c", "/me &lt;<br />/loud ", "[br]/me[b]/me[/b]"} {
		f.Add(text, uint8(1), uint8(0))
		f.Add(text, uint8(42), uint8(176))
	}
	f.Fuzz(func(t *testing.T, text string, times, limit uint8) {
		if len(text) > 4096 {
			return
		}
		longCode := strings.Contains(text, "=") && len(text) > 25 || strings.Contains(strings.ToLower(text), "[url=") || strings.Contains(strings.ToLower(text), "[img")
		checkSplit(t, strings.Repeat(text, int(times)%64), 64+int(limit), longCode)
	})
}
