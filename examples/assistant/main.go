// Assistant is a bot behind which a language model thinks: people see that it
// writes while it does, Markdown becomes BB code, and a long answer is split into
// messages.
//
// It talks to a portal in memory. The model is made up and thinks for 300 ms,
// because nobody wants to wait here; -think 30s is nearer to life, and the test
// gives it 30 s of simulated time. What it takes to run a bot like this on a real
// portal is in examples/echobot.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func main() {
	think := flag.Duration("think", 300*time.Millisecond, "how long the model thinks")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := demo(ctx, os.Stdout, *think); err != nil {
		fmt.Fprintln(os.Stderr, "assistant:", err)
		os.Exit(1)
	}
}

// slowModel is a model that knows two answers.
type slowModel struct{ think time.Duration }

var errNothing = errors.New("the model has nothing to say")

func (m slowModel) Answer(ctx context.Context, question string) (string, error) {
	select {
	case <-time.After(m.think):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	switch question {
	case "How do I make tea?":
		return tea, nil
	case "Tell me a long story":
		return strings.Repeat("Once upon a time there was a **bot** that never came to an end. ", 500), nil
	}
	return "", errNothing
}

const tea = `## Tea

1. Boil *water*
2. Pour it over the leaves
3. Wait **three** minutes, see [the kettle](https://example.com/kettle)

| Tea   | Minutes |
|-------|---------|
| green | 2       |
| black | 4       |

> Never use [user=1]a microwave[/user].

` + "```go\ntime.Sleep(3 * time.Minute)\n```\n"

const eventURL = "https://bot.example.com/events"

func demo(ctx context.Context, out io.Writer, think time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second+3*think)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	id, bot, err := newBot(ctx, slowModel{think}, portal.Webhook("a-long-random-client-id"), eventURL, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		return err
	}
	portal.Serve(eventURL, bot)
	err = talk(ctx, out, portal, id, bot)
	return errors.Join(err, bot.Shutdown(ctx), portal.Err())
}

// talk asks three questions and prints what comes back.
func talk(ctx context.Context, out io.Writer, portal *imbottest.Portal, id imbot.ID, bot *imbot.EventHandler) error {
	anna, dialog := portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(id)
	seen, typed := 0, 0
	for _, question := range []string{"How do I make tea?", "Tell me a long story", "What is the weather like?"} {
		start := time.Now()
		if _, err := portal.Ask(ctx, anna, dialog, question); err != nil {
			return err
		}
		waited := time.Since(start).Truncate(100 * time.Millisecond)
		if err := bot.Idle(ctx); err != nil { // the other parts
			return err
		}
		messages := portal.Messages(anna, dialog)
		typing := len(portal.Calls("imbot.chat.sendTyping"))
		fmt.Fprintf(out, "Anna: %s\n(notices of typing: %d, waited: %s)\n", question, typing-typed, waited)
		for _, m := range messages[seen+1:] {
			fmt.Fprintf(out, "%s: %s\n", portal.Name(m.AuthorID), shorten(m.Plain()))
		}
		seen, typed = len(messages), typing
	}
	return nil
}

// shorten leaves out the middle of a long text.
func shorten(text string) string {
	const half = 40
	n := utf8.RuneCountInString(text)
	if n < 1000 {
		return text
	}
	runes := []rune(text)
	return fmt.Sprintf("%s … (%d characters) … %s", string(runes[:half]), n-2*half, string(runes[n-half:]))
}
