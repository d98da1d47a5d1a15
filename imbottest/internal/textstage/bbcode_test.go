package textstage

// The promises of package bbcode, held against the model.

import (
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/bbcode"
)

const joiner = "\u2060"

// live returns what is alive in a view. A link that shows its own address is not
// counted: that is how an address that a person writes looks.
func live(v View) []Mark {
	var marks []Mark
	for _, m := range v.Marks {
		if m.Kind != Link || v.Text[m.Start:m.End] != m.Value {
			marks = append(marks, m)
		}
	}
	return marks
}

var (
	addedScheme  = regexp.MustCompile(`(?i)http://(www\.)`)
	withoutWidth = strings.NewReplacer("*\ufeff"+joiner, "*", "_\ufeff"+joiner, "_", joiner, "")
)

// seen is a text as the eye compares it: without the characters that have no width,
// and without the scheme that the portal writes before "www.".
func seen(text string) string {
	text = withoutWidth.Replace(text)
	return strings.TrimFunc(addedScheme.ReplaceAllString(text, "$1"), func(c rune) bool { return c == 0 || isJSBlank(c) })
}

// asTyped is what a reader should see of a text that a person typed: all of it, but
// for what portal and client do to blanks.
func asTyped(text string) string {
	text = strings.ReplaceAll(strings.Trim(string([]rune(text)), phpBlanks), "\u00a0", " ")
	return strings.ReplaceAll(seen(text), "    ", "\t")
}

// around is what bots write around texts from people. Each is text and whole codes;
// the marks in it are those of the bot.
type between struct{ before, after string }

var around = []between{
	{"", ""},
	{"Anna: ", " (end)"},
	{"<", ">"},
	{"&", ";"},
	{"[", "]"},
	{"[/", "]"},
	{"#", "#"},
	{"x#BR", "#"},
	{"-----------------------------", "------------------------------"},
	{"[b]", "[/b]"},
	{"[i]one[/i][br]", "[br]two"},
	{"[url=https://e.com/a]", "[/url]"},
	{"[user=5]", "[/user]"},
	{"[send=/x]go[/send] ", ""},
	{">>", "\nplain"},
	{"line\n", "\nline"},
	{"[code]x[/code] ", " [code]y[/code]"},
	{"[color=#f00]", "[/color]"},
}

func checkEscape(t *testing.T, text string, around []between) {
	t.Helper()
	escaped := bbcode.Escape(text)
	require.True(t, utf8.ValidString(escaped))
	require.Equal(t, escaped, bbcode.Escape(escaped), "twice is once")
	require.NotContains(t, escaped, "##")
	if !strings.Contains(text, joiner) {
		require.Equal(t, string([]rune(text)), bbcode.Plain(escaped))
	}

	v := Shown(escaped, nil)
	require.Empty(t, live(v), "%q becomes %q, shown as %q", text, escaped, v.Text)
	require.Equal(t, asTyped(text), seen(v.Text), "%q", escaped)

	if text == "" {
		return // what stands around nothing stands together
	}
	for _, a := range around {
		alone, with := Shown(a.before+"¶"+a.after, nil), Shown(a.before+escaped+a.after, nil)
		require.Equal(t, kinds(live(alone)), kinds(live(with)), "%q between %q", escaped, a)
		want := strings.Replace(alone.Text, "¶", strings.ReplaceAll(string([]rune(text)), "\u00a0", " "), 1)
		require.Equal(t, strings.ReplaceAll(seen(want), "    ", "\t"), seen(with.Text), "%q between %q", escaped, a)
	}
	for _, m := range live(Shown(escaped+bbcode.Escape(text), nil)) {
		require.Equal(t, Picture, m.Kind, "%q twice", escaped) // an address may go on
	}
}

// kinds returns what marks do, without their places.
func kinds(marks []Mark) []Mark {
	for i := range marks {
		marks[i].Start, marks[i].End = 0, 0
	}
	return marks
}

