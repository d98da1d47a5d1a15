package imbottest

import (
	"strings"
	"time"
)

func v2CommandMethods(name string) method {
	switch name {
	case "imbot.v2.command.register":
		return v2CommandRegister
	case "imbot.v2.command.update":
		return v2CommandUpdate
	case "imbot.v2.command.list":
		return v2CommandList
	case "imbot.v2.command.unregister":
		return v2CommandUnregister
	case "imbot.v2.command.answer":
		return v2CommandAnswer
	}
	return nil
}

func v2CommandRegister(c *call) (any, *restError) {
	p := c.p
	b, fail := c.botV2("fields")
	if fail != nil {
		return nil, fail
	}
	fields := c.params.array("FIELDS")
	name, fail := commandName(fields)
	if fail != nil {
		return nil, fail
	}
	hidden := yes(fields.get("hidden"))
	switch {
	case name == "":
		return nil, badRequest("COMMAND_REQUIRED", "Command is required")
	case !hidden && fields.array("title").len() == 0:
		return nil, badRequest("COMMAND_TITLE_REQUIRED", "Command title is required")
	}
	if existing := p.commandOf(b.id, name); existing != nil {
		return object("command", p.commandObject(existing, false)), nil
	}
	if fail := c.vetoedAs("COMMAND_REGISTER_FAILED", "Command can't be registered"); fail != nil {
		return nil, fail
	}
	p.lastCmd++
	cmd := &command{id: p.lastCmd, bot: b, name: name, hidden: hidden, common: yes(fields.get("common")), extranet: yes(fields.get("extranetSupport"))}
	cmd.setTexts(fields.array("title"), fields.array("params"))
	p.commands[cmd.id] = cmd
	p.noteHelp()
	return object("command", p.commandObject(cmd, false)), nil
}

// commandName reads the name of a command, without a slash.
func commandName(fields *array) (string, *restError) {
	v := fields.get("command")
	if _, list := v.(*array); list {
		return "", badRequest("COMMAND_NAME_INVALID", "Command name is invalid")
	}
	return strings.TrimPrefix(trim(text(v)), "/"), nil
}

// setTexts stores titles and hints by language; null removes a language.
func (cmd *command) setTexts(titles, params *array) {
	langs := newArray()
	taken := map[string]bool{}
	for _, lang := range entries(cmd.titles, "") {
		language := strings.ToLower(lang.text("LANGUAGE_ID"))
		if titles.has(language) && !titles.given(language) {
			continue
		}
		entry := object("LANGUAGE_ID", language, "TITLE", lang.text("TITLE"), "PARAMS", lang.text("PARAMS"))
		if titles.given(language) {
			entry.set("TITLE", titles.text(language))
			if params.given(language) {
				entry.set("PARAMS", params.text(language))
			}
		}
		taken[language] = true
		langs.add(entry)
	}
	for i := range titles.len() {
		if language := titles.keys[i]; !taken[language] && titles.given(language) {
			langs.add(object("LANGUAGE_ID", language, "TITLE", titles.text(language), "PARAMS", params.text(language)))
		}
	}
	cmd.titles = langs
}

// ownCommandV2 is the command of commandId.
func (c *call) ownCommandV2(b *bot) (*command, *restError) {
	cmd := c.p.commands[c.params.id("COMMANDID")]
	if cmd == nil || cmd.bot != b {
		return nil, badRequest("COMMAND_NOT_FOUND", "Command not found")
	}
	return cmd, nil
}

func v2CommandUpdate(c *call) (any, *restError) {
	p := c.p
	b, fail := c.botV2("commandId", "fields")
	if fail != nil {
		return nil, fail
	}
	cmd, fail := c.ownCommandV2(b)
	if fail != nil {
		return nil, fail
	}
	fields := c.params.array("FIELDS")
	name, fail := commandName(fields)
	if fail != nil {
		return nil, fail
	}
	other := p.commandOf(b.id, name)
	switch {
	case fields.given("command") && name == "":
		return nil, badRequest("COMMAND_NAME_EMPTY", "Command name is empty")
	case name != "" && other != nil && other != cmd:
		return nil, badRequest("COMMAND_ALREADY_EXISTS", "Command already exists")
	case fields.given("title") && fields.array("title") == nil:
		return nil, badRequest("COMMAND_TITLE_INVALID", "Command title is invalid")
	}
	if name != "" {
		cmd.name = name
	}
	for field, to := range map[string]*bool{"common": &cmd.common, "hidden": &cmd.hidden, "extranetSupport": &cmd.extranet} {
		if fields.given(field) {
			*to = yes(fields.get(field))
		}
	}
	cmd.setTexts(fields.array("title"), fields.array("params"))
	p.noteHelp()
	return object("command", p.commandObject(cmd, false)), nil
}

func v2CommandList(c *call) (any, *restError) {
	b, fail := c.botV2()
	if fail != nil {
		return nil, fail
	}
	list := newArray()
	for _, id := range sortedIDs(c.p.commands) {
		if cmd := c.p.commands[id]; cmd.bot == b {
			list.add(c.p.commandObject(cmd, true))
		}
	}
	list.add(object("id", "def0", "botId", 0, "command", "/rename", "title", "Rename the chat", "params", "", "common", true, "hidden", false,
		"extranetSupport", false, "category", "Chat", "context", ""))
	return object("commands", list), nil
}

func v2CommandUnregister(c *call) (any, *restError) {
	b, fail := c.botV2("commandId")
	if fail != nil {
		return nil, fail
	}
	cmd, fail := c.ownCommandV2(b)
	if fail != nil {
		return nil, fail
	}
	delete(c.p.commands, cmd.id)
	c.p.noteHelp()
	return isTrue(), nil
}

func v2CommandAnswer(c *call) (any, *restError) {
	p := c.p
	b, dialog, fail := c.botInDialogV2("commandId", "messageId")
	if fail != nil {
		return nil, fail
	}
	failed := badRequest("COMMAND_ANSWER_FAILED", "Command answer failed")
	cmd, asked, fields := p.commands[c.params.id("COMMANDID")], p.messages[c.params.id("MESSAGEID")], c.params.array("FIELDS")
	chat := p.find(b.id, dialog)
	if cmd == nil || cmd.bot != b || asked == nil || chat == nil || asked.ChatID != chat.id {
		return nil, failed
	}
	member := chat.member(b.id) != nil
	if !member && !time.Now().Before(chat.answers[b.id]) {
		return nil, failed
	}
	parts, bad := p.partsV2(fields, b, "COMMAND_ANSWER_FAILED", "COMMAND_ANSWER_FAILED")
	text := trimmedText(fields.text("message"))
	if bad != nil || text == "" && parts[partAttach] == nil {
		return nil, failed
	}
	author, system := b.id, yes(fields.get("system"))
	if !member {
		system, text = true, p.withBotName(b, text)
	}
	if system {
		author = 0
	}
	m := p.store(chat, author, text, system)
	m.parts = parts
	p.noteMessage(m)
	return isTrue(), nil
}
