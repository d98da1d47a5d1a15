package bbcode

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// LineBreak is a line break, the same as "\n".
const LineBreak = "[br]"

// Bold shows text in bold.
func Bold(text string) string { return "[b]" + text + "[/b]" }

// Italic shows text in italics.
func Italic(text string) string { return "[i]" + text + "[/i]" }

// Underline underlines text.
func Underline(text string) string { return "[u]" + text + "[/u]" }

// Strike strikes text through. Lists of dialogs leave it out, so that a message of
// nothing else looks deleted there.
func Strike(text string) string { return "[s]" + text + "[/s]" }

// Size sets the size of text, from 8 to 30; other values become the nearest of
// these.
func Size(n int, text string) string {
	return fmt.Sprintf("[size=%d]%s[/size]", min(max(n, 8), 30), text)
}

// TextColor colours text: "#rgb" or "#rrggbb", as the method Hex of an
// imbot.Color returns it. Text with any other colour is returned without a code.
func TextColor(hex, text string) string {
	digits := strings.TrimPrefix(hex, "#")
	if len(digits) != 3 && len(digits) != 6 || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return beginMessage(text)
	}
	return "[color=#" + digits + "]" + text + "[/color]"
}

// Code shows a block of code. It is taken as it is and shown as it is: no BB code
// in it is read, and no entity. Only "[code]", "[/code]", "[br]", "#BR#" and rows of
// three and more "#" get the invisible character of [Escape].
func Code(code string) string { return "[code]" + codeText(code) + "[/code]" }

// Quote quotes text: each of its lines gets ">>" in front. A quote begins and
// ends a line; put a line break before it and behind it.
func Quote(text string) string {
	return ">>" + eachLine(text, func(string) string { return ">>" })
}

// QuoteBlock quotes a message: text between two lines of 54 dashes. It begins
// and ends a line; put a line break before it and behind it. A line that ends in "]"
// gets the invisible character of [Escape], because the web client would show it as
// an author and a time, without the brackets (livecheck: quote-name).
func QuoteBlock(text string) string {
	half := quoteRule[:len(quoteRule)/2]
	text = strings.ReplaceAll(text, quoteRule, half+joiner+half)
	return quoteRule + "\n" + endLines(text) + "\n" + quoteRule
}

// endLines puts a joiner at the end of each line that ends in a bracket, or in one
// and the place of a message ("] #chat5/7").
func endLines(text string) string {
	e := escaper{text: text}
	for i := 0; i < len(text); i++ {
		n := 1
		if text[i] == '&' && strings.HasPrefix(text[i:], "&#93;") {
			n = len("&#93;")
		} else if text[i] != ']' {
			continue
		}
		end := i + n
		if strings.HasPrefix(text[end:], " #") {
			end += 2
			for end < len(text) && (isLetter(text[end]) || text[end] >= '0' && text[end] <= ':' || text[end] == '/') {
				end++
			}
		}
		rest := text[end:]
		if rest == "" || rest[0] == '\n' || rest[0] == '\r' || hasFoldPrefix(rest, LineBreak) || hasFoldPrefix(rest, "#BR#") || strings.HasPrefix(rest, breakTag) {
			e.joiner(end)
			i = end - 1
		}
	}
	return e.end()
}

// eachLine puts a prefix in front of all lines but the first. A code block counts
// as one line. The prefix may depend on the text behind it.
func eachLine(text string, prefix func(rest string) string) string {
	var out strings.Builder
	lines := func(s string) {
		s = strings.ReplaceAll(s, breakTag, "\n")
		for first := true; ; first = false {
			if !first {
				out.WriteString(prefix(s))
			}
			line, rest, more := strings.Cut(s, "\n")
			out.WriteString(line)
			if !more {
				return
			}
			out.WriteByte('\n')
			s = rest
		}
	}
	done := 0
	for _, t := range scan(text) {
		switch {
		case t.start < done:
		case t.name == "br":
			lines(text[done:t.start] + "\n")
			done = t.end
		case t.name == "code" && t.kind == opening && t.pair != nil:
			lines(text[done:t.start])
			out.WriteString(text[t.start:t.pair.end])
			done = t.pair.end
		}
	}
	lines(text[done:])
	return out.String()
}

