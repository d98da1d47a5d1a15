package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// inPage is an expression that can use modules of the page: html renders a text.
func inPage(expression string) string {
	return `(async () => {
		const [{render}, dom, {oneLine}] = await Promise.all(["bbcode", "dom", "bbscan"].map(name => import("./" + name + ".js")));
		const app = {state: {user: 1, dialogs: new Map(), users: new Map()}, nameOf: id => "User " + id};
		const html = text => { const box = document.createElement("div"); box.append(render(text, app)); return box.innerHTML; };
		return ` + expression + `;
	})()`
}

func TestPageRendersCodes(t *testing.T) {
	const (
		anchor = ` target="_blank" rel="noopener noreferrer" title=`
		rule   = "------------------------------------------------------"
	)
	page := newTestbed(t).url
	photo := page + "icon.svg" // a picture that is there
	b := open(t, page, 1440, 900)
	for _, row := range []struct{ name, text, html string }{
		{"marks", "[b]a[/b][I]b[/I][u]c[/u][s]d[/s]", "<b>a</b><i>b</i><u>c</u><s>d</s>"},
		{"marks that cross", "[b]a[i]b[/b]c[/i]", "<b>a</b><b><i>b</i></b><i>c</i>"},
		{"a code without its end", "[b]a", "[b]a"},
		{"a code that is none", "[x]a[/x]", "[x]a[/x]"},
		{"markup", "<b>&amp;<script>", "&lt;b&gt;&amp;amp;&lt;script&gt;"},
		{"a colour", "[color=#f00]a[/color]", `<span class="shade" style="--shade: #f00;">a</span>`},
		{"a colour that is a style", "[color=red;background:url(//x)]a[/color]", "a"},
		{"a wrong colour keeps the one around it", "[color=#f00][color=x]a[/color][/color]", `<span class="shade" style="--shade: #f00;">a</span>`},
		{"a size out of bounds", "[size=999]a[/size]", `<span style="font-size: 30px;">a</span>`},
		{"a link", "[url=https://e.com/]a[/url]", `<a href="https://e.com/"` + anchor + `"https://e.com/">a</a>`},
		{"a link without a text", "[url]https://e.com/[/url]", `<a href="https://e.com/"` + anchor + `"https://e.com/">https://e.com/</a>`},
		{"a link to a script", "[url=javascript:alert(1)]a[/url]", `<span class="nolink" title="javascript:alert(1)">a</span>`},
		{"an address in a sentence", "See https://e.com/a.", `See <a href="https://e.com/a"` + anchor + `"https://e.com/a">https://e.com/a</a>.`},
		{"no link in a link", "[url=https://e.com/]https://f.com/[/url]", `<a href="https://e.com/"` + anchor + `"https://e.com/">https://f.com/</a>`},
		{"code", "[code][b]a[/b][/code]", `<pre class="code" tabindex="-1"><code>[b]a[/b]</code></pre>`},
		{"line breaks", "a[br]b#BR#c", "a\nb\nc"},
		{"quoted lines", ">>a\n>>b\nc", `<blockquote class="line" dir="auto">a` + "\nb" + `</blockquote>c`},
		{"a quoted message", rule + "\na\n" + rule + "\nb", `<blockquote class="block" dir="auto">a</blockquote>b`},
		{"a rule alone", rule + "\na", rule + "\na"},
		{"a picture", "[img size=small]" + photo + " [/img]", `<img src="` + photo + `" alt="" loading="lazy" referrerpolicy="no-referrer" class="picture small">`},
		{"a picture whose address the portal made a link", "[img size=small][URL]" + photo + "[/URL] [/img]", `<img src="` + photo + `" alt="" loading="lazy" referrerpolicy="no-referrer" class="picture small">`},
		{"votes", "[like][DISLIKE]", "👍👎"},
		{"an internal call", "a[pch=3]b[/pch]c", "ac"},
		{"codes that no client reads", "[dialog=5 message=6]x[/dialog][attach=1][user=all]y[/user]", "[dialog=5 message=6]x[/dialog][attach=1][user=all]y[/user]"},
		{"codes in the label of a command", "[put=x][b]a[/b][/put]", `<button type="button" class="act put" title="Put into the text field: x">[b]a[/b]</button>`},
		{"a picture without a blank before its end stays text", "[img size=small]x[/img]", "[img size=small]x[/img]"},
		{"a picture without a size stays text", "[img]x [/img]", "[img]x [/img]"},
		{"a picture with a size that every object has", "[img size=constructor]x [/img]", "[img size=constructor]x [/img]"},
		{"a picture that is a script", "[img size=small]javascript:alert(1) [/img]", `<span class="nolink" title="javascript:alert(1)">javascript:alert(1)</span>`},
		{"a mention", "[user=5]Eve[/user]", `<button type="button" class="act mention" title="Person 5">Eve</button>`},
		{"a mention without a name", "[user=5][/user]", `<button type="button" class="act mention" title="Person 5">User 5</button>`},
		{"a mention of the reader", "[user=1]me[/user]", `<span class="mention own">me</span>`},
		{"a mention of what every object has", "[user=__proto__]a[/user]", "[user=__proto__]a[/user]"},
		{"a time in a format that every object has", "[timestamp=0 format=constructor][timestamp=x]", ""},
		{"a rating that is none", "[rating=9]", "[rating=9]"},
	} {
		got := eval[string](b, inPage(`html(`+quote(row.text)+`)`))
		if strings.HasPrefix(row.text, "[timestamp") { // the browser's language decides how a time is written
			require.Regexp(t, `^<time [^>]*datetime="1970-01-01T00:00:00.000Z"[^>]*>[^<]+</time>\[timestamp=x\]$`, got, row.name)
			continue
		}
		require.Equal(t, row.html, got, row.name)
	}
	b.noAlarms()
}

