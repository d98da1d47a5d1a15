package textstage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStore(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"two spellings of a line break code become one", "a[BR]b[br]c#BR#d", "a\nb\nc\nd"},
		{"other spellings stay", "a[Br]b#br#c<br />d", "a[Br]b#br#c<br />d"},
		{"blanks as PHP knows them are trimmed", " \t\r\n\v\x00a\x00 ", "a"},
		{"a no-break space is a text", "\u00a0", "\u00a0"},
		{"NUL alone is none", "\x00", ""},
		{"line breaks alone are none", "[br]#BR#\n", ""},
		{"bytes that are no text", "a\xffb", "a\uFFFDb"},
		{"20,006 characters pass", strings.Repeat("я", 20006), strings.Repeat("я", 20006)},
		{"20,007 are cut", strings.Repeat("я", 20007), strings.Repeat("я", 20000) + " (...)"},
	} {
		t.Run(row.name, func(t *testing.T) { require.Equal(t, row.want, Store(row.text)) })
	}
}

func TestServe(t *testing.T) {
	anna := func(user string) string { return map[string]string{"5": "Anna"}[user] }
	for _, row := range []struct{ name, text, want string }{
		{"entities become characters", "&nbsp;&quot;&#092;&#036;&#33;&#91;&#93;&#39;&lt;&gt;&#124;&amp;", " \"\\$![]'<>|&"},
		{"three become several characters", "&#169;&#153;&#174;", "(c)(tm)(r)"},
		{"each once", "&amp;lt; &amp;amp;", "&lt; &amp;"},
		{"others stay", "&copy; &#x5b; &#091; &LT; &lt", "&copy; &#x5b; &#091; &LT; &lt"},
		{"not in code", "[code]&lt;<br />[/code]&lt;", "[code]&lt;<br />[/code]<"},
		{"not in a command on one line", "[send=/x &#93;]&lt;[/send] [PUT]&lt;[/PUT]", "[send=/x &#93;]&lt;[/send] [PUT]&lt;[/PUT]"},
		{"but in one on two lines", "[send=/x]&lt;\n[/send]", "[send=/x]<\n[/send]"},
		{"one spelling of the tag is a line break", "a<br />b<br>c<br/>d<BR />e", "a\nb<br>c<br/>d<BR />e"},
		{"with a no-break space, too", "a<br\u00a0/>b", "a\nb"},
		{"a tag that entities make is none", "&lt;br /&gt;", "<br />"},
		{"addresses become links", "see http://e.com/a?b=c, https://e.com. ftp://e.com", "see [URL]http://e.com/a?b=c[/URL], [URL]https://e.com[/URL]. [URL]ftp://e.com[/URL]"},
		{"so does www", "www.e.com", "[URL]http://www.e.com[/URL]"},
		{"mail and bare domains do not", "a@e.com e.com", "a@e.com e.com"},
		{"a link is none twice", "[url=https://e.com]https://f.com[/url][url]https://e.com[/url]", "[url=https://e.com]https://f.com[/url][url]https://e.com[/url]"},
		{"the address of a picture is one", "[img size=small]https://e.com/p.jpg [/img]", "[img size=small][URL]https://e.com/p.jpg[/URL] [/img]"},
		{"without a blank its end belongs to it", "[img size=small]https://e.com/p.jpg[/img]", "[img size=small][URL]https://e.com/p.jpg[/img][/URL]"},
		{"that of an icon is not", "[icon=https://e.com/i.png size=4]", "[icon=https://e.com/i.png size=4]"},
		{"but one in its title", "[icon=/i.png title=see https://e.com]", "[icon=/i.png title=see [URL]https://e.com[/URL]]"},
		{"a mention without a name gets it", "[user=5][/user][user=6][/user]", "[USER=5 REPLACE]Anna[/USER][user=6][/user]"},
	} {
		t.Run(row.name, func(t *testing.T) { require.Equal(t, row.want, Serve(row.text, anna)) })
	}
}

