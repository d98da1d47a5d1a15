package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
	"github.com/imbot-go/imbot/imbottest/internal/textstage"
)

// A conversation is a group chat in the page, with a bot that writes into it.
type conversation struct {
	*testbed
	tab  *tab
	room imbot.DialogID
}

func newConversation(t *testing.T) *conversation {
	t.Helper()
	s := newTestbed(t)
	room := imbot.ChatDialog(s.portal.AddChat("Room", 1, s.anna, s.bot))
	b := open(t, s.url, 1440, 900)
	b.click(dialog(room))
	b.sees("#title", "Room")
	return &conversation{s, b, room}
}

// shown is a text as it stands in the page.
type shown struct{ Text, HTML, Style, Size, InList string }

// says lets the bot say a text, and returns how the page shows it.
func (c *conversation) says(text string) shown {
	c.tab.t.Helper()
	id, err := c.client.Message.Add(c.tab.t.Context(), imbot.MessageAddRequest{DialogID: c.room, Message: text})
	require.NoError(c.tab.t, err)
	item := fmt.Sprintf(`document.querySelector('#messages [data-message="%d"] .text')`, id)
	c.tab.until(item + ` !== null`)
	return eval[shown](c.tab, `(async () => {
		const {summary} = await import("./message.js");
		const message = (await (await fetch("api/messages?user=1&limit=1&dialog=`+string(c.room)+`")).json()).messages[0];
		const node = `+item+`, style = getComputedStyle(node);
		return {
			Text: node.textContent, HTML: node.innerHTML, Style: style.fontStyle, Size: style.fontSize,
			InList: summary(message, {state: {user: 1}}),
		};
	})()`)
}

// plain is the message that was said last, as [imbottest.Message.Plain] has it.
func (c *conversation) plain() string {
	return c.portal.History(c.anna, c.room, 0, 1)[0].Plain()
}

func TestPageDecodesEntities(t *testing.T) {
	c := newConversation(t)
	for _, row := range []struct{ name, text, want, html string }{
		{"characters", "5 &gt; 3 &amp; 2 &lt; 4 &quot;x&quot; &#39;y&#39; &copy;", `5 > 3 & 2 < 4 "x" 'y' &copy;`, `5 &gt; 3 &amp; 2 &lt; 4 "x" 'y' &amp;copy;`},
		{"once", "&amp;lt; &amp;#91;b]x[/b]", "&lt; &#91;b]x[/b]", "&amp;lt; &amp;#91;b]x[/b]"},
		{"markup is text", "&lt;img src=x onerror=alert(1)&gt;&lt;script&gt;alert(1)&lt;/script&gt;", "<img src=x onerror=alert(1)><script>alert(1)</script>",
			"&lt;img src=x onerror=alert(1)&gt;&lt;script&gt;alert(1)&lt;/script&gt;"},
		{"codes are codes", "&#91;b&#93;x&#91;/b&#93;", "x", "<b>x</b>"},
		{"and end a name early", "[user=1]An&#91;/user&#93;na[/user]", "Anna[/user]", `<span class="mention own">An</span>na[/user]`},
		{"a link to a script stays none", "&#91;url=javascript:alert(1)&#93;x&#91;/url&#93;", "x", `<span class="nolink" title="javascript:alert(1)">x</span>`},
		{"not in code", "[code]&lt;b&gt; &#91;b&#93;[/code]", "&lt;b&gt; &#91;b&#93;", `<pre class="code" tabindex="-1"><code>&amp;lt;b&amp;gt; &amp;#91;b&amp;#93;</code></pre>`},
		{"nor in a command", "[send=/x &lt;]&lt; [b]go[/b][/send]", "&lt; [b]go[/b]", `<button type="button" class="act send" title="Say: /x &amp;lt;">&amp;lt; [b]go[/b]</button>`},
		{"one spelling of the tag is a line break", "a<br />b<br>c<br/>d&lt;br /&gt;#br#", "a\nb<br>c<br/>d<br />#br#", "a\nb&lt;br&gt;c&lt;br/&gt;d&lt;br /&gt;#br#"},
	} {
		got := c.says(row.text)
		require.Equal(t, row.want, got.Text, row.name)
		require.Equal(t, row.html, got.HTML, row.name)
		if !strings.HasPrefix(row.html, `<span class="nolink"`) { // Plain has the address, too
			require.Equal(t, row.want, c.plain(), row.name)
		}
	}
	const typed = "&#91;b&#93;x <br /> >>#### &lt;i&gt; [user=1]y[/user]"
	require.Equal(t, typed, strings.ReplaceAll(c.says(bbcode.Escape(typed)).Text, "\u2060", ""))
	require.Equal(t, typed, c.plain())
	require.Equal(t, "5 > 3", c.says("5 &gt; 3").InList)
	require.Empty(t, eval[[]string](c.tab, problemsOfThePage))
	c.tab.noAlarms()
}

