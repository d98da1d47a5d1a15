package imbottest

import (
	"context"
	"fmt"

	"github.com/imbot-go/imbot"
)

const eventContextGet = "ONIMBOTCONTEXTGET"

// OpenContext opens a dialog, as one of its people does by a link that carries data for
// its bots, a JSON object. All bots in the dialog that have a handler for
// ONIMBOTCONTEXTGET get it, with all values of the data as texts, and those of imbot.v2
// ONIMBOTV2CONTEXTGET; a queue keeps numbers.
func (p *Portal) OpenContext(ctx context.Context, user imbot.ID, dialog imbot.DialogID, data string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	value, err := parseJSON([]byte(data))
	if err != nil {
		return fmt.Errorf("imbottest: the data of a link have to be JSON: %w", err)
	}
	p.Lock()
	defer p.Unlock()
	if err := p.checkPerson(user); err != nil {
		return err
	}
	chat, err := p.chatToWriteIn(user, dialog)
	if err != nil {
		return err
	}
	var everybody []imbot.ID
	for _, m := range chat.members {
		everybody = append(everybody, m.user)
	}
	p.fireContextV2(chat, p.hearersV2(chat, everybody), user, value)
	for _, bots := range p.botsToTell(chat, everybody) {
		p.fireContext(chat, bots, user, value)
	}
	return nil
}

func (p *world) fireContext(chat *chat, bots []*bot, user imbot.ID, value any) {
	app := bots[0].app
	e := p.newEvent(eventContextGet, app, bots...)
	set := e.set("data", "PARAMS")
	owner, dialog := chat.owner, imbot.ChatDialog(chat.id)
	if chat.kind == kindPrivate {
		owner, dialog = chat.members[0].user, imbot.UserDialog(user)
	}
	set("CHAT_TYPE", chat.kind, "MESSAGE_TYPE", chat.kind, "USER_ID", user.String(), "CHAT_AUTHOR_ID", owner.String())
	if chat.entityType != "" {
		set("CHAT_ENTITY_TYPE", chat.entityType)
	}
	set("CHAT_ENTITY_ID", chat.entityID)
	e.setValue(value, "data", "PARAMS", "CONTEXT")
	set("DIALOG_ID", string(dialog), "LANGUAGE", language)
	p.setUser(e, user, false)
	p.queueEvent(eventContextGet, app, chatQueue(chat), p.encodeWithAuth(e, app, user, true))
}
