// Metrics shows what a client does to its portal: an observer counts in expvar,
// which /debug/vars of any HTTP server shows.
//
// Without any setting it talks to a portal in memory that refuses now and then,
// and prints the counters.
//
// With OpenTelemetry, module otelimbot has the observer, which makes spans, too. Do not put
// otelhttp below a client instead: it exports url.full, and there is the webhook's secret in it.
package main

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// metrics are counters for one client. In a program of your own, Publish them.
type metrics struct {
	vars      *expvar.Map
	requests  *expvar.Map // by method
	errors    *expvar.Map // by code; "none" when the portal gave none
	operating *expvar.Map // seconds of its operating time that a method has used; of "batch": of the method in it that has used most
}

func newMetrics() *metrics {
	m := &metrics{new(expvar.Map).Init(), new(expvar.Map).Init(), new(expvar.Map).Init(), new(expvar.Map).Init()}
	m.vars.Set("requests", m.requests)
	m.vars.Set("errors", m.errors)
	m.vars.Set("operating_seconds", m.operating)
	for _, name := range []string{"repeats", "in_batches"} {
		m.vars.Add(name, 0)
	}
	for _, name := range []string{"seconds", "waited_seconds"} {
		m.vars.AddFloat(name, 0)
	}
	return m
}

// observe is called after each HTTP request.
func (m *metrics) observe(_ context.Context, c imbot.CallInfo) {
	m.requests.Add(c.Method, 1)
	m.vars.Add("in_batches", int64(c.Batch)) // calls; the batch itself is a request
	m.vars.AddFloat("seconds", c.Duration.Seconds())
	m.vars.AddFloat("waited_seconds", c.Waited.Seconds()) // for the limiter: the sign that the portal is too small
	if c.Attempt > 1 {
		m.vars.Add("repeats", 1)
	}
	if c.Operating > 0 {
		used := new(expvar.Float)
		used.Set(c.Operating.Seconds())
		m.operating.Set(c.Method, used)
	}
	if c.Err != nil {
		code := "none"
		var e *imbot.Error
		if errors.As(c.Err, &e) && e.Code != "" {
			code = string(e.Code)
		}
		m.errors.Add(code, 1)
	}
}

func main() {
	if err := demo(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "metrics:", err)
		os.Exit(1)
	}
}

// demo makes some calls on a portal in memory and prints the counters.
func demo(ctx context.Context, out io.Writer) error {
	portal := imbottest.NewPortal()
	defer portal.Close()
	m := newMetrics()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"),
		imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithObserver(m.observe),
		imbot.WithLimiter(imbot.NewLimiter(200, 50)), imbot.WithRetry(imbot.Retry{MinBackoff: time.Millisecond}))
	if err != nil {
		return err
	}
	bot, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code: "metrics", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "Metrics"},
	})
	if err != nil {
		return err
	}
	client = client.WithBot(bot)
	portal.Fail("imbot.chat.add", imbottest.Fault{Delay: 150 * time.Millisecond}) // what takes 0.1 s or less does not count
	chat, err := client.Chat.Add(ctx, imbot.ChatAddRequest{Title: "Numbers"})
	if err != nil {
		return err
	}

	portal.Fail("imbot.message.add", imbottest.Fault{Status: 503, Code: "QUERY_LIMIT_EXCEEDED"})
	if _, err := client.Message.Add(ctx, imbot.MessageAddRequest{DialogID: imbot.ChatDialog(chat), Message: "one"}); err != nil {
		return err
	}
	if _, err := client.Message.Add(ctx, imbot.MessageAddRequest{DialogID: "chat4711", Message: "nowhere"}); err == nil {
		return errors.New("a message to a chat that does not exist")
	}

	batch := imbot.NewBatch()
	for range 99 {
		imbot.Queue(batch, imbot.MessageAddRequest{DialogID: imbot.ChatDialog(chat), Message: "many"})
	}
	if err := client.DoBatch(ctx, batch); err != nil {
		return err
	}
	fmt.Fprintln(out, m.vars)
	return portal.Err()
}
