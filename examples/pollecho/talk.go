package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// A talk is what people have written to the bot; no two lines have the same text.
type talk struct {
	portal *imbottest.Portal
	lines  []line
	err    error // the first one; nothing happens after it
}

type line struct {
	person imbot.ID
	dialog imbot.DialogID
	text   string
}

func (t *talk) say(ctx context.Context, person imbot.ID, dialog imbot.DialogID, mention, text string) {
	if t.err != nil {
		return
	}
	_, t.err = t.portal.Say(ctx, person, dialog, mention+text)
	t.lines = append(t.lines, line{person, dialog, text})
}

// wait waits until every line has an answer.
func (t *talk) wait(ctx context.Context) {
	for _, l := range t.lines {
		for t.err == nil {
			now := t.portal.Changed()
			if t.answers(l) > 0 {
				break
			}
			_, t.err = t.portal.Changes(ctx, l.person, now)
		}
	}
}

func (t *talk) answers(l line) (n int) {
	for _, m := range t.portal.Messages(l.person, l.dialog) {
		if m.Plain() == "You said: "+l.text {
			n++
		}
	}
	return n
}

// check returns an error unless every line has one answer, and not two.
func (t *talk) check() error {
	var errs []error
	for _, l := range t.lines {
		if n := t.answers(l); n != 1 {
			errs = append(errs, fmt.Errorf("%q has %d answers", l.text, n))
		}
	}
	return errors.Join(errs...)
}

// print writes each dialog as those who are in it see it.
func (t *talk) print(out io.Writer) {
	type view struct {
		person imbot.ID
		dialog imbot.DialogID
	}
	seen := map[view]bool{}
	for _, l := range t.lines {
		v := view{l.person, l.dialog}
		if _, group := l.dialog.ChatID(); group {
			v.person = 0
		}
		if seen[v] {
			continue
		}
		seen[v] = true
		fmt.Fprintf(out, "%s\n", title(t.portal, l))
		for _, m := range t.portal.Messages(l.person, l.dialog) {
			fmt.Fprintf(out, "  %-14s  %s\n", t.portal.Name(m.AuthorID), m.Plain())
		}
	}
}

func title(portal *imbottest.Portal, l line) string {
	if _, group := l.dialog.ChatID(); group {
		return "The group chat"
	}
	return "The dialog of " + portal.Name(l.person) + " and the bot"
}
