package imbotv2

import (
	"context"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/poll"
)

// PollUser fetches the events in the chats of the person whose webhook or authorization c has, and
// hands them to the callbacks of h until ctx ends. What [Poll] promises, and how it ends, holds here,
// too. It needs the scope im, and no bot.
//
// It subscribes first, and again every hour: without a subscription the queue is empty, which is no
// error. It never unsubscribes: what happens while the program is restarted is kept for a day. A
// person has one queue, so only one program on one portal may do this for one person: the other one's
// acknowledgements delete events unseen. Use no [EventGetRequest.WithUserEvents] beside it.
//
// REST methods: im.v2.Event.subscribe, im.v2.Event.get.
func PollUser(ctx context.Context, h *UserEventHandler, c *Client) error {
	switch {
	case h == nil:
		return invalid("PollUser: the handler is nil")
	case c == nil || c.base == nil:
		return invalid("PollUser: no client")
	}
	p := &Poller{Handler: h.handler(), Clients: []*Client{c}, user: &userQueue{}}
	err := p.Run(ctx)
	_ = p.cut() // the handler is this call's own; what had to be cut off is in err
	return err
}

// userQueue is the queue of a person, who is subscribed to it.
type userQueue struct{ subscribed time.Time }

// subscribeTime is how long a subscription is believed in: somebody else may have ended it.
const subscribeTime = time.Hour

// fetch polls the only queue there is.
func (u *userQueue) fetch(ctx context.Context, asks []poll.Ask[*bot]) []poll.Answer[*fetched] {
	ctx, cancel := context.WithTimeout(imbot.WithClass(ctx, imbot.ClassAnswer), fetchTime)
	defer cancel()
	c := asks[0].Bot.client
	if u.subscribed.IsZero() || time.Since(u.subscribed) > subscribeTime {
		err := surely(ctx, func(ctx context.Context) error { return c.UserEvent.Subscribe(ctx, UserEventSubscribeRequest{}) })
		if err != nil {
			return []poll.Answer[*fetched]{failed(err)}
		}
		u.subscribed = time.Now()
	}
	var page EventGetResult
	err := surely(ctx, func(ctx context.Context) (err error) {
		page, err = c.UserEvent.Get(ctx, UserEventGetRequest{Offset: asks[0].Offset, Limit: asks[0].Limit})
		return err
	})
	if err != nil {
		return []poll.Answer[*fetched]{failed(err)}
	}
	return []poll.Answer[*fetched]{answerOf(page)}
}
