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

// botV2 is the bot that acts. Its checks come before those of all other parameters, of which
// these are required.
func (c *call) botV2(required ...string) (*bot, *restError) {
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
	for _, name := range required {
		if c.params.get(strings.ToUpper(name)) == nil {
			return nil, noValue(name)
		}
	}
	return b, nil
}

// botInDialogV2 is botV2 with the dialog that is meant, which has to be a text.
func (c *call) botInDialogV2(required ...string) (*bot, imbot.DialogID, *restError) {
	b, fail := c.botV2(required...)
	if fail != nil {
		return nil, "", fail
	}
	dialog, isText := c.params.get("DIALOGID").(string)
	if !isText {
		return nil, "", noValue("dialogId")
	}
	return b, imbot.DialogID(strings.ToLower(dialog)), nil
}

// noValue refuses a call without a parameter, or with one of the wrong type.
func noValue(name string) *restError {
	return badRequest("100", "Could not find value for parameter {"+name+"}")
}

// isTrue is the answer of methods that only do something.
func isTrue() *array { return object("result", true) }
