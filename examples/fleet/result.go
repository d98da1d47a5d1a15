package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// A result is what people and processes have seen.
type result struct {
	settings
	processes int
	works     []work

	killed, restarted time.Duration
	held              []imbot.ID // messages that the killed process had begun

	answered, missing, twice, disordered int
}

// count counts the answers in the dialog of one person, who has written 1, 2 and so on.
func (r *result) count(dialog []imbottest.Message, bot imbot.ID) {
	times, last := map[int]int{}, 0
	for _, m := range dialog {
		if m.AuthorID != bot {
			continue
		}
		n, err := strconv.Atoi(strings.TrimPrefix(m.Plain(), "You wrote: "))
		if err != nil {
			continue
		}
		if times[n]++; times[n] > 1 {
			r.twice++
			continue
		}
		r.answered++
		if n < last {
			r.disordered++
		}
		last = n
	}
	r.missing += messages - len(times)
}

// again returns how many messages were begun more than once.
func (r *result) again() (n int) {
	times := map[imbot.ID]int{}
	for _, w := range r.works {
		if times[w.message]++; times[w.message] == 2 {
			n++
		}
	}
	return n
}

// takeOver is from the kill until the first and the last message that the killed process had begun was
// begun by another, or by its next life.
func (r *result) takeOver() (first, last time.Duration) {
	for _, message := range r.held {
		for _, w := range r.works { // the earliest comes first
			if w.message == message && w.begun > r.killed {
				d := w.begun - r.killed
				if last = max(last, d); first == 0 || d < first {
					first = d
				}
				break
			}
		}
	}
	return first, last
}

func (r *result) engine() string {
	if r.bolt {
		return "1 process on a file"
	}
	return fmt.Sprintf("%d processes on PostgreSQL", r.processes)
}

// print prints the result, which is an error when somebody has no answer.
func (r *result) print(out io.Writer) error {
	first, last := r.takeOver()
	var total time.Duration
	for _, w := range r.works {
		total = max(total, w.end)
	}
	fmt.Fprintf(out, "%d people wrote %d messages to a bot of %s; one was killed after %.2f s, with %d in its hands\n",
		r.people, r.people*messages, r.engine(), r.killed.Seconds(), len(r.held))
	fmt.Fprintf(out, "answered      %d in %.2f s\n", r.answered, total.Seconds())
	fmt.Fprintf(out, "missing       %d\n", r.missing)
	fmt.Fprintf(out, "twice         %d (%d were begun twice)\n", r.twice, r.again())
	fmt.Fprintf(out, "out of order  %d\n", r.disordered)
	fmt.Fprintf(out, "take-over     after %d ms the first, after %d ms the last of the %d\n", first.Milliseconds(), last.Milliseconds(), len(r.held))
	if r.missing > 0 {
		return errors.New("somebody got no answer")
	}
	return nil
}
