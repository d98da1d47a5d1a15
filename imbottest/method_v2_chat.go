package imbottest

import "time"

func v2ChatMethods(name string) method {
	switch name {
	case "imbot.v2.chat.get":
		return v2ChatGet
	case "imbot.v2.chat.inputaction.notify":
		return v2NotifyAction
	case "imbot.v2.revision.get":
		return v2Revision
	}
	return nil
}

func v2ChatGet(c *call) (any, *restError) {
	p := c.p
	b, dialog, fail := c.botInDialogV2()
	if fail != nil {
		return nil, fail
	}
	chat := p.find(b.id, dialog)
	switch {
	case chat == nil:
		return nil, badRequest("CHAT_NOT_FOUND", "Chat not found")
	case chat.member(b.id) == nil && chat.kind != kindOpen:
		return nil, badRequest("ACCESS_DENIED", "Access denied")
	}
	return object("chat", p.chatObject(chat, b.id, true)), nil
}

func v2NotifyAction(c *call) (any, *restError) {
	p := c.p
	b, dialog, fail := c.botInDialogV2()
	if fail != nil {
		return nil, fail
	}
	chat := p.find(b.id, dialog)
	if chat == nil || chat.member(b.id) == nil {
		return nil, badRequest("ACCESS_DENIED", "Access denied")
	}
	d := typingTime // for how long without duration is not documented
	if seconds := c.params.id("DURATION"); seconds > 0 {
		d = time.Duration(min(seconds, longestAction)) * time.Second
	}
	p.startTyping(chat, b.id, d)
	return isTrue(), nil
}

// longestAction is for how many seconds a bot may show that it is at work.
const longestAction = 600

func v2Revision(c *call) (any, *restError) {
	rest := c.p.revision
	if rest == 0 {
		rest = newestRevision
	}
	return object("rest", rest, "web", 130, "mobile", 23, "desktop", 6), nil
}

// newestRevision is the last one that the documentation tells of.
const newestRevision = 36
