package imbot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot/internal/phpform"
)

// ID identifies a bot, user, chat, message, command or chat application. The
// portal sends ids as numbers or as numeric strings; the SDK sends numbers.
// The zero ID means "none"; the requests of this package do not send it.
type ID int64

// UnmarshalJSON reads a number or a numeric string; null, false and the empty
// string, PHP's ways to say "none", are zero.
func (id *ID) UnmarshalJSON(data []byte) error {
	if n, err := strconv.ParseInt(string(data), 10, 64); err == nil {
		*id = ID(n)
		return nil
	}
	s := string(data)
	if len(s) > 1 && s[0] == '"' {
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
	}
	switch s {
	case "", "null", "false":
		*id = 0
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return fmt.Errorf("imbot: %.40q is not an id", s)
	}
	*id = ID(n)
	return nil
}

// String returns the id in decimal.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// parseID reads an id from text; what is not an id is zero.
func parseID(s string) ID {
	if s == "" { // most often; ParseInt would make an error of it
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return ID(n)
}

// Flag is an optional yes or no. The zero Flag is not sent: the portal then
// applies its own default, which stands in the comment of each field. The others go as texts, "Y" and
// "N", because old portals read no JSON booleans (livecheck: flag-text, flag-bool).
type Flag string

// The two values of a Flag.
const (
	Yes Flag = "Y"
	No  Flag = "N"
)

// Bool reports whether the flag is Yes; the zero Flag is not.
func (f Flag) Bool() bool { return f == Yes }

// UnmarshalJSON reads every spelling the portal uses: Y, N, true, false, 1, 0,
// the empty string and null (the last two are the zero Flag). Another word or
// number is kept as it is.
func (f *Flag) UnmarshalJSON(data []byte) error {
	s := string(data)
	if s != "false" { // which Scalar takes for nothing
		var err error
		if s, err = phpform.Scalar(data); err != nil {
			return err
		}
	}
	*f = parseFlag(s)
	return nil
}

func parseFlag(s string) Flag {
	switch s {
	case "Y", "y", "true", "1":
		return Yes
	case "N", "n", "false", "0":
		return No
	case "", "null":
		return ""
	}
	return Flag(s)
}

// DialogID names a conversation: a private dialog by the other person's user
// id ("27"), a group chat by "chat" and its chat id ("chat5"). Build one with
// [UserDialog] or [ChatDialog], or take it from an event.
type DialogID string

// UserDialog returns the private dialog with a user (or bot).
func UserDialog(user ID) DialogID { return DialogID(user.String()) }

// ChatDialog returns the dialog of a group chat.
func ChatDialog(chat ID) DialogID { return DialogID("chat" + chat.String()) }

// ChatID returns the chat id of a group chat; ok is false for a private dialog.
func (d DialogID) ChatID() (id ID, ok bool) {
	digits, ok := strings.CutPrefix(string(d), "chat")
	if !ok {
		return 0, false
	}
	return positiveID(digits)
}

// UserID returns the user id of a private dialog; ok is false for a group chat.
func (d DialogID) UserID() (id ID, ok bool) { return positiveID(string(d)) }

// UnmarshalJSON reads a string or a number; null and false are empty.
func (d *DialogID) UnmarshalJSON(data []byte) error {
	s, err := phpform.Scalar(data)
	*d = DialogID(s)
	return err
}

// EntityID is a free tag of a chat; the portal sends it as a string or a number.
type EntityID string

// UnmarshalJSON reads a string or a number; null and false are empty.
func (e *EntityID) UnmarshalJSON(data []byte) error {
	s, err := phpform.Scalar(data)
	*e = EntityID(s)
	return err
}

// OK is the result of a method whose only good news is true. It decodes from
// true and from nothing else.
type OK struct{}

// UnmarshalJSON accepts true and refuses everything else.
func (*OK) UnmarshalJSON(data []byte) error {
	if string(data) != "true" {
		return fmt.Errorf("imbot: the portal answered %.40s, not true", data)
	}
	return nil
}

// BotType says what a bot sees.
type BotType string

// The types of a bot. The type is fixed at registration.
const (
	BotTypeBot        BotType = "B" // sees only messages that address it in group chats (the portal's default)
	BotTypeHuman      BotType = "H" // accepted by the portal, stored as BotTypeBot
	BotTypeOpenLine   BotType = "O" // open line bot; implies OpenLine
	BotTypeSupervisor BotType = "S" // sees every message of its chats
)

// Gender of a bot's profile.
type Gender string

// The genders of a profile.
const (
	GenderMale   Gender = "M"
	GenderFemale Gender = "F"
)

// ChatType says who may join a group chat.
type ChatType string

// The types of a chat.
const (
	ChatTypeOpen ChatType = "OPEN" // anybody may join
	ChatTypeChat ChatType = "CHAT" // by invitation (the portal's default)
)

// positiveID reads a decimal id without sign or leading zeros.
func positiveID(s string) (ID, bool) {
	if s == "" || s[0] < '1' || s[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, false
	}
	return ID(n), true
}

// jsonText reads a JSON string or scalar as text; anything else is empty.
func jsonText(raw json.RawMessage) string {
	s, err := phpform.Scalar(raw)
	if err != nil {
		return ""
	}
	return s
}