// checkBuilders holds what builders promise of the texts that they take as they are;
// of addresses it makes four.
func checkBuilders(t *testing.T, text string, kindOfLink int) {
	t.Helper()
	one := func(what string, v View, kind Kind) Mark {
		t.Helper()
		i := slices.IndexFunc(v.Marks, func(m Mark) bool { return m.Kind == kind })
		require.GreaterOrEqual(t, i, 0, "%s of %q", what, text)
		require.Empty(t, live(View{v.Text, slices.Delete(slices.Clone(v.Marks), i, i+1)}), "%s of %q", what, text)
		return v.Marks[i]
	}
	for kind, code := range map[Kind]string{
		Mention: bbcode.Mention(5, text),
		Chat:    bbcode.ChatLink(5, text),
		Icon:    bbcode.Icon("https://e.com/i.gif", bbcode.IconOptions{Size: 20, Title: text}),
	} {
		v := Shown("Here: "+code, nil)
		require.Len(t, v.Marks, 1, "an address in a name or title is no link: %q", code) // so links count, too
		one("a name or title", v, kind)
	}

	link := []string{"https://" + text, "https://e.com/?a=" + text, "https://e.com/#" + text, "/" + text}[kindOfLink]
	v := Shown(bbcode.Link(link, "here"), nil)
	require.Equal(t, "here", v.Text, "%q", link)
	address := one("the address of a link", v, Link).Value
	require.Regexp(t, `^(https?://|/)`, address)
	if strings.HasPrefix(link, "https://") && !strings.ContainsFunc(link, unsafeInAddress) {
		same, err := url.PathUnescape(address)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(link), same)
	}
	v = Shown(bbcode.Image(link, bbcode.ImageSmall), nil)
	require.Len(t, v.Marks, 1, "the picture %q: %q", link, v.Text)
	require.Equal(t, Mark{Picture, v.Text, 0, len(v.Text)}, v.Marks[0])
	v = Shown(bbcode.Icon(link, bbcode.IconOptions{}), nil)
	require.Len(t, v.Marks, 1, "the icon %q", link)

	for _, label := range []string{"go", "go\nnow", "go[br]now"} {
		for kind, code := range map[Kind]string{Send: bbcode.Send(text, label), Put: bbcode.Put(text, label)} {
			v := Shown(code, nil)
			m := one("the command", v, kind)
			require.Equal(t, bbcode.Plain(label), v.Text, "%q", code)
			if label == "go" && !strings.ContainsAny(text, "[]#-") && bbcode.Send(text, "") != bbcode.Send("", "") && !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
				require.Equal(t, strings.ReplaceAll(strings.TrimSpace(text), "    ", "\t"), m.Value, "a command that stands on one line arrives as it is")
			}
		}
	}

	v = Shown(bbcode.Code(text), nil)
	require.Equal(t, Code, one("code", v, Code).Kind)
	require.NotContains(t, bbcode.Code(text), "###")

	quoted := Shown("x\n"+bbcode.QuoteBlock("Items: "+bbcode.Escape(text)+"\nmore")+"\ny", nil)
	require.Len(t, live(quoted), 1, "a quoted message: %q", quoted.Text)
	require.Equal(t, QuoteBlock, live(quoted)[0].Kind)
	lines := Shown("x\n"+bbcode.Quote(bbcode.Escape(text))+"\ny", nil)
	require.Len(t, live(lines), 1, "quoted lines: %q", lines.Text)
	require.Equal(t, Quote, live(lines)[0].Kind)
}

func unsafeInAddress(c rune) bool {
	return c <= ' ' || c > '~' || strings.ContainsRune("[]\"'<>\\^`{|}#%", c)
}

// checkSplit holds that no message of a text begins with a command to the client,
// and that what was not alive in the text is not in its messages.
func checkSplit(t *testing.T, text string) {
	t.Helper()
	for _, part := range bbcode.Split(text) {
		require.LessOrEqual(t, utf8.RuneCountInString(part), maxText)
		for _, m := range Shown(part, nil).Marks {
			require.NotContains(t, []Kind{Me, Loud}, m.Kind, "%.40q", part)
		}
	}
	for _, part := range bbcode.Split(bbcode.Escape(text)) {
		for _, m := range live(Shown(part, nil)) {
			require.Equal(t, Picture, m.Kind, "%.40q", part) // a cut may end an address there
		}
	}
}