func TestPageCutsMe(t *testing.T) {
	c := newConversation(t)
	for _, row := range []struct{ text, want, style string }{
		{"/me waves [b]now[/b]", "waves now", "italic"},
		{"/menu - the menu", "u - the menu", "italic"},
		{"/message", "sage", "italic"},
		{"[BR] /me<b", "lt;b", "italic"},
		{"/me&amp;x", "amp;x", "italic"},
		{"/me😀x", "\ufffdx", "italic"},
		{"/me\nx", "br />x", "italic"},
		{"/me[code]/me[/code]", "/me", "italic"},
		{"/ME waves", "/ME waves", "normal"},
		{"say /me", "say /me", "normal"},
		{"[b]/me[/b] waves", "/me waves", "normal"},
		{bbcode.Escape("/me waves"), "\u2060/me waves", "normal"},
	} {
		got := c.says(row.text)
		require.Equal(t, []string{row.want, row.style}, []string{got.Text, got.Style}, "%q", row.text)
		require.Equal(t, strings.ReplaceAll(row.want, "\u2060", ""), c.plain(), "%q", row.text)
		require.Equal(t, strings.Join(strings.Fields(row.want), " "), got.InList, "the list of dialogs: %q", row.text)
	}
	c.tab.noAlarms()
}

func TestPageCutsLoud(t *testing.T) {
	c := newConversation(t)
	for _, row := range []struct{ text, want, size string }{
		{"/loud hello", "hello", "20px"},
		{"/loudspeaker on", "peaker on", "20px"},
		{"not /loud", "not /loud", "15px"},
		{bbcode.Escape("/loud hello"), "\u2060/loud hello", "15px"},
	} {
		got := c.says(row.text)
		require.Equal(t, []string{row.want, row.size}, []string{got.Text, got.Size}, "%q", row.text)
		require.Equal(t, strings.ReplaceAll(row.want, "\u2060", ""), c.plain(), "%q", row.text)
		require.Equal(t, row.want, got.InList, "the list of dialogs: %q", row.text)
	}
	c.tab.noAlarms()
}

func TestPageShowsQuotes(t *testing.T) {
	const (
		rule  = "------------------------------------------------------"
		line  = `<blockquote class="line" dir="auto">`
		block = `<blockquote class="block" dir="auto">`
	)
	c := newConversation(t)
	for _, row := range []struct{ name, text, html string }{
		{"lines", ">>a\n>> b\nc", line + "a\n b</blockquote>c"},
		{"behind the tag of a break", "x<br />>>a<br />b", "x" + line + "a</blockquote>b"},
		{"of entities", "&gt;&gt;a", line + "a</blockquote>"},
		{"behind a code", "[b]>>a[/b]", "<b>&gt;&gt;a</b>"},
		{"behind /me", "/me >>a", "&gt;&gt;a"},
		{"within a line", "x >>a", "x &gt;&gt;a"},
		{"dashes", rule + "\na\n" + rule + "\nb", block + "a</blockquote>b"},
		{"with tags for breaks", rule + "<br />a<br />" + rule + "<br />b", block + "a</blockquote>b"},
		{"a dash too few", rule[1:] + "\na\n" + rule[1:], rule[1:] + "\na\n" + rule[1:]},
		{"dashes without an end", rule + "\na", rule + "\na"},
		{"a name and a time", rule + "\nAnna [12:00]\na\n" + rule, block + `<span class="quoted-name">Anna</span> <span class="quoted-time">12:00</span>` + "\na</blockquote>"},
		{"a place", rule + "\nAnna [12:00] #chat5/7\na\n" + rule,
			block + `<span class="quoted-name">Anna</span> <button type="button" class="act quoted-time">12:00</button>` + "\na</blockquote>"},
		{"what only looks like them", rule + "\nItems: [a]\nb [c]\n" + rule, block + `<span class="quoted-name">Items:</span> <span class="quoted-time">a</span>` + "\nb [c]</blockquote>"},
		{"from a builder", bbcode.QuoteBlock("Items: [a]"), block + "Items: [a]\u2060</blockquote>"},
		{"behind what was escaped", bbcode.Escape("x\n>>a<br />>>b"), "x\n\u2060&gt;&gt;a&lt;\u2060br /&gt;&gt;&gt;b"},
	} {
		got := c.says(row.text)
		require.Equal(t, row.html, got.HTML, row.name)
		// A quote ends a line where Plain has a line break.
		words := func(s string) []string { return strings.Fields(strings.ReplaceAll(s, "\u2060", "")) }
		require.Equal(t, words(eval[string](c.tab, `(() => {
			const box = document.createElement("div");
			box.append(...[...document.querySelectorAll("#messages .text")].at(-1).cloneNode(true).childNodes);
			for (const quote of box.querySelectorAll("blockquote")) { quote.before("\n"); quote.after("\n"); }
			return box.textContent;
		})()`)), words(c.plain()), row.name)
	}
	c.tab.noAlarms()
}

