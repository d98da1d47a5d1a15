package killtest

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// line is one of the journal, in the order in which they were written.
type line struct {
	what  string // start or end
	pid   int
	at    time.Time
	event event
	again bool
}

func read(t testing.TB, name string) []line {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		if os.IsNotExist(err) {
			return nil
		}
		t.Fatal(err)
	}
	var lines []line
	for row := range bytes.Lines(text) {
		if row[len(row)-1] != '\n' {
			break // it is being written
		}
		var l line
		var nanos int64
		var again int
		if _, err := fmt.Sscan(string(row), &l.what, &l.pid, &nanos, &l.event.dialog, &l.event.number, &again); err != nil {
			t.Fatalf("a line of the journal, %q: %v", row, err)
		}
		l.at, l.again = time.Unix(0, nanos), again != 0
		lines = append(lines, l)
	}
	return lines
}

// count says what became of the acknowledged events.
func count(t testing.TB, journal string, acknowledged map[event]bool, kills []kill) Result {
	t.Helper()
	return judge(read(t, journal), acknowledged, kills)
}

func judge(lines []line, acknowledged map[event]bool, kills []kill) Result {
	var r Result
	started, ended := map[event]int{}, map[event]bool{}
	last := map[event]int{} // where an event is found last
	dialogs := map[int][]event{}
	for i, l := range lines {
		if !acknowledged[l.event] {
			continue
		}
		last[l.event] = i
		if l.what == "end" {
			ended[l.event] = true
			continue
		}
		if started[l.event]++; started[l.event] == 1 {
			dialogs[l.event.dialog] = append(dialogs[l.event.dialog], l.event)
			continue
		}
		r.Twice++
		if !l.again {
			r.Silent++
		}
	}
	r.Lost = len(acknowledged) - len(ended)
	// What the events before one of the dialog are last found at is a maximum that grows.
	bound := map[event]int{}
	for _, events := range dialogs {
		slices.SortFunc(events, func(a, b event) int { return a.number - b.number })
		most := -1
		for _, e := range events {
			bound[e] = most
			most = max(most, last[e])
		}
	}
	for i, l := range lines {
		if l.what == "start" && acknowledged[l.event] && bound[l.event] > i {
			r.OutOfOrder++
		}
	}
	for _, k := range kills {
		if after, known := takenOver(lines, k); known {
			r.TakeOver = append(r.TakeOver, after)
		}
	}
	slices.Sort(r.TakeOver)
	return r
}

// takenOver is how long after a kill another process has started an event of a dialog of which one
// ran in the killed one.
func takenOver(lines []line, k kill) (time.Duration, bool) {
	held := map[int]int{} // by dialog: how many run
	for _, l := range lines {
		switch {
		case l.pid != k.pid:
		case l.what == "start":
			held[l.event.dialog]++
		default:
			held[l.event.dialog]--
		}
	}
	for _, l := range lines {
		if l.pid != k.pid && l.what == "start" && l.at.After(k.at) && held[l.event.dialog] > 0 {
			return l.at.Sub(k.at), true
		}
	}
	return 0, false
}