// Link shows text that leads to an address; without text, the address itself.
// The address is "http://…", "https://…" or "/…" (on the portal); anything else
// gets "https://" in front, so that no other scheme is ever followed. Without
// an address, text is returned without a code. The web client shows the picture
// where the text is the address of one.
func Link(url, text string) string {
	url = linkAddress(url)
	switch {
	case url == "":
		return beginMessage(text)
	case text == "":
		return "[url]" + url + "[/url]"
	}
	return "[url=" + url + "]" + text + "[/url]"
}

// Mention mentions a user, who is notified. The name is taken as it is and
// escaped; the portal fills in an empty one.
func Mention[I ~int | ~int64](user I, name string) string {
	return "[user=" + number(user) + "]" + escapeName(name) + "[/user]"
}

// MentionAll mentions everybody in the chat. The web client of January 2026 shows
// the code itself; newer portals know it (livecheck: raw-codes).
func MentionAll(text string) string { return "[user=all]" + text + "[/user]" }

// ChatLink leads to a chat. The name is taken as it is and escaped.
func ChatLink[I ~int | ~int64](chat I, name string) string {
	return "[chat=" + number(chat) + "]" + escapeName(name) + "[/chat]"
}

// OpenLineLink leads to a conversation of an open line. The name is taken as it
// is and escaped.
func OpenLineLink[I ~int | ~int64](chat I, name string) string {
	return "[chat=imol|" + number(chat) + "]" + escapeName(name) + "[/chat]"
}

// MessageLink leads to a message of a group chat.
func MessageLink[I ~int | ~int64](chat, message I, text string) string {
	return fmt.Sprintf("[context=chat%d/%d]%s[/context]", chat, message, text)
}

// PrivateMessageLink leads to a message in the private dialog of the users a and
// b.
func PrivateMessageLink[I ~int | ~int64](a, b, message I, text string) string {
	return fmt.Sprintf("[context=%d:%d/%d]%s[/context]", a, b, message, text)
}

// DialogMessageLink leads to a message of a dialog in an older form than
// [MessageLink]. Not documented; the web client of January 2026 shows the code
// itself.
func DialogMessageLink[D ~string, I ~int | ~int64](dialog D, message I, text string) string {
	return "[dialog=" + oneOfMany(string(dialog)) + " message=" + number(message) + "]" + text + "[/dialog]"
}

// Send shows text that sends the command (any text) in the reader's name when
// it is clicked. An empty command sends the text itself.
func Send(command, text string) string { return action("send", commandValue(command, text), text) }

// Put shows text that puts the command (any text) into the reader's input field
// when it is clicked. An empty command puts the text itself.
func Put(command, text string) string { return action("put", commandValue(command, text), text) }

// CallLink shows text that calls a number when it is clicked. Of the number,
// only digits and "+*#,;-()" and blanks are kept; without one, the text is the
// number.
func CallLink(phone, text string) string {
	number := strings.Map(func(c rune) rune {
		if strings.ContainsRune("0123456789+*#,;-() ", c) {
			return c
		}
		return -1
	}, phone)
	return action("call", attribute(number), text)
}

// InternalCallLink leads to a call inside the portal. Not documented; the web client
// of January 2026 shows nothing in its place.
func InternalCallLink[I ~int | ~int64](call I, text string) string {
	return "[pch=" + number(call) + "]" + text + "[/pch]"
}

// action builds a code whose value may be missing.
func action(code, value, text string) string {
	if value != "" {
		value = "=" + value
	}
	return "[" + code + value + "]" + text + "[/" + code + "]"
}

// ImageSize is how large an [Image] is shown.
type ImageSize string

// The sizes of an image.
const (
	ImageSmall  ImageSize = "small"
	ImageMedium ImageSize = "medium"
	ImageLarge  ImageSize = "large"
)

