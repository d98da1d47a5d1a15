package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/imbot-go/imbot/imbottest"
)

// report prints calls and events that went wrong behind the change last, until ctx
// ends.
func report(ctx context.Context, log io.Writer, portal *imbottest.Portal, last int64) {
	const administrator = 1
	for {
		changes, err := portal.Changes(ctx, administrator, last)
		switch {
		case errors.Is(err, imbottest.ErrMissed):
			last = portal.Changed()
		case err != nil:
			return
		}
		for _, c := range changes {
			last = c.Seq
			if c.Exchange != nil && c.Exchange.Done && c.Exchange.Error != "" {
				fmt.Fprintln(log, printable(wrong(portal, *c.Exchange)))
			}
		}
	}
}

// wrong says in one line what went wrong.
func wrong(portal *imbottest.Portal, x imbottest.Exchange) string {
	line := fmt.Sprintf("%s %s: %s", x.Time.Format("15:04:05"), x.Name, x.Error)
	if x.Event {
		return line + " (" + x.URL + ")"
	}
	var answer struct {
		Description string `json:"error_description"`
	}
	if full, ok := portal.Exchange(x.ID); ok && json.Unmarshal([]byte(full.Answer), &answer) == nil && answer.Description != "" {
		line += ": " + answer.Description
	}
	return line
}

// printable takes away what a terminal would obey: any web page can let the
// browser call a method of any name.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, line)
}
