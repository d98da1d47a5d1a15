package imbottest

import (
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

func commandMethods(name string) method {
	switch name {
	case "imbot.command.register":
		return commandRegister
	case "imbot.command.update":
		return commandUpdate
	case "imbot.command.unregister":
		return commandUnregister
	case "imbot.command.answer":
		return commandAnswer
	}
	return nil
}

func commandRegister(c *call) (any, *restError) {
	p := c.p
	app, fail := c.application()
	if fail != nil {
		return nil, fail
	}
	b, fail := c.ownBot(app)
	if fail != nil {
		return nil, fail
	}
	if fail := b.noHandlers(); fail != nil {
		return nil, fail
	}
	address := c.params.text("EVENT_COMMAND_ADD")
	if !acceptable(address) {
		return nil, wrongHandler("EVENT_COMMAND_ADD", address)
	}
	name := strings.TrimPrefix(c.params.text("COMMAND"), "/")
	if name == "" {
		return nil, badRequest("COMMAND_ERROR", "Command isn't specified")
	}
	if c.params.array("LANG").len() == 0 {
		return nil, badRequest("LANG_ERROR", "Lang set can't be empty")
	}
	if fail := c.vetoed("Command can't be created"); fail != nil {
		return nil, fail
	}
	p.bindEvent(app, eventCommandAdd, address)
	for _, cmd := range p.commands { // a command that exists is not changed, and its id is answered as text
		if cmd.bot == b && cmd.name == name {
			return cmd.id.String(), nil
		}
	}
	p.lastCmd++
	cmd := &command{id: p.lastCmd, bot: b, name: name, common: c.params.text("COMMON") == "Y"}
	cmd.describe(c.params)
	p.commands[cmd.id] = cmd
	p.noteHelp()
	return p.lastCmd, nil
}

func commandUpdate(c *call) (any, *restError) {
	cmd, fail := c.ownCommand()
	if fail != nil {
		return nil, fail
	}
	if fail := cmd.bot.noHandlers(); fail != nil {
		return nil, fail
	}
	fields := c.params.array("FIELDS")
	address := fields.text("EVENT_COMMAND_ADD")
	if address != "" && !acceptable(address) {
		return nil, wrongHandler("EVENT_COMMAND_ADD", address)
	}
	effective := address != "" || fields.array("LANG").len() > 0
	for _, flag := range []string{"HIDDEN", "EXTRANET_SUPPORT"} {
		effective = effective || fields.text(flag) != ""
	}
	if !effective { // COMMAND alone is nothing to change: current portals do not read it here
		return nil, badRequest("WRONG_REQUEST", "Update fields can't be empty")
	}
	if address != "" {
		c.p.bindEvent(cmd.bot.app, eventCommandAdd, address)
	}
	cmd.describe(fields)
	c.p.noteHelp()
	return true, nil
}

func commandUnregister(c *call) (any, *restError) {
	cmd, fail := c.ownCommand()
	if fail != nil {
		return nil, fail
	}
	if fail := c.vetoed("Command can't be deleted"); fail != nil {
		return nil, fail
	}
	delete(c.p.commands, cmd.id)
	c.p.noteHelp()
	return true, nil
}

func commandAnswer(c *call) (any, *restError) {
	p := c.p
	cmd, fail := c.answeredCommand()
	if fail != nil {
		return nil, fail
	}
	id := c.params.id("MESSAGE_ID")
	if id <= 0 {
		return nil, badRequest("MESSAGE_ID_EMPTY", "Message ID can't be empty")
	}
	text := trimmedText(c.params.text("MESSAGE"))
	if text == "" {
		return nil, badRequest("MESSAGE_EMPTY", "Message can't be empty")
	}
	bot := imbot.ID(0)
	if cmd != nil {
		bot = cmd.bot.id
	}
	parts, fail := c.newParts(partKeyboard, bot, c.params.id("BOT_ID"))
	if fail != nil {
		return nil, fail
	}
	asked := p.messages[id]
	if cmd == nil || asked == nil {
		return nil, badRequest("WRONG_REQUEST", "Message isn't added")
	}
	chat := p.chats[asked.ChatID]
	if !time.Now().Before(chat.answers[bot]) {
		return true, nil // the portal answers true and sends nothing
	}
	if chat.kind == kindPrivate {
		parts[partMenu] = nil
	}
	if fail := parts.storable(); fail != nil {
		return nil, fail
	}
	author, system := bot, chat.member(bot) == nil || c.params.text("SYSTEM") == "Y"
	if system {
		author, text = 0, p.withBotName(cmd.bot, text)
	}
	m := p.store(chat, author, text, system)
	m.parts = parts
	return m.ID, nil
}

// answeredCommand is the command that is answered, by COMMAND_ID or COMMAND. It is nil
// without an error when neither was sent: the portal refuses that only after all other
// checks.
func (c *call) answeredCommand() (*command, *restError) {
	app, fail := c.application()
	if fail != nil {
		return nil, fail
	}
	if c.params.given("COMMAND_ID") {
		return c.ownCommand()
	}
	if !c.params.given("COMMAND") {
		return nil, nil
	}
	for _, id := range sortedIDs(c.p.commands) {
		if cmd := c.p.commands[id]; cmd.bot.app == app && cmd.name == c.params.text("COMMAND") {
			return cmd, nil
		}
	}
	return nil, errNoCommand
}

// ownCommand is the command of COMMAND_ID, which has to belong to the caller.
func (c *call) ownCommand() (*command, *restError) {
	app, fail := c.application()
	if fail != nil {
		return nil, fail
	}
	cmd := c.p.commands[c.params.id("COMMAND_ID")]
	switch {
	case cmd == nil:
		return nil, errNoCommand
	case cmd.bot.app != app:
		return nil, badRequest("APP_ID_ERROR", "Command was installed by another rest application")
	}
	return cmd, nil
}

var errNoCommand = badRequest("COMMAND_ID_ERROR", "Command not found")
