package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// names are what people type.
var names = []string{"Anna", "O'Neil & sons", "[b]Bob[/b]", "100% Émile", "Ольга", "a=b;c+d", "[USER=1]boss[/USER]", "🙂"}

// demo broadcasts to n people on a portal in memory, with a kill in the middle.
func demo(ctx context.Context, out io.Writer, n int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "broadcast")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	portal := imbottest.NewPortal(imbottest.WithRateLimit(200, 50))
	defer portal.Close()
	hook := portal.Webhook("a-long-random-client-id")
	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		return err
	}
	portal.Serve("https://bot.example.com/events", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})) // nobody reads them
	bot, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code: "news", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "News"},
	})
	if err != nil {
		return err
	}
	people := make([]person, n)
	var list strings.Builder
	for i := range people {
		name := names[i%len(names)]
		if i%1000 == 7 {
			name = "$result[c0]"
		}
		people[i] = person{portal.AddUser(name, ""), name}
		fmt.Fprintf(&list, "%d\t%s\n", people[i].id, name)
	}
	peopleFile, journalFile := filepath.Join(dir, "people.tsv"), filepath.Join(dir, "journal")
	if err := os.WriteFile(peopleFile, []byte(list.String()), 0o600); err != nil {
		return err
	}

	server := &gate{portal: portal, dieAt: int64(n / 125)}
	stop, err := server.listen(ctx, &hook)
	if err != nil {
		return err
	}
	defer stop()
	for _, title := range []string{"first run", "second run"} {
		cmd, err := self(ctx, "-rate", "200", "-burst", "50", peopleFile, journalFile)
		if err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, "BITRIX24_WEBHOOK_URL="+hook.URL, "BITRIX24_CLIENT_ID="+hook.ClientID, "BITRIX24_BOT_ID="+bot.String())
		text, err := server.run(cmd)
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", title, err, text)
		}
		if text == "" {
			text = "killed\n"
			if isTerminal(os.Stderr) {
				fmt.Fprintln(os.Stderr) // for the bar, which nobody has ended
			}
		}
		fmt.Fprintf(out, "%s: %s", title, text)
	}
	return check(out, portal, bot, people)
}

// self is this program, to be started again.
func self(ctx context.Context, args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "BROADCAST_DEMO=1")
	return cmd, nil
}

// gate stands between the broadcast and the portal, and kills the first when
// the other has done its work but not answered yet.
type gate struct {
	portal   *imbottest.Portal
	requests atomic.Int64
	dieAt    int64
	process  atomic.Pointer[os.Process]
}

// listen makes hook lead to the gate.
func (g *gate) listen(ctx context.Context, hook *imbot.Webhook) (stop func(), err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(hook.URL)
	if err != nil {
		return nil, err
	}
	u.Scheme, u.Host = "http", listener.Addr().String()
	hook.URL = u.String()
	server := &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	return func() { _ = server.Close(); <-done }, nil
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.requests.Add(1) != g.dieAt {
		g.portal.ServeHTTP(w, r)
		return
	}
	g.portal.ServeHTTP(httptest.NewRecorder(), r)
	_ = g.process.Load().Kill()
	panic(http.ErrAbortHandler)
}

// run runs a command and returns what it has printed; nothing when it was killed.
func (g *gate) run(cmd *exec.Cmd) (string, error) {
	var text strings.Builder
	cmd.Stdout, cmd.Stderr = &text, os.Stderr // with the progress
	if err := cmd.Start(); err != nil {
		return "", err
	}
	g.process.Store(cmd.Process)
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		err = nil
	}
	return text.String(), err
}

// check counts what people got.
func check(out io.Writer, portal *imbottest.Portal, bot imbot.ID, people []person) error {
	var once, twice, wrong int
	for _, p := range people {
		got := portal.Messages(p.id, imbot.UserDialog(bot))
		switch {
		case len(got) == 1:
			once++
		case len(got) > 1:
			twice++
		}
		want := "Hello, " + p.name + "! The canteen is closed on Friday."
		if len(got) > 0 && strings.ReplaceAll(got[0].Plain(), "\u2060", "") != want {
			wrong++
		}
	}
	fmt.Fprintf(out, "of %d people %d got it once, %d twice, %d with another name than their own\n", len(people), once, twice, wrong)
	return portal.Err()
}
