package imbot

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ButtonAction is what a button or menu item does: one of the types whose name
// begins with Action, used by value. None may be empty.
type ButtonAction interface{ buttonAction() }

// The actions.
type (
	// ActionLink opens an address: "/…" on the portal, "http://…" or "https://…".
	ActionLink string

	// ActionPut puts the text into the input field.
	ActionPut string

	// ActionSend sends the text in the name of the person.
	ActionSend string

	// ActionCopy copies the text.
	ActionCopy string

	// ActionCall calls a phone number in the international form, "+15550100".
	ActionCall string

	// ActionDialog opens a conversation.
	ActionDialog DialogID

	// ActionCommand runs a command of the bot, which gets a [CommandAddEvent].
	ActionCommand struct {
		Command string // name; the portal takes a leading slash away
		Params  string // not "0" in a [Keyboard], which the portal takes for none
	}

	// ActionApp opens a chat application, in the old messenger only.
	ActionApp struct {
		AppID  ID
		Params string
	}
)

func (ActionLink) buttonAction()    {}
func (ActionPut) buttonAction()     {}
func (ActionSend) buttonAction()    {}
func (ActionCopy) buttonAction()    {}
func (ActionCall) buttonAction()    {}
func (ActionDialog) buttonAction()  {}
func (ActionCommand) buttonAction() {}
func (ActionApp) buttonAction()     {}

// ButtonContext says in which programs a button or menu item is shown.
type ButtonContext string

// Where a button is shown.
const (
	ButtonContextAll     ButtonContext = "ALL"
	ButtonContextMobile  ButtonContext = "MOBILE"
	ButtonContextDesktop ButtonContext = "DESKTOP"
)

// wireButton is a button or menu item on the wire.
type wireButton struct {
	Text          string        `json:"TEXT,omitempty"`
	Link          string        `json:"LINK,omitempty"`
	AppID         ID            `json:"APP_ID,omitempty"`
	AppParams     string        `json:"APP_PARAMS,omitempty"`
	Action        string        `json:"ACTION,omitempty"`
	ActionValue   string        `json:"ACTION_VALUE,omitempty"`
	Command       string        `json:"COMMAND,omitempty"`
	CommandParams string        `json:"COMMAND_PARAMS,omitempty"`
	Block         Flag          `json:"BLOCK,omitempty"`
	Disabled      Flag          `json:"DISABLED,omitempty"`
	Context       ButtonContext `json:"CONTEXT,omitempty"`
	Display       ButtonDisplay `json:"DISPLAY,omitempty"`
	Width         int           `json:"WIDTH,omitempty"`
	BGColor       string        `json:"BG_COLOR,omitempty"`
	TextColor     string        `json:"TEXT_COLOR,omitempty"`
	OffBGColor    string        `json:"OFF_BG_COLOR,omitempty"`
	OffTextColor  string        `json:"OFF_TEXT_COLOR,omitempty"`
	BGColorToken  ColorToken    `json:"BG_COLOR_TOKEN,omitempty"`
}

// setAction writes an action. It reports false for a pointer to one, which the
// interface cannot keep out.
func (w *wireButton) setAction(a ButtonAction) bool {
	switch a := a.(type) {
	case nil:
	case ActionLink:
		w.Link = string(a)
	case ActionApp:
		w.AppID, w.AppParams = a.AppID, a.Params
	case ActionPut:
		w.Action, w.ActionValue = "PUT", string(a)
	case ActionSend:
		w.Action, w.ActionValue = "SEND", string(a)
	case ActionCopy:
		w.Action, w.ActionValue = "COPY", string(a)
	case ActionCall:
		w.Action, w.ActionValue = "CALL", string(a)
	case ActionDialog:
		w.Action, w.ActionValue = "DIALOG", string(a)
	case ActionCommand:
		w.Command, w.CommandParams = a.Command, a.Params
	default:
		return false
	}
	return true
}

// takeAction reads the action that the portal would choose. Where there is none
// that is known, nothing is taken.
func (o object) takeAction() ButtonAction {
	var a ButtonAction
	value := o.text("ACTION_VALUE")
	switch {
	case isLink(o.text("LINK")):
		a = ActionLink(o.text("LINK"))
	case o.id("APP_ID") > 0:
		a = ActionApp{AppID: o.id("APP_ID"), Params: o.text("APP_PARAMS")}
	case o.text("ACTION") == "PUT" && value != "":
		a = ActionPut(value)
	case o.text("ACTION") == "SEND" && value != "":
		a = ActionSend(value)
	case o.text("ACTION") == "COPY" && value != "":
		a = ActionCopy(value)
	case o.text("ACTION") == "CALL" && value != "":
		a = ActionCall(value)
	case o.text("ACTION") == "DIALOG" && value != "":
		a = ActionDialog(value)
	case o.text("ACTION") == "" && o.text("COMMAND") != "":
		a = ActionCommand{Command: o.text("COMMAND"), Params: o.text("COMMAND_PARAMS")}
	default:
		return nil
	}
	for _, name := range []string{"LINK", "APP_ID", "APP_PARAMS", "ACTION", "ACTION_VALUE", "COMMAND", "COMMAND_PARAMS"} {
		o.take(name)
	}
	return a
}

func (w wireButton) marshal(a ButtonAction, rest string) ([]byte, error) {
	if !w.setAction(a) {
		return nil, fmt.Errorf("imbot: %T is not an action: use it by value", a)
	}
	data, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	return withRest(data, rest)
}

func checkContext(field string, c ButtonContext) error {
	return checkOneOf(field+": CONTEXT", c, ButtonContextAll, ButtonContextMobile, ButtonContextDesktop)
}

// checkButton refuses what the portal drops: an entry without text or without an
// action, and parameters of blanks.
func checkButton(code ErrorCode, field, text string, a ButtonAction, rest string) error {
	if a == nil && rest != "" { // from the portal, and unknown here
		return checkTexts(field+": TEXT", text, field, rest)
	}
	var w wireButton
	switch {
	case !w.setAction(a):
		return invalid(code, "%s: %T is not an action: use it by value", field, a)
	case trimmedAway(text):
		return invalid(code, "%s: an entry without TEXT", field)
	case w.Command != "" && trimmedAway(strings.TrimPrefix(w.Command, "/")):
		return invalid(code, "%s: COMMAND %.20q has no name", field, w.Command)
	case w.CommandParams != "" && trimmedAway(w.CommandParams):
		return invalid(code, "%s: COMMAND_PARAMS of %.20q is blank: the portal would drop it", field, text)
	case w.AppParams != "" && trimmedAway(w.AppParams):
		return invalid(code, "%s: APP_PARAMS of %.20q is blank: the portal would drop it", field, text)
	case w.Link == "" && w.AppID <= 0 && trimmedAway(w.ActionValue) && w.Command == "":
		return invalid(code, "%s: %.20q has no action", field, text)
	}
	return checkAll(
		checkLink(code, field+": LINK", w.Link),
		checkTexts(field+": TEXT", text, field+": APP_PARAMS", w.AppParams, field+": ACTION_VALUE", w.ActionValue,
			field+": COMMAND", w.Command, field+": COMMAND_PARAMS", w.CommandParams, field, rest),
	)
}
