package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
)

// person is one receiver.
type person struct {
	id   imbot.ID
	name string // as people typed it
}

// greeting is the message. A name must not become BB code, so it is escaped;
// "$result[…]" in one is no concern here, the client sends such texts outside of
// batches.
func greeting(p person) imbot.MessageAddRequest {
	return imbot.MessageAddRequest{
		DialogID: imbot.UserDialog(p.id),
		Message:  "Hello, " + bbcode.Bold(bbcode.Escape(p.name)) + "! The canteen is closed on Friday.",
	}
}

// A journal says what became of each receiver. A line is written before a
// message may be sent and another one when its outcome is known, straight to
// the file: they survive the death of the program. (To survive the death of the
// machine, too, it would have to Sync after each line.)
type journal struct {
	file  *os.File
	state map[imbot.ID]string
}

// The states of the journal; a code of the portal is another one.
const (
	trying = "trying" // with nothing after it: in doubt
	notRun = "not-run"
	sent   = "sent"
)

func openJournal(path string) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{file: file, state: map[imbot.ID]string{}}
	if err := j.read(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

// read reads the lines. A last one without its end was being written when the
// program died, and nobody may take its half for a whole: it is cut off.
func (j *journal) read() error {
	lines, whole := bufio.NewReader(j.file), int64(0)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			if err := j.file.Truncate(whole); err != nil {
				return err
			}
			_, err = j.file.Seek(whole, io.SeekStart)
			return err
		}
		if err != nil {
			return err
		}
		whole += int64(len(line))
		user, state, _ := strings.Cut(strings.TrimSpace(line), " ")
		if id, err := strconv.ParseInt(user, 10, 64); err == nil && state != "" {
			j.state[imbot.ID(id)] = state
		}
	}
}

func (j *journal) note(user imbot.ID, state string) error {
	j.state[user] = state
	_, err := fmt.Fprintf(j.file, "%d %s\n", user, state)
	return err
}

// result is what a broadcast has done.
type result struct {
	sent, before, failed int
	doubtful             []imbot.ID // may have got it or not: somebody has to look
}

// open reports whether a person may still get the message.
func (j *journal) open(p person) bool {
	state := j.state[p.id]
	return state == "" || state == notRun
}

// broadcast sends the message to everybody who is open in the journal, and calls next after each.
func broadcast(ctx context.Context, client *imbot.Client, people []person, j *journal, next func()) (result, error) {
	var (
		res  result
		open []person // being sent, in order
		bad  error
	)
	requests := func(yield func(imbot.MessageAddRequest) bool) {
		for _, p := range people {
			if !j.open(p) {
				res.before++
				continue
			}
			if bad = j.note(p.id, trying); bad != nil {
				return
			}
			open = append(open, p)
			if !yield(greeting(p)) {
				return
			}
		}
	}
	// DoAll is never more than one batch ahead, so no more than fifty are in
	// doubt when the program dies.
	for _, err := range imbot.DoAll(ctx, client, iter.Seq[imbot.MessageAddRequest](requests)) {
		p := open[0]
		open = open[1:]
		next()
		state := outcome(err)
		switch state {
		case sent:
			res.sent++
		case trying: // stays so
			continue
		default:
			res.failed++
		}
		if err := j.note(p.id, state); err != nil {
			return res, err
		}
		if state == notRun {
			return res, err // the next run goes on from here
		}
	}
	for _, p := range people {
		if j.state[p.id] == trying {
			res.doubtful = append(res.doubtful, p.id)
		}
	}
	return res, bad
}

// outcome is the state for the journal.
func outcome(err error) string {
	var e *imbot.Error
	switch {
	case err == nil:
		return sent
	case errors.Is(err, imbot.ErrOutcomeUnknown):
		return trying
	case errors.Is(err, imbot.ErrNotRun), errors.Is(err, imbot.ErrQueryLimitExceeded), errors.Is(err, imbot.ErrOperationTimeLimit):
		return notRun
	case errors.As(err, &e) && e.Code != "":
		return strings.ReplaceAll(string(e.Code), " ", "_")
	}
	return "failed"
}

// readPeople reads lines of user id, tab, name.
func readPeople(path string) ([]person, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var people []person
	for line := range strings.Lines(string(data)) {
		id, name, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
		n, err := strconv.ParseInt(id, 10, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("%s: a line is not a user id, a tab and a name: %q", path, line)
		}
		people = append(people, person{imbot.ID(n), name})
	}
	return people, nil
}
