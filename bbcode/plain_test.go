package bbcode

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"looks are gone", "[B]a[/B] [i]b[/i] [u]c[/u] [s]d[/s] [size=9]e[/size] [color=#fff]f[/color]", "a b c d e f"},
		{"a link has its address behind it", "see [url=https://e.com]this [b]page[/b][/url]!", "see this page (https://e.com)!"},
		{"a link that shows its address", "[url]https://e.com[/url] [url=https://e.com]https://e.com[/url] [url=https://e.com][/url]", "https://e.com https://e.com https://e.com"},
		{"a mention is the name", "[USER=5]Anna[/USER], [user=all]all[/user]", "Anna, all"},
		{"links to chats and messages are their text", "[chat=7]a[/chat] [chat=imol|7]b[/chat] [context=chat7/9]c[/context] [dialog=7 message=9]d[/dialog] [pch=3]e[/pch]", "a b c d e"},
		{"actions are their text", "[send=/x]a[/send] [send]b[/send] [put=/x]c[/put] [call=+1]d[/call]", "a b c d"},
		{"code is left alone", "[code][b]x[/b]#BR#[br][/code]", "[b]x[/b]#BR#[br]"},
		{"a picture is its address", "[img size=medium]https://e.com/p.jpg [/img]", "https://e.com/p.jpg"},
		{"an icon is its title", "[icon=https://e.com/i.png size=20 title=a smile width=4]", "a smile"},
		{"an icon is all of its title", Icon("https://e.com/i.png", IconOptions{Height: 4, Title: "a size=900 b"}), "a size＝900 b"},
		{"an icon without title is nothing", "a[icon=https://e.com/i.png]b", "ab"},
		{"a time is in UTC", "[timestamp=1645844720 format=SHORT_TIME_FORMAT]", "2022-02-26 03:05 UTC"},
		{"a time that is none stays", "[timestamp=x]", "[timestamp=x]"},
		{"files and attachments are not text", "a[disk=5]b[attach=1]c", "abc"},
		{"stars", "[rating=3] [rating=6]", "★★★ [rating=6]"},
		{"line breaks", "a[br]b#BR#c[BR]d\ne", "a\nb\nc\nd\ne"},
		{"quotes are text", ">>a\n" + quoteRule + "\nb\n" + quoteRule, ">>a\n" + quoteRule + "\nb\n" + quoteRule},
		{"entities are their characters", "&lt;b&gt; &amp;lt; &#91;x&#93; &#169; &copy; &#x5b;", "<b> &lt; [x] (c) &copy; &#x5b;"},
		{"codes that entities make", "&#91;b&#93;x&#91;/b&#93; &#91;url=/a]b[/url]", "x b (/a)"},
		{"no entity in code or in a command on one line", "[code]&lt;<br />[/code][send=/x]&lt;[/send][put]&lt;\n[/put]", "&lt;<br />&lt;<\n"},
		{"the tag that is a line break", "a<br />b&lt;br /&gt;<br>", "a\nb<br /><br>"},
		{"votes", "[like] [DISLIKE]", "👍 👎"},
		{"/me stays, because a text is not always a message", "/me waves", "/me waves"},
		{"unknown codes stay", "[x]a[/x] [ b] [b=1] [url", "[x]a[/x] [ b] [b=1] [url"},
		{"an open code block stays", "[code]a", "[code]a"},
		{"an open link stays", "[url=https://e.com]a", "[url=https://e.com]a"},
		{"codes that cross", "[b]a[i]b[/b]c[/i]", "abc"},
		{"links that cross pictures", "[url=/a]x[img]y[/url] [/img][url=/b]z[/url]", "xy[/url]z (/b)"},
		{"the invisible character is taken away", Escape("[b]\n>>x #BR# " + quoteRule), "[b]\n>>x #BR# " + quoteRule},
	} {
		t.Run(row.name, func(t *testing.T) { require.Equal(t, row.want, Plain(row.text)) })
	}
}

func FuzzPlain(f *testing.F) {
	for _, text := range []string{"", "[b]x[/b]", "[url=/a][url]b[/url]", "[code][b][/code][/b]", "[icon=/a title=b c size=4]", "[timestamp=5][rating=3][br]#br#", "[img]x[url=/a][/img]y[/url]", "[CODE", "[user=5", "&#91;b&#93;", "[code]&lt;[/code]&lt;[send]&lt;", "&<br />&lt;", "[like]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plain := Plain(text)
		require.Equal(t, typed(text), Plain(Escape(text)))
		require.LessOrEqual(t, len(plain), 4*len(text)+64)
		require.Equal(t, typed(strings.ToValidUTF8(text, "\uFFFD")), Plain(Code(text)))
	})
}
