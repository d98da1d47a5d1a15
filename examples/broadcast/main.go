// Broadcast sends one personal message to each of many people, and can be
// killed and started again at any time: nobody gets it twice, and those of whom
// nobody can say whether they got it are listed.
//
//	broadcast people.tsv journal
//
// reads people (lines of user id, tab, name), BITRIX24_WEBHOOK_URL,
// BITRIX24_CLIENT_ID and BITRIX24_BOT_ID, and works at a real portal. A terminal
// shows a bar meanwhile; a file or pipe gets a line every ten seconds.
//
// Without arguments it shows that on a portal in memory: it broadcasts to 20,000
// people in a second process, kills that in the middle and resumes. The portal
// allows a hundred times the real rate there, or it would take three minutes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/imbot-go/imbot"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "broadcast:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("broadcast", flag.ContinueOnError)
	rate := flags.Float64("rate", 2, "requests a second that the portal allows")
	burst := flags.Int("burst", 50, "requests that it allows at once")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch flags.NArg() {
	case 0:
		return demo(ctx, out, 20_000)
	case 2:
		return send(ctx, out, flags.Arg(0), flags.Arg(1), imbot.NewLimiter(*rate, *burst))
	}
	return errors.New("usage: broadcast [-rate n] [-burst n] [people.tsv journal]")
}

// send broadcasts at a real portal, or at the demo's.
func send(ctx context.Context, out io.Writer, peopleFile, journalFile string, limiter imbot.Limiter) error {
	hook := imbot.Webhook{URL: os.Getenv("BITRIX24_WEBHOOK_URL"), ClientID: os.Getenv("BITRIX24_CLIENT_ID")}
	client, err := imbot.NewClient(hook, imbot.WithLimiter(limiter))
	if err != nil {
		return err
	}
	bot, err := strconv.ParseInt(os.Getenv("BITRIX24_BOT_ID"), 10, 64)
	if err != nil {
		return errors.New("BITRIX24_BOT_ID is not a number")
	}
	people, err := readPeople(peopleFile)
	if err != nil {
		return err
	}
	j, err := openJournal(journalFile)
	if err != nil {
		return err
	}
	left := 0
	for _, p := range people {
		if j.open(p) {
			left++
		}
	}
	next, end := showProgress(os.Stderr, left)
	res, err := broadcast(ctx, client.WithBot(imbot.ID(bot)), people, j, next)
	end()
	fmt.Fprintf(out, "sent %d, failed %d, sent or failed before %d, in doubt %d\n",
		res.sent, res.failed, res.before-len(res.doubtful), len(res.doubtful))
	if n := len(res.doubtful); n > 0 {
		fmt.Fprintf(out, "in doubt: users %d to %d\n", res.doubtful[0], res.doubtful[n-1])
	}
	return errors.Join(err, j.file.Close())
}
