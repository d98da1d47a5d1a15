package world

import (
	"fmt"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// Press does what a button or menu item is for; the lock is held.
func (w *World) Press(m *Message, user imbot.ID, button *php.Array, context string) error {
	text := button.Text("TEXT")
	switch {
	case button.Text("DISABLED") == "Y":
		return fmt.Errorf("imbottest: the button %q is disabled", text)
	case button.Text("WAIT") == "Y":
		return fmt.Errorf("imbottest: the button %q is blocked until the bot changes the keyboard", text)
	}
	chat, value := w.Chats[m.ChatID], button.Text("ACTION_VALUE")
	switch {
	case button.Given("COMMAND"):
		cmd := w.CommandOf(button.ID("BOT_ID"), button.Text("COMMAND"))
		if cmd == nil || !w.Usable(cmd, chat, user) {
			return fmt.Errorf("imbottest: the button %q gives a command that its bot does not have here: %q", text, button.Text("COMMAND"))
		}
		if button.Text("BLOCK") == "Y" {
			w.blockButton(m, button)
		}
		w.firePressedCommand(chat, m, user, context, invocation{cmd, button.Text("COMMAND_PARAMS")})
		return nil
	case button.Text("ACTION") == "SEND":
		if _, err := w.ChatToWriteIn(user, w.DialogOf(chat, user)); err != nil {
			return err
		}
		w.Say(chat, user, Message{Text: TrimmedText(value)})
		return nil
	}
	return fmt.Errorf("imbottest: the button %q does nothing on the portal: it %s", text, actionInWords(button, value))
}

// blockButton marks a button as waiting for the bot. It makes a new keyboard, because
// copies of the message share the old one.
func (w *World) blockButton(m *Message, button *php.Array) {
	keyboard := php.NewArray()
	for _, entry := range php.Entries(m.Parts[PartKeyboard], "") {
		if entry == button {
			entry = php.MapStrings(entry, func(s string) string { return s }).(*php.Array)
			entry.Set("WAIT", "Y")
		}
		keyboard.Add(entry)
	}
	m.Parts[PartKeyboard] = keyboard
	w.NoteMessage(m)
}

// actionInWords says what a person sees when a button does nothing on the portal.
func actionInWords(button *php.Array, value string) string {
	switch button.Text("ACTION") {
	case "PUT":
		return fmt.Sprintf("puts %q into the input field", value)
	case "COPY":
		return fmt.Sprintf("copies %q", value)
	case "CALL":
		return "calls " + value
	case "DIALOG":
		return "opens the dialog " + value
	case "":
		if button.Given("LINK") {
			return "opens " + unescapeHTML.Replace(button.Text("LINK"))
		}
		return "opens the chat application " + button.Text("APP_ID")
	}
	return fmt.Sprintf("does %s %q", button.Text("ACTION"), value)
}

// Button finds a button by its text, else an item of the menu. The second result is what
// an event names as the context of its command.
func (m *Message) Button(text string) (*php.Array, string) {
	for _, b := range php.Entries(m.Parts[PartKeyboard], "") {
		if b.Given("TEXT") && b.Text("TEXT") == text {
			return b, "KEYBOARD"
		}
	}
	for _, item := range php.Entries(m.Parts[PartMenu], "") {
		if unescapeHTML.Replace(item.Text("TEXT")) == text {
			return item, "MENU"
		}
	}
	return nil, ""
}
