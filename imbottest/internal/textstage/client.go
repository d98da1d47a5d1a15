package textstage

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Shown returns what a reader sees of a text that was sent.
func Shown(text string, name func(user string) string) View {
	return Read(Serve(Store(text), name))
}

var (
	anyCode    = regexp.MustCompile(`(?i)\[[a-z]`)
	breakCode  = regexp.MustCompile(`(?i)\[br\]`)
	putCode    = regexp.MustCompile(`(?is)\[put(?:=(.+?))?\](.+?)?\[/put\]`)
	sendCode   = regexp.MustCompile(`(?is)\[send(?:=(.+?))?\](.+?)?\[/send\]`)
	codeBlock  = regexp.MustCompile(`(?is)\[code\]\n?(.*?)\[/code\]\n?`)
	image      = regexp.MustCompile(`(?is)\[img((?:\s+[a-z]+=[^\]\s]+)*)\]\s*(?:\[url\])?(.*?)(?:\[/url\])?\s*\[/img\]`)
	imageSize  = regexp.MustCompile(`(?i)\ssize=(?:small|medium|large)(?:\s|$)`)
	urlCode    = regexp.MustCompile(`(?i)\[/?url\]`)
	link       = regexp.MustCompile(`(?is)\[url(?:=([^\[\]]+))?\](.*?)\[/url\]`)
	looseLink  = regexp.MustCompile(`(?is)\[url(?:=(.+?[^\[\]]))?\](.*?)\[/url\]`) // brackets in the address
	bold       = regexp.MustCompile(`(?i)\[/?b\]`)
	underline  = regexp.MustCompile(`(?i)\[/?u\]`)
	italic     = regexp.MustCompile(`(?i)\[/?i\]`)
	strike     = regexp.MustCompile(`(?i)\[/?s\]`)
	size       = regexp.MustCompile(`(?is)\[size=(\d+)(?:pt|px)?\](.*?)\[/size\]`)
	color      = regexp.MustCompile(`(?is)\[color=(#(?:[0-9a-f]{3}|[0-9a-f]{6}))\](.*?)\[/color\]`)
	vote       = regexp.MustCompile(`(?i)\[(?:(like)|(dislike)|rating=([1-5]))\]`)
	userCode   = regexp.MustCompile(`(?is)\[user=(\d+)(?: replace)?\](.*?)\[/user\]`)
	chatCode   = regexp.MustCompile(`(?is)\[chat=((?:imol\|)?\d+)\](.*?)\[/chat\]`)
	context    = regexp.MustCompile(`(?is)\[context=((?:chat\d+|\d+:\d+)/\d+)\](.*?)\[/context\]`)
	call       = regexp.MustCompile(`(?is)\[call(?:=([^\]]*))?\](.*?)\[/call\]`)
	pch        = regexp.MustCompile(`(?is)\[pch=\d+\].*?\[/pch\]`)
	icon       = regexp.MustCompile(`(?i)\[icon=([^\]]*)\]`)
	iconTitle  = regexp.MustCompile(`(?is)title=(.*\S)`)
	iconOther  = regexp.MustCompile(`(?:width|height|size)=`)
	disk       = regexp.MustCompile(`(?i)\[disk=(\d+)\]`)
	timestamp  = regexp.MustCompile(`(?i)\[timestamp=(\d+)\s+format=([_a-z]+)\]`)
	quoteBlock = regexp.MustCompile(`(?s)-{54}\n(.*?)-{54}\n?`)
	quoteHead  = regexp.MustCompile(`^([^\n]*)\[([^\]\n]*)\]( #((?:chat\d+|\d+:\d+)/\d+))?(?:\n|$)`)
	pictureURL = regexp.MustCompile(`(?i)^https?://\S+\.(?:jpg|jpeg|png|gif|webp)(?:\?\S*)?$`)
)

// timeFormats are the formats of [timestamp]; with any other the code is shown.
const timeFormats = " FORMAT_DATE FORMAT_DATETIME SHORT_DATE_FORMAT MEDIUM_DATE_FORMAT LONG_DATE_FORMAT DAY_MONTH_FORMAT DAY_SHORT_MONTH_FORMAT" +
	" SHORT_DAY_OF_WEEK_MONTH_FORMAT SHORT_DAY_OF_WEEK_SHORT_MONTH_FORMAT DAY_OF_WEEK_MONTH_FORMAT FULL_DATE_FORMAT SHORT_TIME_FORMAT LONG_TIME_FORMAT "

