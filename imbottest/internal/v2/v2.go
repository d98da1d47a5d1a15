// Package v2 has the methods of the second generation, imbot.v2.* and im.v2.*.
package v2

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// Lookup finds a method by its name in lower case.
func Lookup(name string) world.Method {
	if !strings.HasPrefix(name, "imbot.v2.") && !strings.HasPrefix(name, "im.v2.") {
		return nil
	}
	for _, family := range []func(string) world.Method{botMethods, messageMethods, chatMethods, memberMethods, reactionMethods, fileMethods, commandMethods, eventMethods} {
		if m := family(name); m != nil {
			return func(c *world.Call) (any, *world.Refusal) {
				if c.InBatch && c.World.Differs(world.DoubtV2InBatch) {
					return nil, world.BadRequest("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
				}
				result, fail := m(c)
				if fail != nil && c.World.Differs(world.DoubtStatusMethod) {
					fail = fail.WithStatus(http.StatusForbidden)
				}
				return result, fail
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
	dialog, fail := dialogOf(c)
	return b, dialog, fail
}

func dialogOf(c *world.Call) (imbot.DialogID, *world.Refusal) {
	dialog, isText := c.Params.Get("DIALOGID").(string)
	if !isText {
		return "", noValue("dialogId")
	}
	return imbot.DialogID(strings.ToLower(dialog)), nil
}

// botInChat is the bot that acts and the chat of which it is a member; others are refused with
// ACCESS_DENIED.
func botInChat(c *world.Call, required ...string) (*world.Bot, *world.Chat, *world.Refusal) {
	b, dialog, fail := botInDialog(c, required...)
	if fail != nil {
		return nil, nil, fail
	}
	chat := c.World.Find(b.ID, dialog)
	if chat == nil || chat.Member(b.ID) == nil {
		return nil, nil, errDenied
	}
	return b, chat, nil
}

// botAndChat is botInChat for methods that tell when there is no such chat.
func botAndChat(c *world.Call, required ...string) (*world.Bot, *world.Chat, *world.Refusal) {
	b, dialog, fail := botInDialog(c, required...)
	switch {
	case fail != nil:
		return nil, nil, fail
	case c.World.Find(b.ID, dialog) == nil:
		return nil, nil, errNoChat
	}
	return botInChat(c, required...)
}

var (
	errDenied = world.BadRequest("ACCESS_DENIED", "Access denied")
	errNoChat = world.BadRequest("CHAT_NOT_FOUND", "Chat not found")
	errWrong  = world.BadRequest("WRONG_MESSAGE_TYPE", "The dialog is no group chat")
)

// noValue refuses a call without a parameter, or with one of the wrong type.
func noValue(name string) *world.Refusal {
	return world.BadRequest("100", "Could not find value for parameter {"+name+"}")
}

// isTrue is the answer of methods that only do something.
func isTrue() *php.Array { return php.Object("result", true) }

// yes reads a flag of this generation: true, 1, "Y" and "true", in any case.
func yes(w *world.World, v any) bool {
	switch v := v.(type) {
	case bool:
		return v && !w.Differs(world.DoubtFlagBool)
	case nil:
		return false
	default:
		if text, isText := v.(string); isText && w.Differs(world.DoubtFlagText) {
			return text != ""
		}
		switch strings.ToLower(fmt.Sprint(v)) {
		case "y", "true", "1":
			return true
		}
	}
	return false
}
