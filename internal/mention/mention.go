// Package mention finds those who are mentioned in a text, and cuts out a mention.
package mention

import (
	"regexp"
	"strconv"
	"strings"
)

// code is a mention with the name in it. The portal knows it in any case.
var code = regexp.MustCompile(`(?is)\[(?:user|bot)=([0-9]+)[^\]]*\].*?\[/(?:user|bot)\]`)

// IDs returns who is mentioned, in the order of the text.
func IDs(text string) []int64 {
	var ids []int64
	for _, found := range code.FindAllStringSubmatch(text, -1) {
		if id, err := strconv.ParseInt(found[1], 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// Without returns a text without the mentions of id, and without what is left in front of one:
// a comma, a colon, blanks. gone says that the portal has cut a mention already.
func Without(text string, id int64, gone bool) string {
	text = code.ReplaceAllStringFunc(text, func(found string) string {
		if n, err := strconv.ParseInt(code.FindStringSubmatch(found)[1], 10, 64); id != 0 && err == nil && n == id {
			gone = true
			return ""
		}
		return found
	})
	for text = Trim(text); gone && text != ""; text = Trim(text[1:]) {
		if text[0] != ',' && (text[0] != ':' || smiley.MatchString(text)) {
			break
		}
	}
	return text
}

// smiley is a colon that is not what is left of a mention: one with a sign or a single
// letter behind it.
var smiley = regexp.MustCompile(`^:([^\s\pL\pN]|[\pL\pN]([^\pL\pN]|$))`)

// Trim trims as the portal does; other blanks of Unicode are text.
func Trim(s string) string { return strings.Trim(s, " \t\n\r\v\x00") }
