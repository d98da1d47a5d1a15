// Livecheck asks a real portal about what no document settles, and prints a report without a secret, a
// name or any text of the portal, so that it can be pasted into a public issue.
//
// BITRIX24_WEBHOOK_URL is an incoming webhook with the scope imbot. Without a flag it only looks: about
// ten calls, one a second. Flags ask more:
//
//	-write       makes one hidden bot with an empty chat, one of the first generation, and removes them
//	-person      sends ten messages to whoever owns the webhook, asks what they look like, deletes them
//	-listen URL  has events posted to an address that leads to -addr, and asks for one message
//	-clean       removes what a run that was killed has left
//	-yes         does not ask before it begins
//	-json FILE   keeps the result, for testdata/live
//
// Whatever it makes has a code and a secret of 128 random bits each, so it touches nothing that it did not
// make. The file livecheck.journal tells what is there until it is removed; it has the secret of the bots, so
// only its owner may read it. At most 80 calls are made.
//
// Without BITRIX24_WEBHOOK_URL it runs -write against a portal in memory.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	if err := start(ctx, os.Args[1:], time.Second); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "livecheck:", err)
		os.Exit(1)
	}
}

// start reads the flags.
func start(ctx context.Context, args []string, pace time.Duration) error {
	cfg := config{
		hook: os.Getenv("BITRIX24_WEBHOOK_URL"), transport: http.DefaultTransport, pace: pace,
		retry: imbot.Retry{MaxAttempts: 2, MaxBackoff: 5 * time.Second}, random: rand.Reader, in: bufio.NewReader(os.Stdin), out: os.Stdout, tiers: []tier{tierRead},
	}
	flags := flag.NewFlagSet("livecheck", flag.ContinueOnError)
	write := flags.Bool("write", false, "make a hidden bot and a chat, and remove them")
	person := flags.Bool("person", false, "send ten messages to whoever owns the webhook, and say what they look like")
	listen := flags.String("listen", "", "a `URL`, reachable by the portal, that leads to -addr: have events posted there")
	addr := flags.String("addr", "127.0.0.1:8080", "where to listen for -listen")
	clean := flags.Bool("clean", false, "remove what a run that was killed has left")
	flags.BoolVar(&cfg.yes, "yes", false, "do not ask before it begins")
	flags.StringVar(&cfg.journalPath, "journal", "livecheck.journal", "the `file` that tells what is to be removed, with the secret of the bots")
	flags.StringVar(&cfg.keep, "json", "", "keep the result in a new `file`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return errors.New("all is told by flags, which begin with -; see -h")
	}
	for t, on := range map[tier]bool{tierWrite: *write, tierPerson: *person, tierListen: *listen != ""} {
		if on {
			cfg.tiers = append(cfg.tiers, t)
		}
	}
	if len(cfg.tiers) > 2 {
		return fmt.Errorf("take one of -write, -person and -listen at a time: together they need more than %d calls", mostCalls)
	}
	if *clean && len(cfg.tiers) > 1 {
		return errors.New("-clean only removes; leave -write, -person and -listen out")
	}
	if cfg.hook == "" && (*clean || *person || *listen != "" || cfg.keep != "") {
		return errors.New("only -write works without BITRIX24_WEBHOOK_URL: there is no portal but one in memory")
	}
	if *listen != "" {
		if u, err := url.Parse(*listen); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return errors.New("-listen is no address, as in https://bot.example.com/livecheck")
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
		if err != nil {
			return err
		}
		defer listener.Close()
		cfg.listen = listening{url: *listen, listener: listener, patience: 30 * time.Second}
	}
	switch {
	case cfg.hook == "":
		return demo(ctx, cfg)
	case *clean:
		return cleanUp(ctx, cfg)
	}
	return run(ctx, cfg)
}

// demo asks a portal in memory.
func demo(ctx context.Context, cfg config) error {
	portal := imbottest.NewPortal()
	defer portal.Close()
	dir, err := os.MkdirTemp("", "livecheck")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintln(cfg.out, "BITRIX24_WEBHOOK_URL is not set, so this is a portal in memory.")
	cfg.hook, cfg.transport, cfg.pace = portal.Webhook("").URL, portal.HTTPClient().Transport, 0
	cfg.tiers, cfg.yes, cfg.journalPath = []tier{tierRead, tierWrite}, true, dir+"/livecheck.journal"
	return run(ctx, cfg)
}

// cleanTime is how long removing may take: one call a second.
const cleanTime = 2 * time.Minute