// Image shows the picture at an address (as in [Link]). The portal requires a
// size: any other value is [ImageMedium]. Without an address it is empty.
func Image(url string, size ImageSize) string {
	if url = linkAddress(url); url == "" {
		return ""
	}
	if size != ImageSmall && size != ImageLarge {
		size = ImageMedium
	}
	// The portal does not recognise the code without the blank, and it leaves what
	// looks like the end of a sentence outside of the address.
	if short := strings.TrimRight(url, ".,"); short != url {
		url = short + strings.NewReplacer(".", "%2E", ",", "%2C").Replace(url[len(short):])
	}
	return "[img size=" + string(size) + "]" + url + " [/img]"
}

// IconOptions are the attributes of an [Icon]; what is zero is left out.
type IconOptions struct {
	Size          int // width and height in pixels
	Width, Height int // in pixels
	Title         string
}

// Icon shows a small picture in the line. Without an address (as in [Link]) it
// is empty.
func Icon(url string, o IconOptions) string {
	if url = linkAddress(url); url == "" {
		return ""
	}
	var out strings.Builder
	out.WriteString("[icon=" + url)
	for _, a := range []struct {
		name  string
		value int
	}{{"size", o.Size}, {"width", o.Width}, {"height", o.Height}} {
		if a.value > 0 {
			fmt.Fprintf(&out, " %s=%d", a.name, a.value)
		}
	}
	if title := oneOfMany(o.Title); title != "" {
		out.WriteString(" title=" + title)
	}
	out.WriteByte(']')
	return out.String()
}

// Rating shows one to five stars; other values become the nearest of these. Not
// documented.
func Rating(n int) string { return fmt.Sprintf("[rating=%d]", min(max(n, 1), 5)) }

// Disk shows a file of the account's drive. The web client of January 2026 shows
// the word "File" in brackets, without a link.
func Disk[I ~int | ~int64](file I) string { return "[disk=" + number(file) + "]" }

// AttachPlace is the place in the text where the attachment with that number
// stands. Not documented; the web client of January 2026 shows the code itself.
func AttachPlace[I ~int | ~int64](n I) string { return "[attach=" + number(n) + "]" }

// number writes an id.
func number[I ~int | ~int64](n I) string { return strconv.FormatInt(int64(n), 10) }

// TimeFormat says how a [Timestamp] is shown; the portal's language decides the
// details.
type TimeFormat string

// The formats of a timestamp.
const (
	TimeFormatDate                     TimeFormat = "FORMAT_DATE"
	TimeFormatDateTime                 TimeFormat = "FORMAT_DATETIME"
	TimeFormatShortDate                TimeFormat = "SHORT_DATE_FORMAT"
	TimeFormatMediumDate               TimeFormat = "MEDIUM_DATE_FORMAT"
	TimeFormatLongDate                 TimeFormat = "LONG_DATE_FORMAT"
	TimeFormatDayMonth                 TimeFormat = "DAY_MONTH_FORMAT"
	TimeFormatDayShortMonth            TimeFormat = "DAY_SHORT_MONTH_FORMAT"
	TimeFormatShortDayOfWeekMonth      TimeFormat = "SHORT_DAY_OF_WEEK_MONTH_FORMAT"
	TimeFormatShortDayOfWeekShortMonth TimeFormat = "SHORT_DAY_OF_WEEK_SHORT_MONTH_FORMAT"
	TimeFormatDayOfWeekMonth           TimeFormat = "DAY_OF_WEEK_MONTH_FORMAT"
	TimeFormatFullDate                 TimeFormat = "FULL_DATE_FORMAT"
	TimeFormatShortTime                TimeFormat = "SHORT_TIME_FORMAT"
	TimeFormatLongTime                 TimeFormat = "LONG_TIME_FORMAT"
)

// Timestamp shows a time in the reader's own time zone. The empty format is
// [TimeFormatDateTime]; with one that is none of these, the code itself is shown.
func Timestamp(t time.Time, format TimeFormat) string {
	name := strings.Map(func(c rune) rune {
		if c == '_' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, string(format))
	if name == "" {
		name = string(TimeFormatDateTime)
	}
	return "[timestamp=" + strconv.FormatInt(t.Unix(), 10) + " format=" + name + "]"
}
