package imbotv2

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/imbot-go/imbot"
)

const (
	maxMessage = 20_000 // characters; the portal cuts longer texts (livecheck: text-cut)
	maxRich    = 60_000 // characters of JSON, of an attachment or a keyboard: as many are refused
)

// same reports whether two codes are, whatever their case.
func same(a, b imbot.ErrorCode) bool { return strings.EqualFold(string(a), string(b)) }

// blank reports whether the portal's trimming leaves nothing of a text.
func blank(s string) bool { return strings.Trim(s, " \t\n\r\v\x00") == "" }

func checkMessage(text string) error {
	if !utf8.ValidString(text) {
		return refuse("", "message is not UTF-8")
	}
	if len(text) > maxMessage {
		if n := utf8.RuneCountInString(text); n > maxMessage {
			return refuse("", "message has %d characters, the portal keeps %d: see bbcode.Split", n, maxMessage)
		}
	}
	return nil
}

// checkNew checks a new message, which has something to show and nothing to remove.
func checkNew(dialog imbot.DialogID, text string, a *imbot.Attach, k *imbot.Keyboard) error {
	switch {
	case a == nil && blank(text):
		return refuse(ErrEmptyMessage, "message is blank, and there is no attachment")
	case a != nil && isEmpty(a):
		return refuse(ErrParamAttach, "attach has no blocks")
	case k != nil && isEmpty(k):
		return refuse(imbot.ErrParamKeyboard, "keyboard has no buttons")
	}
	return cmp.Or(checkDialog(dialog), checkMessage(text), checkRich(a, k))
}

// checkRich checks what comes with a message.
func checkRich(a *imbot.Attach, k *imbot.Keyboard) error {
	if err := cmp.Or(a.Check(), k.Check()); err != nil {
		return err
	}
	if a != nil && tooLong(a) {
		return refuse(ErrParamAttach, "attach has %d characters or more", maxRich)
	}
	if k != nil && tooLong(k) {
		return refuse(imbot.ErrKeyboardOversize, "keyboard has %d characters or more", maxRich)
	}
	return nil
}

func tooLong(v any) bool {
	data, err := json.Marshal(v)
	return err == nil && len(data) >= maxRich && utf8.RuneCount(data) >= maxRich
}

// isEmpty reports whether an attachment or keyboard is one that removes.
func isEmpty(v any) bool {
	data, err := json.Marshal(v)
	return err == nil && string(data) == `"N"`
}

// checkDialog refuses a dialog that is none: an event may have no chat to reply to.
func checkDialog(d imbot.DialogID) error {
	if d == "" {
		return refuse("", "dialogId is empty")
	}
	if !utf8.ValidString(string(d)) {
		return refuse("", "dialogId is not UTF-8")
	}
	return nil
}

// checkGroup refuses a private dialog where only a group chat is meant: the portal does nothing
// for it, and answers some methods with true.
func checkGroup(d imbot.DialogID) error {
	if _, private := d.UserID(); private {
		return refuse(ErrWrongMessageType, "dialogId %.20s is a private dialog, not a group chat", string(d))
	}
	return checkDialog(d)
}

func checkID(field string, id imbot.ID) error {
	if id <= 0 {
		return refuse("", "%s is missing", field)
	}
	return nil
}

// checkUsers refuses who is nobody, and would be left out.
func checkUsers(ids []imbot.ID) error {
	if slices.ContainsFunc(ids, func(id imbot.ID) bool { return id <= 0 }) {
		return refuse("", "userIds has one that is no user")
	}
	return nil
}

// checkMembers checks users of a group chat, of whom there is at least one.
func checkMembers(d imbot.DialogID, ids []imbot.ID) error {
	if len(ids) == 0 {
		return refuse(ErrEmptyUserIDs, "userIds is empty")
	}
	return cmp.Or(checkGroup(d), checkUsers(ids))
}
