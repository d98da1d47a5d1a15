package textstage

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxText is how many characters a portal keeps; a text with up to six more passes,
// because they may be the mark of an earlier cut.
const (
	maxText = 20000
	cutSign = " (...)"
)

// phpBlanks are the characters that PHP trims. Other blanks are text.
const phpBlanks = " \t\n\r\v\x00"

// Store returns a text as the portal stores it. Bytes that are not UTF-8 become
// U+FFFD.
func Store(text string) string {
	text = valid(text)
	text = storedBreaks.Replace(text)
	text = strings.Trim(text, phpBlanks)
	if utf8.RuneCountInString(text) > maxText+len(cutSign) {
		text = string([]rune(text)[:maxText]) + cutSign
	}
	return text
}

// valid returns a text with U+FFFD in place of each byte that is not UTF-8.
func valid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}

// What is a line break when a text is stored, and when it is handed out.
var (
	storedBreaks = strings.NewReplacer("[BR]", "\n", "[br]", "\n", "#BR#", "\n")
	servedBreaks = strings.NewReplacer("<br />", "\n", "#BR#", "\n", "[br]", "\n")
)

// The entities that the portal resolves, each once: "&amp;lt;" becomes "&lt;".
var entities = strings.NewReplacer(
	"&nbsp;", " ", "&quot;", `"`, "&#092;", `\`, "&#036;", "$", "&#33;", "!", "&#91;", "[", "&#93;", "]",
	"&#39;", "'", "&lt;", "<", "&gt;", ">", "&#124;", "|", "&amp;", "&",
	"&#169;", "(c)", "&#153;", "(tm)", "&#174;", "(r)",
)

var (
	heldByServer = regexp.MustCompile(`(?is:\[code\].*?\[/code\])|(?i:\[put[^\n\]]*\].*?\[/put\]|\[send[^\n\]]*\].*?\[/send\])`)
	emptyMention = regexp.MustCompile(`(?i)\[user=(\d+)\]\[/user\]`)

	// What the portal does not take for a bare address: that of a link, of an icon.
	addressOrCode = regexp.MustCompile(`(?is)\[url(?:=[^\]]*)?\].*?\[/url\]|\[icon=\S*|\[img[^\]]*\]\s*((?:https?|ftp)://\S*)|(^|[^\w=/])((?:https?://|ftp://|www\.)[^\s\[\]<>"\x{FFFD}]+)`) // what is held out ends an address, too
)

// Serve returns a stored text as the portal hands it out to clients and to events of
// the second generation. name gives the names for mentions without one; where it is
// nil or has none they stay empty.
func Serve(text string, name func(user string) string) string { return Stage{}.Serve(text, name) }

// Stage is a server's text stage that may leave out some of its steps.
type Stage struct{ KeepEntities, KeepAddresses bool }

// Serve is the function Serve without the steps that are left out.
func (s Stage) Serve(text string, name func(user string) string) string {
	var held holdings
	text = valid(text)
	text = held.out('h', heldByServer, text)
	text = emptyMention.ReplaceAllStringFunc(text, func(code string) string {
		user := emptyMention.FindStringSubmatch(code)[1]
		if name == nil || name(user) == "" {
			return code
		}
		return "[USER=" + user + " REPLACE]" + name(user) + "[/USER]"
	})
	text = strings.ReplaceAll(text, "\u00a0", " ")
	if !s.KeepAddresses {
		text = wrapAddresses(text)
	}
	text = servedBreaks.Replace(text)
	if !s.KeepEntities {
		text = entities.Replace(text)
	}
	return held.back('h', text)
}

// wrapAddresses makes links of bare addresses.
func wrapAddresses(text string) string {
	if !strings.Contains(text, "://") && !strings.Contains(strings.ToLower(text), "www.") {
		return text
	}
	return replace(addressOrCode, text, func(m []string) string {
		whole, ofPicture, before, address := m[0], m[1], m[2], m[3]
		if ofPicture != "" {
			return strings.TrimSuffix(whole, ofPicture) + "[URL]" + ofPicture + "[/URL]"
		}
		link := strings.TrimRight(address, ".,")
		switch {
		case address == "":
			return whole
		case strings.HasSuffix(link, "://"), strings.EqualFold(link, "www"):
			return whole
		case strings.EqualFold(link[:4], "www."):
			return before + "[URL]http://" + link + "[/URL]" + address[len(link):]
		}
		return before + "[URL]" + link + "[/URL]" + address[len(link):]
	})
}

// holdings are the parts of a text that a stage takes out, and puts back unchanged
// when it has done. The byte 0xFF is in no text.
type holdings []string

func (h *holdings) out(sort byte, pattern *regexp.Regexp, text string) string {
	return pattern.ReplaceAllStringFunc(text, func(part string) string {
		*h = append(*h, part)
		return mark(sort, len(*h)-1)
	})
}

func (h holdings) back(sort byte, text string) string {
	if len(h) == 0 {
		return text
	}
	var out strings.Builder
	for text != "" {
		before, found, n, rest := cutAtMark(text)
		out.WriteString(before)
		switch found {
		case 0:
		case sort:
			out.WriteString(h[n])
		default:
			out.WriteString(mark(found, n))
		}
		text = rest
	}
	return out.String()
}

// replace is ReplaceAllStringFunc with the groups of each match.
func replace(pattern *regexp.Regexp, text string, with func(m []string) string) string {
	found := pattern.FindAllStringSubmatchIndex(text, -1)
	if found == nil {
		return text
	}
	var out strings.Builder
	done := 0
	for _, at := range found {
		m := make([]string, len(at)/2)
		for i := range m {
			if at[2*i] >= 0 {
				m[i] = text[at[2*i]:at[2*i+1]]
			}
		}
		out.WriteString(text[done:at[0]])
		out.WriteString(with(m))
		done = at[1]
	}
	return out.String() + text[done:]
}
