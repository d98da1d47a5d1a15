package main

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imbot-go/imbot"
)

// What a process says about a message.
const (
	begun    = "begun"
	answered = "answered"
)

// A work is a callback of a process, from its beginning to its answer.
type work struct {
	process    int
	message    imbot.ID
	begun, end time.Duration // since the demo began
	cut        bool          // its process was killed
}

// A journal is what the processes have said.
type journal struct {
	since time.Time

	mu       sync.Mutex
	works    []work
	open     map[[2]int64]int // in works, by process and message
	answered map[imbot.ID]bool
	watchers []watcher
}

// watcher waits for a number of answers.
type watcher struct {
	answers int
	reached chan struct{}
}

func newJournal() *journal {
	return &journal{since: time.Now(), open: map[[2]int64]int{}, answered: map[imbot.ID]bool{}}
}

// after returns a channel that is closed when so many messages are answered.
func (j *journal) after(answers int) <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	w := watcher{answers, make(chan struct{})}
	j.watchers = append(j.watchers, w)
	j.wake()
	return w.reached
}

func (j *journal) wake() {
	left := j.watchers[:0]
	for _, w := range j.watchers {
		if len(j.answered) >= w.answers {
			close(w.reached)
			continue
		}
		left = append(left, w)
	}
	j.watchers = left
}

// read reads what a process says until it has ended.
func (j *journal) read(process int, from io.Reader) {
	for lines := bufio.NewScanner(from); lines.Scan(); {
		what, number, _ := strings.Cut(lines.Text(), " ")
		if id, err := strconv.ParseInt(number, 10, 64); err == nil {
			j.note(process, what, imbot.ID(id))
		}
	}
}

func (j *journal) note(process int, what string, message imbot.ID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	key, now := [2]int64{int64(process), int64(message)}, time.Since(j.since)
	switch what {
	case begun:
		j.open[key] = len(j.works)
		j.works = append(j.works, work{process: process, message: message, begun: now})
	case answered:
		if i, ok := j.open[key]; ok {
			delete(j.open, key)
			j.works[i].end = now
			j.answered[message] = true
			j.wake()
		}
	}
}

// cut notes that a process was killed, and returns the messages that it had begun.
func (j *journal) cut(process int, at time.Duration) (held []imbot.ID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for key, i := range j.open {
		if key[0] == int64(process) {
			j.works[i].end, j.works[i].cut = at, true
			held = append(held, j.works[i].message)
			delete(j.open, key)
		}
	}
	return held
}

// busiest returns the process that has most messages in its hands.
func (j *journal) busiest() (process int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var open [processes]int
	for key := range j.open {
		if open[key[0]]++; open[key[0]] > open[process] {
			process = int(key[0])
		}
	}
	return process
}

// done returns what has ended.
func (j *journal) done() []work {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(j.works), func(w work) bool { return w.end == 0 })
}