// Read returns what the web client shows of a text that the portal handed out. It
// goes through the kinds of codes in the client's order; each code takes the next
// end of its name, whatever is between.
func Read(text string) View {
	var r reader
	text = strings.TrimFunc(valid(text), isJSBlank)
	text = breakCode.ReplaceAllStringFunc(text, func(string) string { return r.wrap(Break, "", "") + "\n" })
	text = strings.ReplaceAll(text, "    ", "\t")

	var puts, sends, codes holdings
	text = puts.out('p', putCode, text)
	text = sends.out('s', sendCode, text)
	text = codes.out('k', codeBlock, text)

	text = r.slash(text)
	if anyCode.MatchString(text) {
		text = r.codes(text)
	}
	text = r.quotes(text)

	text = r.commands(sendCode, Send, sends.back('s', text))
	text = r.commands(putCode, Put, puts.back('p', text))
	text = replace(codeBlock, codes.back('k', text), func(m []string) string { return r.wrap(Code, "", m[1]) })
	v := view(sends.back('s', puts.back('p', text)), r.elements)
	for i, m := range v.Marks {
		if m.Kind == Link && v.Text[m.Start:m.End] == m.Value && isPicture(m.Value) {
			v.Marks[i].Kind = Picture
		}
	}
	return v
}

// A reader makes marks.
type reader struct{ elements []Mark }