// What Markdown makes of the answer of a model: nothing else comes out of it.
var ofMarkdown = []Kind{Bold, Italic, Strike, Link, Picture, Code, Quote}

func checkMarkdown(t *testing.T, text string) {
	t.Helper()
	out := bbcode.Markdown(text)
	v := Shown(out, nil)
	for _, m := range v.Marks {
		require.Contains(t, ofMarkdown, m.Kind, "%q becomes %q", text, out)
	}
	if utf8.ValidString(text) && strings.TrimSpace(text) == text && !strings.ContainsAny(text, "#*_~`>![]()|\\<-+=:\t\r\n\x000123456789") && !strings.Contains(text, "&") && !strings.Contains(text, "  ") {
		require.Equal(t, asTyped(text), seen(v.Text))
	}
	checkSplit(t, out)
}

func checkEscapeMarkdown(t *testing.T, text string) {
	t.Helper()
	escaped := bbcode.EscapeMarkdown(text)
	require.Equal(t, escaped, bbcode.EscapeMarkdown(escaped), "twice is once")
	if !strings.Contains(text, joiner) {
		require.Equal(t, string([]rune(text)), bbcode.Plain(escaped))
	}
	v := Shown(escaped, nil)
	require.Empty(t, live(v), "%q", escaped)
	require.Equal(t, asTyped(text), seen(v.Text))
	for _, a := range []struct{ before, after string }{{"", ""}, {"see ", " there"}, {"line\n", "\nline"}, {"x[/b]", ""}} {
		served := Serve(Store(a.before+escaped+a.after), nil)
		require.Empty(t, Markdown(served), "%q", served)
	}
}

func randomText(random *rand.Rand) string {
	odd := []string{"\n", "\n", "\n\n", " ", " ", "    ", "\r\n", "\t", "\x00", "\u00a0", "\ufeff", "\u2028", "\u0301", "<br\u00a0/>", "\xff", "\xc3", "\u017f", "|", "`", "```", "x|y"}
	var out strings.Builder
	for range 1 + random.IntN(14) {
		if random.IntN(4) == 0 {
			out.WriteString(odd[random.IntN(len(odd))])
		} else {
			out.WriteString(pieces[random.IntN(len(pieces))])
		}
	}
	return out.String()
}

func TestNothingInEscapedTextIsAlive(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(12, 1))
	for i := range seeded {
		text := randomText(random)
		checkEscape(t, text, around[i%len(around):][:1])
		if i%4 == 0 {
			checkBuilders(t, text, i/4%4)
		}
	}
}

func TestNothingInMarkdownIsAliveButMarkdown(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(12, 2))
	for range seeded {
		text := randomText(random)
		checkMarkdown(t, text)
		checkEscapeMarkdown(t, text)
	}
}

func TestMessagesOfALongText(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(12, 3))
	for range 12 {
		var out strings.Builder
		for utf8.RuneCountInString(out.String()) < 45_000 {
			unit := randomText(random) + []string{" ", "\n", " /me", "\n/loud "}[random.IntN(4)]
			out.WriteString(strings.Repeat(unit, 1+random.IntN(200)))
		}
		checkSplit(t, out.String())
	}
}

func FuzzEscape(f *testing.F) {
	for _, text := range pieces {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 1<<12 {
			checkEscape(t, text, around)
			for link := range 4 {
				checkBuilders(t, text, link)
			}
		}
	})
}

func FuzzMarkdown(f *testing.F) {
	for _, text := range pieces {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 1<<12 {
			checkMarkdown(t, text)
		}
	})
}

func FuzzSplit(f *testing.F) {
	for _, text := range []string{"/me", "x /menu ", "[b]a[/b]\n/loud", "&#91;", "<br />/me", "- >>", "####NOTE#### "} {
		f.Add(text, uint16(7))
	}
	f.Fuzz(func(t *testing.T, text string, before uint16) {
		if text != "" && len(text) < 1<<10 {
			checkSplit(t, strings.Repeat("x", int(before))+strings.Repeat(text, 1+25_000/len(text)))
		}
	})
}

func FuzzEscapeMarkdown(f *testing.F) {
	for _, text := range pieces {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 1<<10 {
			checkEscapeMarkdown(t, text)
		}
	})
}
