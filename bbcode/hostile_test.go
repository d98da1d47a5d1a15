package bbcode

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkHostile shows that the time of each function grows with the text and
// not faster, whatever the text repeats: the speed is the same for both sizes.
func BenchmarkHostile(b *testing.B) {
	units := []string{
		"[b]", "[/b]", "[b][/b]", "[code]", "[url=", "[url=/a]", "[url=/a]x[/url]", "[", "#", ">", ">>\n", "-", "-\n", quoteRule + "\n",
		"\u0301", "[img]", "[b][i][/b]", " ", "x", "`", "*a", "*", "[a](", "![", "> ", "- ", "* a\n", "|", "&a", "<a", "~~", "a_", "](",
		"``` \n", "[a]: b\n", "\\", "  - a\n", "https://", "1. ",
		"&#91;", "&amp;", "&amp;#91;", "&amp;amp;lt;", "&", "&#", "<br />", "<br ", "[send=&lt;]", "[send]&[/send]", "/me", " /me", "/", " >",
		"www.", "://.jpg", "www.a.png ", ".jpg", "\xff", "\x00", "\xff&lt;", "\u2060", "_", "a_ ", "    ", "]\n", "] #chat1/1\n", "[like]",
	}
	functions := []struct {
		name string
		f    func(string)
	}{
		{"Escape", func(s string) { Escape(s) }},
		{"EscapeMarkdown", func(s string) { EscapeMarkdown(s) }},
		{"Plain", func(s string) { Plain(s) }},
		{"Split", func(s string) { Split(s) }},
		{"Markdown", func(s string) { Markdown(s) }},
		{"Builders", func(s string) {
			Mention(5, s)
			Link(s, "x")
			Icon("/i", IconOptions{Title: s})
			Send(s, s)
			Code(s)
			Quote(s)
			QuoteBlock(s)
		}},
	}
	for _, size := range []int{1 << 20, 4 << 20} {
		for _, unit := range units {
			text := strings.Repeat(unit, size/len(unit))
			for _, f := range functions {
				b.Run(fmt.Sprintf("%s/%.8q/%dMB", f.name, unit, size>>20), func(b *testing.B) {
					b.SetBytes(int64(size))
					for b.Loop() {
						f.f(text)
					}
				})
			}
		}
	}
}
