package bbcode

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// parseEntity reads the entity that a text begins with; n is zero without one.
// It knows the names that people write: the table of all of them, in package
// html, would add 70 KB to every program.
func parseEntity(text string) (meant string, n int) {
	const longest = 10
	end := strings.IndexByte(text[:min(len(text), longest)], ';')
	if end < 2 {
		return "", 0
	}
	name := text[1:end]
	if name[0] != '#' {
		if meant = namedEntity(name); meant == "" {
			return "", 0
		}
		return meant, end + 1
	}
	digits, base := name[1:], 10
	if hasFoldPrefix(digits, "x") {
		digits, base = digits[1:], 16
	}
	code, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return "", 0
	}
	if code == 0 || code > utf8.MaxRune {
		code = utf8.RuneError
	}
	return string(rune(code)), end + 1
}

func namedEntity(name string) string {
	switch name {
	case "amp":
		return "&"
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "quot":
		return "\""
	case "apos":
		return "'"
	case "nbsp":
		return "\u00a0"
	case "copy":
		return "©"
	case "reg":
		return "®"
	case "trade":
		return "™"
	case "hellip":
		return "…"
	case "ndash":
		return "–"
	case "mdash":
		return "—"
	case "lsquo":
		return "‘"
	case "rsquo":
		return "’"
	case "ldquo":
		return "“"
	case "rdquo":
		return "”"
	case "laquo":
		return "«"
	case "raquo":
		return "»"
	case "bull":
		return "•"
	case "middot":
		return "·"
	case "times":
		return "×"
	case "deg":
		return "°"
	case "plusmn":
		return "±"
	case "euro":
		return "€"
	case "pound":
		return "£"
	case "sect":
		return "§"
	case "larr":
		return "←"
	case "rarr":
		return "→"
	case "le":
		return "≤"
	case "ge":
		return "≥"
	case "ne":
		return "≠"
	}
	return ""
}
