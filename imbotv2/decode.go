package imbotv2

import (
	"cmp"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/phpform"
)

// The one decoder: what a portal answers and what it tells in events, fetched or posted, is
// read by the field that wants it. Numbers may be texts, an empty object may be a list, false,
// "0", "" and null are no date, and what is missing is zero (livecheck: text-field-enabled,
// uuidmap-empty, chat-nulls, user-shapes, context-user).

// fields reads the members of an object.
type fields struct{ imbot.RawEvent }

func (f fields) sub(path ...string) fields         { return fields{f.At(path...)} }
func (f fields) text(name string) string           { return f.Get(name) }
func (f fields) id(name string) imbot.ID           { return idOf(f.Get(name)) }
func (f fields) num(name string) int               { return int(idOf(f.Get(name))) }
func (f fields) flag(name string) imbot.Flag       { return flagOf(f.Get(name)) }
func (f fields) time(name string) time.Time        { return timeOf(f.Get(name)) }
func (f fields) fileURL(name string) imbot.FileURL { return imbot.FileURL(f.Get(name)) }
func (f fields) dialog(name string) imbot.DialogID { return imbot.DialogID(f.Get(name)) }

// phrase reads a text for which PHP has false: "0" is none.
func (f fields) phrase(name string) string {
	if s := f.Get(name); s != "0" {
		return s
	}
	return ""
}

func idOf(s string) imbot.ID {
	if s == "" { // as most, and an error takes longer than a number
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return imbot.ID(n)
}

func flagOf(s string) imbot.Flag {
	switch strings.ToLower(s) {
	case "y", "true", "1":
		return imbot.Yes
	case "n", "false", "0":
		return imbot.No
	}
	return ""
}

func timeOf(s string) time.Time {
	if len(s) < len("2006-01-02T15:04:05Z") { // as most, and an error takes longer than a time
		return time.Time{}
	}
	t, _ := time.Parse(time.RFC3339, s) // zero when it is none
	return t
}

// auth reads an authorization block of an event.
func (f fields) auth() imbot.EventAuth {
	var expires time.Time
	if s := f.id("expires"); s > 0 && s < 253370764800 { // JSON has no later year than 9999
		expires = time.Unix(int64(s), 0)
	}
	return imbot.EventAuth{
		AccessToken: f.text("access_token"), RefreshToken: f.text("refresh_token"),
		ApplicationToken: f.text("application_token"), ClientID: f.text("client_id"),
		UserID: f.id("user_id"), Expires: expires, Scope: f.text("scope"), Status: f.text("status"),
		Domain: f.text("domain"), MemberID: f.text("member_id"),
		ClientEndpoint: f.text("client_endpoint"), ServerEndpoint: f.text("server_endpoint"),
	}
}

// list reads each member of a list; a map is read by its values, and null has none (livecheck: empty-list).
func list[T any](f fields, read func(fields) T) []T {
	keys := f.Keys()
	if len(keys) == 0 {
		return nil
	}
	all := make([]T, 0, len(keys))
	for _, key := range keys {
		all = append(all, read(f.sub(key)))
	}
	return all
}

// listOf reads each element of a list by itself: the limit of 10,000 keys is one of each.
func listOf[T any](data []byte, read func(fields) T) (all []T, err error) {
	s := phpform.Scan(data)
	if !s.Members(func([]byte) bool {
		value, ok := s.Value()
		if !ok {
			return false
		}
		var f fields
		if f, err = result(value); err == nil {
			all = append(all, read(f))
		}
		return err == nil
	}) || !s.End() {
		return nil, cmp.Or(err, errNoList)
	}
	return all, nil
}

// ids reads a list of ids; zeros are left out.
func (f fields) ids(name string) []imbot.ID {
	var ids []imbot.ID
	for _, id := range list(f.sub(name), func(one fields) imbot.ID { return idOf(one.Get()) }) {
		if id != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// texts reads a map of texts.
func (f fields) texts(name string) map[string]string {
	keys := f.Keys(name)
	if len(keys) == 0 {
		return nil
	}
	texts := make(map[string]string, len(keys))
	for _, key := range keys {
		texts[key] = f.Get(name, key)
	}
	return texts
}

// into decodes a value as JSON of which it came, or which its form would give.
func (f fields) into(v json.Unmarshaler) error {
	data, err := json.Marshal(f.value())
	if err != nil {
		return err
	}
	return v.UnmarshalJSON(data)
}

func (f fields) value() any {
	keys := f.Keys()
	if len(keys) == 0 {
		return f.Get()
	}
	object, list := make(map[string]any, len(keys)), make([]any, 0, len(keys))
	for i, key := range keys {
		kid := f.sub(key).value()
		object[key] = kid
		if key == strconv.Itoa(i) {
			list = append(list, kid)
		}
	}
	if len(list) == len(keys) {
		return list
	}
	return object
}

// embedded reads an object that may be JSON in a text (livecheck: last-message-views).
func (f fields) embedded(name string) fields {
	if s := f.Get(name); strings.HasPrefix(s, "{") {
		var raw imbot.RawEvent
		if json.Unmarshal([]byte(s), &raw) == nil {
			return fields{raw}
		}
	}
	return f.sub(name)
}

// result reads the object that is the result of a call.
func result(data []byte) (fields, error) {
	var raw imbot.RawEvent
	if err := json.Unmarshal(data, &raw); err != nil {
		return fields{}, err
	}
	return fields{raw}, nil
}

var (
	errNoID   = errors.New("the result holds no id")
	errNoList = errors.New("the result holds no list")
)

// done is the Decode of requests whose only good news is true, bare or as {"result":true}.
type done struct{ imbot.Returns[imbot.OK] }

// Decode reads the result of a call.
func (done) Decode(data []byte) (imbot.OK, error) {
	var wrapped struct{ Result json.RawMessage }
	if json.Unmarshal(data, &wrapped) == nil && wrapped.Result != nil {
		data = wrapped.Result
	}
	return imbot.Returns[imbot.OK]{}.Decode(data)
}
