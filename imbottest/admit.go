package imbottest

import (
	"net/http"
	"strings"
)

// vetoed is the error of a call that another module refuses.
func (c *call) vetoed(description string) *restError {
	if c.p.states.vetoed[c.method] {
		return wrong("WRONG_REQUEST", description)
	}
	return nil
}

// welcome looks at who was authorized; the lock is held.
func (c *call) welcome() *restError {
	u := c.p.users[c.user]
	switch {
	case u != nil && u.dismissed:
		return &restError{http.StatusUnauthorized, "authorization_error", "Unable to authorize user"}
	case c.params.given("AUTH_CONNECTOR"):
		return forbidden("WRONG_LICENSE", "The feature is not in the plan")
	}
	return nil
}

// admit makes the checks that come before those of a method; the lock is held.
func (c *call) admit(method string) *restError {
	c.method = strings.ToLower(method)
	switch {
	case !c.p.inScope(c.method):
		return &restError{http.StatusUnauthorized, "insufficient_scope", "The request requires higher privileges than provided by the webhook token"}
	case c.session == isInternal(c.method):
	case c.session && refusesSessions(c.method), isInternal(c.method):
		return forbidden("WRONG_AUTH_TYPE", "Access for this method not allowed by session authorization.")
	}
	for _, name := range texts {
		if _, list := c.params.get(name).(*array); list && (name != "MESSAGE" || c.method != "imbot.message.add") {
			return errPHP
		}
	}
	return nil
}

// errPHP is what is left of a portal whose code broke.
var errPHP = &restError{http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "Internal server error"}

// texts are parameters at which PHP breaks when they are no text.
var texts = []string{"CLIENT_ID", "DIALOG_ID", "CODE", "TITLE", "COMMAND", "MESSAGE"}

// refusesSessions names the methods that are closed to browsers.
func refusesSessions(method string) bool {
	switch method {
	case "imbot.register", "imbot.update", "imbot.unregister", "imbot.bot.list":
		return true
	}
	return strings.HasPrefix(method, "imbot.command.") || strings.HasPrefix(method, "imbot.app.")
}

// recorded reports whether the core of the portal gave the code, which then takes
// the place of the documented one.
func (e *restError) recorded() bool {
	switch e.code {
	case "CHAT_ID", "CANCELED", "ERROR_NO_ACCESS", "PARAM_KEYBOARD_ERROR", "PARAM_MENU_ERROR", "EMPTY_USER_ID",
		"ACCESS_DENIED_EXTEND", "ACCESS_DENIED_KICK", "USER_NOT_FOUND", "LEAVE_OWNER_FORBIDDEN":
		return true
	}
	return false
}

// override is what a batch does to the code of a failed command: an error that
// the core has once recorded stays until the end and takes the place of others.
func (c *call) override(fail *restError) *restError {
	switch {
	case fail == nil:
	case fail.recorded():
		c.recorded = fail
	case c.recorded != nil:
		return c.recorded
	}
	return fail
}
