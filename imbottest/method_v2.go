package imbottest

import (
	"strings"

	"github.com/imbot-go/imbot"
)

func v2Methods(name string) method {
	if !strings.HasPrefix(name, "imbot.v2.") {
		return nil
	}
	for _, family := range []func(string) method{v2BotMethods, v2MessageMethods, v2ChatMethods, v2CommandMethods, v2EventMethods} {
		if m := family(name); m != nil {
			return func(c *call) (any, *restError) {
				if c.inBatch && c.p.noV2InBatch {
					return nil, badRequest("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
				}
				return m(c)
			}
		}
	}
	return nil
}

// owner is the application that calls: that of the token, or with a webhook that of
// botToken, which has older names.
func (c *call) owner() (*application, *restError) {
	if c.app != nil {
		return c.app, nil
	}
	for _, name := range []string{"BOTTOKEN", "BOT_TOKEN", "CLIENTID", "CLIENT_ID"} {
		if token := c.params.text(name); token != "" {
			return c.p.application("custom"+token, token, false), nil
		}
	}
	return nil, badRequest("BOT_TOKEN_NOT_SPECIFIED", "Bot token is not specified")
}

// botV2 is the bot that acts. Its checks come before those of all other parameters.
func (c *call) botV2() (*bot, *restError) {
	app, fail := c.owner()
	if fail != nil {
		return nil, fail
	}
	id := c.params.id("BOTID")
	b := c.p.bots[id]
	switch {
	case id <= 0:
		return nil, badRequest("BOT_ID_REQUIRED", "Bot ID is required")
	case b == nil:
		return nil, badRequest("BOT_NOT_FOUND", "Bot not found")
	case b.app != app:
		return nil, badRequest("BOT_OWNERSHIP_ERROR", "Bot belongs to another application")
	}
	return b, nil
}

// required refuses a call without a parameter, or one of the wrong type.
func (c *call) required(name string, asText bool) *restError {
	v := c.params.get(strings.ToUpper(name))
	_, isText := v.(string)
	if v == nil || asText && !isText {
		return badRequest("100", "Could not find value for parameter {"+name+"}")
	}
	return nil
}

// dialogV2 is the dialog that a bot means, which has to be a text.
func (c *call) dialogV2() (imbot.DialogID, *restError) {
	if fail := c.required("dialogId", true); fail != nil {
		return "", fail
	}
	return imbot.DialogID(strings.ToLower(c.params.text("DIALOGID"))), nil
}

// isTrue is the answer of methods that only do something.
func isTrue() *array { return object("result", true) }
