package imbottest

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Plain returns the text as a person reads it, without BB codes: a mention is
// the name, a link is its text with the address behind it, [br] is a new line.
// What stands in [code] is left alone.
func (m Message) Plain() string {
	var out strings.Builder
	rest := m.Text
	for {
		at := codeBlock.FindStringSubmatchIndex(rest)
		if at == nil {
			out.WriteString(plain(rest))
			return out.String()
		}
		out.WriteString(plain(rest[:at[0]]))
		out.WriteString(rest[at[2]:at[3]])
		rest = rest[at[1]:]
	}
}

var (
	codeBlock = regexp.MustCompile(`(?is)\[code\](.*?)\[/code\]`)

	lineBreak = regexp.MustCompile(`(?i)\[br\]|#BR#`)
	icon      = regexp.MustCompile(`(?i)\[icon=[^\]]*\]`)
	iconTitle = regexp.MustCompile(`(?i)title=([^\]]*)`)
	rating    = regexp.MustCompile(`(?i)\[rating=([1-5])\]`)
	single    = regexp.MustCompile(`(?i)\[(disk|attach)=[^\]]*\]`)
	timestamp = regexp.MustCompile(`(?i)\[timestamp=([0-9]+)[^\]]*\]`)
	image     = regexp.MustCompile(`(?is)\[img[^\]]*\](.*?)\[/img\]`)
	namedLink = regexp.MustCompile(`(?is)\[url=([^\]]*)\](.*?)\[/url\]`)
	// An opening or closing code that only changes how its text looks or acts.
	wrapper = regexp.MustCompile(`(?i)\[/?(?:b|i|u|s|url)\]|\[/?(?:size|color|user|chat|context|dialog|send|put|call|pch)(?:=[^\]]*)?\]`)
)

func plain(text string) string {
	text = lineBreak.ReplaceAllString(text, "\n")
	text = icon.ReplaceAllStringFunc(text, func(code string) string {
		if title := iconTitle.FindStringSubmatch(code); title != nil {
			return strings.TrimSpace(title[1])
		}
		return ""
	})
	text = rating.ReplaceAllStringFunc(text, func(code string) string {
		n, _ := strconv.Atoi(rating.FindStringSubmatch(code)[1])
		return strings.Repeat("★", n)
	})
	text = timestamp.ReplaceAllStringFunc(text, func(code string) string {
		seconds, err := strconv.ParseInt(timestamp.FindStringSubmatch(code)[1], 10, 64)
		if err != nil {
			return code
		}
		return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04 UTC")
	})
	text = single.ReplaceAllString(text, "")
	text = image.ReplaceAllStringFunc(text, func(code string) string {
		return strings.TrimSpace(image.FindStringSubmatch(code)[1])
	})
	text = namedLink.ReplaceAllStringFunc(text, func(code string) string {
		link := namedLink.FindStringSubmatch(code)
		if link[2] == "" || link[2] == link[1] {
			return link[1]
		}
		return link[2] + " (" + link[1] + ")"
	})
	return wrapper.ReplaceAllString(text, "")
}