// The portal cuts mentions out of what it tells bots, and only there.
func TestPageShowsTheMentionsThatBotsDoNotGet(t *testing.T) {
	c := newConversation(t)
	c.tab.click("#text")
	c.tab.press(fmt.Sprintf("[USER=%d]Dice[/USER], ask [USER=%d]Anna[/USER], [USER=1]me[/USER] and [USER=%d][/USER] now", c.bot, c.anna, c.anna) + kb.Enter)
	c.tab.sees("#messages .text", "Dice, ask Anna, me and Anna Ivanova now")
	require.Equal(t, []string{"Dice", "Anna", "me", "Anna Ivanova"},
		eval[[]string](c.tab, `[...document.querySelector("#messages .text").querySelectorAll(".mention")].map(e => e.textContent)`))
	require.Equal(t, "Dice, ask Anna, me and Anna Ivanova now", c.portal.History(c.anna, c.room, 0, 100)[0].Plain())

	if !c.tab.logOpen() {
		c.tab.click("#toggle-log")
	}
	c.tab.click(c.tab.exchange("ONIMBOTMESSAGEADD") + " [aria-expanded]")
	c.tab.sees("#log .sent", "MESSAGE_ORIGINAL")
	sent := eval[string](c.tab, `document.querySelector("#log .sent").textContent`)
	require.Contains(t, sent, `"MESSAGE": "ask   and  now"`)
	require.Contains(t, sent, fmt.Sprintf(`"MESSAGE_ORIGINAL": "[USER=%d]Dice[/USER], ask [USER=%d]Anna[/USER], [USER=1]me[/USER] and [USER=%d]Anna Ivanova[/USER] now"`, c.bot, c.anna, c.anna))
	c.tab.sees("#messages .text", "You said: ask")

	for _, text := range []string{"[user=all]everyone[/user]", "[dialog=5 message=6]x[/dialog]", "[attach=1]", "[user=x]y[/user]"} {
		require.Equal(t, text, c.says(text).Text, "people see such codes as they are")
		require.Equal(t, text, c.plain())
	}
	c.tab.noAlarms()
}

// The page and the model of portal and client read seeded texts alike. Left out are what
// the page has better words for (times, files, stars), what it draws, and rows of dashes
// that do not have a line for themselves.
func TestPageReadsAsTheModelDoes(t *testing.T) {
	pieces := strings.Split(`&#91;|&#93;|&lt;|&gt;|&amp;|&#39;|&amp;lt;|&copy;|[|]|[/|[b]|[/b]|[I]|[/i]|[s]|[/s]|[user=5]Eve[/user]|[user=|[/user]|[user=all]|[chat=7]x[/chat]`+
		`|[url=https://e.com/]|[/url]|https://e.com/a|www.e.com|[send=/x]|[/send]|[put]|[/put]|[code]|[/code]|[br]|[Br]|[like]|[dislike]|[pch=3]x[/pch]|[dialog=5]|[attach=1]`+
		`|<br />|<br>|<|>|>>|&gt;&gt;|#BR#|#br#|##|/me|/loud|/me |\|\n|\n|\n| |    |😀|a|hello|"|'|-|`+"\n"+strings.Repeat("-", 54)+"\n|", "|")
	random := rand.New(rand.NewPCG(12, 4))
	var served, want []string
	for range 3000 {
		var text strings.Builder
		for range 1 + random.IntN(9) {
			piece := pieces[random.IntN(len(pieces))]
			text.WriteString(strings.ReplaceAll(piece, `\n`, "\n"))
		}
		handedOut := textstage.Serve(textstage.Store(text.String()), nil)
		served = append(served, handedOut)
		want = append(want, strings.Join(strings.Fields(textstage.Read(handedOut).Text), ""))
	}
	b := open(t, newTestbed(t).url, 1440, 900)
	texts, err := json.Marshal(served)
	require.NoError(t, err)
	got := eval[[]string](b, `(async () => {
		const [{render}, {opening}] = await Promise.all([import("./bbcode.js"), import("./opening.js")]);
		const app = {state: {user: 1, dialogs: new Map(), users: new Map()}, nameOf: id => "User " + id};
		return `+string(texts)+`.map(text => {
			const box = document.createElement("div");
			const { text: left, look } = opening(text);
			box.append(render(left, app, !look));
			return box.textContent.replace(/\s+/g, "");
		});
	})()`)
	wrong := 0
	for i := range served {
		if want[i] != got[i] {
			wrong++
			t.Logf("%q: model %q page %q", served[i], want[i], got[i])
		}
	}
	require.Zero(t, wrong)
	b.noAlarms()
}
