package bbcode

import (
	"fmt"
	"strings"
	"unicode"
)

// Link shows text that leads to an address; without text, the address itself.
// The address is "http://…", "https://…" or "/…" (on the portal); anything else
// gets "https://" in front, so that no other scheme is ever followed. Without
// an address, text is returned as it is.
func Link(url, text string) string {
	url = linkAddress(url)
	switch {
	case url == "":
		return text
	case text == "":
		return "[url]" + url + "[/url]"
	}
	return "[url=" + url + "]" + text + "[/url]"
}

// Mention mentions a user, who is notified. The name is taken as it is and
// escaped; the portal fills in an empty one.
func Mention[I ~int | ~int64](user I, name string) string {
	return "[user=" + number(user) + "]" + escape(name) + "[/user]"
}

// MentionAll mentions everybody in the chat.
func MentionAll(text string) string { return "[user=all]" + text + "[/user]" }

// ChatLink leads to a chat. The name is taken as it is and escaped.
func ChatLink[I ~int | ~int64](chat I, name string) string {
	return "[chat=" + number(chat) + "]" + escape(name) + "[/chat]"
}

// OpenLineLink leads to a conversation of an open line. The name is taken as it
// is and escaped.
func OpenLineLink[I ~int | ~int64](chat I, name string) string {
	return "[chat=imol|" + number(chat) + "]" + escape(name) + "[/chat]"
}

// MessageLink leads to a message of a group chat.
func MessageLink[I ~int | ~int64](chat, message I, text string) string {
	return fmt.Sprintf("[context=chat%d/%d]%s[/context]", chat, message, text)
}

// PrivateMessageLink leads to a message in the private dialog of two users.
func PrivateMessageLink[I ~int | ~int64](a, b, message I, text string) string {
	return fmt.Sprintf("[context=%d:%d/%d]%s[/context]", a, b, message, text)
}

// DialogMessageLink leads to a message of a dialog in an older form than
// [MessageLink]. Not documented.
func DialogMessageLink[D ~string, I ~int | ~int64](dialog D, message I, text string) string {
	return "[dialog=" + oneOfMany(string(dialog)) + " message=" + number(message) + "]" + text + "[/dialog]"
}

// Send shows text that sends the command (any text) in the reader's name when
// it is clicked. An empty command sends the text itself.
func Send(command, text string) string { return action("send", attribute(command), text) }

// Put shows text that puts the command (any text) into the reader's input field
// when it is clicked. An empty command puts the text itself.
func Put(command, text string) string { return action("put", attribute(command), text) }

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

// InternalCallLink leads to a call inside the portal. Not documented.
func InternalCallLink[I ~int | ~int64](call I, text string) string {
	return "[pch=" + number(call) + "]" + text + "[/pch]"
}

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
	// The portal does not recognise the code without the blank.
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

// linkAddress returns an address that cannot break out of a code.
func linkAddress(url string) string {
	url = strings.TrimSpace(strings.ToValidUTF8(url, "\uFFFD"))
	if url == "" {
		return ""
	}
	switch { // the portal looks for the scheme in small letters
	case hasFoldPrefix(url, "https://"):
		url = "https://" + url[len("https://"):]
	case hasFoldPrefix(url, "http://"):
		url = "http://" + url[len("http://"):]
	case url[0] != '/':
		url = "https://" + url
	}
	var out strings.Builder
	out.Grow(len(url))
	dashes, fragment := 0, false
	for _, c := range url {
		unsafe := strings.ContainsRune("[]\"'<>\\^`{|}", c) || c != '\u200d' && !unicode.IsGraphic(c) || unicode.IsSpace(c)
		if c != '-' {
			dashes = 0
		}
		switch c {
		case '-':
			dashes++
			unsafe = dashes%maxDashes == 0
		case '#': // "#BR#" takes two
			unsafe, fragment = fragment, true
		}
		if !unsafe {
			out.WriteRune(c)
			continue
		}
		for _, b := range []byte(string(c)) {
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}

// oneOfMany is attribute for a code with several: without "=", text cannot begin
// another one.
func oneOfMany(text string) string {
	return attribute(strings.ReplaceAll(text, "=", "＝"))
}

// attribute returns text that cannot break out of the attribute of a code.
func attribute(text string) string {
	text = strings.TrimSpace(strings.Map(func(c rune) rune {
		switch {
		case c == '[':
			return '［'
		case c == ']':
			return '］'
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsControl(c):
			return -1
		}
		return c
	}, text))
	// Of what Escape knows, only "#BR#" and rows of dashes are left by now; a
	// joiner at an edge would only travel with the command.
	if !strings.Contains(text, quoteRule) && !strings.Contains(strings.ToUpper(text), "#BR#") {
		return text
	}
	return strings.Trim(escape(text), joiner)
}
