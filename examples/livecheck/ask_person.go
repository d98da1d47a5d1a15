package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
)

// A look is a message that a person looks at, with what may be seen. The first is what we assume; the
// last is always "something else".
type look struct {
	id   string
	text string
	see  []string
}

var dashes = strings.Repeat("-", 54)

// looks are ten harmless messages.
func looks() []look {
	return []look{
		{"markdown-bold", "1. **two stars**", []string{"the stars stand there", "the words are bold, and there are no stars"}},
		{"markdown-link", "2. [a label](https://example.com/)", []string{"the brackets stand there, or the address is a link", "only the label stands there, and leads somewhere"}},
		{"html-tag", "3. <b>a tag</b>", []string{"the tag stands there", "the words are bold, and there is no tag"}},
		{"me-italic", "/me waves (4)", []string{`slanted "waves (4)" without /me`, "/me stands there"}},
		{"menu-cut", "/menu - the menu (5)", []string{`slanted "u - the menu (5)"`, "all of it stands there"}},
		{"entity-code", "6. &#91;b&#93;coded&#91;/b&#93;", []string{"the word is bold", "brackets or numbers stand there"}},
		{"escaped", "7. " + bbcode.Escape("[b]escaped[/b] &lt;"), []string{"[b]escaped[/b] &lt; stands there letter by letter", "a word is bold, or the &lt; is <"}},
		{"quote-name", dashes + "\nItems: [a]\n8. quoted\n" + dashes, []string{"a quotation without the brackets", "a quotation with the brackets, or rows of dashes"}},
		{"picture-link", "https://example.com/livecheck-9.png", []string{"a picture, or an empty frame of one", "an address that can be clicked"}},
		{"raw-codes", "10. [user=all]everybody[/user]", []string{"the code stands there in brackets", "the name of a group without brackets"}},
	}
}

func personFacts() []fact {
	var all []fact
	for _, l := range looks() {
		all = append(all, fact{id: l.id, tier: tierPerson, assumed: "the web client shows: " + l.see[0], ask: func(ctx context.Context, c *check) (seen, error) {
			return c.askPerson(ctx, l)
		}})
	}
	return all
}

// askPerson sends a message and asks what it looks like.
func (c *check) askPerson(ctx context.Context, l look) (seen, error) {
	bot, err := c.bot(ctx)
	if err != nil {
		return seen{}, err
	}
	dialog, err := c.room.dialog.get(func() (imbot.DialogID, error) {
		person, err := c.person()
		if err != nil {
			return "", err
		}
		dialog := imbot.UserDialog(person)
		return dialog, c.journal.write(entry{Kind: kindDialog, Bot: bot, Dialog: dialog})
	})
	if err != nil {
		return seen{}, err
	}
	if _, _, err := c.sendTo(ctx, bot, dialog, fields{"message": l.text}); err != nil {
		return seen{}, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s has sent you a message. What do you see?\n", botName)
	for i, s := range append(l.see, "something else") {
		fmt.Fprintf(&b, "  %d  %s\n", i+1, s)
	}
	const ask = "Number (Enter: I cannot say): "
	for text := b.String() + ask; ; text = fmt.Sprintf("It has to be from 1 to %d. ", len(l.see)+1) + ask {
		answer, err := c.question(ctx, text)
		switch {
		case ctx.Err() != nil:
			return seen{}, ctx.Err()
		case err != nil:
			return seen{}, notAsked("nobody answered")
		}
		n, err := strconv.Atoi(answer)
		switch {
		case answer == "":
			return seen{}, notAsked("nobody could say")
		case err != nil || n < 1 || n > len(l.see)+1:
			continue
		case n == len(l.see)+1:
			return seen{note: "something else"}, nil
		}
		return seen{n == 1, note(l.see[n-1])}, nil
	}
}
