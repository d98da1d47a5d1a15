package bbcode

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkHostile shows that the time of each function grows with the text and
// not faster, whatever the text repeats.
func BenchmarkHostile(b *testing.B) {
	const size = 4 << 20
	for _, unit := range []string{"[b]", "[/b]", "[b][/b]", "[code]", "[url=", "[url=/a]", "[url=/a]x[/url]", "[", "#", ">", ">>\n", "-", "-\n", quoteRule + "\n", "\u0301", "[img]", "[b][i][/b]", " ", "x", "`", "*a", "*", "[a](", "![", "> ", "- ", "* a\n", "|", "&a", "<a", "~~", "a_", "](", "``` \n", "[a]: b\n", "\\", "  - a\n", "https://", "1. "} {
		text := strings.Repeat(unit, size/len(unit))
		for name, f := range map[string]func(){
			"Escape":   func() { Escape(text) },
			"Plain":    func() { Plain(text) },
			"Split":    func() { Split(text) },
			"Markdown": func() { Markdown(text) },
		} {
			b.Run(fmt.Sprintf("%s/%.8q", name, unit), func(b *testing.B) {
				b.SetBytes(size)
				for b.Loop() {
					f()
				}
			})
		}
	}
}