func TestShown(t *testing.T) {
	rule := strings.Repeat("-", 54)
	for _, row := range []struct {
		name, text, want string
		marks            []Mark
	}{
		{"plain text", "Hello, it's 5 > 3 & 2 < 4 #1", "Hello, it's 5 > 3 & 2 < 4 #1", nil},
		{"looks", "[b]a[/b][I]b[/I][u]c[/u][s]d[/s]", "abcd", []Mark{{Bold, "", 0, 1}, {Italic, "", 1, 2}, {Underline, "", 2, 3}, {Strike, "", 3, 4}}},
		{"codes that entities make", "&#91;b&#93;x&#91;/b&#93;", "x", []Mark{{Bold, "", 0, 1}}},
		{"nested ones from the inside", "[b]a[b]b[/b]c", "[b]abc", []Mark{{Bold, "", 4, 5}}},
		{"crossing ones", "[b]a[i]b[/b]c[/i]", "abc", []Mark{{Bold, "", 0, 2}, {Italic, "", 1, 3}}},
		{"an open code is text", "[b]a", "[b]a", nil},
		{"sizes and colours", "[size=20px]a[/size][color=#FFF]b[/color][color=red]c[/color]", "ab[color=red]c[/color]", []Mark{{Size, "20", 0, 1}, {Color, "#FFF", 1, 2}}},
		{"a link", "[url=https://e.com]a[/url] [url]/b[/url]", "a /b", []Mark{{Link, "https://e.com", 0, 1}, {Link, "/b", 2, 4}}},
		{"an address", "see https://e.com.", "see https://e.com.", []Mark{{Link, "https://e.com", 4, 17}}},
		{"the address of a picture", "https://e.com/p.JPG?a=1", "https://e.com/p.JPG?a=1", []Mark{{Picture, "https://e.com/p.JPG?a=1", 0, 23}}},
		{"a picture", "[img size=small]/p.jpg [/img]", "/p.jpg", []Mark{{Picture, "/p.jpg", 0, 6}}},
		{"a picture without a size", "[img]/p.jpg [/img]", "[img]/p.jpg [/img]", nil},
		{"an icon", "[icon=/i.png size=20 title=a smile width=4]", "a smile", []Mark{{Icon, "/i.png size=20 title=a smile width=4", 0, 7}}},
		{"an icon whose title ends it", "[icon=/i.png title=a&#93;b]", "ab]", []Mark{{Icon, "/i.png title=a", 0, 1}}},
		{"mentions", "[user=5]Anna[/user][USER=6][/USER][user=all]x[/user]", "AnnaUser 6[user=all]x[/user]", []Mark{{Mention, "5", 0, 4}, {Mention, "6", 4, 10}}},
		{"chats and messages", "[chat=7]a[/chat][chat=imol|7]b[/chat][context=chat7/9]c[/context]", "abc", []Mark{{Chat, "7", 0, 1}, {Context, "chat7/9", 2, 3}}},
		{"commands", "[send=/x]a[/send][put]b[/put]", "ab", []Mark{{Send, "/x", 0, 1}, {Put, "b", 1, 2}}},
		{"a call", "[call=+1]a[/call][call]112[/call]", "a112", []Mark{{Call, "+1", 0, 1}, {Call, "112", 1, 4}}},
		{"an internal call is nothing", "a[pch=3]b[/pch]c", "ac", nil},
		{"code", "[code][b]x[/b] &lt;[/code]", "[b]x[/b] &lt;", []Mark{{Code, "", 0, 13}}},
		{"votes", "[like][dislike][rating=2][rating=6]", "👍👎★★[rating=6]", []Mark{{Like, "", 0, 4}, {Dislike, "", 4, 8}, {Rating, "2", 8, 14}}},
		{"a file", "[disk=5]", "[File]", []Mark{{Disk, "5", 0, 6}}},
		{"times", "[timestamp=0 format=FORMAT_DATE][timestamp=0 format=X][timestamp=0]", "1970-01-01 00:00 UTC[timestamp=0 format=X][timestamp=0]", []Mark{{Timestamp, "0 FORMAT_DATE", 0, 20}}},
		{"codes shown as they are", "[dialog=5 message=6]x[/dialog][attach=1]", "[dialog=5 message=6]x[/dialog][attach=1]", nil},
		{"line breaks", "a[Br]b<br />c\nd", "a\nb\nc\nd", []Mark{{Break, "", 1, 1}}},
		{"four blanks", "a    b", "a\tb", nil},
		{"quoted lines join", "a\n>>b\n>>c\nd >>e", "a\nb\nc\nd >>e", []Mark{{Quote, "", 2, 5}}},
		{"a quote at the beginning and behind a tag", ">>a<br />b&lt;br /&gt;<br />&gt;&gt;c", "a\nb<br />\nc", []Mark{{Quote, "", 0, 1}, {Quote, "", 10, 11}}},
		{"no quote behind a code", "[b]>>a[/b]", ">>a", []Mark{{Bold, "", 0, 3}}},
		{"a quoted message", rule + "\na\n" + rule + "\nb", "a\nb", []Mark{{QuoteBlock, "", 0, 1}}},
		{"with a name, a time and a place", rule + "\nAnna [12:00] #chat5/7\na\n" + rule, "Anna 12:00\na\n", []Mark{{QuoteBlock, "chat5/7", 0, 12}, {Author, "", 0, 4}, {Time, "", 5, 10}}},
		{"what only looks like them", rule + "\nItems: [a]\nb\n" + rule, "Items: a\nb\n", []Mark{{QuoteBlock, "", 0, 10}, {Author, "", 0, 6}, {Time, "", 7, 8}}},
		{"fifty-three dashes", rule[1:] + "\na\n" + rule[1:], rule[1:] + "\na\n" + rule[1:], nil},
		{"/me loses four characters", "/me waves", "waves", []Mark{{Me, "", 0, 5}}},
		{"so does /menu", " [br]/menu - the menu", "u - the menu", []Mark{{Me, "", 0, 12}}},
		{"/loud loses six", "/loudspeaker", "peaker", []Mark{{Loud, "", 0, 6}}},
		{"and half of what was one", "/me<b", "lt;b", []Mark{{Me, "", 0, 4}}},
		{"of a line break, too", "/me[Br]x", "br />x", []Mark{{Me, "", 0, 6}}},
		{"not behind anything", "see /me", "see /me", nil},
	} {
		t.Run(row.name, func(t *testing.T) { require.Equal(t, View{row.want, row.marks}, Shown(row.text, nil)) })
	}
}

