package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/imbot-go/imbot"
)

// A journal is a file that tells what a run was about to make, so that it can be removed after a kill.
// It holds the secret of the bots, which this program made up, and nothing that the portal has said but
// numbers.
type journal struct {
	Secret  string
	Portal  string // a fingerprint, so that another portal is not taken for the one without bots
	entries []entry
	path    string // "": nothing is made, so nothing is written
	old     bool   // of a run that was killed: what it names may be gone
	file    *os.File
}

// entry is something that is about to be made, or with its id, that was made.
type entry struct {
	Kind   string         `json:"kind"`
	Code   string         `json:"code,omitempty"`
	Bot    imbot.ID       `json:"bot,omitempty"`
	Dialog imbot.DialogID `json:"dialog,omitempty"`
	Person imbot.ID       `json:"person,omitempty"`
}

// The kinds of entries.
const (
	kindBot    = "bot"
	kindBotV1  = "bot of the first generation"
	kindChat   = "chat"
	kindDialog = "dialog with a person"
	kindGuest  = "a person in a chat"
)

// head is the first line.
type head struct {
	Secret string `json:"secret"`
	Portal string `json:"portal"`
}

// fingerprint tells portals apart for whoever has the journal, and names none.
func fingerprint(secret, portal string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(portal))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// create makes the file. One that is there belongs to another run.
func (j *journal) create(path, portal string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there: another livecheck runs, or one was killed. Run it with -clean, or this one with another -journal", path)
	}
	if err != nil {
		return err
	}
	j.path, j.file = path, file
	return j.line(head{j.Secret, fingerprint(j.Secret, portal)})
}

// write tells of an entry. It returns when the disk has it.
func (j *journal) write(e entry) error {
	j.entries = append(j.entries, e)
	return j.line(e)
}

func (j *journal) line(v any) error {
	if j.file == nil {
		return errors.New("there is no journal")
	}
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

// remove ends a journal of which nothing is left on the portal.
func (j *journal) remove() error {
	if j.path == "" {
		return nil
	}
	if j.file != nil {
		_ = j.file.Close() // it goes away
	}
	return os.Remove(j.path)
}

// seen reports whether a person reads what is written in a dialog.
func (j *journal) seen(dialog imbot.DialogID) bool {
	_, private := dialog.UserID()
	return private || j.guest(dialog) != 0
}

// guest is the person who is in a chat, or may be; 0: nobody. -clean may have the webhook of somebody else.
func (j *journal) guest(dialog imbot.DialogID) imbot.ID {
	for _, e := range j.entries {
		if e.Kind == kindGuest && e.Dialog == dialog {
			return e.Person
		}
	}
	return 0
}

// readJournal reads the file of a run that was killed. A last line that was cut off was never acted on.
func readJournal(path string) (*journal, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	j := &journal{path: path, old: true}
	lines := bufio.NewScanner(strings.NewReader(string(data)))
	for n := 0; lines.Scan(); n++ {
		if n == 0 {
			var h head
			if err := json.Unmarshal(lines.Bytes(), &h); err != nil || h.Secret == "" {
				return nil, fmt.Errorf("%s is no journal of livecheck", path)
			}
			j.Secret, j.Portal = h.Secret, h.Portal
			continue
		}
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			j.entries = append(j.entries, e)
		}
	}
	if j.Secret == "" { // killed before the first line
		return nil, fmt.Errorf("%s is empty: nothing was made. Delete it", path)
	}
	return j, nil
}
