package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
)

// oldestRevision is the first that reads JSON booleans everywhere.
const oldestRevision = 33

func askRevision(ctx context.Context, c *check) (seen, error) {
	var revision struct {
		REST int `json:"rest"`
	}
	err := c.call(ctx, "imbot.v2.Revision.get", nil, &revision)
	c.room.answered = c.wire.answered()
	if err != nil {
		return seen{}, err
	}
	return seen{revision.REST >= oldestRevision, note(fmt.Sprint("revision ", revision.REST))}, nil
}

func askBatch(ctx context.Context, c *check) (seen, error) {
	b, err := c.batch(ctx, fields{"a": "imbot.v2.Revision.get?x=1", "b": "imbot.v2.Revision.get?x=2"})
	if err != nil {
		return seen{}, err
	}
	c.room.batches = len(b.Results) == 2
	c.room.noBatches = !c.room.batches
	if e, refused := b.Errors["a"]; refused {
		return seen{note: note("refused: " + shown(imbot.ErrorCode(e.Error)))}, nil
	}
	return yesNo(c.room.batches)
}

// times are those of an answer with a result.
func (c *check) times() (map[string]json.Number, error) {
	times := c.room.answered.times()
	if len(times) == 0 {
		return nil, notAsked("no answer had times")
	}
	return times, nil
}

func askTimes(_ context.Context, c *check) (seen, error) {
	times, err := c.times()
	if err != nil {
		return seen{}, err
	}
	decimals := func(name string) bool { return strings.ContainsAny(times[name].String(), ".eE") }
	return seen{decimals("start") && decimals("processing"),
		note(fmt.Sprintf("decimals in start: %t, processing: %t", decimals("start"), decimals("processing")))}, nil
}

func askOperating(_ context.Context, c *check) (seen, error) {
	times, err := c.times()
	if err != nil {
		return seen{}, err
	}
	return yesNo(times["operating"] != "" && times["operating_reset_at"] != "")
}

// askHeaders counts the headers whose names sound like a budget.
func askHeaders(_ context.Context, c *check) (seen, error) {
	if c.room.answered.status == 0 {
		return seen{}, notAsked("nothing was answered")
	}
	n := 0
	for name := range c.room.answered.header {
		name = strings.ToLower(name)
		if strings.Contains(name, "limit") || strings.Contains(name, "remaining") || strings.Contains(name, "quota") {
			n++
		}
	}
	return seen{n == 0, note(fmt.Sprintf("%d such headers", n))}, nil
}

func askStatusAuth(ctx context.Context, c *check) (seen, error) {
	wrong, err := c.newSecret()
	if err != nil {
		return seen{}, err
	}
	hook, err := url.Parse(c.hook)
	if err != nil {
		return seen{}, notAsked("the URL of the webhook is none")
	}
	parts := strings.Split(strings.Trim(hook.Path, "/"), "/")
	parts[len(parts)-1] = wrong[:16]
	hook.Path = "/" + strings.Join(parts, "/") + "/"
	other, err := c.clientFor(hook.String(), c.journal.Secret)
	if err != nil {
		return seen{}, err
	}
	if c.wire.left() <= c.room.cost() {
		return seen{}, errUsedUp
	}
	return c.status(other.Call(ctx, "scope", nil, nil), 401)
}

// status compares how an error was answered.
func (c *check) status(err error, assumed int) (seen, error) {
	if err == nil {
		return seen{note: "not refused"}, nil
	}
	status, err := statusOf(err)
	if err != nil {
		return seen{}, err
	}
	return seen{status == assumed, note(fmt.Sprint("HTTP ", status))}, nil
}

// harmless are methods that only tell the names of fields, by their scopes.
var harmless = []struct{ scope, method string }{
	{"crm", "crm.status.fields"}, {"department", "department.fields"}, {"entity", "entity.get"}, {"sale", "sale.order.getFields"},
	{"rpa", "rpa.item.getFields"}, {"booking", "booking.v1.resource.list"},
}

func askStatusScope(ctx context.Context, c *check) (seen, error) {
	var scopes []string
	if err := c.call(ctx, "scope", nil, &scopes); err != nil {
		return seen{}, err
	}
	for _, scope := range []string{"imbot", "im", "imopenlines", "disk"} {
		if slices.Contains(scopes, scope) {
			c.room.scopes = append(c.room.scopes, scope)
		}
	}
	for _, h := range harmless {
		if !slices.Contains(scopes, h.scope) {
			return c.status(c.call(ctx, h.method, nil, nil), 401)
		}
	}
	return seen{}, notAsked("the webhook has every scope")
}

func askStatusMethod(ctx context.Context, c *check) (seen, error) {
	name, err := c.newSecret()
	if err != nil {
		return seen{}, err
	}
	err = c.call(ctx, "imbot.v2.Bot.get", fields{"code": codeStart + name}, nil)
	c.room.refused = c.wire.answered()
	return c.status(err, 400)
}

func askErrorText(_ context.Context, c *check) (seen, error) {
	var body struct {
		Code        *string `json:"error"`
		Description *string `json:"error_description"`
	}
	if json.Unmarshal(c.room.refused.body, &body) != nil || body.Code == nil {
		return seen{}, notAsked("no error of a method was answered")
	}
	return yesNo(body.Description != nil && *body.Description != "")
}

func askEmptyList(ctx context.Context, c *check) (seen, error) {
	var result struct {
		Bots json.RawMessage `json:"bots"`
	}
	if err := c.call(ctx, "imbot.v2.Bot.list", nil, &result); err != nil {
		return seen{}, err
	}
	return form(result.Bots, "[]")
}

// form tells which JSON stands for nothing.
func form(raw json.RawMessage, assumed string) (seen, error) {
	var compact bytes.Buffer
	_ = json.Compact(&compact, raw)
	s := compact.String()
	if s == "[]" || s == "{}" || s == "null" {
		return seen{s == assumed, note(s)}, nil
	}
	if s == "" {
		return seen{note: "left out"}, nil
	}
	return seen{note: "something else"}, nil
}
