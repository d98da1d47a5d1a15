package bbcode

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBuilders(t *testing.T) {
	noon := time.Unix(1645844720, 0)
	for _, row := range []struct{ name, got, want string }{
		{"bold", Bold("a"), "[b]a[/b]"},
		{"italics", Italic("a"), "[i]a[/i]"},
		{"underlined", Underline("a"), "[u]a[/u]"},
		{"struck through", Strike("a"), "[s]a[/s]"},
		{"builders nest", Bold(Italic("a")), "[b][i]a[/i][/b]"},
		{"a size", Size(12, "a"), "[size=12]a[/size]"},
		{"a size below 8 is 8", Size(-1, "a"), "[size=8]a[/size]"},
		{"a size above 30 is 30", Size(31, "a"), "[size=30]a[/size]"},
		{"a colour of six digits", TextColor("#4ba984", "a"), "[color=#4ba984]a[/color]"},
		{"a colour of three digits", TextColor("#FFF", "a"), "[color=#FFF]a[/color]"},
		{"a colour without its mark gets it", TextColor("fff", "a"), "[color=#fff]a[/color]"},
		{"what is no colour leaves the text alone", TextColor("#fff]x", "a"), "a"},
		{"a link", Link("https://example.com/?a=1&b=2#c", "a"), "[url=https://example.com/?a=1&b=2#c]a[/url]"},
		{"a link without text shows its address", Link("https://example.com", ""), "[url]https://example.com[/url]"},
		{"a link on the portal", Link("/company/", "a"), "[url=/company/]a[/url]"},
		{"a link without address is its text", Link(" ", "a"), "a"},
		{"a host becomes https", Link("example.com", "a"), "[url=https://example.com]a[/url]"},
		{"another scheme is not followed", Link("javascript:alert(1)", "a"), "[url=https://javascript:alert(1)]a[/url]"},
		{"brackets in an address are encoded", Link("https://e.com/a[0]", "a"), "[url=https://e.com/a%5B0%5D]a[/url]"},
		{"blanks, quotes and line breaks in an address are encoded", Link("https://e.com/a b\"\n\u2028c", "a"), "[url=https://e.com/a%20b%22%0A%E2%80%A8c]a[/url]"},
		{"letters of any language stay in an address", Link("https://пример.рф/я", "a"), "[url=https://пример.рф/я]a[/url]"},
		{"the line break code in an address is encoded", Link("https://e.com/#BR#", "a"), "[url=https://e.com/#BR%23]a[/url]"},
		{"a mention", Mention(5, "Anna"), "[user=5]Anna[/user]"},
		{"a mention with the name left to the portal", Mention(5, ""), "[user=5][/user]"},
		{"a name that would end its mention", Mention(5, "[/user]"), "[user=5][\u2060/user][/user]"},
		{"a name that was escaped before", Mention(5, Escape("[x]")), "[user=5][\u2060x][/user]"},
		{"everybody", MentionAll("all of you"), "[user=all]all of you[/user]"},
		{"a chat", ChatLink(7, "Sales"), "[chat=7]Sales[/chat]"},
		{"an open line", OpenLineLink(7, "Client"), "[chat=imol|7]Client[/chat]"},
		{"a message of a group chat", MessageLink(7, 99, "here"), "[context=chat7/99]here[/context]"},
		{"a message of a private dialog", PrivateMessageLink(1, 2, 99, "here"), "[context=1:2/99]here[/context]"},
		{"a message in the older form", DialogMessageLink("chat7", 99, "here"), "[dialog=chat7 message=99]here[/dialog]"},
		{"a dialog that would end its attribute", DialogMessageLink("7]", 99, "here"), "[dialog=7］ message=99]here[/dialog]"},
		{"a dialog that would be another attribute", DialogMessageLink("7 message=1", 99, "here"), "[dialog=7 message＝1 message=99]here[/dialog]"},
		{"send a command", Send("/help", "Help"), "[send=/help]Help[/send]"},
		{"send the text", Send("", "Help"), "[send]Help[/send]"},
		{"a command with brackets and line breaks", Send("/x [1]\ny", "x"), "[send=/x ［1］ y]x[/send]"},
		{"a command with a line break code", Send("/x #br# y", "x"), "[send=/x #\u2060br# y]x[/send]"},
		{"a command has one attribute, so that its equals sign stays", Send("/set a=b", "x"), "[send=/set a=b]x[/send]"},
		{"put a command", Put("/search ", "Find"), "[put=/search]Find[/put]"},
		{"put the text", Put("", "Find"), "[put]Find[/put]"},
		{"a call", CallLink("+1 (555) 01-00", "Call"), "[call=+1 (555) 01-00]Call[/call]"},
		{"a call to what is no number", CallLink("x]", "+15550100"), "[call]+15550100[/call]"},
		{"an internal call", InternalCallLink(3, "a"), "[pch=3]a[/pch]"},
		{"code", Code("a[0] = '[b]'\n"), "[code]a[0] = '[b]'\n[/code]"},
		{"code that would end its block", Code("[/CODE]"), "[code][\u2060/CODE][/code]"},
		{"code with line break codes", Code("#BR#[br]"), "[code]#\u2060BR#[\u2060br][/code]"},
		{"a picture", Image("https://e.com/p.jpg", ImageLarge), "[img size=large]https://e.com/p.jpg [/img]"},
		{"a picture without size is medium", Image("https://e.com/p.jpg", ""), "[img size=medium]https://e.com/p.jpg [/img]"},
		{"a picture without address", Image("", ""), ""},
		{"a picture that would end its code", Image("https://e.com/[/img]", ""), "[img size=medium]https://e.com/%5B/img%5D [/img]"},
		{"an icon", Icon("https://e.com/i.png", IconOptions{}), "[icon=https://e.com/i.png]"},
		{"an icon with everything", Icon("https://e.com/i.png", IconOptions{Size: 20, Width: 30, Height: 40, Title: "big ]smile"}), "[icon=https://e.com/i.png size=20 width=30 height=40 title=big ］smile]"},
		{"a title that would be another attribute", Icon("https://e.com/i.png", IconOptions{Title: "a size=900"}), "[icon=https://e.com/i.png title=a size＝900]"},
		{"an icon without address", Icon("", IconOptions{Title: "a"}), ""},
		{"a time", Timestamp(noon, TimeFormatShortTime), "[timestamp=1645844720 format=SHORT_TIME_FORMAT]"},
		{"a time without format", Timestamp(noon, ""), "[timestamp=1645844720 format=FORMAT_DATETIME]"},
		{"a format that would end its code", Timestamp(noon, "LONG]"), "[timestamp=1645844720 format=LONG]"},
		{"a file", Disk(8), "[disk=8]"},
		{"a line break", "a" + LineBreak + "b", "a[br]b"},
		{"a quote", Quote("a\nb[br]c#BR#d"), ">>a\n>>b\n>>c\n>>d"},
		{"a quote leaves code in one piece", Quote(Code("a\nb") + "\nc"), ">>[code]a\nb[/code]\n>>c"},
		{"a quoted message", QuoteBlock("a"), quoteRule + "\na\n" + quoteRule},
		{"a quoted message that would end early", QuoteBlock(quoteRule), quoteRule + "\n" + quoteRule[:27] + "\u2060" + quoteRule[:27] + "\n" + quoteRule},
		{"stars", Rating(4), "[rating=4]"},
		{"more stars than there are", Rating(9), "[rating=5]"},
		{"the place of an attachment", AttachPlace(2), "[attach=2]"},
	} {
		t.Run(row.name, func(t *testing.T) { require.Equal(t, row.want, row.got) })
	}
	require.Len(t, quoteRule, 54)
}