func TestPageFollowsOnlySafeAddresses(t *testing.T) {
	b := open(t, newTestbed(t).url, 1440, 900)
	for _, address := range []string{"http://e.com/", "HTTPS://E.COM/", " https://e.com/ ", "mailto:a@e.com", "tel:+15550100"} {
		require.NotEmpty(t, eval[string](b, inPage(`dom.safeLink(`+quote(address)+`)`)), "%q", address)
	}
	for _, address := range []string{
		"javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "java\r\nscript:alert(1)",
		"\u0001javascript:alert(1)", "javascript\u200b:alert(1)", "\ufeffjavascript:alert(1)", "vbscript:x", "data:text/html,x", "blob:https://e.com/x",
		"file:///etc/passwd", "view-source:https://e.com", "intent://e#Intent;end", "//e.com", "/company/", "#x", "https:", "",
	} {
		require.Empty(t, eval[string](b, inPage(`dom.safeLink(`+quote(address)+`)`)), "%q", address)
	}
	for value, want := range map[string]string{
		"5": "5", "05": "5", " 5 ": "5", "CHAT007": "chat7", "0": "", "-5": "", "5.0": "", "0x5": "", "5e0": "",
		"chat": "", "chat1]": "", `5"],[x="`: "", "__proto__": "", "constructor": "",
	} {
		require.Equal(t, want, eval[string](b, inPage(`dom.dialogID(`+quote(value)+`)`)), "%q", value)
	}
	b.noAlarms()
}

// Texts that are made to take long, longer than the 20,000 characters that a portal keeps.
func TestPageRendersWorstTextsInTime(t *testing.T) {
	b := open(t, newTestbed(t).url, 1440, 900)
	const most = 30000
	for _, part := range []string{
		"[b]", "[/b]", "[url=", "[url]", "[url]a[/url]", "[b][i]a[/b][/i]", "[code]", "[code][/code]", "[icon=", "[icon=x]", ">>a\n", ">>", "#BR#", "[br]", "#", "[",
		" title=", "------------------------------------------------------\n", "https://", "https://e.com/ ", "\u202e", "a\u0300", "\u200b", "\u2028", "[user=5][/user]", "😀", "[rating=5]", "[img size=small] ",
	} {
		for _, frame := range [][2]string{{"", ""}, {"[icon=x", "\n]"}, {"[b]", "[/b]"}} {
			text := frame[0] + strings.Repeat(part, most/len(part)) + frame[1]
			took := eval[float64](b, inPage(`(() => { const begin = performance.now(); html(`+quote(text)+`); oneLine(`+quote(text)+`); return performance.now() - begin; })()`))
			require.Less(t, took, 4000.0, fmt.Sprintf("milliseconds for %q times %q", frame, part))
		}
	}
	b.noAlarms()
}
