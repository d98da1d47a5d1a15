package v1

import (
	"maps"
	"net/http"
	"slices"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// optionMethods are the methods by which an OAuth application keeps its settings on the
// portal: those of all users, and those of each.
func optionMethods(name string) world.Method {
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

func ofEverybody(*world.Call) imbot.ID { return 0 }

func ofCaller(c *world.Call) imbot.ID { return c.User }

func optionGet(whose func(*world.Call) imbot.ID) world.Method {
	return func(c *world.Call) (any, *world.Refusal) {
		if c.App == nil {
			return nil, errNeedsApplication
		}
		options := c.App.Options[whose(c)]
		if c.Params.Given("OPTION") {
			return options.Get(c.Params.Text("OPTION")), nil
		}
		all := php.NewArray() // a copy, because the answer is written without the lock
		if options != nil {
			all.Keys, all.Values = slices.Clone(options.Keys), maps.Clone(options.Values)
		}
		return all, nil
	}
}

// optionSet keeps the members of OPTIONS, or without that parameter all parameters.
func optionSet(whose func(*world.Call) imbot.ID) world.Method {
	return func(c *world.Call) (any, *world.Refusal) {
		user := whose(c)
		switch {
		case c.App == nil:
			return nil, errNeedsApplication
		case user == 0 && c.User != world.Admin:
			return nil, world.Forbidden("ACCESS_DENIED", "Access denied! Administrator authorization required")
		}
		options := c.Params.Array("OPTIONS")
		if !c.Params.Has("OPTIONS") {
			options = c.AsSent()
		}
		if options.Len() == 0 {
			return nil, world.NewRefusal(http.StatusBadRequest, "ERROR_ARGUMENT", "Argument 'options' is null or empty")
		}
		if c.App.Options == nil {
			c.App.Options = map[imbot.ID]*php.Array{}
		}
		if c.App.Options[user] == nil {
			c.App.Options[user] = php.NewArray()
		}
		for _, k := range options.Keys {
			c.App.Options[user].Set(k, options.Values[k])
		}
		return true, nil
	}
}

var errNeedsApplication = world.Forbidden("ACCESS_DENIED", "Access denied! Application context required")