// codes reads all that is no quote and was not held out.
func (r *reader) codes(text string) string {
	text = r.images(text)
	text = r.links(text)
	text = r.fonts(text)
	text = replace(vote, text, func(m []string) string {
		switch {
		case m[1] != "":
			return r.wrap(Like, "", "👍")
		case m[2] != "":
			return r.wrap(Dislike, "", "👎")
		}
		return r.wrap(Rating, m[3], strings.Repeat("★", int(m[3][0]-'0')))
	})
	text = r.mentions(text)
	text = replace(call, text, func(m []string) string { return r.wrap(Call, first(m[1], m[2]), m[2]) })
	text = pch.ReplaceAllString(text, "")
	text = replace(icon, text, func(m []string) string { return r.wrap(Icon, m[1], titleOf(m[1])) })
	text = replace(disk, text, func(m []string) string { return r.wrap(Disk, m[1], "[File]") })
	return replace(timestamp, text, func(m []string) string {
		seconds, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || !strings.Contains(timeFormats, " "+strings.ToUpper(m[2])+" ") {
			return m[0]
		}
		return r.wrap(Timestamp, m[1]+" "+strings.ToUpper(m[2]), time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04 UTC"))
	})
}

// wrap puts an element around a text.
func (r *reader) wrap(kind Kind, value, text string) string {
	n := len(r.elements)
	r.elements = append(r.elements, Mark{Kind: kind, Value: value})
	return mark('o', n) + text + mark('c', n)
}

// slash cuts off what a text begins with, and one character more, without asking
// what that is: in the client's HTML it may be the beginning of "&lt;" or "<br />".
func (r *reader) slash(text string) string {
	kind, rest, ok := Me, "", false
	if rest, ok = strings.CutPrefix(text, "/me"); !ok {
		if rest, ok = strings.CutPrefix(text, "/loud"); !ok {
			return text
		}
		kind = Loud
	}
	c, n := utf8.DecodeRuneInString(rest)
	left := ""
	switch {
	case strings.HasPrefix(rest, "\xffo"): // [br]
		left, n = "br />", strings.IndexByte(rest, '\n')+1
	case n == 1 && rest[0] == 0xFF: // a code that is held out
		n = 0
	case c == '&':
		left = "amp;"
	case c == '<':
		left = "lt;"
	case c == '>':
		left = "gt;"
	case c == '"':
		left = "quot;"
	case c == '\'':
		left = "#039;"
	case c == '\n':
		left = "br />"
	case c > 0xFFFF: // half of it stays
		left = "\uFFFD"
	}
	return r.wrap(kind, "", left+rest[n:])
}

func (r *reader) images(text string) string {
	return replace(image, text, func(m []string) string {
		if !imageSize.MatchString(m[1]) {
			return urlCode.ReplaceAllString(m[0], "")
		}
		return r.wrap(Picture, m[2], m[2])
	})
}

func (r *reader) links(text string) string {
	for _, pattern := range []*regexp.Regexp{link, looseLink} {
		text = replace(pattern, text, func(m []string) string { return r.wrap(Link, first(m[1], m[2]), m[2]) })
	}
	return text
}

func (r *reader) fonts(text string) string {
	for _, font := range []struct {
		code *regexp.Regexp
		kind Kind
	}{{bold, Bold}, {underline, Underline}, {italic, Italic}, {strike, Strike}} {
		text = r.font(text, font.code, font.kind)
	}
	for _, font := range []struct {
		code *regexp.Regexp
		kind Kind
	}{{size, Size}, {color, Color}} {
		for found := -1; found != len(r.elements); { // nested ones, from the outside in
			found = len(r.elements)
			text = replace(font.code, text, func(m []string) string { return r.wrap(font.kind, m[1], m[2]) })
		}
	}
	return text
}

// font pairs [b] and [/b] from the inside out.
func (r *reader) font(text string, code *regexp.Regexp, kind Kind) string {
	at := code.FindAllStringIndex(text, -1)
	with := make([]string, len(at))
	var open []int
	for i, a := range at {
		with[i] = text[a[0]:a[1]]
		if with[i][1] != '/' {
			open = append(open, i)
		} else if len(open) > 0 {
			n := len(r.elements)
			r.elements = append(r.elements, Mark{Kind: kind})
			with[open[len(open)-1]], with[i] = mark('o', n), mark('c', n)
			open = open[:len(open)-1]
		}
	}
	i := -1
	return code.ReplaceAllStringFunc(text, func(string) string { i++; return with[i] })
}

func (r *reader) mentions(text string) string {
	text = replace(userCode, text, func(m []string) string {
		if strings.Trim(m[1], "0") == "" {
			return m[2]
		}
		return r.wrap(Mention, m[1], first(m[2], "User "+m[1]))
	})
	text = replace(chatCode, text, func(m []string) string {
		if strings.Contains(m[1], "|") {
			return m[2]
		}
		return r.wrap(Chat, m[1], first(m[2], "Chat "+m[1]))
	})
	return replace(context, text, func(m []string) string {
		if m[2] == "" {
			return ""
		}
		return r.wrap(Context, m[1], m[2])
	})
}

// quotes finds lines that begin with ">>", then quote blocks.
func (r *reader) quotes(text string) string {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		begin := i
		for i < len(lines) && strings.HasPrefix(lines[i], ">>") {
			lines[i] = lines[i][len(">>"):]
			i++
		}
		if i > begin {
			n := len(r.elements)
			r.elements = append(r.elements, Mark{Kind: Quote})
			lines[begin] = mark('o', n) + lines[begin]
			lines[i-1] += mark('c', n)
		}
	}
	return replace(quoteBlock, strings.Join(lines, "\n"), func(m []string) string {
		inside := strings.TrimSuffix(m[1], "\n")
		head := quoteHead.FindStringSubmatch(inside)
		if head == nil || head[1] == "" || head[2] == "" {
			return r.wrap(QuoteBlock, "", inside) + "\n"
		}
		name := r.wrap(Author, "", strings.TrimSpace(head[1])) + " " + r.wrap(Time, "", strings.TrimSpace(head[2]))
		return r.wrap(QuoteBlock, head[4], name+"\n"+inside[len(head[0]):]) + "\n"
	})
}

// commands makes buttons of what was held out.
func (r *reader) commands(code *regexp.Regexp, kind Kind, text string) string {
	return replace(code, text, func(m []string) string {
		label := first(m[2], m[1])
		if strings.TrimFunc(label, isJSBlank) == "" {
			return ""
		}
		return r.wrap(kind, first(m[1], label), label)
	})
}

// titleOf returns the title among the attributes of an icon.
func titleOf(attributes string) string {
	m := iconTitle.FindStringSubmatch(attributes)
	if m == nil {
		return ""
	}
	title := m[1]
	if at := iconOther.FindStringIndex(title); at != nil {
		title = title[:at[0]]
	}
	return strings.TrimSpace(title)
}

func isPicture(address string) bool {
	lower := strings.ToLower(address)
	return pictureURL.MatchString(address) && !strings.Contains(lower, "/docs/pub/") && !strings.Contains(lower, "logout=yes")
}

func isJSBlank(c rune) bool { return c == '\ufeff' || c != '\u0085' && unicode.IsSpace(c) }

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
