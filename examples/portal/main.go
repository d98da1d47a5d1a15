// Portal is a Bitrix24 on the laptop, for bots in any language: it serves the
// messenger and the REST endpoint on one address, prints a webhook URL that works
// with any client, and runs until it is interrupted. What goes wrong, calls and
// events, is printed on the standard error.
//
// Bots listen on this machine and write their handlers as http://127.0.0.1:PORT/…:
// like a real one, the portal refuses a host without a dot, such as localhost.
// Without a host in -addr only this machine reaches it; -addr 0.0.0.0:8060 lets
// everybody in the network act as anybody on the portal.
//
// Its ids begin anew at each start. A bot that keeps its events in a file or a database has to begin
// anew, too, or takes posted messages for those it has handled.
//
// With -tls the portal is reached by https://, on which two official SDKs insist. Its
// certificate is made at the start, and the authority that clients have to trust is
// printed. With -oauth there is an OAuth application, too, and what a client needs to act
// as it is printed: its secret, tokens, and the address of its authorization server.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "portal:", err)
		os.Exit(1)
	}
}

// settings are what the flags say.
type settings struct {
	addr   string
	users  [][2]string // first and last names
	plan   string
	faults float64
	seed   uint64
	tls    bool
	oauth  bool
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	set, err := parse(args, log)
	if err != nil {
		return err
	}
	var options []imbottest.Option
	if set.plan != "none" {
		options = append(options, imbottest.WithRateLimit(imbottest.Plan(set.plan).RateLimit()))
	}
	if set.seed != 0 {
		options = append(options, imbottest.WithSeed(set.seed))
	}
	portal := imbottest.NewPortal(options...)
	defer portal.Close()
	var app *application
	page := messenger.Handler(portal)
	if set.oauth {
		app = newApplication(portal)
		page = app.withInstallLink(page)
	}
	portal.Mount(page)
	for _, name := range set.users {
		portal.AddUser(name[0], name[1])
	}
	if set.faults > 0 {
		portal.Chaos(set.faults)
		fmt.Fprintf(out, "faults      about %g %% of all calls and events; the same again with -seed %d\n", set.faults*100, portal.Seed())
	}
	quiet := portal.Changed() // nobody has called yet
	var config *tls.Config
	var authority []byte
	if set.tls {
		host, _, _, err := where(set.addr)
		if err != nil {
			return err
		}
		if config, authority, err = certificate(host); err != nil {
			return err
		}
	}
	origin, stop, err := listen(ctx, portal, set.addr, config)
	if err != nil {
		return err
	}
	defer stop()
	if origin+"/rest/" != portal.Endpoint() {
		fmt.Fprintln(out, "open        to every machine that reaches the address: whoever comes acts as anybody")
	}
	explain(out, portal, origin, authority)
	if set.oauth {
		if err := app.explain(ctx, out, origin); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\nInterrupt to stop.")

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { report(ctx, log, portal, quiet) })
	<-ctx.Done()
	return nil
}

func parse(args []string, log io.Writer) (settings, error) {
	var set settings
	flags := flag.NewFlagSet("portal", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.StringVar(&set.addr, "addr", "127.0.0.1:8060", "`host:port` to listen on; without a host, 127.0.0.1; port 0 is a free one")
	users := flags.String("users", "Anna Ivanova,Boris Petrov", "people beside the administrator: `names` with commas between them, or how many")
	flags.StringVar(&set.plan, "plan", "none", "rate limit of a `plan`: basic (2 calls a second after 50), enterprise (5 after 250), or none")
	flags.Float64Var(&set.faults, "faults", 0, "`share` of the calls and events that go wrong, from 0 to 1: refused, cut, late, twice, lost …")
	flags.Uint64Var(&set.seed, "seed", 0, "`number` that repeats the faults of an earlier run; 0 draws one")
	flags.BoolVar(&set.tls, "tls", false, "serve https://, with a certificate made now; its authority is printed")
	flags.BoolVar(&set.oauth, "oauth", false, "add an OAuth application with its authorization server; what a client needs of them is printed")
	if err := flags.Parse(args); err != nil {
		return set, err
	}
	switch {
	case flags.NArg() > 0:
		return set, fmt.Errorf("what is %q? See -help", flags.Arg(0))
	case set.plan != "none" && set.plan != string(imbottest.PlanBasic) && set.plan != string(imbottest.PlanEnterprise):
		return set, fmt.Errorf("there is no plan %q: none, basic or enterprise", set.plan)
	case !(set.faults >= 0 && set.faults <= 1):
		return set, fmt.Errorf("-faults is a share from 0 to 1, not %g", set.faults)
	}
	if _, _, isOpen, err := where(set.addr); err == nil && isOpen && set.oauth {
		return set, fmt.Errorf("-oauth is for clients on this machine, because tokens name its address: leave the host out of -addr")
	}
	var err error
	set.users, err = people(*users)
	return set, err
}

// people reads the names of -users.
func people(text string) (names [][2]string, err error) {
	const most = 1000
	n, err := strconv.Atoi(strings.TrimSpace(text))
	switch {
	case err == nil && (n < 0 || n > most), errors.Is(err, strconv.ErrRange):
		return nil, fmt.Errorf("-users is from 0 to %d", most)
	case err == nil:
		for i := range n {
			names = append(names, [2]string{"Person", strconv.Itoa(i + 1)})
		}
		return names, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		if first, last, _ := strings.Cut(strings.TrimSpace(name), " "); first != "" {
			names = append(names, [2]string{first, last})
		}
	}
	return names, nil
}

// explain prints what somebody needs who has never seen this.
func explain(out io.Writer, portal *imbottest.Portal, origin string, authority []byte) {
	_, secret, _ := strings.Cut(portal.Webhook("any").URL, "/rest/")
	hook, trust := origin+"/rest/"+secret, ""
	if authority != nil {
		trust = " --cacert authority.pem"
		fmt.Fprintf(out, "authority   keep these lines as authority.pem; NODE_EXTRA_CA_CERTS, SSL_CERT_FILE and their like name it to clients\n%s\n", authority)
	}
	fmt.Fprintf(out, `messenger   %[1]s/
webhook     %[2]s

A bot in any language registers like this, with the address where it listens
(127.0.0.1, not localhost: a portal refuses a host without a dot) …

  curl %[2]simbot.register -d CLIENT_ID=my-bot-secret -d CODE=my_bot -d 'PROPERTIES[NAME]=My bot' -d EVENT_HANDLER=http://127.0.0.1:9000/%[3]s

… and writes to a person, here the administrator, like this:

  curl %[2]simbot.message.add -d CLIENT_ID=my-bot-secret -d DIALOG_ID=1 -d 'MESSAGE=[B]Hello![/B]'%[3]s

One of the second generation needs no address: it asks for its events, with the id of the bot from the first answer.

  curl %[2]simbot.v2.Bot.register -d 'fields[botToken]=my-token' -d 'fields[code]=my_v2_bot' -d 'fields[properties][name]=My second bot'%[3]s
  curl %[2]simbot.v2.Event.get -d botToken=my-token -d botId=ID%[3]s
`, origin, hook, trust)
}
