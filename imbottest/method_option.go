package imbottest

import (
	"maps"
	"net/http"
	"slices"

	"github.com/imbot-go/imbot"
)

// optionMethods are the methods by which an OAuth application keeps its settings on the
// portal: those of all users, and those of each.
func optionMethods(name string) method {
	switch name {
	case "app.option.get":
		return optionGet(ofEverybody)
	case "app.option.set":
		return optionSet(ofEverybody)
	case "user.option.get":
		return optionGet(ofCaller)
	case "user.option.set":
		return optionSet(ofCaller)
	}
	return nil
}

func ofEverybody(*call) imbot.ID { return 0 }

func ofCaller(c *call) imbot.ID { return c.user }

func optionGet(whose func(*call) imbot.ID) method {
	return func(c *call) (any, *restError) {
		if c.app == nil {
			return nil, errNeedsApplication
		}
		options := c.app.options[whose(c)]
		if c.params.given("OPTION") {
			return options.get(c.params.text("OPTION")), nil
		}
		all := newArray() // a copy, because the answer is written without the lock
		if options != nil {
			all.keys, all.values = slices.Clone(options.keys), maps.Clone(options.values)
		}
		return all, nil
	}
}

// optionSet keeps the members of OPTIONS, or without that parameter all parameters.
func optionSet(whose func(*call) imbot.ID) method {
	return func(c *call) (any, *restError) {
		user := whose(c)
		switch {
		case c.app == nil:
			return nil, errNeedsApplication
		case user == 0 && c.user != admin:
			return nil, forbidden("ACCESS_DENIED", "Access denied! Administrator authorization required")
		}
		options := c.params.array("OPTIONS")
		if !c.params.has("OPTIONS") {
			options = c.asSent()
		}
		if options.len() == 0 {
			return nil, newError(http.StatusBadRequest, "ERROR_ARGUMENT", "Argument 'options' is null or empty")
		}
		if c.app.options == nil {
			c.app.options = map[imbot.ID]*array{}
		}
		if c.app.options[user] == nil {
			c.app.options[user] = newArray()
		}
		for _, k := range options.keys {
			c.app.options[user].set(k, options.values[k])
		}
		return true, nil
	}
}

var errNeedsApplication = forbidden("ACCESS_DENIED", "Access denied! Application context required")
