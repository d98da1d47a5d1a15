// Package slash is what the slash commands of both generations have in common: what a table of
// them is checked for, how one is found and run, and how parameters are split.
package slash

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// English is the language of a row's own title.
const English = "en"

// Table are the commands of a bot, whose events are of type E.
type Table[E any] []Row[E]

// Row is a command of a table.
type Row[E any] struct {
	Name       string
	Title      string   // in English
	Languages  []string // of further titles
	Beside     bool
	Interrupts bool
	Run        func(context.Context, E) error // may be nil with Interrupts
}

func (r Row[E]) works() bool { return r.Run != nil || r.Interrupts }

// find returns the command with a name, or one that does nothing.
func (t Table[E]) find(name string) Row[E] {
	for _, r := range t {
		if same(r.Name, name) {
			return r
		}
	}
	return Row[E]{}
}

// Beside reports whether a command is beside the order of its dialog.
func (t Table[E]) Beside(name string) bool {
	r := t.find(name)
	return r.Beside || r.Interrupts
}

// AnyBeside reports whether one of the commands is.
func (t Table[E]) AnyBeside() bool {
	return slices.ContainsFunc(t, func(r Row[E]) bool { return r.Beside || r.Interrupts })
}

// Run runs a command: interrupt is what its Interrupts does, otherwise is for one that is not in
// the table, and may be nil.
func (t Table[E]) Run(ctx context.Context, name string, ev E, interrupt func(), otherwise func(context.Context, E) error) error {
	r := t.find(name)
	if r.Interrupts {
		interrupt()
	}
	switch {
	case r.Run != nil:
		return r.Run(ctx, ev)
	case r.Interrupts:
		return nil
	case otherwise != nil:
		return otherwise(ctx, ev)
	}
	return fmt.Errorf("imbot: the command %.40q is not in EventHandler.Commands, and there is no OnCommand", name)
}

// same reports whether two names are of one command.
func same(a, b string) bool { return strings.EqualFold(bare(a), bare(b)) }

// bare cuts off the slash that the second generation writes.
func bare(name string) string { return strings.TrimPrefix(name, "/") }

// HasBlank reports whether nobody could type a name, because a blank ends it.
func HasBlank(name string) bool { return strings.ContainsFunc(name, unicode.IsSpace) }

// Check says what is wrong with a table.
func (t Table[E]) Check() error {
	for i, r := range t {
		switch {
		case r.Name == "":
			return fmt.Errorf("the Name of command %d is empty", i+1)
		case HasBlank(r.Name), strings.Contains(r.Name, "/"):
			return fmt.Errorf("the Name %.40q has a blank or a slash", r.Name)
		case strings.TrimSpace(r.Title) == "":
			return fmt.Errorf("%.40q has no Title", r.Name)
		case !r.works():
			return fmt.Errorf("%.40q has no Run", r.Name)
		}
		for _, before := range t[:i] {
			if same(before.Name, r.Name) {
				return fmt.Errorf("%.40q is there twice", r.Name)
			}
		}
		seen := map[string]bool{English: true}
		for _, language := range r.Languages {
			if language = strings.ToLower(language); seen[language] {
				return fmt.Errorf("%.40q has two titles of the language %.5q (Title is English)", r.Name, language)
			}
			seen[language] = true
		}
	}
	return nil
}

// quotes are the marks that hold blanks together.
var quotes = map[rune]string{'"': `"`, '“': `”`, '«': `»`}

// Args splits parameters at blanks. What stands between quotes is one: the first is at the
// beginning of a word, the second at the end of one. A quote without its like is text.
func Args(text string) []string {
	var args []string
	lone := map[rune]bool{} // that have no second one in the rest
	for text = skip(text); text != ""; text = skip(text) {
		if first := []rune(text[:min(len(text), 4)])[0]; quotes[first] != "" && !lone[first] {
			inner := text[len(string(first)):]
			if n := closing(inner, quotes[first]); n >= 0 {
				args, text = append(args, inner[:n]), inner[n+len(quotes[first]):]
				continue
			}
			lone[first] = true
		}
		n := strings.IndexFunc(text, unicode.IsSpace)
		if n < 0 {
			n = len(text)
		}
		args, text = append(args, text[:n]), text[n:]
	}
	return args
}

func skip(text string) string { return strings.TrimLeftFunc(text, unicode.IsSpace) }

// closing finds a mark that ends a word.
func closing(text, mark string) int {
	for at := 0; ; at += len(mark) {
		n := strings.Index(text[at:], mark)
		if n < 0 {
			return -1
		}
		at += n
		if rest := text[at+len(mark):]; rest == "" || skip(rest) != rest {
			return at
		}
	}
}
