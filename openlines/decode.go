package openlines

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// fields reads the members of an object. Numbers may be texts, an empty map may be a list, and what
// is missing is zero.
type fields struct{ imbot.RawEvent }

var errNoID = errors.New("the result holds no id")

func object(data []byte) (fields, error) {
	if len(data) == 0 || data[0] != '{' {
		return fields{}, errors.New("the result is no object")
	}
	var raw imbot.RawEvent
	err := json.Unmarshal(data, &raw)
	return fields{raw}, err
}

func (f fields) id(name string) imbot.ID { return idOf(f.Get(name)) }

// time reads RFC 3339.
func (f fields) time(name string) time.Time {
	t, _ := time.Parse(time.RFC3339, f.Get(name)) // zero when it is none
	return t
}

func (f fields) flag(name string) imbot.Flag {
	switch strings.ToLower(f.Get(name)) {
	case "y", "true", "1":
		return imbot.Yes
	case "n", "false", "0":
		return imbot.No
	}
	return ""
}

// ids reads a list of ids; zeros are left out.
func (f fields) ids(name string) []imbot.ID {
	var ids []imbot.ID
	for _, key := range f.Keys(name) {
		if id := idOf(f.Get(name, key)); id != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

func idOf(s string) imbot.ID {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return imbot.ID(n)
}

// objects reads each member of a list, or of a map by its values, in the order of their ids. Each is
// an object of its own, because a list of all lines or messages may have more keys than a RawEvent
// takes.
func objects(data []byte, id string) ([]fields, error) {
	var members []json.RawMessage
	switch data = bytes.TrimSpace(data); {
	case len(data) > 0 && data[0] == '{':
		var byName map[string]json.RawMessage
		if err := json.Unmarshal(data, &byName); err != nil {
			return nil, err
		}
		for _, member := range byName {
			members = append(members, member)
		}
	case len(data) > 0 && data[0] == '[':
		if err := json.Unmarshal(data, &members); err != nil {
			return nil, err
		}
	default:
		return nil, errors.New("the result is no list")
	}
	all := make([]fields, 0, len(members))
	for _, member := range members {
		f, err := object(member)
		if err != nil {
			return nil, err
		}
		if f.id(id) == 0 {
			return nil, errNoID
		}
		all = append(all, f)
	}
	slices.SortStableFunc(all, func(a, b fields) int { return cmp.Compare(a.id(id), b.id(id)) })
	return all, nil
}
