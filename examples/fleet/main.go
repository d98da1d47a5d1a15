// Fleet is a bot of three processes behind a balancer, on a portal in memory: 300 people write, one
// process is killed with SIGKILL behind the 100th answer and started again, and everybody is answered
// once, in order. It prints what it saw, and -picture draws it.
//
// It keeps events in PostgreSQL: the server that -postgres names, or one of its own in a temporary
// directory. Where there is none it is one process, on a file of imbotbolt.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	start := demo
	if os.Getenv("BOT_ADDRESS") != "" {
		start = func(ctx context.Context, out io.Writer, _ settings) error { return bot(ctx, out) }
	}
	var s settings
	flag.StringVar(&s.postgres, "postgres", os.Getenv("FLEET_POSTGRES"), "`DSN` of a server; default: one of its own")
	flag.BoolVar(&s.bolt, "bolt", false, "one process on a file, also where PostgreSQL is")
	flag.IntVar(&s.people, "people", 300, "`n` people who write")
	flag.StringVar(&s.picture, "picture", "", "`file` for an SVG of what happened")
	flag.Parse()
	if err := start(ctx, os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// settings say what the demo does.
type settings struct {
	postgres string // DSN; "": it starts a server
	bolt     bool   // no PostgreSQL
	people   int
	picture  string // file; "": none
}

const (
	messages  = 2                     // of each person
	pause     = 7 * time.Millisecond  // from one person's first message to the next one's
	thinking  = 60 * time.Millisecond // of the bot about an answer, at most
	processes = 3
	workers   = 8   // callbacks at a time, of each process
	rate      = 200 // requests a second that the portal allows, from all processes
	burst     = 50
)

// killAt is behind which answer the process is killed: the hundredth, of fewer people a third.
func (s settings) killAt() int { return min(100, max(s.people*messages/3, 1)) }
