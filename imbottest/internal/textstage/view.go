package textstage

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A View is what a reader has before the eyes: a text, and marks over parts of it.
// Marks may cross, as codes do.
type View struct {
	Text  string
	Marks []Mark // by their beginning
}

// A Mark is something alive in a text: View.Text[Start:End] is bold, a link, a
// button. Those of a code that only stands for something (a picture, an icon, a
// time) are over the words for it.
type Mark struct {
	Kind       Kind
	Value      string // an address, an id, a command, a colour …
	Start, End int
}

// Plain returns the text, with the address behind each link that shows something else.
// It leaves out the invisible characters with which a sender keeps codes apart.
func (v View) Plain() string {
	links := slices.DeleteFunc(slices.Clone(v.Marks), func(m Mark) bool {
		return m.Kind != Link || v.Text[m.Start:m.End] == m.Value
	})
	slices.SortStableFunc(links, func(a, b Mark) int { return cmp.Compare(a.End, b.End) })
	var out strings.Builder
	done := 0
	for _, m := range links {
		out.WriteString(v.Text[done:m.End])
		out.WriteString(" (" + m.Value + ")")
		done = m.End
	}
	out.WriteString(v.Text[done:])
	return invisible.Replace(out.String())
}

var invisible = strings.NewReplacer("*\ufeff\u2060", "*", "_\ufeff\u2060", "_", "\u2060", "")

// A Kind says what a mark does.
type Kind string

// The kinds of marks. The value is what stands in brackets here.
const (
	Bold       Kind = "bold"
	Italic     Kind = "italic"
	Underline  Kind = "underline"
	Strike     Kind = "strike"
	Size       Kind = "size"    // [pixels]
	Color      Kind = "color"   // [#rrggbb]
	Link       Kind = "link"    // [address]
	Picture    Kind = "picture" // [address]
	Icon       Kind = "icon"    // [attributes] over its title
	Mention    Kind = "mention" // [user]
	Chat       Kind = "chat"    // [chat or imol|chat]
	Context    Kind = "context" // [dialog/message]
	Send       Kind = "send"    // [command]
	Put        Kind = "put"     // [command]
	Call       Kind = "call"    // [number]
	Code       Kind = "code"
	Timestamp  Kind = "timestamp" // [seconds format] over the time in UTC
	Rating     Kind = "rating"    // [stars]
	Like       Kind = "like"
	Dislike    Kind = "dislike"
	Disk       Kind = "disk"  // [file]
	Break      Kind = "break" // in front of the line break that a code made
	Quote      Kind = "quote"
	QuoteBlock Kind = "quoteblock" // [dialog/message] if it leads to one
	Author     Kind = "author"     // in a quote block
	Time       Kind = "time"       // in a quote block
	Me         Kind = "me"
	Loud       Kind = "loud"
)

// mark returns what stands in a text for the n-th element of a sort while the stages
// run. The bytes 0xFF and 0xFE are in no text.
func mark(sort byte, n int) string { return "\xff" + string(rune(sort)) + strconv.Itoa(n) + "\xfe" }

// cutAtMark splits a text at its first mark; sort is 0 without one.
func cutAtMark(text string) (before string, sort byte, n int, rest string) {
	i := strings.IndexByte(text, 0xFF)
	if i < 0 {
		return text, 0, 0, ""
	}
	end := i + strings.IndexByte(text[i:], 0xFE)
	n, _ = strconv.Atoi(text[i+2 : end])
	return text[:i], text[i+1], n, text[end+1:]
}

// view takes the marks of elements out of a text.
func view(text string, elements []Mark) View {
	var out strings.Builder
	v := View{}
	begun := make([]int, len(elements))
	for text != "" {
		before, sort, n, rest := cutAtMark(text)
		out.WriteString(before)
		switch sort {
		case 'o':
			begun[n] = out.Len()
		case 'c':
			m := elements[n]
			m.Start, m.End, m.Value = begun[n], out.Len(), withoutMarks(m.Value)
			v.Marks = append(v.Marks, m)
		}
		text = rest
	}
	v.Text = out.String()
	slices.SortStableFunc(v.Marks, func(a, b Mark) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	return v
}

func withoutMarks(text string) string {
	var out strings.Builder
	for text != "" {
		before, _, _, rest := cutAtMark(text)
		out.WriteString(before)
		text = rest
	}
	return out.String()
}
