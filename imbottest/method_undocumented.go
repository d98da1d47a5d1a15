package imbottest

import (
	"strings"

	"github.com/imbot-go/imbot"
)

// undocumentedMethods are methods that portals have without a page in the vendor's
// documentation.
func undocumentedMethods(name string) method {
	switch name {
	case "imbot.sendtyping":
		return chatSendTyping // the old name of imbot.chat.sendTyping
	case "imbot.dialog.vote":
		return dialogVote
	case "imbot.chat.updatetextfieldenabled":
		return chatUpdateTextFieldEnabled
	}
	if isInternal(name) {
		return question
	}
	return nil
}

// isInternal reports whether a method is for the portal's own pages only.
func isInternal(name string) bool {
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
func question(*call) (any, *restError) {
	return nil, badRequest("WRONG_REQUEST", "Module imbot isn't configured")
}

// dialogVote is for messages of the vendor's network bots. This portal has none, so it
// never changes anything.
func dialogVote(c *call) (any, *restError) {
	if !c.params.given("MESSAGE_ID") {
		return nil, badRequest("MESSAGE_ID_EMPTY", "Message ID can't be empty")
	}
	dialog := strings.ToLower(c.params.text("DIALOG_ID"))
	if !isDialog(dialog) {
		return nil, badRequest("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
	}
	chat := c.p.find(c.user, imbot.DialogID(dialog))
	if chat == nil || chat.member(c.user) == nil {
		return nil, forbidden("ACCESS_ERROR", "You don't have access to this chat")
	}
	return nil, errWithoutChanges
}

func chatUpdateTextFieldEnabled(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	if !c.params.given("TEXT_FIELD_ENABLED") {
		return nil, badRequest("TEXT_FIELD_ENABLED_EMPTY", "Text field enabled can't be empty")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.group(id)
	if chat == nil || chat.member(b.id) == nil {
		return nil, badRequest("ACCESS_ERROR", "You don't have access to this chat")
	}
	chat.textFieldOff = c.params.get("TEXT_FIELD_ENABLED") == "N" // any other value, false too, switches it on
	return true, nil
}
