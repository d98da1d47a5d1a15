package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	if err := c.call(ctx, "imbot.v2.Revision.get", nil, &revision); err != nil {
		return seen{}, err
	}
	if revision.REST == 0 {
		return seen{}, errForm
	}
	c.room.v2 = true
	return seen{revision.REST >= oldestRevision, note(fmt.Sprint("revision ", revision.REST))}, nil
}

func askBatch(ctx context.Context, c *check) (seen, error) {
	b, err := c.batch(ctx, fields{"a": "imbot.v2.Revision.get?x=1", "b": "imbot.v2.Revision.get?x=2"})
	if err != nil {
		return seen{}, err
	}
	c.room.batches = len(b.Results) == 2
	if c.room.batches {
		return yesNo(true)
	}
	for _, key := range []string{"a", "b"} {
		err := b.refused(key)
		if byMethod(err) || c.room.v2 && errors.Is(err, imbot.ErrMethodNotFound) { // it was found outside of a batch
			return seen{note: refusal(err)}, nil
		}
		if err != nil {
			return seen{}, err
		}
	}
	return seen{}, errForm
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
	if c.usedUp(0) {
		return seen{}, errUsedUp
	}
	return status(other.Call(ctx, "scope", nil, nil), 401, answered)
}

// status compares how an error was answered that is what it is asked for. Another tells nothing.
func status(err error, assumed int, meant func(error) bool) (seen, error) {
	if err == nil {
		return seen{note: "not refused"}, nil
	}
	var e *imbot.Error
	if !meant(err) || !errors.As(err, &e) {
		return seen{}, err
	}
	return seen{e.StatusCode == assumed, note(fmt.Sprint("HTTP ", e.StatusCode))}, nil
}

// harmless are methods that only tell the names of fields, by their scopes.
var harmless = []struct{ scope, method string }{
	{"crm", "crm.status.fields"}, {"department", "department.fields"}, {"sale", "sale.order.getFields"}, {"catalog", "catalog.store.getFields"},
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
	outside := func(err error) bool { return errors.Is(err, imbot.ErrInsufficientScope) }
	err := error(notAsked("the webhook has every scope"))
	for _, h := range harmless {
		if slices.Contains(scopes, h.scope) {
			continue
		}
		var told seen
		told, err = status(c.call(ctx, h.method, nil, nil), 401, outside)
		if !errors.Is(err, imbot.ErrMethodNotFound) { // a portal does without some modules
			return told, err
		}
	}
	return seen{}, err
}

func askStatusMethod(ctx context.Context, c *check) (seen, error) {
	name, err := c.newSecret()
	if err != nil {
		return seen{}, err
	}
	err = c.call(ctx, "imbot.v2.Bot.get", fields{"code": codeStart + name}, nil)
	c.room.refused = c.wire.answered()
	return status(err, 400, byMethod)
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
	return form(result.Bots)
}

// form tells which JSON stands for nothing, where [] is assumed.
func form(raw json.RawMessage) (seen, error) {
	var compact bytes.Buffer
	_ = json.Compact(&compact, raw)
	switch s := compact.String(); {
	case s == "[]" || s == "{}" || s == "null" || s == "false" || s == `""`:
		return seen{s == "[]", note(s)}, nil
	case s == "":
		return seen{note: "left out"}, nil
	}
	return seen{}, notAsked("it was not empty")
}
