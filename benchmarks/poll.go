package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// pollTime is how long each kind of polling is measured, after half a minute of its own.
const pollTime = time.Minute

// servesPortals is the argument of the process that is the portals.
const servesPortals = "serve-portals"

// polling measures what a process takes that polls a thousand idle bots. The portals are
// another process, each with an address of its own on loopback (Linux has all of
// 127.0.0.0/8), so connections count, TLS does not.
func polling(out io.Writer) {
	portals := exec.CommandContext(context.Background(), os.Args[0], servesPortals) //nolint:gosec // this program
	pipe := must(portals.StdoutPipe())
	portals.Stderr = os.Stderr
	if err := portals.Start(); err != nil {
		panic(err)
	}
	defer func() { _ = portals.Process.Kill(); _ = portals.Wait() }()
	port := strings.TrimSpace(must(bufio.NewReader(pipe).ReadString('\n')))
	root := func(i int) string { return fmt.Sprintf("http://127.1.%d.%d:%s/rest/", i/200, i%200+1, port) }
	h := func() *imbotv2.EventHandler { return &imbotv2.EventHandler{} }

	fmt.Fprintf(out, "\n### A thousand idle bots\n\n| | requests a second of one portal | memory above the start | CPU, of one core |\n|---|--:|--:|--:|\n")
	measurePolling(out, "on ten portals: `Poller`", 10, root, func(ctx context.Context) error {
		var clients []*imbotv2.Client
		for i := range 10 {
			c := must(imbotv2.NewClient(imbot.Webhook{URL: root(i) + "1/secret0/", BotToken: "token-of-the-bots"}))
			for bot := range 100 {
				clients = append(clients, c.WithBot(imbot.ID(bot+1)))
			}
		}
		return imbotv2.Poll(ctx, h(), clients...)
	})
	measurePolling(out, "one on each of a thousand portals: `PollApp`", 1000, root, func(ctx context.Context) error {
		app := &imbot.OAuthApp{ClientID: "local.1", ClientSecret: "secret", Store: imbot.NewMemoryStore()}
		for i := range 1000 {
			err := app.Store.Swap(ctx, imbot.Grant{}, imbot.Grant{
				MemberID: strconv.Itoa(i), ClientEndpoint: root(i), Domain: "127.0.0.1",
				AccessToken: fmt.Sprint("access-", i), RefreshToken: fmt.Sprint("refresh-", i), Expires: time.Now().Add(time.Hour).Truncate(time.Second),
			})
			if err != nil {
				return err
			}
		}
		return imbotv2.PollApp(ctx, app, h())
	})
}

func measurePolling(out io.Writer, name string, portals int, root func(int) string, poll func(context.Context) error) {
	runtime.GC()
	start := inUse()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- poll(ctx) }()
	time.Sleep(30 * time.Second)
	requests, cpu, began := served(root(0)), cpuTime(), time.Now()
	most := 0.0
	for time.Since(began) < pollTime {
		time.Sleep(100 * time.Millisecond)
		most = max(most, inUse())
	}
	took := time.Since(began).Seconds()
	cpu, requests = cpuTime()-cpu, served(root(0))-requests
	cancel()
	if err := <-done; err != nil {
		panic(err)
	}
	fmt.Fprintf(out, "| %s | %.2f | %.1f MiB | %.1f %% |\n", name, float64(requests)/took/float64(portals), (most-start)/(1<<20), 100*cpu.Seconds()/took)
}

// inUse is the memory that the program holds, what is not collected included.
func inUse() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// cpuTime is what the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// served asks the portals how many requests they have answered.
func served(root string) int {
	req := must(http.NewRequestWithContext(context.Background(), http.MethodGet, root+"served", nil))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return must(strconv.Atoi(string(must(io.ReadAll(resp.Body)))))
}

// servePortals answers for any number of portals whose bots are idle. It writes its port.
func servePortals() {
	ln := must(new(net.ListenConfig).Listen(context.Background(), "tcp", ":0")) // each portal has a loopback address of its own
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	var n atomic.Int64
	const page = `{"events":[],"nextOffset":0,"hasMore":false}`
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; strings.TrimSuffix(name, ".json") {
		case "served":
			_, _ = fmt.Fprint(w, n.Load())
			return
		case "batch":
			var params struct{ Cmd map[string]string }
			if err := json.NewDecoder(r.Body).Decode(&params); err != nil {
				panic(err)
			}
			results := map[string]json.RawMessage{}
			for name := range params.Cmd {
				results[name] = json.RawMessage(page)
			}
			_, _ = fmt.Fprintf(w, `{"result":{"result":%s,"result_error":[],"result_total":[],"result_next":[],"result_time":[]}}`, must(json.Marshal(results)))
		case "imbot.v2.Bot.list":
			_, _ = io.WriteString(w, `{"result":{"bots":[{"id":7,"code":"b","type":"bot","eventMode":"fetch"}],"users":[],"hasNextPage":false}}`)
		default:
			_, _ = io.WriteString(w, `{"result":`+page+`}`)
		}
		n.Add(1)
	})}
	panic(srv.Serve(ln))
}
