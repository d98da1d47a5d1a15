package imbottest

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// Handle lets a function answer a method, one that the portal does not have or one of its own,
// until another Handle of the same method; nil gives the method back to the portal. It needs no
// scope and counts as a method of the portal in method.get and methods.
//
//	portal.Handle("crm.deal.list", func(ctx context.Context, params map[string]any) (any, error) {
//		return imbottest.Page{Items: deals[:50], Next: 50, Total: len(deals)}, nil
//	})
//
// The names of params are in upper case, those inside them as they were sent. START is among
// them, credentials are not. Values are as encoding/json makes them, numbers as
// [json.Number]. Inside a batch all values are texts, with the results of earlier commands put
// in, so that fmt.Sprint(params["ID"]) reads both. An empty list and an empty map are one: an
// empty []any.
//
// The function runs in the goroutine of the call, several at once. It may use the portal, as with
// [Portal.Say], but not wait with [Portal.Idle], because its own call is being answered. ctx ends
// with the call and with [Portal.Close], which waits for the function.
//
// What it returns has to be writable as JSON, or is a [Page]. An [*imbot.Error] is answered with its
// Code, Description and StatusCode, without one 400. Every other error is INTERNAL_SERVER_ERROR
// with its text, and so is a panic, which shows up in [Portal.Err], too.
func (p *Portal) Handle(method string, answer func(ctx context.Context, params map[string]any) (any, error)) {
	name := strings.ToLower(method)
	if name == "" || name == "batch" {
		p.problem("Handle of %.80q, which nothing can answer in the portal's place", method)
		return
	}
	p.w.Lock()
	defer p.w.Unlock()
	if answer == nil {
		delete(p.w.Answers, name)
		return
	}
	if p.w.Answers == nil {
		p.w.Answers = map[string]world.AnswerFunc{}
	}
	p.w.Answers[name] = answer
}

// Page is a result of a function of [Portal.Handle] that is one page of a list.
type Page struct {
	Items any // the result, mostly a slice; nil for an empty one
	Next  int // START of the next page; 0 on the last
	Total int // how many there are on all pages
}

// paged is a page on its way to the answer.
type paged struct {
	items       any // a PHP value
	next, total int
}

// MarshalJSON writes what stands in place of the result.
func (p paged) MarshalJSON() ([]byte, error) { return json.Marshal(p.items) }

// answerOf is the function that answers a method, nil when that is the portal.
func (p *Portal) answerOf(method string) world.AnswerFunc {
	p.w.Lock()
	defer p.w.Unlock()
	return p.w.Answers[strings.ToLower(method)]
}

// runHandler answers a call with a function of Handle. The lock is not held.
func (c *call) runHandler(method string, answer world.AnswerFunc) (result any, fail *world.Refusal) {
	c.handled = true
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	defer context.AfterFunc(c.p.ctx, cancel)()
	defer func() { // nobody else would say that the test's own code is broken
		if v := recover(); v != nil {
			c.p.problem("the function of Handle for %.80q panicked: %v", method, v)
			result, fail = nil, internalError("The function of Handle panicked")
		}
	}()
	found, err := answer(ctx, c.plainParams())
	if err != nil {
		return nil, errorOf(err)
	}
	page, isPage := found.(Page)
	if isPage {
		found = page.Items
	}
	value, err := php.ToValue(found)
	if err != nil {
		c.p.problem("the result of Handle for %.80q cannot be written as JSON: %v", method, err)
		return nil, internalError("The result cannot be written as JSON")
	}
	switch {
	case !isPage:
		return value, nil
	case value == nil:
		value = php.NewArray()
	}
	return paged{value, page.Next, page.Total}, nil
}

// plainParams are the parameters as a function of Handle gets them.
func (c *call) plainParams() map[string]any {
	params := map[string]any{}
	for _, name := range c.Params.Keys {
		params[name] = plain(c.Params.Get(name))
	}
	if c.start != nil {
		params["START"] = plain(c.start)
	}
	return params
}

// plain is a PHP value in Go's own types.
func plain(v any) any {
	if blob, ok := v.(php.Blob); ok {
		return base64.StdEncoding.EncodeToString(blob.Content)
	}
	a, ok := v.(*php.Array)
	switch {
	case !ok:
		return v
	case a.IsList():
		list := make([]any, 0, a.Len())
		for _, key := range a.Keys {
			list = append(list, plain(a.Values[key]))
		}
		return list
	}
	members := make(map[string]any, a.Len())
	for _, key := range a.Keys {
		members[key] = plain(a.Values[key])
	}
	return members
}

// errorOf is the error of a function of Handle as the portal answers it.
func errorOf(err error) *world.Refusal {
	var e *imbot.Error
	if !errors.As(err, &e) || e == nil {
		return internalError(fmt.Sprintf("%.1000s", err))
	}
	status, code := e.StatusCode, string(e.Code)
	switch {
	case code == "" && status == 0:
		status = http.StatusInternalServerError
	case status < 200 || status > 599: // no status of an answer
		status = http.StatusBadRequest
	}
	return world.NewRefusal(status, cmp.Or(code, world.ErrPHP.Code), e.Description)
}

func internalError(description string) *world.Refusal {
	return world.NewRefusal(world.ErrPHP.Status, world.ErrPHP.Code, description)
}
