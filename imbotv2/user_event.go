package imbotv2

import (
	"context"

	"github.com/imbot-go/imbot"
)

// UserEventService groups the methods about the events of the person whose webhook or
// authorization it is. They need the scope im and no bot. [PollUser] uses them as they are meant.
type UserEventService service

// UserEventSubscribeRequest is im.v2.Event.subscribe, which has no parameters.
type UserEventSubscribeRequest struct {
	done `json:"-"`
}

// Method returns the name of the REST method.
func (UserEventSubscribeRequest) Method() string { return "im.v2.Event.subscribe" }

// Repeatable is true.
func (UserEventSubscribeRequest) Repeatable() bool { return true }

// UserEventUnsubscribeRequest is im.v2.Event.unsubscribe, which has no parameters.
type UserEventUnsubscribeRequest struct {
	done `json:"-"`
}

// Method returns the name of the REST method.
func (UserEventUnsubscribeRequest) Method() string { return "im.v2.Event.unsubscribe" }

// Repeatable is true.
func (UserEventUnsubscribeRequest) Repeatable() bool { return true }

// UserEventGetRequest are the parameters of im.v2.Event.get.
type UserEventGetRequest struct {
	Offset int64 `json:"offset,omitempty"` // deletes every event with a lower id, for every reader; 0: none
	Limit  int   `json:"limit,omitempty"`  // 1 to 1000, default 100
}

// Method returns the name of the REST method.
func (UserEventGetRequest) Method() string { return "im.v2.Event.get" }

// Repeatable is true.
func (UserEventGetRequest) Repeatable() bool { return true }

// Check refuses what the portal would refuse.
func (r UserEventGetRequest) Check() error {
	return EventGetRequest{Offset: r.Offset, Limit: r.Limit}.Check()
}

// Decode reads the result of a call, as an [EventGetRequest] does.
func (UserEventGetRequest) Decode(data []byte) (EventGetResult, error) {
	return EventGetRequest{}.Decode(data)
}

// Subscribe lets the portal keep the events of the person from now on, each for a day.
//
// Repeatable. REST method: im.v2.Event.subscribe. Errors: none of its own.
// Page: api-reference/chat-bots/chat-bots-v2/im.v2/events/event-subscribe.html
func (s *UserEventService) Subscribe(ctx context.Context, req UserEventSubscribeRequest) error {
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// Unsubscribe ends what [UserEventService.Subscribe] began. Events that are there can be read
// all the same.
//
// Repeatable. REST method: im.v2.Event.unsubscribe. Errors: none of its own.
// Page: api-reference/chat-bots/chat-bots-v2/im.v2/events/event-unsubscribe.html
func (s *UserEventService) Unsubscribe(ctx context.Context, req UserEventUnsubscribeRequest) error {
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// Get returns a page of the person's queue, and deletes all events below Offset. A person has one
// queue: the offset of any program deletes for all. Who is not subscribed has no events, which is
// no error.
//
// Repeatable. REST method: im.v2.Event.get. Errors: none of its own.
// Page: api-reference/chat-bots/chat-bots-v2/im.v2/events/event-get.html
func (s *UserEventService) Get(ctx context.Context, req UserEventGetRequest) (EventGetResult, error) {
	return imbot.Do(ctx, s.client.base, req)
}
