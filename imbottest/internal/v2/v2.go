// Package v2 has the methods of the second generation, imbot.v2.*.
package v2

import (
	"fmt"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// Lookup finds a method by its name in lower case.
func Lookup(name string) world.Method {
	if !strings.HasPrefix(name, "imbot.v2.") {
		return nil
	}
	for _, family := range []func(string) world.Method{botMethods, messageMethods, chatMethods, commandMethods, eventMethods} {
		if m := family(name); m != nil {
			return func(c *world.Call) (any, *world.Refusal) {
				if c.InBatch && c.World.NoV2InBatch {
					return nil, world.BadRequest("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
				}
				return m(c)
			}
		}
	}
	return nil
}

// owner is the application that calls: that of the token, or with a webhook that of
// botToken, which has older names.
func owner(c *world.Call) (*world.Application, *world.Refusal) {
	if c.App != nil {
		return c.App, nil
	}
	for _, name := range []string{"BOTTOKEN", "BOT_TOKEN", "CLIENTID", "CLIENT_ID"} {
		if token := c.Params.Text(name); token != "" {
			return c.World.Application("custom"+token, token, false), nil
		}
	}
	return nil, world.BadRequest("BOT_TOKEN_NOT_SPECIFIED", "Bot token is not specified")
}

// botOf is the bot that acts. Its checks come before those of all other parameters, of which
// these are required.
func botOf(c *world.Call, required ...string) (*world.Bot, *world.Refusal) {
	app, fail := owner(c)
	if fail != nil {
		return nil, fail
	}
	id := c.Params.ID("BOTID")
	b := c.World.Bots[id]
	switch {
	case id <= 0:
		return nil, world.BadRequest("BOT_ID_REQUIRED", "Bot ID is required")
	case b == nil:
		return nil, world.BadRequest("BOT_NOT_FOUND", "Bot not found")
	case b.App != app:
		return nil, world.BadRequest("BOT_OWNERSHIP_ERROR", "Bot belongs to another application")
	}
	for _, name := range required {
		if c.Params.Get(strings.ToUpper(name)) == nil {
			return nil, noValue(name)
		}
	}
	return b, nil
}

// botInDialog is botOf with the dialog that is meant, which has to be a text.
func botInDialog(c *world.Call, required ...string) (*world.Bot, imbot.DialogID, *world.Refusal) {
	b, fail := botOf(c, required...)
	if fail != nil {
		return nil, "", fail
	}
	dialog, isText := c.Params.Get("DIALOGID").(string)
	if !isText {
		return nil, "", noValue("dialogId")
	}
	return b, imbot.DialogID(strings.ToLower(dialog)), nil
}

// noValue refuses a call without a parameter, or with one of the wrong type.
func noValue(name string) *world.Refusal {
	return world.BadRequest("100", "Could not find value for parameter {"+name+"}")
}

// isTrue is the answer of methods that only do something.
func isTrue() *php.Array { return php.Object("result", true) }

// yes reads a flag of this generation: true, 1, "Y" and "true", in any case.
func yes(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case nil:
		return false
	default:
		switch strings.ToLower(fmt.Sprint(v)) {
		case "y", "true", "1":
			return true
		}
	}
	return false
}
