package bbcode

import "strings"

// The portal makes characters of some entities each time it hands a text out,
// after its own look for codes and before that of people's clients. What a person
// types as "&#91;b&#93;" would so be read as a code (livecheck: entity-code).

// portalEntity returns what the portal makes of an entity ("&" and ";" left out);
// ok is false for one that stays.
func portalEntity(name string) (meant string, ok bool) {
	switch name {
	case "nbsp":
		return " ", true
	case "quot":
		return "\"", true
	case "#092":
		return "\\", true
	case "#036":
		return "$", true
	case "#33":
		return "!", true
	case "#91":
		return "[", true
	case "#93":
		return "]", true
	case "#39":
		return "'", true
	case "lt":
		return "<", true
	case "gt":
		return ">", true
	case "#124":
		return "|", true
	case "amp":
		return "&", true
	case "#169":
		return "(c)", true
	case "#153":
		return "(tm)", true
	case "#174":
		return "(r)", true
	}
	return "", false
}

// portalEntities are the entities that portalEntity knows.
const portalEntities = "&nbsp; &quot; &#092; &#036; &#33; &#91; &#93; &#39; &lt; &gt; &#124; &amp; &#169; &#153; &#174;"

// decodeEntity returns what the portal makes of the entity that a text begins
// with; n is zero without one.
func decodeEntity(text string) (meant string, n int) {
	const longest = len("&#092;")
	end := strings.IndexByte(text[:min(len(text), longest)], ';')
	if end < 0 || text[0] != '&' {
		return "", 0
	}
	if meant, ok := portalEntity(text[1:end]); ok {
		return meant, end + 1
	}
	return "", 0
}

// beginsEntity reports whether text is the beginning of an entity of the portal,
// which what follows could complete.
func beginsEntity(text string) bool {
	if len(text) >= len("&#092;") {
		return false
	}
	for entity := range strings.FieldsSeq(portalEntities) {
		if strings.HasPrefix(entity, text) {
			return true
		}
	}
	return false
}

// continuesEntity reports whether text would make an entity of an "&" before it,
// alone or with what follows.
func continuesEntity(text string) bool {
	const longest = len("#092;")
	if n := strings.IndexByte(text[:min(len(text), longest)], ';'); n >= 0 {
		_, ok := portalEntity(text[:n])
		return ok
	}
	return len(text) < longest && beginsEntity("&"+text)
}

// served returns a text as the portal hands it out to a client: entities and
// "<br />" are resolved, except in code blocks and in commands on one line.
func served(text string) string {
	if !strings.ContainsAny(text, "&<") {
		return text
	}
	var out strings.Builder
	out.Grow(len(text))
	done, held := 0, findHeld(text)
	for i := 0; i < len(text); i++ {
		if text[i] != '&' && text[i] != '<' {
			continue
		}
		for len(held) > 0 && held[0].end <= i {
			held = held[1:]
		}
		if len(held) > 0 && held[0].start <= i {
			i = held[0].end - 1
			continue
		}
		meant, n := decodeEntity(text[i:])
		if strings.HasPrefix(text[i:], breakTag) {
			meant, n = "\n", len(breakTag)
		}
		if n > 0 {
			out.WriteString(text[done:i])
			out.WriteString(meant)
			done = i + n
			i = done - 1
		}
	}
	out.WriteString(text[done:])
	return out.String()
}

// breakTag is the one HTML tag that the portal reads, in this spelling only.
const breakTag = "<br />"

// findHeld returns the parts of a text that the portal leaves alone.
func findHeld(text string) []span {
	var held []span
	for _, t := range scan(text) {
		if t.kind != opening || t.pair == nil || len(held) > 0 && t.start < held[len(held)-1].end {
			continue
		}
		isCommand := t.name == "send" || t.name == "put"
		if t.name == "code" || isCommand && isOneLine(text[t.start:t.pair.end]) {
			held = append(held, span{t.start, t.pair.end})
		}
	}
	return held
}

// isOneLine reports whether a text has no line break in any spelling that the
// portal resolves when it stores a message.
func isOneLine(text string) bool {
	for i, c := range text {
		if c == '\n' || c == '\r' || c == '[' && hasFoldPrefix(text[i:], "[br]") || c == '#' && hasFoldPrefix(text[i:], "#BR#") {
			return false
		}
	}
	return true
}
