package v2

import (
	"slices"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func messageGet(c *world.Call) (any, *world.Refusal) {
	b, m, fail := readable(c)
	if fail != nil {
		return nil, fail
	}
	return php.Object("message", readMessage(c.World, m, b.ID), "user", c.World.UserObject(c.World.Users[m.AuthorID], false)), nil
}

// longestRange is how many messages an answer has at most on each side of the one that is meant.
const longestRange = 50

func messageGetContext(c *world.Call) (any, *world.Refusal) {
	b, m, fail := readable(c)
	if fail != nil {
		return nil, fail
	}
	side := longestRange
	if c.Params.Given("RANGE") {
		side = int(min(max(c.Params.ID("RANGE"), 1), longestRange))
	}
	seen := c.World.MessagesSeenBy(c.World.Chats[m.ChatID], b.ID)
	at := world.IndexOf(seen, m.ID)
	from, to := max(0, at-side), min(len(seen), at+side+1)
	messages, users := php.NewArray(), php.NewArray()
	known := map[imbot.ID]bool{}
	for _, m := range seen[from:to] {
		messages.Add(readMessage(c.World, m, b.ID))
		if u := c.World.Users[m.AuthorID]; u != nil && !known[u.ID] {
			known[u.ID] = true
			users.Add(c.World.UserObject(u, false))
		}
	}
	return php.Object("messages", messages, "users", users, "hasPrevPage", from > 0, "hasNextPage", to < len(seen)), nil
}

// readMessage is a message in an answer: people count as having read it, the bot has when it said so.
func readMessage(w *world.World, m *world.Message, reader imbot.ID) *php.Array {
	a, chat := w.MessageObject(m), w.Chats[m.ChatID]
	unread := m.AuthorID != reader && m.ID > chat.ReadBy[reader]
	a.Set("viewedByOthers", slices.ContainsFunc(chat.Members, func(o *world.Member) bool { return o.User != m.AuthorID && w.Bots[o.User] == nil }))
	a.Set("unread", unread)
	a.Set("viewed", !unread)
	return a
}

// readable is a message that the bot may read; only some kinds of bots may.
func readable(c *world.Call) (*world.Bot, *world.Message, *world.Refusal) {
	b, fail := botOf(c, "messageId")
	switch {
	case fail != nil:
		return nil, nil, fail
	case b.Kind != imbot.BotTypeSupervisor && b.Kind != world.BotTypePersonal:
		return nil, nil, world.BadRequest("BOT_TYPE_NOT_ALLOWED", "Bot type not allowed")
	}
	m := c.World.Messages[c.Params.ID("MESSAGEID")]
	if m == nil {
		return nil, nil, world.BadRequest("MESSAGE_NOT_FOUND", "Message not found")
	}
	if member := c.World.Chats[m.ChatID].Member(b.ID); member == nil || m.ID <= member.Since {
		return nil, nil, world.BadRequest("MESSAGE_ACCESS_DENIED", "Access to the message is denied")
	}
	return b, m, nil
}
