package v2

import "github.com/imbot-go/imbot/imbottest/internal/world"

func reactionMethods(name string) world.Method {
	switch name {
	case "imbot.v2.chat.message.reaction.add":
		return reactionAdd
	case "imbot.v2.chat.message.reaction.delete":
		return reactionDelete
	}
	return nil
}

func reactionAdd(c *world.Call) (any, *world.Refusal) {
	m, r, fail := reactionOf(c)
	switch {
	case fail != nil:
		return nil, fail
	case m.Has(r):
		return nil, world.BadRequest("REACTION_ALREADY_SET", "The reaction is already set")
	}
	c.World.React(m, r)
	return isTrue(), nil
}

func reactionDelete(c *world.Call) (any, *world.Refusal) {
	m, r, fail := reactionOf(c)
	switch {
	case fail != nil:
		return nil, fail
	case m.Has(r): // without it nothing happens; the answer then is not documented (livecheck: reaction-absent)
		c.World.React(m, r)
	}
	return isTrue(), nil
}

// reactionOf is a message that the bot sees, and its reaction.
func reactionOf(c *world.Call) (*world.Message, world.Reaction, *world.Refusal) {
	b, fail := botOf(c, "messageId", "reaction")
	if fail != nil {
		return nil, world.Reaction{}, fail
	}
	m, r := c.World.Messages[c.Params.ID("MESSAGEID")], world.Reaction{User: b.ID, Code: c.Params.Text("REACTION")}
	switch {
	case m == nil || m.Deleted || c.World.Chats[m.ChatID].Member(b.ID) == nil:
		return nil, r, errDenied
	case !world.IsReaction(r.Code):
		return nil, r, world.BadRequest("REACTION_NOT_FOUND", "Reaction not found")
	}
	return m, r, nil
}
