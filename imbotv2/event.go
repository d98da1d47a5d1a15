package imbotv2

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// EventService groups the methods about the queue of a bot that fetches its events. [Poll] uses
// them as they are meant.
type EventService service

// EventGetRequest are the parameters of imbot.v2.Event.get.
type EventGetRequest struct {
	BotID          imbot.ID `json:"botId,omitempty"`
	Offset         int64    `json:"offset,omitempty"`         // deletes every event with a lower id; 0: none
	Limit          int      `json:"limit,omitempty"`          // 1 to 1000, default 100
	WithUserEvents bool     `json:"withUserEvents,omitempty"` // those of the acting user, too, who must be subscribed; one offset for both
}

// Method returns the name of the REST method.
func (EventGetRequest) Method() string { return "imbot.v2.Event.get" }

// Repeatable is true.
func (EventGetRequest) Repeatable() bool { return true }

// Check refuses what the portal would refuse.
func (r EventGetRequest) Check() error {
	if r.Offset < 0 {
		return refuse("", "offset %d is less than 0", r.Offset)
	}
	if r.Limit < 0 || r.Limit > maxEvents {
		return refuse("", "limit %d is not between 1 and %d", r.Limit, maxEvents)
	}
	return nil
}

const maxEvents = 1000 // of one page

// Decode reads the result of a call. Each event is read by itself, so what cannot be read
// spoils no other.
func (EventGetRequest) Decode(data []byte) (EventGetResult, error) {
	var page struct {
		Events      json.RawMessage
		NextOffset  scalar
		LastEventID scalar // of portals before March 2026
		HasMore     scalar
	}
	if err := json.Unmarshal(data, &page); err != nil {
		return EventGetResult{}, err
	}
	r := EventGetResult{NextOffset: int64(idOf(string(page.NextOffset))), HasMore: flagOf(string(page.HasMore)).Bool()}
	if last := int64(idOf(string(page.LastEventID))); r.NextOffset == 0 && last > 0 {
		r.NextOffset = last + 1
	}
	events, err := elements(page.Events)
	if err != nil {
		return EventGetResult{}, err
	}
	for _, one := range events {
		var item EventItem
		if json.Unmarshal(one, &item) != nil {
			item = EventItem{Data: one}
		}
		r.Events = append(r.Events, item)
	}
	return r, nil
}

// EventGetResult is a page of the queue.
type EventGetResult struct {
	Events     []EventItem // by id
	NextOffset int64       // deletes this page when it is sent as the next Offset; 0: nothing was ever in the queue
	HasMore    bool        // the page is full
}

// EventItem is an event in the queue. One that the portal has spoilt has no EventID.
type EventItem struct {
	EventID int64
	Type    string          // "ONIMBOTV2MESSAGEADD"
	Date    time.Time       // zero: not told
	Data    json.RawMessage // see Event
}

// UnmarshalJSON implements [json.Unmarshaler]. Ids may be texts.
func (e *EventItem) UnmarshalJSON(data []byte) error {
	var item struct {
		EventID scalar
		Type    scalar
		Date    scalar
		Data    json.RawMessage
	}
	if err := json.Unmarshal(data, &item); err != nil {
		return err
	}
	*e = EventItem{EventID: int64(idOf(string(item.EventID))), Type: strings.ToUpper(string(item.Type)), Date: timeOf(string(item.Date)), Data: item.Data}
	return nil
}

// Event returns the event as its type, or an [imbot.UnknownEvent]. Nothing in it tells the
// portal; the events that [Poll] hands over do.
func (e EventItem) Event() imbot.Event { return e.event("", nil) }

// event is Event with what the poller knows.
func (e EventItem) event(portal string, seed []byte) imbot.Event {
	data := e.Data
	if len(data) == 0 || data[0] != '{' {
		data = []byte("{}")
	}
	name, _ := json.Marshal(e.Type) // a text always encodes
	ts := ""
	if !e.Date.IsZero() {
		ts = strconv.FormatInt(e.Date.Unix(), 10)
	}
	var whole bytes.Buffer
	_, _ = fmt.Fprintf(&whole, `{"event":%s,"ts":"%s","eventId":"%d","%s":"%x","data":`, name, ts, e.EventID, seedName, seed)
	_, _ = whole.Write(data)
	_ = whole.WriteByte('}')
	meta := imbot.EventMeta{Name: e.Type, Time: e.Date, Auth: imbot.EventAuth{MemberID: portal}}
	_ = json.Unmarshal(whole.Bytes(), &meta.Raw) // one that is too large stays empty
	return decodeEvent(meta, e.EventID, seed)
}

// seedName is where an event that was fetched keeps the seed of its replies, so that an Inbox or
// a queue keeps it, too.
const seedName = "replySeed"

// typed decodes an event of this generation that has come as an unknown one: posted, or from a queue.
func typed(ev imbot.Event) imbot.Event {
	u, ok := ev.(*imbot.UnknownEvent)
	if !ok {
		return ev
	}
	if seed, _ := hex.DecodeString(u.Raw.Get(seedName)); len(seed) > 0 {
		return decodeEvent(u.EventMeta, int64(idOf(u.Raw.Get("eventId"))), seed)
	}
	return decodeEvent(u.EventMeta, int64(idOf(u.Raw.Get("eventId"))), []byte(u.Auth.ApplicationToken))
}

// Get returns a page of the bot's queue, and deletes all events below Offset for every reader.
// The portal keeps events for a day, handled or not. An empty answer may be up to a minute
// old, unless Offset is given.
//
// Only for bots in EventModeFetch. One program at a time may read a queue. Pause 2 s while there
// is more, else 5 s.
//
// Repeatable. REST method: imbot.v2.Event.get. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrScope], [ErrAuth],
// [ErrUserNotSubscribed].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/events/event-get.html
func (s *EventService) Get(ctx context.Context, req EventGetRequest) (EventGetResult, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// scalar is a text, number or boolean as text; everything else is empty.
type scalar string

func (s *scalar) UnmarshalJSON(data []byte) error {
	*s = ""
	switch {
	case len(data) == 0 || data[0] == '{' || data[0] == '[' || string(data) == "null":
	case data[0] == '"':
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		*s = scalar(text)
	default:
		*s = scalar(data)
	}
	return nil
}

// elements reads the elements of a list, or the values of the object that PHP makes of one.
func elements(data []byte) ([]json.RawMessage, error) {
	switch {
	case len(data) == 0 || string(data) == "null" || string(data) == "false" || string(data) == `""`:
		return nil, nil
	case data[0] == '[':
		var all []json.RawMessage
		err := json.Unmarshal(data, &all)
		return all, err
	case data[0] != '{':
		return nil, errors.New("events is no list")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	var all []json.RawMessage
	for dec.More() {
		var one json.RawMessage
		if _, err := dec.Token(); err != nil { // the key
			return nil, err
		}
		if err := dec.Decode(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
