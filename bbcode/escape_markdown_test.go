package bbcode

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEscapeMarkdown(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"plain text is left alone", "Hello, it's 5 > 3 & 2 < 4 - ok", "Hello, it's 5 > 3 & 2 < 4 - ok"},
		{"what Escape does", "[b] &lt; /me", "[\u2060b] &\u2060lt; /me"},
		{"a link", "[bank.com](https://e.com)", "[\u2060bank.com]\u2060(https://e.com)"},
		{"half a link at the end", "[bank.com]", "[\u2060bank.com]\u2060"},
		{"half a link at the beginning", "(https://e.com)", "\u2060(https://e.com)"},
		{"emphasis", "*a* **b** 2*3", "\u2060*\ufeff\u2060a*\ufeff\u2060 *\ufeff\u2060*\ufeff\u2060b*\ufeff\u2060*\ufeff\u2060 2*\ufeff\u20603"},
		{"underscores around a word", "a _b_ __c__", "a _\ufeff\u2060b_ _\ufeff\u2060_\ufeff\u2060c__"},
		{"underscores in a word", "snake_case__name_", "snake_case__name_"},
		{"struck through", "a ~~b~~", "a ~\u2060~b~\u2060~\u2060"},
		{"code", "a ``b``", "a `\u2060`b`\u2060`\u2060"},
		{"headings, lists, rules and fences", "# a\n- b\n 12. c\n---\n```", "\u2060# a\n\u2060- b\n\u2060 12. c\n\u2060---\n\u2060`\u2060`\u2060`\u2060"},
		{"indented code", "a\n\n    b\n\n\tc", "a\n\n\u2060    b\n\n\u2060\tc"},
		{"tags and addresses in angle brackets", "a <b>x</b> <https://e.com> 1 < 2", "a <\u2060b>x<\u2060/b> <\u2060https://e.com> 1 < 2"},
		{"entities of any kind", "&copy; &#x5b; &nope; R&D", "&\u2060copy; &\u2060#x5b; &\u2060nope; R&D"},
		{"backslashes", `C:\_a`, "C:\\\u2060_\ufeff\u2060a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, row.want, EscapeMarkdown(row.text))
			require.Equal(t, row.want, EscapeMarkdown(EscapeMarkdown(row.text)), "twice is once")
			require.Equal(t, row.text, Plain(EscapeMarkdown(row.text)))
		})
	}
}
