// Package v1 has the methods of the first generation of chat bots, and those that both
// generations use: of the portal itself, of events and of open lines.
package v1

import (
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// Lookup finds a method by its name in lower case. Each family of methods has a file with a
// function that lists them.
func Lookup(name string) world.Method {
	for _, family := range []func(string) world.Method{
		botMethods, chatMethods, appMethods, messageMethods, commandMethods, lineMethods, portalMethods, optionMethods, eventMethods, undocumentedMethods,
	} {
		if m := family(name); m != nil {
			return m
		}
	}
	return nil
}

// application is the application that calls: that of the token, or with a webhook that
// of CLIENT_ID.
func application(c *world.Call) (*world.Application, *world.Refusal) {
	if c.App != nil {
		return c.App, nil
	}
	clientID := c.Params.Text("CLIENT_ID")
	if clientID == "" {
		return nil, world.Forbidden("ACCESS_DENIED", "Client ID not specified")
	}
	return c.World.Application("custom"+clientID, clientID, false), nil
}

// botOf is the bot that acts: that of BOT_ID. Without the parameter a real portal takes
// any bot of the application; here it is the oldest one.
func botOf(c *world.Call) (*world.Bot, *world.Refusal) {
	app, fail := application(c)
	if fail != nil {
		return nil, fail
	}
	if c.Params.Given("BOT_ID") {
		return ownBot(c, app)
	}
	var oldest *world.Bot
	for _, b := range c.World.Bots {
		if b.App == app && !foreign(c, b) && (oldest == nil || b.ID < oldest.ID) {
			oldest = b
		}
	}
	if oldest == nil {
		return nil, world.BadRequest("BOT_ID_ERROR", "Bot not found")
	}
	return oldest, nil
}

// ownBot is the bot of BOT_ID, which has to belong to the application.
func ownBot(c *world.Call, app *world.Application) (*world.Bot, *world.Refusal) {
	b := c.World.Bots[c.Params.ID("BOT_ID")]
	switch {
	case b == nil:
		return nil, world.BadRequest("BOT_ID_ERROR", "Bot not found")
	case b.App != app, foreign(c, b):
		return nil, world.BadRequest("APP_ID_ERROR", "Bot was installed by another rest application")
	}
	return b, nil
}

// foreign reports whether a bot of the second generation counts as that of another application.
func foreign(c *world.Call, b *world.Bot) bool {
	return b.Mode != "" && c.World.Differs(world.DoubtSharedOwner)
}
