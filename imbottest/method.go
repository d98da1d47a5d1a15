package imbottest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// call is what a method knows of its call.
type call struct {
	p       *world
	user    imbot.ID     // who has the token or webhook
	app     *application // of the token; nil for the webhook
	params  *array       // names in upper case
	sent    *array       // the same, with the names as they were sent
	inBatch bool         // it is a command of a batch
	method  string       // the one that runs, in lower case
}

// outerCall is one call of a method.
type outerCall struct {
	call

	p        *Portal
	ctx      context.Context
	exchange int64  // its id in the log
	grant    *grant // of the token
	uri      string // of the request

	session   bool       // authorized by a browser's session
	start     any        // START, which only functions of Handle get
	handled   bool       // a function of Handle has answered
	coreError *restError // the last error of the portal's core in this batch, see replaceCode
}

// asSent are the parameters with the names as they were sent, without those that the REST
// layer does not pass on.
func (c *call) asSent() *array {
	params := newArray()
	for _, name := range c.sent.keys {
		if upper := strings.ToUpper(name); c.params.has(upper) {
			params.set(name, c.params.get(upper))
		}
	}
	return params
}

// A method checks and acts under the portal's lock. Its checks stand in the
// order in which the portal makes them, because that order decides which error
// a bad call gets.
type method func(*call) (any, *restError)

// lookup finds a method by its name.
func lookup(name string) method {
	name = strings.ToLower(name)
	if m := lookupV1(name); m != nil {
		return m
	}
	return v2Methods(name)
}

// serve answers a call that is no command of a batch.
func (c *outerCall) serve(name string) answer {
	start := time.Now()
	if fail := c.checkOperatingTime(name); fail != nil {
		return fail.answer()
	}
	k := kindCall
	if c.grant == nil {
		k = kindWebhook
	}
	return c.withFault(name, k, func() answer {
		var result any
		var fail *restError
		if strings.EqualFold(name, "batch") {
			if result, fail = c.batch(); fail == errPHP {
				return answer{status: fail.status, contentType: "text/html; charset=UTF-8"}
			}
		} else {
			result, fail = c.run(name)
		}
		if fail != nil {
			return c.p.shown(fail).answer()
		}
		return envelope(result, c.addOperatingTime(name, start))
	})
}

// withFault runs a call, or lets it go wrong when a fault befalls it.
func (c *outerCall) withFault(name string, k kind, run func() answer) answer {
	c.p.Lock()
	f := c.p.takeFault(name, k)
	c.p.Unlock()
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
func (c *outerCall) expired() answer {
	c.p.Lock()
	defer c.p.Unlock()
	if now := time.Now(); c.grant.expires.After(now) {
		c.grant.expires = now
	}
	return errExpired.answer()
}

// renamed gives the portal another host and redirects the call there.
func (c *outerCall) renamed() answer {
	c.p.Lock()
	defer c.p.Unlock()
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
func (c *outerCall) wait(d time.Duration) {
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
func (c *outerCall) run(name string) (any, *restError) {
	if answer := c.p.answerOf(name); answer != nil {
		return c.runHandler(name, answer)
	}
	m := lookup(name)
	if m == nil {
		c.p.problem("the portal has no method %.80q", name)
		return nil, c.unknownMethod(name)
	}
	c.p.Lock()
	defer c.p.Unlock()
	defer c.p.notify()
	if fail := c.checkMethod(name); fail != nil {
		return nil, fail
	}
	return m(&c.call)
}

// unknownMethod is the error for a method that this portal does not have. When it is one of
// a scope that the caller lacks, a real portal finds it and misses the scope.
func (c *outerCall) unknownMethod(name string) *restError {
	c.p.Lock()
	defer c.p.Unlock()
	if c.p.inScope(strings.ToLower(name)) {
		return errNoMethod
	}
	return errScope
}

// checkCaller refuses calls in the name of somebody who has left the company, and those
// that need a license; the lock is held.
func (c *outerCall) checkCaller() *restError {
	u := c.p.users[c.user]
	switch {
	case u != nil && u.dismissed:
		return newError(http.StatusUnauthorized, "authorization_error", "Unable to authorize user")
	case c.params.given("AUTH_CONNECTOR"):
		return forbidden("WRONG_LICENSE", "The feature is not in the plan")
	}
	return nil
}

// checkMethod makes the checks that the portal makes before it runs a method; the lock
// is held.
func (c *outerCall) checkMethod(method string) *restError {
	c.method = strings.ToLower(method)
	switch {
	case !c.p.inScope(c.method):
		return errScope
	case c.session == isInternal(c.method):
	case c.session && refusesSessions(c.method), isInternal(c.method):
		return forbidden("WRONG_AUTH_TYPE", "Access for this method not allowed by session authorization.")
	}
	for _, name := range c.params.keys {
		// An id that is a list ends a batch; a single call takes it for no id.
		breaks := slices.Contains(textParams, name) || c.inBatch && strings.HasSuffix(name, "_ID")
		if _, list := c.params.get(name).(*array); list && breaks && !c.checksItself(name) {
			return errPHP
		}
	}
	return nil
}

// checksItself reports whether the method refuses a list in place of a text by itself.
func (c *outerCall) checksItself(param string) bool {
	return c.method == "imbot.message.add" && (param == "MESSAGE" || param == "DIALOG_ID")
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
	return strings.HasPrefix(method, "imbot.command.") || strings.HasPrefix(method, "imbot.app.")
}

// application is the application that calls: that of the token, or with a webhook that
// of CLIENT_ID.
func (c *call) application() (*application, *restError) {
	if c.app != nil {
		return c.app, nil
	}
	clientID := c.params.text("CLIENT_ID")
	if clientID == "" {
		return nil, forbidden("ACCESS_DENIED", "Client ID not specified")
	}
	return c.p.application("custom"+clientID, clientID, false), nil
}

// bot is the bot that acts: that of BOT_ID. Without the parameter a real portal takes
// any bot of the application; here it is the oldest one.
func (c *call) bot() (*bot, *restError) {
	app, fail := c.application()
	if fail != nil {
		return nil, fail
	}
	if c.params.given("BOT_ID") {
		return c.ownBot(app)
	}
	var oldest *bot
	for _, b := range c.p.bots {
		if b.app == app && (oldest == nil || b.id < oldest.id) {
			oldest = b
		}
	}
	if oldest == nil {
		return nil, badRequest("BOT_ID_ERROR", "Bot not found")
	}
	return oldest, nil
}

// ownBot is the bot of BOT_ID, which has to belong to the application.
func (c *call) ownBot(app *application) (*bot, *restError) {
	b := c.p.bots[c.params.id("BOT_ID")]
	switch {
	case b == nil:
		return nil, badRequest("BOT_ID_ERROR", "Bot not found")
	case b.app != app:
		return nil, badRequest("APP_ID_ERROR", "Bot was installed by another rest application")
	}
	return b, nil
}
