package imbottest

import (
	"context"
	"fmt"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
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
	button, context := m.Button(text)
	if button == nil {
		return fmt.Errorf("imbottest: message %d has no button %q", m.ID, text)
	}
	return p.w.Press(m, user, button, context)
}

// PressButton is [Portal.Press] for a button by its index in the list of [Message.Wire],
// where entries that end rows count, too. So it can tell buttons with the same text apart.
func (p *Portal) PressButton(ctx context.Context, user imbot.ID, msg Message, n int) error {
	return p.pressEntry(ctx, user, msg, n, world.PartKeyboard, "KEYBOARD")
}

// PressItem is [Portal.PressButton] for the menu.
func (p *Portal) PressItem(ctx context.Context, user imbot.ID, msg Message, n int) error {
	return p.pressEntry(ctx, user, msg, n, world.PartMenu, "MENU")
}

func (p *Portal) pressEntry(ctx context.Context, user imbot.ID, msg Message, n, part int, context string) error {
	m, unlock, err := p.lockMessage(ctx, user, msg.ID)
	if err != nil {
		return err
	}
	defer unlock()
	list := php.Entries(m.Parts[part], "")
	if n < 0 || n >= len(list) || list[n].Text("TYPE") == "NEWLINE" {
		return fmt.Errorf("imbottest: message %d has nothing to press at place %d of its %s", m.ID, n, strings.ToLower(context))
	}
	return p.w.Press(m, user, list[n], context)
}
