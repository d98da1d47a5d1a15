package stream

import (
	"strings"
	"unicode/utf8"
)

// whole returns text without the bytes at its end that are the beginning of a
// character, as a model that writes tokens leaves them. Other bytes that are no
// character become U+FFFD.
func whole(text string) string {
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if b := text[len(text)-i]; utf8.RuneStart(b) {
			if b >= utf8.RuneSelf && !utf8.FullRuneInString(text[len(text)-i:]) {
				text = text[:len(text)-i]
			}
			break
		}
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// fewest is how many characters the next message begins with while the text grows. What
// is less stays back, because the text before it may still become shorter: a message that
// is there cannot be taken back.
const fewest = 200

// ready returns the messages of a growing text that may be shown when so many are there.
func ready(parts []string, there int) []string {
	if n := len(parts); n > 1 && n > there && utf8.RuneCountInString(parts[n-1]) < fewest {
		return parts[:n-1]
	}
	return parts
}
