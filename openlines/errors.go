package openlines

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/imbot-go/imbot"
)

// The codes of this package's methods that package imbot does not have. The set is open.
const (
	ErrWrongChat                 imbot.ErrorCode = "WRONG_CHAT"                   // no bot holds the conversation, or it is no chat of an open line
	ErrOperatorWrong             imbot.ErrorCode = "OPERATOR_WRONG"               // this person or line cannot take the conversation, there is none, or it is just being transferred
	ErrQueueIDEmpty              imbot.ErrorCode = "QUEUE_ID_EMPTY"               // the id of the line is not a positive number
	ErrTransferIDEmpty           imbot.ErrorCode = "TRANSFER_ID_EMPTY"            // neither a person nor a line to transfer to
	ErrMissingRequiredParam      imbot.ErrorCode = "MISSING_REQUIRED_PARAM"       // neither SESSION_ID nor CHAT_ID
	ErrInvalidSessionID          imbot.ErrorCode = "INVALID_SESSION_ID"           // there is no such conversation
	ErrConfigIDEmpty             imbot.ErrorCode = "CONFIG_ID_EMPTY"              // the id of the line is missing or not a positive number
	ErrConfigWrongUserPermission imbot.ErrorCode = "CONFIG_WRONG_USER_PERMISSION" // the user of the webhook or token may not change lines; an administrator may
	ErrIMNotInstalled            imbot.ErrorCode = "IM_NOT_INSTALLED"             // the portal has no messenger
)

// ErrNotChanged means that the portal answered false to a change: there is no such line, or it did
// not accept the fields. It gives no reason.
var ErrNotChanged = errors.New("openlines: the portal did not change the line")

// refuse is an error of a Check.
func refuse(code imbot.ErrorCode, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if code == "" {
		return errors.New(text)
	}
	return fmt.Errorf("%w: %s", code, text)
}

func checkFlag(field string, f imbot.Flag) error {
	if f != "" && f != imbot.Yes && f != imbot.No {
		return refuse("", "%s is %.20q, not Yes or No", field, string(f))
	}
	return nil
}

func checkText(field, text string) error {
	if !utf8.ValidString(text) {
		return refuse("", "%s is not UTF-8", field)
	}
	return nil
}

// checkOneOfIDs refuses requests that do not name one of two things.
func checkOneOfIDs(code imbot.ErrorCode, nameA string, a imbot.ID, nameB string, b imbot.ID) error {
	switch {
	case a == 0 && b == 0:
		return refuse(code, "neither %s nor %s is set", nameA, nameB)
	case a != 0 && b != 0:
		return refuse("", "both %s and %s are set, and the portal would look at one only", nameA, nameB)
	}
	return nil
}

// same reports whether two codes are, whatever their case.
func same(a, b imbot.ErrorCode) bool { return strings.EqualFold(string(a), string(b)) }
