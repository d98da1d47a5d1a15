package v2

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func eventMethods(name string) world.Method {
	if name == "imbot.v2.event.get" {
		return eventGet
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
	switch people := yes(c.Params.Get("WITHUSEREVENTS")); {
	case people && !slices.Contains(c.World.Scopes(), "im"):
		return nil, world.BadRequest("SCOPE_ERROR", "Scope im is required")
	case people: // nobody can subscribe here
		return nil, world.BadRequest("USER_NOT_SUBSCRIBED", "The user is not subscribed")
	}
	now := time.Now()
	c.World.DropOld(b, now)
	offset, _ := strconv.ParseInt(c.Params.Text("OFFSET"), 10, 64)
	limit := int(c.Params.ID("LIMIT"))
	if limit <= 0 {
		limit = usualPage
	}
	limit = min(limit, longestPage)
	if offset > 0 {
		for len(b.Queue) > 0 && b.Queue[0].ID < offset { // also what nobody has seen yet
			c.World.DropFirst(b, "")
		}
		b.EmptyUntil = time.Time{}
	}
	events, next := php.NewArray(), offset
	if now.After(b.EmptyUntil) {
		for _, e := range b.Queue {
			if events.Len() == limit {
				break
			}
			if !e.Visible.After(now) {
				events.Add(php.Object("eventId", json.Number(strconv.FormatInt(e.ID, 10)), "type", e.Name, "date", e.Date.Format(time.RFC3339), "data", e.Data))
				next = e.ID + 1
			}
		}
		if events.Len() == 0 {
			b.EmptyUntil = now.Add(emptyTime)
		}
	}
	return php.Object("events", events, "nextOffset", json.Number(strconv.FormatInt(next, 10)), "hasMore", events.Len() == limit), nil
}
