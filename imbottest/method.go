package imbottest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	v1 "github.com/imbot-go/imbot/imbottest/internal/v1"
	v2 "github.com/imbot-go/imbot/imbottest/internal/v2"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// call is one call of a method.
type call struct {
	world.Call

	p        *Portal
	ctx      context.Context
	exchange int64  // its id in the log
	grant    *grant // of the token
	uri      string // of the request

	session   bool           // authorized by a browser's session
	start     any            // START, which only functions of Handle get
	handled   bool           // a function of Handle has answered
	coreError *world.Refusal // the last error of the portal's core in this batch, see replaceCode
}

// lookup finds a method by its name.
func lookup(name string) world.Method {
	name = strings.ToLower(name)
	if m := v1.Lookup(name); m != nil {
		return m
	}
	return v2.Lookup(name)
}

// serve answers a call that is no command of a batch.
func (c *call) serve(name string) answer {
	start := time.Now()
	if fail := c.checkOperatingTime(name); fail != nil {
		return refused(fail)
	}
	k := kindCall
	if c.grant == nil {
		k = kindWebhook
	}
	return c.withFault(name, k, func() answer {
		var result any
		var fail *world.Refusal
		if strings.EqualFold(name, "download") {
			return c.download()
		}
		if strings.EqualFold(name, "batch") {
			if result, fail = c.batch(); fail == world.ErrPHP {
				return answer{status: fail.Status, contentType: "text/html; charset=UTF-8"}
			}
		} else {
			result, fail = c.run(name)
		}
		if fail != nil {
			return refused(c.p.shown(fail))
		}
		return envelope(result, c.addOperatingTime(name, start, world.DoubtOperating))
	})
}

// withFault runs a call, or lets it go wrong when a fault befalls it.
func (c *call) withFault(name string, k kind, run func() answer) answer {
	c.p.w.Lock()
	f := c.p.takeFault(name, k)
	c.p.w.Unlock()
	c.wait(f.Delay)
	switch {
	case f.Cut == BeforeRun:
		panic(http.ErrAbortHandler)
	case f.Expire:
		return c.expired()
	case f.Rename:
		return c.renamed()
	case f.Cut == NoCut && f.replacesAnswer():
		return f.answer()
	}
	a := run()
	c.wait(f.Late)
	switch {
	case f.Cut == NoCut:
		return a
	case f.replacesAnswer():
		return f.answer()
	}
	panic(http.ErrAbortHandler)
}

// expired ends the life of the call's token and refuses the call.
func (c *call) expired() answer {
	c.p.w.Lock()
	defer c.p.w.Unlock()
	if now := time.Now(); c.grant.expires.After(now) {
		c.grant.expires = now
	}
	return refused(errExpired)
}

// renamed gives the portal another host and redirects the call there.
func (c *call) renamed() answer {
	c.p.w.Lock()
	defer c.p.w.Unlock()
	host := fmt.Sprintf("portal-%d.imbottest.example", portals.Add(1))
	if c.p.listen != "" {
		host = net.JoinHostPort(hostname(c.p.listen), "0")
	}
	if err := c.p.rename(host); err != nil { // the portal was closed meanwhile, or there is no free socket
		panic(http.ErrAbortHandler)
	}
	return c.p.redirect(c.uri)
}

// wait waits as a fault says. When the client gives up or the portal is closed, it ends
// the call without an answer.
func (c *call) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
		panic(http.ErrAbortHandler)
	case <-c.p.ctx.Done():
		panic(http.ErrAbortHandler)
	}
}

// run runs one method.
func (c *call) run(name string) (any, *world.Refusal) {
	if answer := c.p.answerOf(name); answer != nil {
		return c.runHandler(name, answer)
	}
	m := lookup(name)
	if m == nil {
		c.p.problem("the portal has no method %.80q", name)
		return nil, c.unknownMethod(name)
	}
	c.p.w.Lock()
	defer c.p.w.Unlock()
	defer c.p.w.Notify()
	if fail := c.checkMethod(name); fail != nil {
		return nil, fail
	}
	return m(&c.Call)
}

// unknownMethod is the error for a method that this portal does not have. When it is one of
// a scope that the caller lacks, a real portal finds it and misses the scope.
func (c *call) unknownMethod(name string) *world.Refusal {
	c.p.w.Lock()
	defer c.p.w.Unlock()
	if c.p.w.InScope(strings.ToLower(name)) {
		return world.ErrNoMethod
	}
	return c.noScope()
}

// noScope is the error for a method outside the scope.
func (c *call) noScope() *world.Refusal {
	if c.p.w.Differs(world.DoubtStatusScope) {
		return world.ErrScope.WithStatus(http.StatusForbidden)
	}
	return world.ErrScope
}

// checkCaller refuses calls in the name of somebody who has left the company, and those
// that need a license; the lock is held.
func (c *call) checkCaller() *world.Refusal {
	u := c.p.w.Users[c.User]
	switch {
	case u != nil && u.Dismissed:
		return world.NewRefusal(http.StatusUnauthorized, "authorization_error", "Unable to authorize user")
	case c.Params.Given("AUTH_CONNECTOR"):
		return world.Forbidden("WRONG_LICENSE", "The feature is not in the plan")
	}
	return nil
}

// checkMethod makes the checks that the portal makes before it runs a method; the lock
// is held.
func (c *call) checkMethod(method string) *world.Refusal {
	c.Method = strings.ToLower(method)
	switch {
	case !c.p.w.InScope(c.Method):
		return c.noScope()
	case c.session == v1.IsInternal(c.Method):
	case c.session && refusesSessions(c.Method), v1.IsInternal(c.Method):
		return world.Forbidden("WRONG_AUTH_TYPE", "Access for this method not allowed by session authorization.")
	}
	for _, name := range c.Params.Keys {
		// An id that is a list ends a batch; a single call takes it for no id.
		breaks := slices.Contains(textParams, name) || c.InBatch && strings.HasSuffix(name, "_ID")
		if _, list := c.Params.Get(name).(*php.Array); list && breaks && !c.checksItself(name) {
			return world.ErrPHP
		}
	}
	return nil
}

// checksItself reports whether the method refuses a list in place of a text by itself.
func (c *call) checksItself(param string) bool {
	return c.Method == "imbot.message.add" && (param == "MESSAGE" || param == "DIALOG_ID")
}

// textParams are parameters for which a list or map makes the portal's PHP code throw an
// error.
var textParams = []string{"CLIENT_ID", "DIALOG_ID", "CODE", "TITLE", "COMMAND", "MESSAGE"}

// refusesSessions reports whether a method refuses calls that a browser's session
// authorizes.
func refusesSessions(method string) bool {
	switch method {
	case "imbot.register", "imbot.update", "imbot.unregister", "imbot.bot.list":
		return true
	}
	return strings.HasPrefix(method, "imopenlines.bot.") || strings.HasPrefix(method, "imbot.command.") || strings.HasPrefix(method, "imbot.app.")
}
