package imbottest

import (
	"context"
	"fmt"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// OpenContext opens a dialog, as one of its people does by a link that carries data for
// its bots, a JSON object. All bots in the dialog that have a handler for
// ONIMBOTCONTEXTGET get it, with all values of the data as texts, and those of imbot.v2
// ONIMBOTV2CONTEXTGET; a queue keeps numbers.
func (p *Portal) OpenContext(ctx context.Context, user imbot.ID, dialog imbot.DialogID, data string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	value, err := php.ParseJSON([]byte(data))
	if err != nil {
		return fmt.Errorf("imbottest: the data of a link have to be JSON: %w", err)
	}
	p.w.Lock()
	defer p.w.Unlock()
	if err := p.w.CheckPerson(user); err != nil {
		return err
	}
	chat, err := p.w.ChatToWriteIn(user, dialog)
	if err != nil {
		return err
	}
	p.w.OpenContext(chat, user, value)
	return nil
}
