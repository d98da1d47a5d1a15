package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/phpform"
)

// events measures message events as a form and as JSON, each beside the parser that
// everybody has.
func events(out io.Writer) {
	form := must(os.ReadFile("../testdata/events/messageadd_private.form"))
	token := imbot.ApplicationToken(must(url.ParseQuery(string(form))).Get("auth[application_token]"))
	query := string(form)
	compare(out, fmt.Sprintf("A message event as a form of %d bytes", len(form)), []contender{
		{"url.ParseQuery", func(context.Context) error { _, err := url.ParseQuery(query); return err }},
		{"the form parser alone", func(context.Context) error { _, err := phpform.Parse(form); return err }},
		{"imbot.ParseEvent: read, decode, verify", parseEvent("application/x-www-form-urlencoded", form, token)},
	})

	object := must(os.ReadFile("../testdata/events/messageadd_private.json"))
	compare(out, fmt.Sprintf("A message event as JSON of %d bytes", len(object)), []contender{
		{"encoding/json into a struct with the same fields", func(context.Context) error {
			var ev typedEvent
			err := json.Unmarshal(object, &ev)
			if err == nil && ev.Data.Params.MessageID == 0 {
				err = errors.New("no message")
			}
			return err
		}},
		{"the JSON parser alone", func(context.Context) error { _, err := phpform.ParseJSON(object); return err }},
		{"imbot.ParseEvent: read, decode, verify", parseEvent("application/json", object, token)},
	})
}

// parseEvent reads the same request again and again.
func parseEvent(contentType string, body []byte, v imbot.Verifier) func(context.Context) error {
	r := must(http.NewRequestWithContext(context.Background(), http.MethodPost, "https://bot.example.com/events", http.NoBody))
	r.Header.Set("Content-Type", contentType)
	r.ContentLength = int64(len(body))
	reader := bytes.NewReader(nil)
	r.Body = io.NopCloser(reader)
	return func(context.Context) error {
		reader.Reset(body)
		ev, err := imbot.ParseEvent(r, v)
		if err == nil && ev.(*imbot.MessageAddEvent).Params.MessageID == 0 {
			err = errors.New("no message")
		}
		return err
	}
}

// compare prints the medians of ten rounds, taken in turns.
func compare(out io.Writer, title string, list []contender) {
	const rounds = 10
	results := make([][]testing.BenchmarkResult, len(list))
	for range rounds {
		for i, c := range list {
			results[i] = append(results[i], bench(c.send))
		}
	}
	fmt.Fprintf(out, "\n### %s\n\n| | time | × | bytes | allocations |\n|---|--:|--:|--:|--:|\n", title)
	median := func(of []testing.BenchmarkResult) float64 {
		slices.SortFunc(of, func(a, b testing.BenchmarkResult) int { return cmp.Compare(a.NsPerOp(), b.NsPerOp()) })
		return float64(of[rounds/2-1].NsPerOp()+of[rounds/2].NsPerOp()) / 2
	}
	for i, c := range list {
		time := median(results[i])
		fmt.Fprintf(out, "| %s | %.1f µs | %.2f | %d | %d |\n",
			c.name, time/1e3, time/median(results[0]), results[i][0].AllocedBytesPerOp(), results[i][0].AllocsPerOp())
	}
}
