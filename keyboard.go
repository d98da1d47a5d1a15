package imbot

import "encoding/json"

// Keyboard is a set of buttons under a message:
//
//	&imbot.Keyboard{Rows: [][]imbot.Button{{
//		{Text: "Yes", Action: imbot.ActionCommand{Command: "answer", Params: "yes"}},
//		{Text: "No", Action: imbot.ActionCommand{Command: "answer", Params: "no"}},
//	}}}
//
// Rows without buttons are left out. The portal keeps at most 30 KB by the
// documentation, 60,000 characters of JSON by what is seen.
//
// The empty Keyboard removes the keyboard of a message in
// [MessageService.Update]; everywhere else it is refused.
type Keyboard struct {
	Rows [][]Button

	rest string // members that have no field
}

// Button is one button of a [Keyboard]. Text and Action are required. The text "0"
// counts as none, " 0 " does not.
//
// A button that came from the portal keeps the members that have no field here,
// and one whose action is not known has no Action; both go out as they came.
type Button struct {
	Text         string
	Action       ButtonAction
	Block        Flag          // default No; Yes: blocked after a press; with [ActionCommand] only
	Disabled     Flag          // default No; Yes: cannot be pressed
	Context      ButtonContext // default ButtonContextAll
	Display      ButtonDisplay // default: ButtonDisplayLine in a row of several buttons, else ButtonDisplayBlock
	Width        int           // pixels
	BGColor      string        // "#29619b" or "#fff"
	TextColor    string        // as BGColor, like the two below
	OffBGColor   string        // while the button is disabled
	OffTextColor string        // while the button is disabled
	BGColorToken ColorToken    // default ColorTokenBase

	rest string
}

// ButtonDisplay says whether a button shares its row.
type ButtonDisplay string

// How a button stands.
const (
	ButtonDisplayBlock ButtonDisplay = "BLOCK" // alone, over the whole width
	ButtonDisplayLine  ButtonDisplay = "LINE"  // beside the others of its row
)

// newLine is the type of an entry that ends a row.
const newLine = "NEWLINE"

// MarshalJSON writes the form that the portal takes, with an entry of type
// NEWLINE between two rows; the empty keyboard is "N".
func (k Keyboard) MarshalJSON() ([]byte, error) {
	if k.empty() {
		return []byte(removed), nil
	}
	var entries []json.RawMessage
	for _, row := range k.Rows {
		if len(row) == 0 {
			continue
		}
		if len(entries) > 0 {
			entries = append(entries, json.RawMessage(`{"TYPE":"`+newLine+`"}`))
		}
		for _, b := range row {
			if len(row) > 1 && b.Display == "" {
				b.Display = ButtonDisplayLine // the portal's default would give each button a row of its own
			}
			entry, err := b.marshal()
			if err != nil {
				return nil, err
			}
			entries = append(entries, entry)
		}
	}
	return marshalList("BUTTONS", entries, k.rest)
}

// marshal writes a button. The portal takes the command 0 for none, but keeps it
// behind a slash, which it takes away.
func (b Button) marshal() ([]byte, error) {
	if c, ok := b.Action.(ActionCommand); ok && c.Command == "0" {
		c.Command = "/0"
		b.Action = c
	}
	return wireButton{
		Text: b.Text, Block: b.Block, Disabled: b.Disabled, Context: b.Context, Display: b.Display, Width: b.Width,
		BGColor: b.BGColor, TextColor: b.TextColor, OffBGColor: b.OffBGColor, OffTextColor: b.OffTextColor, BGColorToken: b.BGColorToken,
	}.marshal(b.Action, b.rest)
}

// UnmarshalJSON reads every form that the portal takes or gives: an object with
// BUTTONS, a bare list, a JSON string of either, "N", "", null or [].
func (k *Keyboard) UnmarshalJSON(data []byte) error {
	entries, rest, err := richList(data, "BUTTONS")
	if err != nil {
		return err
	}
	*k = Keyboard{}
	row := []Button{}
	end := func() {
		for i := range row {
			if len(row) > 1 && row[i].Display == "" {
				row[i].Display = ButtonDisplayBlock // what it is without a word
			}
		}
		if len(row) > 0 {
			k.Rows = append(k.Rows, row)
		}
		row = []Button{}
	}
	for _, entry := range entries {
		var o object
		if json.Unmarshal(entry, &o) != nil || o == nil {
			continue // the portal skips it, too
		}
		if o.text("TYPE") == newLine {
			end()
			continue
		}
		b := Button{
			Text: o.take("TEXT"), Action: o.takeAction(), Block: o.takeFlag("BLOCK"), Disabled: o.takeFlag("DISABLED"),
			Context: ButtonContext(o.take("CONTEXT")), Display: ButtonDisplay(o.take("DISPLAY")), Width: o.takeSize("WIDTH"),
			BGColor: o.take("BG_COLOR"), TextColor: o.take("TEXT_COLOR"), OffBGColor: o.take("OFF_BG_COLOR"),
			OffTextColor: o.take("OFF_TEXT_COLOR"), BGColorToken: ColorToken(o.take("BG_COLOR_TOKEN")),
		}
		delete(o, "DISPLAY") // what is left of it means the default
		b.rest = o.rest()
		row = append(row, b)
	}
	end()
	if !k.empty() {
		k.rest = rest.rest()
	}
	return nil
}

func (k *Keyboard) empty() bool {
	for _, row := range k.Rows {
		if len(row) > 0 {
			return false
		}
	}
	return true
}

// Check refuses what the portal would lose without a word. Requests that have a keyboard
// call it.
func (k *Keyboard) Check() error {
	if k == nil {
		return nil
	}
	for _, row := range k.Rows {
		for _, b := range row {
			if e := b.check(); e != nil {
				return e
			}
		}
	}
	return nil
}

func (b Button) check() error {
	if b.Width < 0 {
		return invalid(ErrKeyboard, "KEYBOARD: WIDTH %d is less than 0", b.Width)
	}
	if b.Text == "0" {
		return invalid(ErrKeyboard, "KEYBOARD: a button with the TEXT 0 counts as one without TEXT: put blanks around it, which the portal takes away")
	}
	if c, ok := b.Action.(ActionCommand); ok && c.Params == "0" {
		return invalid(ErrKeyboard, "KEYBOARD: COMMAND_PARAMS of %.20q is 0: the portal would drop it, so write it in another way", b.Text)
	}
	return checkAll(
		checkButton(ErrKeyboard, "KEYBOARD", b.Text, b.Action, b.rest),
		checkFlag("KEYBOARD: BLOCK", b.Block),
		checkFlag("KEYBOARD: DISABLED", b.Disabled),
		checkContext("KEYBOARD", b.Context),
		checkOneOf("KEYBOARD: DISPLAY", b.Display, ButtonDisplayBlock, ButtonDisplayLine),
		checkHexColor("KEYBOARD: BG_COLOR", b.BGColor),
		checkHexColor("KEYBOARD: TEXT_COLOR", b.TextColor),
		checkHexColor("KEYBOARD: OFF_BG_COLOR", b.OffBGColor),
		checkHexColor("KEYBOARD: OFF_TEXT_COLOR", b.OffTextColor),
		checkToken("KEYBOARD: BG_COLOR_TOKEN", b.BGColorToken),
	)
}
