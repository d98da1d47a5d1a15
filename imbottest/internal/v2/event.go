package v2

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func eventMethods(name string) world.Method {
	switch name {
	case "imbot.v2.event.get":
		return eventGet
	case "im.v2.event.get":
		return personEventGet
	case "im.v2.event.subscribe":
		return func(c *world.Call) (any, *world.Refusal) { return subscribe(c, true) }
	case "im.v2.event.unsubscribe":
		return func(c *world.Call) (any, *world.Refusal) { return subscribe(c, false) }
	case "im.v2.chat.bot.sendcontext":
		return sendContext
	}
	return nil
}

const (
	emptyTime   = time.Minute // how long the portal remembers that a queue was empty
	usualPage   = 100         // events of one page, unless the call says how many
	longestPage = 1000
)

func eventGet(c *world.Call) (any, *world.Refusal) {
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	if !yes(c.World, c.Params.Get("WITHUSEREVENTS")) {
		return pageOf(c, &b.Queue), nil
	}
	inbox := c.World.Inboxes[c.User]
	switch {
	case !slices.Contains(c.World.Scopes(), "im"):
		return nil, world.BadRequest("SCOPE_ERROR", "Scope im is required")
	case inbox == nil || !inbox.Subscribed:
		return nil, world.BadRequest("USER_NOT_SUBSCRIBED", "The user is not subscribed")
	}
	return pageOf(c, &b.Queue, &inbox.Queue), nil
}

// personEventGet finds nothing for somebody who has never subscribed.
func personEventGet(c *world.Call) (any, *world.Refusal) {
	inbox := c.World.Inboxes[c.User]
	if inbox == nil {
		inbox = new(world.Inbox)
	}
	return pageOf(c, &inbox.Queue), nil
}

// subscribe lets events of the caller be kept, or no more; those that are kept stay.
func subscribe(c *world.Call, on bool) (any, *world.Refusal) {
	inbox := c.World.Inboxes[c.User]
	if inbox == nil {
		inbox = new(world.Inbox)
		c.World.Inboxes[c.User] = inbox
	}
	inbox.Subscribed = on
	return true, nil
}

// pageOf is a page of the events in queues, which share one offset.
func pageOf(c *world.Call, queues ...*world.Queue) *php.Array {
	now := time.Now()
	offset, _ := strconv.ParseInt(c.Params.Text("OFFSET"), 10, 64)
	limit := int(c.Params.ID("LIMIT"))
	if limit <= 0 {
		limit = usualPage
	}
	limit = min(limit, longestPage)
	var waiting []world.Queued
	for _, q := range queues {
		q.DropOld(now)
		if offset > 0 {
			q.Acknowledge(offset)
		}
		if !now.After(q.EmptyUntil) {
			continue
		}
		visible := 0
		for _, e := range q.Events {
			if visible == limit {
				break
			}
			if !e.Visible.After(now) {
				waiting = append(waiting, e)
				visible++
			}
		}
		if visible == 0 {
			q.EmptyUntil = now.Add(emptyTime)
		}
	}
	slices.SortFunc(waiting, func(a, b world.Queued) int { return cmp.Compare(a.ID, b.ID) })
	events, next := php.NewArray(), offset
	for _, e := range waiting[:min(limit, len(waiting))] {
		events.Add(php.Object("eventId", json.Number(strconv.FormatInt(e.ID, 10)), "type", e.Name, "date", e.Date.Format(time.RFC3339), "data", e.Data))
		next = e.ID + 1
	}
	if events.Len() == 0 && c.World.Differs(world.DoubtQueueOffset) {
		next = 0
	}
	return php.Object("events", events, "nextOffset", json.Number(strconv.FormatInt(next, 10)), "hasMore", events.Len() == limit)
}

// sendContext is what the web client calls when a dialog is opened by a link with data. It is not
// documented.
func sendContext(c *world.Call) (any, *world.Refusal) {
	dialog, fail := dialogOf(c)
	if fail != nil {
		return nil, fail
	}
	data, isObject := c.Params.Get("CONTEXT").(*php.Array)
	chat, err := c.World.ChatToWriteIn(c.User, dialog)
	if !isObject || err != nil {
		return nil, world.BadRequest("BOT_CONTEXT_ERROR", "The context can't be delivered")
	}
	c.World.OpenContext(chat, c.User, data)
	return isTrue(), nil
}
