package imbotv2

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/phpform"
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
// spoils no other. Their Data are parts of data.
func (EventGetRequest) Decode(data []byte) (EventGetResult, error) {
	var r EventGetResult
	var last int64 // of portals before March 2026
	s := phpform.Scan(data)
	if !s.Next('{') || !s.Members(func(name []byte) bool {
		if string(name) == `"events"` && (s.Next('[') || s.Next('{')) { // PHP makes an object of a list with holes
			return s.Members(func([]byte) bool {
				item, ok := scanItem(s)
				r.Events = append(r.Events, item)
				return ok
			})
		}
		value, ok := s.Value()
		switch string(name) {
		case `"events"`:
			switch string(value) {
			case "null", "false", `""`: // PHP's ways to say none
			default:
				return false
			}
		case `"nextOffset"`:
			r.NextOffset = int64(idOf(scalar(value)))
		case `"lastEventId"`:
			last = int64(idOf(scalar(value)))
		case `"hasMore"`:
			r.HasMore = flagOf(scalar(value)).Bool()
		}
		return ok
	}) || !s.End() {
		return EventGetResult{}, errors.New("the result is no page of events")
	}
	if r.NextOffset == 0 && last > 0 {
		r.NextOffset = last + 1
	}
	return r, nil
}

// EventGetResult is a page of the queue.
type EventGetResult struct {
	Events     []EventItem // by id
	NextOffset int64       // deletes this page when it is sent as the next Offset; 0: nothing was ever in the queue (livecheck: queue-offset)
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
	s := phpform.Scan(data)
	if !s.Next('{') {
		return errors.New("imbotv2: an event is no object")
	}
	item, ok := scanItem(s)
	if !ok || !s.End() {
		return errors.New("imbotv2: an event is no JSON")
	}
	item.Data = bytes.Clone(item.Data)
	*e = item
	return nil
}

// scanItem reads what comes next, of which Data is a part; anything but an object is an event that is spoilt.
func scanItem(s *phpform.Scanner) (item EventItem, ok bool) {
	if !s.Next('{') {
		value, ok := s.Value()
		return EventItem{Data: value}, ok
	}
	ok = s.Members(func(name []byte) bool {
		value, ok := s.Value()
		switch string(name) {
		case `"eventId"`:
			item.EventID = int64(idOf(scalar(value)))
		case `"type"`:
			item.Type = strings.ToUpper(scalar(value))
		case `"date"`:
			item.Date = timeOf(scalar(value))
		case `"data"`:
			item.Data = value
		}
		return ok
	})
	return item, ok
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
	whole := make([]byte, 0, len(data)+len(e.Type)+2*len(seed)+128)
	whole = append(whole, `{"event":`...)
	name, _ := json.Marshal(e.Type) // a text always encodes
	whole = append(append(whole, name...), `,"ts":"`...)
	if !e.Date.IsZero() {
		whole = strconv.AppendInt(whole, e.Date.Unix(), 10)
	}
	whole = strconv.AppendInt(append(whole, `","eventId":"`...), e.EventID, 10)
	whole = hex.AppendEncode(append(whole, `","`+seedName+`":"`...), seed)
	whole = append(append(append(whole, `","data":`...), data...), '}')
	meta := imbot.EventMeta{Name: e.Type, Time: e.Date, Auth: imbot.EventAuth{MemberID: portal}}
	_ = meta.Raw.UnmarshalJSON(whole) // one that is too large stays empty
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
// The portal keeps events for a day, handled or not (livecheck: queue-day). An empty answer may be up to a minute
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

// scalar returns a text, number or boolean as text; everything else is empty.
func scalar(data []byte) (text string) {
	switch {
	case len(data) == 0 || data[0] == '{' || data[0] == '[' || string(data) == "null":
	case data[0] == '"' && bytes.IndexByte(data, '\\') < 0:
		text = strings.ToValidUTF8(string(data[1:len(data)-1]), "\uFFFD")
	case data[0] == '"':
		_ = json.Unmarshal(data, &text) // which is valid
	default:
		text = string(data)
	}
	return text
}
