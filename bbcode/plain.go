package bbcode

import (
	"strconv"
	"strings"
	"time"
)

// Plain returns a message as a person reads it: a mention is the name, a link
// its text with the address behind it in parentheses, a picture its address, an
// icon its title, a timestamp a time in UTC, a rating its stars, a vote a thumb;
// [br], #BR# and <br /> are line breaks, the entities that the portal resolves
// ("&lt;", "&#91;" …) their characters, and what only changes the looks is gone.
// Codes that entities make are read, as people's clients do. Quotes keep their ">>"
// and their lines of dashes, [code] its content, and what is no code stays. The
// invisible characters of [Escape] and [EscapeMarkdown] are taken away:
// Plain(Escape(s)) is s, whatever s is, unless it has that character itself.
//
// Plain reads a message as it is sent and as events of the first generation bring
// it. The result is text, not markup: to send it, [Escape] it again.
func Plain(text string) string {
	text = served(text)
	p := plainer{text: text}
	p.out.Grow(len(text))
	for _, t := range scan(text) {
		if t.start >= p.done {
			p.token(t)
		}
	}
	p.copyTo(len(text))
	return withoutJoiners(p.out.String())
}

// withoutJoiners takes away what Escape and EscapeMarkdown put into a text.
func withoutJoiners(text string) string {
	if strings.Contains(text, wideJoiner) {
		text = strings.ReplaceAll(text, "*"+wideJoiner, "*")
		text = strings.ReplaceAll(text, "_"+wideJoiner, "_")
	}
	return strings.ReplaceAll(text, joiner, "")
}

type plainer struct {
	text  string
	done  int // text[:done] is in out
	out   strings.Builder
	links []openLink
}

type openLink struct {
	token *token
	text  int // where its text begins in out
}

func (p *plainer) copyTo(i int) {
	p.out.WriteString(p.text[p.done:i])
	p.done = i
}

// replace writes s for text[t.start:end].
func (p *plainer) replace(t *token, end int, s string) {
	p.copyTo(t.start)
	p.out.WriteString(s)
	p.done = end
}

func (p *plainer) token(t *token) {
	switch t.kind {
	case single:
		if s, ok := plainSingle(t.name, t.attributes(p.text)); ok {
			p.replace(t, t.end, s)
		}
		return
	case opening:
		switch {
		case t.isText():
			return
		case t.name == "code":
			p.copyTo(t.start)
			p.done = t.end
			p.copyTo(t.pair.start)
			p.done = t.pair.end
			return
		case t.name == "img":
			p.replace(t, t.pair.end, strings.TrimSpace(p.text[t.end:t.pair.start]))
			return
		}
		p.replace(t, t.end, "")
		if t.name == "url" && t.pair != nil {
			p.links = append(p.links, openLink{t, p.out.Len()})
		}
	case closing:
		if t.isText() {
			return
		}
		p.replace(t, t.end, "")
		if t.name == "url" && t.pair != nil {
			p.endLink(t.pair)
		}
	}
}

// endLink writes the address behind the text of a link.
func (p *plainer) endLink(open *token) {
	for len(p.links) > 0 {
		link := p.links[len(p.links)-1]
		p.links = p.links[:len(p.links)-1]
		if link.token != open {
			continue
		}
		switch shown, url := p.out.String()[link.text:], open.attributes(p.text); {
		case url == "" || shown == url:
		case shown == "":
			p.out.WriteString(url)
		default:
			p.out.WriteString(" (" + url + ")")
		}
		return
	}
}

// plainSingle returns what a person reads for a code that stands for itself;
// ok is false for one with a value that is none.
func plainSingle(name, value string) (s string, ok bool) {
	switch name {
	case "br":
		return "\n", true
	case "like":
		return "👍", true
	case "dislike":
		return "👎", true
	case "icon":
		return iconTitle(value), true
	case "rating":
		if len(value) == 1 && value[0] >= '1' && value[0] <= '5' {
			return strings.Repeat("★", int(value[0]-'0')), true
		}
		return "", false
	case "timestamp":
		value, _, _ = strings.Cut(value, " ")
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return "", false
		}
		return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04 UTC"), true
	}
	return "", true // files and attachments stand beside the text
}

// iconTitle reads the title among an icon's attributes. It may have blanks: it
// ends where the next attribute begins.
func iconTitle(attributes string) string {
	var title []string
	for _, word := range strings.Fields(attributes) {
		switch {
		case title == nil && hasFoldPrefix(word, "title="):
			title = []string{word[len("title="):]}
		case title == nil:
		case hasFoldPrefix(word, "size="), hasFoldPrefix(word, "width="), hasFoldPrefix(word, "height="):
			return strings.Join(title, " ")
		default:
			title = append(title, word)
		}
	}
	return strings.Join(title, " ")
}
