package bbcode

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"a paragraph", "Hello, world", "Hello, world"},
		{"a line break stays one", "a\nb  \nc\\\nd", "a\nb\nc\nd"},
		{"paragraphs", "a\n\n\nb", "a\n\nb"},
		{"a heading", "## Title #\ntext", "[b]Title[/b]\n\ntext"},
		{"a heading with emphasis is bold once", "# **a** *b*", "[b]a [i]b[/i][/b]"},
		{"a heading that ends in a sharp", "# C#", "[b]C#\u2060[/b]"},
		{"no heading without a blank", "#tag", "#tag"},
		{"underlined headings", "a\n===\nb\n---", "[b]a[/b]\n\n[b]b[/b]"},
		{"emphasis", "*a* _b_ **c** __d__ ***e*** ~~f~~", "[i]a[/i] [i]b[/i] [b]c[/b] [b]d[/b] [i][b]e[/b][/i] [s]f[/s]"},
		{"emphasis inside emphasis", "**a *b* c** *d **e***", "[b]a [i]b[/i] c[/b] [i]d [b]e[/b][/i]"},
		{"emphasis within a word", "un*frigging*believable snake_case_name 2*3*4", "un[i]frigging[/i]believable snake_case_name 2[i]3[/i]4"},
		{"what is no emphasis", "* a*, 5 * 6 ~7 ** __", "• a*, 5 * 6 ~7 ** __"},
		{"runs that do not match stay", "**a* ~~b", "*[i]a[/i] ~~b"},
		{"escaped characters", `\*a\* \[b\](c) \_ \x \\`, "*a* [\u2060b](c) _ \\x \\"},
		{"entities", "&lt;b&gt; &amp; &#91;b&#93; &nope;", "<b> & [\u2060b] &nope;"},
		{"a code span", "use `a[0] ** b` or ``x`y``", "use [i]a[\u20600] ** b[/i] or [i]x`y[/i]"},
		{"an open code span", "a `b", "a `b"},
		{"a code fence", "```go\nif a[0] {\n\tb()\n}\n```\nafter", "[code]if a[0] {\n\tb()\n}[/code]\n\nafter"},
		{"a code fence in a list keeps its tabs", "1. a\n   ```\n   x:\n   \ty\n   ```\n2. b", "1. a\n[code]x:\n\ty[/code]\n2. b"},
		{"a code fence with tildes that never ends", "~~~\n```\n[b]", "[code]```\n[b][/code]"},
		{"a code fence that would end its block", "```\n[/code][send=/x]\n```", "[code][\u2060/code][send=/x][/code]"},
		{"indented code", "    a\n\n      b", "[code]a\n\n  b[/code]"},
		{"a link", "see [the *page*](https://e.com \"title\")", "see [url=https://e.com]the [i]page[/i][/url]"},
		{"a link with parentheses and blanks", "[a](https://e.com/x_(y)) [b](<https://e.com/a b>)", "[url=https://e.com/x_(y)]a[/url] [url=https://e.com/a%20b]b[/url]"},
		{"a link that leads nowhere on the web", "[a](mailto:x@e.com) [b](doc.md) [c](javascript:alert(1)) [d]()", "a (mailto:x@e.com) b (doc.md) c (javascript:alert(1)) d"},
		{"a link without text", "[](https://e.com)", "[url]https://e.com[/url]"},
		{"links by reference", "[a][1], [One], [one][] and [no][2]\n\n[1]: https://e.com/1 \"title\"\n[one]: <https://e.com/2>", "[url=https://e.com/1]a[/url], [url=https://e.com/2]One[/url], [url=https://e.com/2]one[/url] and [\u2060no][\u20602]"},
		{"no link inside a link", "[a [b](https://e.com/1) c](https://e.com/2)", "[\u2060a [url=https://e.com/1]b[/url] c]([url]https://e.com/2[/url])"},
		{"addresses in angle brackets", "<https://e.com/a_b_c> <x@e.com>", "[url]https://e.com/a_b_c[/url] x@e.com"},
		{"addresses in the text", "(https://e.com/a_b_c), **http://e.com.**", "([url]https://e.com/a_b_c[/url]), [b][url]http://e.com[/url].[/b]"},
		{"an address as the text of its link", "[https://e.com](https://e.com)", "[url=https://e.com]https://e.com[/url]"},
		{"an image", "![a *b*](https://e.com/p.png)", "[img size=medium]https://e.com/p.png [/img]"},
		{"an image that is not on the web", "![a](p.png)", "a (p.png)"},
		{"brackets that are no link", "a[0] [x] [y]( z", "a[\u20600] [\u2060x] [\u2060y]( z"},
		{"a list", "Text:\n- a\n- b\n\n- c\n\nafter", "Text:\n\n• a\n• b\n• c\n\nafter"},
		{"nested lists", "- a\n  - b\n    1. c\n- d", "• a\n\t• b\n\t\t1. c\n• d"},
		{"an ordered list", "3. a\n3. b\n   more\n4) c", "3. a\n4. b\n\tmore\n5. c"},
		{"a list nested by two where three are due", "1. a\n  - b\n    - c\n2. d", "1. a\n\t• b\n\t\t• c\n2. d"},
		{"paragraphs and code in a list", "1. a\n\n   b\n   ```\n   x\n     y\n   ```\n2. c\nlazy", "1. a\n\tb\n[code]x\n  y[/code]\n2. c\n\tlazy"},
		{"tasks", "- [ ] a\n- [x] b\n1. [X] c", "☐ a\n☑ b\n\n1. ☑ c"},
		{"an empty item", "-\n- a", "•\n• a"},
		{"a list with tabs", "-\ta\n\t- b", "• a\n\t• b"},
		{"a quote", "> a\n> **b**\nlazy\n\nafter", ">>a\n>>[b]b[/b]\n>>lazy\n\nafter"},
		{"nested quotes become one", "> a\n>\n> > b", ">>a\n>>\n>>b"},
		{"a quote with a list and code", "> - a\n> - b\n>\n> ```\n> x\n> y\n> ```", ">>• a\n>>• b\n>>\n>>[code]x\ny[/code]"},
		{"a quote in a list", "- a\n\n  > b", "• a\n>>b"},
		{"a table", "before\n| A | *B* |\n|---|:-:|\n| 1 | `x\\|y` |\n| 2 |\nafter | is a row\n\nend", "before\n\n[b]A[/b] | [b][i]B[/i][/b]\n1 | [i]x|y[/i]\n2\nafter | is a row\n\nend"},
		{"no table without its second line", "a | b\nc | d", "a | b\nc | d"},
		{"rules", "a\n\n---\n* * *\n\nb", "a\n\n──────────\n\n──────────\n\nb"},
		{"HTML is text", "<b>a</b><br>\n<script>x</script>", "<b>a</b><br>\n<script>x</script>"},
		{"BB code is text", "[b]x[/b] [send=/rm]y[/send] [user=all]z[/user]#BR#x", "[\u2060b]x[\u2060/b] [\u2060send=/rm]y[\u2060/send] [\u2060user=all]z[\u2060/user]#\u2060BR#x"},
		{"BB code that only Markdown would complete", `[\b]x [*b*] &#91;b]`, "[\u2060\\b]x [\u2060[i]b[/i]] [\u2060b]"},
		{"BB quotes are text", "\\>> a\n" + quoteRule + "x", "\u2060>> a\n" + quoteRule[:20] + "\u2060" + quoteRule[:20] + "\u2060" + quoteRule[:14] + "x"},
		{"entities in a code span", "`&#91;b&#93;`", "[i]&\u2060#91;b&\u2060#93;[/i]"},
		{"entities that two escapes make", "&amp;lt; \\&gt; &amp;#91;", "&\u2060lt; &\u2060gt; &\u2060#91;"},
		{"the tag that is a line break", "a<br />b `<br />`", "a<\u2060br />b [i]<\u2060br />[/i]"},
		{"/me", "/menu - the *menu*", "\u2060/menu - the [i]menu[/i]"},
		{"/me of two pieces", "/[menu](x)", "\u2060/menu (x)"},
		{"/me inside", "- /menu\n- **/me**", "• /menu\n• [b]/me[/b]"},
		{"rows of #", "a ####NOTE####", "a #\u2060#\u2060#\u2060#NOTE#\u2060#\u2060#\u2060#\u2060"},
		{"Windows line ends", "# a\r\n\r\nb\r\n", "[b]a[/b]\n\nb"},
	} {
		t.Run(row.name, func(t *testing.T) { require.Equal(t, row.want, Markdown(row.text)) })
	}
}

func TestMarkdownNestsOnlySoDeep(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("> - ", 1000) + "a"
	require.True(t, strings.HasSuffix(Markdown(text), "a"))
	require.Equal(t, strings.Count(text, "-")-maxNesting/2, strings.Count(Markdown(text), "-"))
}

// The codes that Markdown makes, each with what its attribute may be.
var ofMarkdown = regexp.MustCompile(`^\[(/?(b|i|s|url|code|img)|url=(https?://|/)[^\[\]\s"<>]*|img size=medium)\]$|^>>$`)

func FuzzMarkdown(f *testing.F) {
	for _, text := range []string{
		"", "# a\n\n- b\n  1. c\n\n> d\n", "*a **b*** __c__ ~~d~~ `e`", "```go\n[b]\n```", "[a](https://e.com 't') ![b](/c) <https://e.com> https://e.com/[x]",
		"[a][b]\n\n[b]: /c \"d\"", "| a | b |\n|---|---|\n| c | d |", "a\n===\n\n---\n\n    code", `\[b] &#91;b] #BR# >> [/code]`, "[a](https://e.com/#BR#)", "- [x] a\n\t- b", "*[a*](/b)*", "/me", "&amp;#91;b]", "`&#91;`", "<br />> a",
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
