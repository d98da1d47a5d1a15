// Assistant is a bot behind which a language model thinks: its answer grows while it is
// written, a button stops it, Markdown becomes BB code, and a long answer is split into
// messages.
//
// Without any setting it talks to a portal in memory. With BITRIX24_WEBHOOK_URL,
// BITRIX24_CLIENT_ID and BOT_EVENT_URL it registers at a real portal and listens on
// BOT_ADDR (default :8080); with BITRIX24_WEBHOOK_URL and BITRIX24_BOT_TOKEN it asks for its
// events instead, from any laptop. The model is made up and writes for 2 s; -think 15s is
// nearer to life.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func main() {
	think := flag.Duration("think", 2*time.Second, "how long the model writes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *think); err != nil {
		fmt.Fprintln(os.Stderr, "assistant:", err)
		os.Exit(1)
	}
}

// run does what the environment says.
func run(ctx context.Context, out io.Writer, think time.Duration) error {
	hook := imbot.Webhook{URL: os.Getenv("BITRIX24_WEBHOOK_URL"), ClientID: os.Getenv("BITRIX24_CLIENT_ID"), BotToken: os.Getenv("BITRIX24_BOT_TOKEN")}
	switch url := os.Getenv("BOT_EVENT_URL"); {
	case hook.URL == "":
		return demo(ctx, out, think)
	case hook.BotToken != "":
		return poll(ctx, slowModel(think), hook)
	case hook.ClientID != "" && url != "":
		return serve(ctx, slowModel(think), hook, url, cmp.Or(os.Getenv("BOT_ADDR"), ":8080"))
	}
	return errors.New("BITRIX24_BOT_TOKEN, or BITRIX24_CLIENT_ID and BOT_EVENT_URL must be set, too")
}

// slowModel is a model that knows two answers and writes each for so long.
func slowModel(think time.Duration) model {
	return func(ctx context.Context, question string, answer io.Writer) error {
		text := map[string]string{
			"How do I make tea?":   tea,
			"Tell me a long story": strings.Repeat("Once upon a time there was a **bot** that never came to an end. ", 500),
		}[question]
		if text == "" {
			return errNothing
		}
		start, words := time.Now(), strings.SplitAfter(text, " ")
		for i, word := range words {
			select {
			case <-time.After(time.Until(start.Add(think * time.Duration(i) / time.Duration(len(words))))):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			if _, err := io.WriteString(answer, word); err != nil {
				return err
			}
		}
		return nil
	}
}

var errNothing = errors.New("the model has nothing to say")

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
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second+3*think)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	bot, err := newBot(ctx, slowModel(think), portal.Webhook("a-long-random-client-id"), eventURL, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		return err
	}
	portal.Serve(eventURL, bot)
	err = talk(ctx, out, portal, bot, think)
	return errors.Join(err, bot.Shutdown(ctx), portal.Err())
}

// talk asks four questions, stops an answer, and prints what comes back.
func talk(ctx context.Context, out io.Writer, portal *imbottest.Portal, bot *imbot.EventHandler, think time.Duration) error {
	id, err := portal.WaitBot(ctx, "assistant")
	if err != nil {
		return err
	}
	anna, dialog := portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(id)
	seen := 0
	for _, question := range []struct {
		text string
		stop bool // when half of it is there
	}{{"How do I make tea?", false}, {"Tell me a long story", false}, {"Tell me a long story", true}, {"What is the weather like?", false}} {
		start := time.Now()
		growing, err := portal.Ask(ctx, anna, dialog, question.text)
		if err != nil {
			return err
		}
		first := time.Since(start)
		if question.stop {
			time.Sleep(think/2 - first)
			if err := portal.Press(ctx, anna, growing, "Stop"); err != nil {
				return err
			}
		}
		if err := errors.Join(portal.Idle(ctx), bot.Idle(ctx)); err != nil { // the rest of it
			return err
		}
		fmt.Fprintf(out, "Anna: %s\n(first words after %.1f s, all after %.1f s)\n", question.text, first.Seconds(), time.Since(start).Seconds())
		messages := portal.Messages(anna, dialog)
		for _, m := range messages[seen+1:] {
			fmt.Fprintf(out, "%s: %s\n", portal.Name(m.AuthorID), shorten(m.Plain()))
		}
		seen = len(messages)
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
