package v2

import (
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func chatMethods(name string) world.Method {
	switch name {
	case "imbot.v2.chat.get":
		return chatGet
	case "imbot.v2.chat.inputaction.notify":
		return notifyAction
	case "imbot.v2.revision.get":
		return revisionGet
	}
	return nil
}

func chatGet(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, dialog, fail := botInDialog(c)
	if fail != nil {
		return nil, fail
	}
	chat := w.Find(b.ID, dialog)
	switch {
	case chat == nil:
		return nil, world.BadRequest("CHAT_NOT_FOUND", "Chat not found")
	case chat.Member(b.ID) == nil && chat.Kind != world.KindOpen:
		return nil, world.BadRequest("ACCESS_DENIED", "Access denied")
	}
	return php.Object("chat", w.ChatObject(chat, b.ID, true)), nil
}

func notifyAction(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, dialog, fail := botInDialog(c)
	if fail != nil {
		return nil, fail
	}
	chat := w.Find(b.ID, dialog)
	if chat == nil || chat.Member(b.ID) == nil {
		return nil, world.BadRequest("ACCESS_DENIED", "Access denied")
	}
	d := world.TypingTime // for how long without duration is not documented
	if seconds := c.Params.ID("DURATION"); seconds > 0 {
		d = time.Duration(min(seconds, longestAction)) * time.Second
	}
	w.StartTyping(chat, b.ID, d)
	return isTrue(), nil
}

// longestAction is for how many seconds a bot may show that it is at work.
const longestAction = 600

func revisionGet(c *world.Call) (any, *world.Refusal) {
	rest := c.World.Revision
	if rest == 0 {
		rest = newestRevision
	}
	return php.Object("rest", rest, "web", 130, "mobile", 23, "desktop", 6), nil
}

// newestRevision is the last one that the documentation tells of.
const newestRevision = 36
