package v1

import (
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// undocumentedMethods are methods that portals have without a page in the vendor's
// documentation.
func undocumentedMethods(name string) world.Method {
	switch name {
	case "imbot.sendtyping":
		return chatSendTyping // the old name of imbot.chat.sendTyping
	case "imbot.dialog.vote":
		return dialogVote
	case "imbot.chat.updatetextfieldenabled":
		return chatUpdateTextFieldEnabled
	}
	if IsInternal(name) {
		return question
	}
	return nil
}

// IsInternal reports whether a method is for the portal's own pages only.
func IsInternal(name string) bool {
	switch name {
	case "imbot.support24.question.config.get", "imbot.support24.question.add", "imbot.support24.question.list",
		"imbot.support24.question.search", "imbot.network.question.add", "imbot.network.question.list",
		"imbot.network.question.search":
		return true
	}
	return false
}

// question answers all methods of the portal's own pages. They fail because this portal
// has no bot of the vendor's support.
func question(*world.Call) (any, *world.Refusal) {
	return nil, world.BadRequest("WRONG_REQUEST", "Module imbot isn't configured")
}

// dialogVote is for messages of the vendor's network bots. This portal has none, so it
// never changes anything.
func dialogVote(c *world.Call) (any, *world.Refusal) {
	if !c.Params.Given("MESSAGE_ID") {
		return nil, world.BadRequest("MESSAGE_ID_EMPTY", "Message ID can't be empty")
	}
	dialog := strings.ToLower(c.Params.Text("DIALOG_ID"))
	if !isDialog(dialog) {
		return nil, world.BadRequest("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
	}
	chat := c.World.Find(c.User, imbot.DialogID(dialog))
	if chat == nil || chat.Member(c.User) == nil {
		return nil, world.Forbidden("ACCESS_ERROR", "You don't have access to this chat")
	}
	return nil, errWithoutChanges
}

func chatUpdateTextFieldEnabled(c *world.Call) (any, *world.Refusal) {
	id, fail := chatID(c)
	if fail != nil {
		return nil, fail
	}
	if !c.Params.Given("TEXT_FIELD_ENABLED") {
		return nil, world.BadRequest("TEXT_FIELD_ENABLED_EMPTY", "Text field enabled can't be empty")
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	chat := c.World.Group(id)
	if chat == nil || chat.Member(b.ID) == nil {
		return nil, world.BadRequest("ACCESS_ERROR", "You don't have access to this chat")
	}
	chat.TextFieldOff = c.Params.Get("TEXT_FIELD_ENABLED") == "N" // any other value, false too, switches it on
	return true, nil
}