func TestMarkdown(t *testing.T) {
	for what, texts := range map[string][]string{
		"fence":                     {"```\nx", "a\n~~~"},
		"indented code":             {"a\n\n    x", "\n\n\tx"},
		"list":                      {"- a", "x\n  12. a", "+ a"},
		"heading":                   {"# a", "######\u00a0a"},
		"rule or underline":         {"a\n---", "***", "- - -", "a\n===\nb"},
		"table":                     {"a|b\n-|-", "|a|\n|:-:|"},
		"link or picture":           {"[a](https://e.com)", "![](/x)", "[\u2060a](x_(y))"},
		"bold":                      {"a**b**"},
		"italic":                    {"*a*", "2*3*4"},
		"strike":                    {"~~a~~"},
		"tag":                       {"<b>a</b>", "<STRONG x>a</STRONG>"},
		"address in angle brackets": {"<https://e.com>", "<a@e.com>"},
		"escape":                    {`\[a`, `C:\_x`},
		"entity":                    {"&copy;", "&#x5b;"},
		"emphasis: _a_":             {"_a_", "x _a_ y"},
		"emphasis: __a__":           {"__a__"},
		"quote":                     {"> a"},
	} {
		for _, text := range texts {
			require.Contains(t, Markdown(text), what, "%q", text)
		}
	}
	for _, text := range []string{"Hello, it's 5 > 3", "a * b * c", "snake_case_name", "1.5", "a - b", "a|b", "[a] (b)", `C:\new`, "#tag", "Q&A;"[:3], "a~~b"} {
		require.Empty(t, Markdown(text), "%q", text)
	}
}

// The pieces of the seeded texts: what one of the stages looks for, whole and torn.
var pieces = strings.Split(`&#91;|&#93;|&#39;|&lt;|&gt;|&amp;|&quot;|&nbsp;|&#124;|&#092;|&#036;|&#33;|&#169;|&copy;|&#x5B;|&amp;lt;|&amp;#91;|&|&#|&#9|#91;|lt;|amp;|t;|;`+
	`|[|]|[/|/]|[b]|[/b]|b]|[i]|[/i]|[USER=5]|[/USER]|user=all]|[url=|[url]https://e.com|[/url]|[send=/rm]|[/send]|[put=x]|[/put]|[code]|[/code]|[icon=/i title=|[br]|[like]|[dislike]|[rating=3]|[img size=small]|[/img]|[context=chat5/6]|[chat=7]|[/chat]|[timestamp=1 format=FORMAT_DATE]|[disk=7]|[call]|[/call]|[s]|[/s]|[size=20]|[color=#fff]`+
	`|<br />|<br|br />|<br/>|<|>|>>| />|#BR#|#br#|#BR|BR#|R#|#|##|####NOTE####|# |/|/me|/me |/loud|/menu|/ME|me|//|$|$result|$error[x]|$total:|\|\\|\n|\t|C:\new\temp|\[|\*`+
	`|http://|https://e.com|https://|www.|www.e.com|e.com/p.jpg|.png|.jpg?x=1|https://e.com/p.gif|HTTP://E.COM/P.PNG|ftp://e.com|-|---|------------------------------------------------------|---------------------------|: [12:00]| #chat5/6`+
	`|*|**|_|__|~~|(https://e.com)|](|![|<b>|</b>|1. |- |+ |===|{|}|=|"|'|a|Anna|hello world|привет|😀|0|`, "|")

// FuzzShown holds what a view promises of any text.
func FuzzShown(f *testing.F) {
	for _, text := range append(pieces, "[send=/x]a[/send]", "[url=[b]]x[/url][/b]", "[code][send][/code]x[/send]", "\xff", "[put][send]x[/put][/send]") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 {
			return
		}
		v := Shown(text, nil)
		require.NotContains(t, v.Text, "\xff")
		require.NotContains(t, v.Text, "\xfe")
		for _, m := range v.Marks {
			require.NotContains(t, m.Value, "\xff")
			require.LessOrEqual(t, 0, m.Start)
			require.LessOrEqual(t, m.Start, m.End)
			require.LessOrEqual(t, m.End, len(v.Text))
		}
	})
}
