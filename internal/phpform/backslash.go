package phpform

import (
	"bytes"
	"strings"
)

// The portal replaces \n, \t, \" and \\ inside the texts of an attachment, one kind
// after the other, so a doubled backslash before n is still a line break and half of
// it. So every backslash is doubled on the way out, and kept apart from an n or t.
// Reading replaces what the portal does: what was written reads the same.

// apart keeps a backslash from the letter behind it; nobody sees it.
const apart = "\u2060"

// ProtectBackslashes changes the texts in a JSON value, where a backslash is two.
func ProtectBackslashes(data []byte) []byte {
	if !bytes.Contains(data, []byte(`\\`)) {
		return data
	}
	out := make([]byte, 0, len(data)+len(data)/4)
	for i := 0; i < len(data); i++ {
		out = append(out, data[i])
		if data[i] != '\\' {
			continue
		}
		i++ // no escape of the encoder ends with it
		out = append(out, data[i])
		if data[i] != '\\' {
			continue
		}
		out = append(out, `\\`...)
		if next := data[i+1]; next == 'n' || next == 't' { // there is a quote at least
			out = append(out, apart...)
		}
	}
	return out
}

// ReadBackslashes reads a text as the portal does.
func ReadBackslashes(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	for _, pair := range [...][2]string{{`\n`, "\n"}, {`\t`, "\t"}, {`\"`, `"`}, {`\\`, `\`}, {`\` + apart + `n`, `\n`}, {`\` + apart + `t`, `\t`}} {
		s = strings.ReplaceAll(s, pair[0], pair[1])
	}
	return s
}