// run asks, removes what was made, and reports.
func run(ctx context.Context, cfg config) error {
	j := new(journal)
	c, err := newCheck(cfg, j)
	if err != nil {
		return err
	}
	makes := slices.ContainsFunc(cfg.tiers, func(t tier) bool { return t != tierRead })
	if err := c.confirm(ctx, makes); err != nil {
		return err
	}
	keep, err := openNew(cfg.keep)
	if err != nil {
		return err
	}
	if makes {
		if err := j.create(cfg.journalPath, c.client.Portal()); err != nil {
			if keep != nil {
				err = errors.Join(err, keep.Close(), os.Remove(cfg.keep))
			}
			return err
		}
	}
	r := result{Date: time.Now().Format(time.DateOnly), Portal: kind(c.client.Portal()), Version: version(), Tiers: cfg.tiers}
	r.Findings = c.askAll(ctx)
	r.Revision, r.Scopes = r.noteOf("revision"), c.room.scopes
	if makes {
		if ctx.Err() != nil {
			fmt.Fprint(cfg.out, "\nInterrupted: what was made is removed now. A second interrupt stops that, and -clean removes the rest.\n")
		}
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
		defer cancel()
		err = c.clean(cleaning)
	}
	r.print(cfg.out)
	fmt.Fprintf(cfg.out, "\n%d calls: %s.\n", mostCalls-c.wire.left(), r.count())
	if c.room.answered.status == 0 {
		err = errors.Join(err, fmt.Errorf("nothing could be asked: %s", r.noteOf("revision")))
	}
	if keep != nil {
		err = errors.Join(err, r.save(keep), keep.Close())
	}
	if ctx.Err() != nil {
		err = errors.Join(err, interrupted(ctx))
	}
	return err
}

// openNew makes the file of -json before the first call, so that no result gets lost. "": nil.
func openNew(path string) (*os.File, error) {
	if path == "" {
		return nil, nil
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // everybody may read it
}

// cleanUp removes what the journal of a run that was killed tells of.
func cleanUp(ctx context.Context, cfg config) error {
	j, err := readJournal(cfg.journalPath)
	if errors.Is(err, os.ErrNotExist) {
		_, err = fmt.Fprintf(cfg.out, "There is no %s, so nothing is left of a run in this directory.\n", cfg.journalPath)
		return err
	}
	if err != nil {
		return err
	}
	c, err := newCheck(cfg, j)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, cleanTime)
	defer cancel()
	if err := c.clean(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintln(cfg.out, "All is removed.")
	return err
}

// plan is what each tier does, in words for whoever decides.
var plan = map[tier]string{
	tierRead:   "look at what the portal answers to about ten calls that change nothing",
	tierWrite:  "make a hidden bot, one of the first generation, which people can find, and a chat with nobody else in it, and remove all of that",
	tierPerson: "make a hidden bot, send ten messages to whoever owns the webhook, ask you what they look like, and remove all of that",
	tierListen: "make two hidden bots, one of the first generation, which people can find, and a chat with them and whoever owns the webhook, ask for one message there, and remove all of that",
}

// confirm says what will happen, and asks when something is made.
func (c *check) confirm(ctx context.Context, makes bool) error {
	var b strings.Builder
	b.WriteString("This will\n")
	for _, t := range c.tiers {
		b.WriteString("  * " + plan[t] + "\n")
	}
	fmt.Fprintf(&b, "with at most %d calls, one a second.\n", mostCalls)
	if makes {
		fmt.Fprintf(&b, "Until all is removed, %s tells what is there, with the secret of the bots.\n", c.journalPath)
	}
	if _, err := io.WriteString(c.out, b.String()); err != nil {
		return err
	}
	if !makes || c.yes {
		return nil
	}
	answer, err := c.question(ctx, "Go on? (y/N) ")
	if err != nil {
		return err
	}
	if !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
		return errStopped
	}
	return nil
}

// question asks whoever runs this. After an interrupt there is no further question.
func (c *check) question(ctx context.Context, text string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c.out, text); err != nil {
		return "", err
	}
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() { // reading a terminal cannot be ended: after an interrupt this goes with the program
		line, err := c.in.ReadString('\n')
		answered <- answer{line, err}
	}()
	select {
	case a := <-answered:
		if a.err != nil && a.line == "" {
			return "", errors.New("there is nobody to answer; take -yes")
		}
		return strings.TrimSpace(a.line), nil
	case <-ctx.Done():
		return "", interrupted(ctx)
	}
}

// interrupted says in words that ctx was ended.
func interrupted(ctx context.Context) error { return fmt.Errorf("interrupted: %w", ctx.Err()) }
