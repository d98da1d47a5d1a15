package imbottest

import (
	"context"
	"fmt"
	"strings"

	"github.com/imbot-go/imbot"
)

// Press presses a button of a message's keyboard, or chooses an item of its menu, by its
// text; a button wins. Of msg only the id is used: the keyboard is the one that the
// message has now.
//
// A command reaches the bot as an event (ONIMCOMMANDADD or ONIMBOTV2COMMANDADD), for which
// Press does not wait. With Block, the button cannot be pressed again until the bot changes
// the keyboard. [imbot.ActionSend] sends its text as a message of the person. Other actions
// do nothing on the portal, and the error says what the person would see.
func (p *Portal) Press(ctx context.Context, user imbot.ID, msg Message, text string) error {
	m, unlock, err := p.lockMessage(ctx, user, msg.ID)
	if err != nil {
		return err
	}
	defer unlock()
	button, context := m.button(text)
	if button == nil {
		return fmt.Errorf("imbottest: message %d has no button %q", m.ID, text)
	}
	return p.press(m, user, button, context)
}

// PressButton is [Portal.Press] for a button by its index in the list of [Message.Wire],
// where entries that end rows count, too. So it can tell buttons with the same text apart.
func (p *Portal) PressButton(ctx context.Context, user imbot.ID, msg Message, n int) error {
	return p.pressEntry(ctx, user, msg, n, partKeyboard, "KEYBOARD")
}

// PressItem is [Portal.PressButton] for the menu.
func (p *Portal) PressItem(ctx context.Context, user imbot.ID, msg Message, n int) error {
	return p.pressEntry(ctx, user, msg, n, partMenu, "MENU")
}

func (p *Portal) pressEntry(ctx context.Context, user imbot.ID, msg Message, n, part int, context string) error {
	m, unlock, err := p.lockMessage(ctx, user, msg.ID)
	if err != nil {
		return err
	}
	defer unlock()
	list := entries(m.parts[part], "")
	if n < 0 || n >= len(list) || list[n].text("TYPE") == "NEWLINE" {
		return fmt.Errorf("imbottest: message %d has nothing to press at place %d of its %s", m.ID, n, strings.ToLower(context))
	}
	return p.press(m, user, list[n], context)
}

// press does what a button or menu item is for; the lock is held.
func (p *world) press(m *message, user imbot.ID, button *array, context string) error {
	text := button.text("TEXT")
	switch {
	case button.text("DISABLED") == "Y":
		return fmt.Errorf("imbottest: the button %q is disabled", text)
	case button.text("WAIT") == "Y":
		return fmt.Errorf("imbottest: the button %q is blocked until the bot changes the keyboard", text)
	}
	chat, value := p.chats[m.ChatID], button.text("ACTION_VALUE")
	switch {
	case button.given("COMMAND"):
		cmd := p.commandOf(button.id("BOT_ID"), button.text("COMMAND"))
		if cmd == nil || !p.usable(cmd, chat, user) {
			return fmt.Errorf("imbottest: the button %q gives a command that its bot does not have here: %q", text, button.text("COMMAND"))
		}
		if button.text("BLOCK") == "Y" {
			p.blockButton(m, button)
		}
		p.firePressedCommand(chat, m, user, context, invocation{cmd, button.text("COMMAND_PARAMS")})
		return nil
	case button.text("ACTION") == "SEND":
		if _, err := p.chatToWriteIn(user, p.dialogOf(chat, user)); err != nil {
			return err
		}
		p.say(chat, user, trimmedText(value))
		return nil
	}
	return fmt.Errorf("imbottest: the button %q does nothing on the portal: it %s", text, actionInWords(button, value))
}

// blockButton marks a button as waiting for the bot. It makes a new keyboard, because
// copies of the message share the old one.
func (p *world) blockButton(m *message, button *array) {
	keyboard := newArray()
	for _, entry := range entries(m.parts[partKeyboard], "") {
		if entry == button {
			entry = mapStrings(entry, func(s string) string { return s }).(*array)
			entry.set("WAIT", "Y")
		}
		keyboard.add(entry)
	}
	m.parts[partKeyboard] = keyboard
	p.noteMessage(m)
}

// actionInWords says what a person sees when a button does nothing on the portal.
func actionInWords(button *array, value string) string {
	switch button.text("ACTION") {
	case "PUT":
		return fmt.Sprintf("puts %q into the input field", value)
	case "COPY":
		return fmt.Sprintf("copies %q", value)
	case "CALL":
		return "calls " + value
	case "DIALOG":
		return "opens the dialog " + value
	case "":
		if button.given("LINK") {
			return "opens " + unescapeHTML.Replace(button.text("LINK"))
		}
		return "opens the chat application " + button.text("APP_ID")
	}
	return fmt.Sprintf("does %s %q", button.text("ACTION"), value)
}

// button finds a button by its text, else an item of the menu. The second result is what
// an event names as the context of its command.
func (m *message) button(text string) (*array, string) {
	for _, b := range entries(m.parts[partKeyboard], "") {
		if b.given("TEXT") && b.text("TEXT") == text {
			return b, "KEYBOARD"
		}
	}
	for _, item := range entries(m.parts[partMenu], "") {
		if unescapeHTML.Replace(item.text("TEXT")) == text {
			return item, "MENU"
		}
	}
	return nil, ""
}
