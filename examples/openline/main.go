// Openline is a bot at the front desk of an open line: it greets guests, answers what it
// can, asks who wants an operator for a name, makes a lead in the CRM, and hands over.
//
// Without any setting it talks to a portal in memory, and the conversation of a guest is
// printed. With BITRIX24_WEBHOOK_URL, BITRIX24_CLIENT_ID, BOT_EVENT_URL and
// BITRIX24_LINE_ID it registers at a real portal,
// listens on BOT_ADDR (default :8080), remembers in BOT_STATES (default states) and runs until
// it is interrupted. With -v2 it is a bot of the second generation. The webhook needs the scopes imbot, imopenlines and crm.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	v2 := flag.Bool("v2", false, "a bot of the second generation")
	flag.Parse()
	run := demo
	if os.Getenv("BITRIX24_WEBHOOK_URL") != "" {
		run = serve
	}
	if err := run(ctx, os.Stdout, *v2); err != nil {
		fmt.Fprintln(os.Stderr, "openline:", err)
		os.Exit(1)
	}
}

// A front is the handler of either generation.
type front interface {
	http.Handler
	imbot.Shutdowner
	Idle(ctx context.Context) error
}

func open(ctx context.Context, v2 bool, hook imbot.Webhook, url string, line imbot.ID, dir string, opts ...imbot.Option) (front, error) {
	if v2 {
		return newDeskV2(ctx, hook, url, line, dir, opts...)
	}
	return newDesk(ctx, hook, url, line, dir, opts...)
}

// serve runs the bot on a real portal.
func serve(ctx context.Context, out io.Writer, v2 bool) error {
	hook := imbot.Webhook{URL: os.Getenv("BITRIX24_WEBHOOK_URL"), ClientID: os.Getenv("BITRIX24_CLIENT_ID")}
	url, addr := os.Getenv("BOT_EVENT_URL"), cmp.Or(os.Getenv("BOT_ADDR"), ":8080")
	line, _ := strconv.ParseInt(os.Getenv("BITRIX24_LINE_ID"), 10, 64)
	if hook.ClientID == "" || url == "" || line == 0 {
		return errors.New("BITRIX24_CLIENT_ID, BOT_EVENT_URL and BITRIX24_LINE_ID, a number, must be set, too")
	}
	bot, err := open(ctx, v2, hook, url, imbot.ID(line), cmp.Or(os.Getenv("BOT_STATES"), "states"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "listens on %s; interrupt to stop\n", addr)
	return imbot.Server{Addr: addr, Handler: bot}.Run(ctx)
}

// demo runs the bot on a portal in memory, and lets a guest come, who ends up with an operator.
func demo(ctx context.Context, out io.Writer, v2 bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "openline") // of mode 0700, which the states want
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	o, err := newOffice(ctx, dir, v2)
	if err != nil {
		return err
	}
	defer o.portal.Close()
	guest, chat, err := o.portal.Visit(ctx, o.line, "Guest")
	if err != nil {
		return err
	}
	dialog := imbot.ChatDialog(chat)
	for _, text := range []string{"Do you sell tea?", hours, operator, "Nadia"} {
		if err := errors.Join(o.settle(ctx), o.say(ctx, guest, dialog, text)); err != nil {
			return err
		}
	}
	if err := errors.Join(o.settle(ctx), o.say(ctx, o.olga, dialog, "Good morning, Nadia. Olga here."), o.bot.Shutdown(ctx)); err != nil {
		return err
	}
	for _, m := range o.portal.Messages(guest, dialog) {
		fmt.Fprintf(out, "%-11s  %s\n", o.portal.Name(m.AuthorID), m.Plain())
	}
	_, err = fmt.Fprintf(out, "The CRM has a lead of %s.\n", strings.Join(o.leads, ", "))
	return errors.Join(err, o.portal.Err())
}

// An office is a portal in memory with an open line, an operator, a CRM and the bot.
type office struct {
	portal     *imbottest.Portal
	line, olga imbot.ID
	bot        front
	v2         bool
	leads      []string // names
}

func newOffice(ctx context.Context, dir string, v2 bool) (*office, error) {
	o := &office{portal: imbottest.NewPortal(), v2: v2}
	o.olga = o.portal.AddUser("Olga", "Orlova")
	o.line = o.portal.AddLine("Shop", o.olga)
	o.portal.Handle("crm.lead.add", func(_ context.Context, params map[string]any) (any, error) {
		fields, _ := params["FIELDS"].(map[string]any)
		o.leads = append(o.leads, fmt.Sprint(fields["NAME"])) // its only caller handles one guest at a time
		return len(o.leads), nil
	})
	return o, o.start(ctx, dir)
}

// start starts the bot, in place of the one that runs.
func (o *office) start(ctx context.Context, dir string) (err error) {
	const url = "https://bot.example.com/events"
	if o.bot, err = open(ctx, o.v2, o.portal.Webhook("a-long-random-client-id"), url, o.line, dir, imbot.WithHTTPClient(o.portal.HTTPClient())); err == nil {
		o.portal.Serve(url, o.bot)
	}
	return err
}

func (o *office) say(ctx context.Context, person imbot.ID, dialog imbot.DialogID, text string) error {
	_, err := o.portal.Say(ctx, person, dialog, text)
	return err
}

// settle waits until the bot has done all it was told to.
func (o *office) settle(ctx context.Context) error {
	return errors.Join(o.portal.Idle(ctx), o.bot.Idle(ctx), o.portal.Err())
}
