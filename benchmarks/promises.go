package main

import (
	"fmt"
	"io"
	"sync"
)

// A promise is a figure that has a limit.
type promise struct {
	what   string
	figure string
	limit  float64
	show   func(float64) string
	least  bool // the limit is the least, not the most
	beside bool // the earlier build counts as one
}

func seconds(v float64) string {
	switch {
	case v < 0.01:
		return fmt.Sprintf("%.1f ms", 1000*v)
	case v < 1:
		return fmt.Sprintf("%.0f ms", 1000*v)
	case v < 60:
		return fmt.Sprintf("%.0f s", v)
	}
	minutes, rest := int(v+0.5)/60, int(v+0.5)%60
	if rest == 0 {
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d min %d s", minutes, rest)
}

func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*min(1, v)) }
func times(v float64) string   { return fmt.Sprintf("%.2f ×", v) }
func count(v float64) string   { return fmt.Sprintf("%.0f", v) }
func kib(v float64) string     { return fmt.Sprintf("%.2f KiB", v/1024) }
func mib(v float64) string     { return fmt.Sprintf("%.1f MiB", v/(1<<20)) }

var list = []promise{
	{"an answer a second during a broadcast of 20,000, automatic batches: longest wait", "wait auto 1", 0.060, seconds, false, false},
	{"… 64 workers", "wait workers 1", 0.060, seconds, false, false},
	{"… `DoAll`, today with `Ahead(8)`", "wait ahead 1", 0.060, seconds, false, false},
	{"20 answers at once every 20 s, automatic batches: longest wait", "wait auto 20", 0.3, seconds, false, false},
	{"… 64 workers", "wait workers 20", 0.3, seconds, false, false},
	{"… `DoAll`", "wait ahead 20", 0.3, seconds, false, false},
	{"automatic batches meanwhile, of what the bucket allows: nobody writes", "share auto 0", 0.97, percent, true, false},
	{"… an answer in 10 s", "share auto 10", 0.92, percent, true, false},
	{"… an answer a second", "share auto 1", 0.90, percent, true, false},
	{"64 workers meanwhile, of what the bucket allows less a request for each answer", "requests workers 1", 0.95, percent, true, false},
	{"… `DoAll`", "requests ahead 1", 0.95, percent, true, false},
	{"`DoAll`, 50 ms a command, today with `Ahead(8)`: of what its class may use", "whole ahead 50ms", 0.98, percent, true, false},
	{"… messages after a later one of the same dialog", "disorder ahead 50ms", 0, count, false, false},
	{"… most memory for 300,000", "memory stream", 6 << 20, mib, false, false},
	{"automatic batches, commands that take no time: of what the class may use", "whole auto 0s", 0.99, percent, true, false},
	{"60 answers of 15 s at once, by `Stream`: time of an answer", "streams 60 0s times", 1.1, times, false, false},
	{"… a portal that takes 1 s for a request", "streams 60 1s times", 1.2, times, false, false},
	{"… requests of nothing but changes within a second", "streams 60 0s changes", 1, count, false, false},
	{"one answer of 15 s: requests", "streams 1 0s requests", 13, count, false, false},
	{"to render a text of 20,000 characters", "rendering", 0.002, seconds, false, false},
	{"a call in memory beside net/http, time", "memory imbot times", 1.2, times, false, false},
	{"… instructions", "instructions", 1.2, times, false, false},
	{"… allocations", "memory imbot allocations", 41, count, false, false},
	{"a call on loopback beside net/http, time", "loopback imbot times", 1.12, times, false, false},
	{"`ParseEvent` of 3.8 KB beside `url.ParseQuery`, time", "form ParseEvent times", 0.65, times, false, false},
	{"… allocations", "form ParseEvent allocations", 25, count, false, false},
	{"the form parser alone", "form alone times", 0.35, times, false, false},
	{"`ParseEvent` of JSON beside encoding/json into a struct, time", "json ParseEvent times", 0.4, times, false, false},
	{"memory: an event that waits", "memory event", 9 << 10, kib, false, false},
	{"… an idle client", "memory client", 0.6 * 1024, kib, false, false},
	{"… an OAuth portal that has called", "memory portal", 2 << 10, kib, false, false},
	{"1,000 portals × 10 events a second: CPU an event", "portals cpu", 0.7, times, false, true},
	{"… waiting for locks", "portals wait", 0.3, times, false, true},
	{"a stripped bot beside net/http", "size", 1.22, times, false, false},
}

// promises prints what was measured of the list.
func promises(out io.Writer, now, then *build) {
	head := sync.OnceFunc(func() {
		fmt.Fprintf(out, "\n### What must hold\n\n| what | %s | today | must | holds |\n|---|--:|--:|--:|---|\n", before)
	})
	for _, p := range list {
		value, ok := now.figure(p.figure)
		if !ok {
			continue
		}
		old, compared := then.figure(p.figure)
		if p.beside {
			if !compared || old == 0 {
				continue
			}
			value, old = value/old, 1
		}
		was, must, holds := "–", "≤ "+p.show(p.limit), "yes"
		if compared {
			was = p.show(old)
		}
		if p.least {
			must = "≥ " + p.show(p.limit)
		}
		if p.least && value < p.limit || !p.least && value > p.limit {
			holds = "**no**"
		}
		head()
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", p.what, was, p.show(value), must, holds)
	}
}

// streams prints how long answers of 15 s take that are shown while they are written.
func streams(out io.Writer, now, then *build) {
	if _, ok := now.figure("streams 1 0s seconds"); !ok {
		return
	}
	fmt.Fprintf(out, "\n### Answers of 15 s that are shown while they are written\n\n| people at once | %s: an edit a second | `Stream` | requests | portal takes 1 s: %s | `Stream` | requests |\n|--:|--:|--:|--:|--:|--:|--:|\n", before, before)
	for _, people := range []int{1, 5, 20, 60, 200} {
		fmt.Fprintf(out, "| %d |", people)
		for _, took := range []string{"0s", "1s"} {
			name := fmt.Sprintf("streams %d %s ", people, took)
			was := "–"
			if old, ok := then.figure(name + "seconds"); ok {
				was = seconds(old)
			}
			took, _ := now.figure(name + "seconds")
			requests, _ := now.figure(name + "requests")
			fmt.Fprintf(out, " %s | %.1f s | %.0f |", was, took, requests)
		}
		fmt.Fprintln(out)
	}
}

// peers prints what a call costs beside other packages.
func peers(out io.Writer, now *build) {
	for _, where := range []string{"loopback", "memory"} {
		if _, ok := now.figure(where + " bare ns"); !ok {
			continue
		}
		fmt.Fprintf(out, "\n### One call: %s\n\n| | time | × | bytes | allocations |\n|---|--:|--:|--:|--:|\n", where)
		for _, peer := range [][2]string{
			{"bare", "net/http + encoding/json, bounded by a context"},
			{"unbounded", "… without a bound"},
			{"timeout", "… with the Timeout of http.Client"},
			{"imbot", "imbot Message.Add, which bounds each attempt"},
			{"resty", "resty, with a Timeout"},
			{"slack", "slack-go/slack PostMessage, with a Timeout"},
			{"telego", "mymmrac/telego SendMessage, with a Timeout"},
		} {
			figure := func(of string) float64 { v, _ := now.figure(where + " " + peer[0] + " " + of); return v }
			fmt.Fprintf(out, "| %s | %.1f µs | %.2f | %.0f | %.0f |\n", peer[1], figure("ns")/1e3, figure("times"), figure("bytes"), figure("allocations"))
		}
	}
}
