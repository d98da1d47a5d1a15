package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// showProgress returns what to call after each of so many people, and at the end.
func showProgress(to *os.File, people int) (next, end func()) {
	if people > 0 && isTerminal(to) {
		return bar(to, people), func() { fmt.Fprintln(to) }
	}
	return lines(to, people), func() {}
}

// isTerminal reports whether somebody watches, and no file or pipe.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func bar(to io.Writer, people int) func() {
	b := progressbar.NewOptions(people, progressbar.OptionSetWriter(to), progressbar.OptionShowCount(),
		progressbar.OptionSetDescription("sending"), progressbar.OptionThrottle(100*time.Millisecond))
	return func() { _ = b.Add(1) } // what cannot be shown is no reason to stop
}

// lines writes one every ten seconds.
func lines(to io.Writer, people int) func() {
	n, next := 0, time.Now().Add(10*time.Second)
	return func() {
		n++
		if now := time.Now(); !now.Before(next) {
			next = now.Add(10 * time.Second)
			fmt.Fprintf(to, "sending: %d of %d\n", n, people)
		}
	}
}
