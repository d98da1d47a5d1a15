package imbottest

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

func v2EventMethods(name string) method {
	if name == "imbot.v2.event.get" {
		return v2EventGet
	}
	return nil
}

func v2EventGet(c *call) (any, *restError) {
	b, fail := c.botV2()
	if fail != nil {
		return nil, fail
	}
	switch people := yes(c.params.get("WITHUSEREVENTS")); {
	case people && !slices.Contains(c.p.scopes(), "im"):
		return nil, badRequest("SCOPE_ERROR", "Scope im is required")
	case people: // nobody can subscribe here
		return nil, badRequest("USER_NOT_SUBSCRIBED", "The user is not subscribed")
	}
	now := time.Now()
	c.p.dropOld(b, now)
	offset, _ := strconv.ParseInt(c.params.text("OFFSET"), 10, 64)
	limit := int(c.params.id("LIMIT"))
	if limit <= 0 {
		limit = usualPage
	}
	limit = min(limit, longestPage)
	if offset > 0 {
		for len(b.queue) > 0 && b.queue[0].id < offset { // also what nobody has seen yet
			c.p.dropFirst(b, "")
		}
		b.emptyUntil = time.Time{}
	}
	events, next := newArray(), offset
	if now.After(b.emptyUntil) {
		for _, e := range b.queue {
			if events.len() == limit {
				break
			}
			if !e.visible.After(now) {
				events.add(object("eventId", json.Number(strconv.FormatInt(e.id, 10)), "type", e.name, "date", e.date.Format(time.RFC3339), "data", e.data))
				next = e.id + 1
			}
		}
		if events.len() == 0 {
			b.emptyUntil = now.Add(emptyTime)
		}
	}
	return object("events", events, "nextOffset", json.Number(strconv.FormatInt(next, 10)), "hasMore", events.len() == limit), nil
}
