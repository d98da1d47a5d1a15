package v2

import (
	"strings"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func commandMethods(name string) world.Method {
	switch name {
	case "imbot.v2.command.register":
		return commandRegister
	case "imbot.v2.command.update":
		return commandUpdate
	case "imbot.v2.command.list":
		return commandList
	case "imbot.v2.command.unregister":
		return commandUnregister
	case "imbot.v2.command.answer":
		return commandAnswer
	}
	return nil
}

func commandRegister(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, fail := botOf(c, "fields")
	if fail != nil {
		return nil, fail
	}
	fields := c.Params.Array("FIELDS")
	name, fail := commandName(fields)
	if fail != nil {
		return nil, fail
	}
	hidden := yes(w, fields.Get("hidden"))
	switch {
	case name == "":
		return nil, world.BadRequest("COMMAND_REQUIRED", "Command is required")
	case !hidden && fields.Array("title").Len() == 0:
		return nil, world.BadRequest("COMMAND_TITLE_REQUIRED", "Command title is required")
	}
	if existing := w.CommandOf(b.ID, name); existing != nil {
		return php.Object("command", commandObject(w, existing, false)), nil
	}
	if fail := vetoedAs(c, "COMMAND_REGISTER_FAILED", "Command can't be registered"); fail != nil {
		return nil, fail
	}
	w.LastCmd++
	cmd := &world.Command{ID: w.LastCmd, Bot: b, Name: name, Hidden: hidden, Common: yes(w, fields.Get("common")), Extranet: yes(w, fields.Get("extranetSupport"))}
	setTexts(cmd, fields.Array("title"), fields.Array("params"))
	w.Commands[cmd.ID] = cmd
	w.NoteHelp()
	return php.Object("command", commandObject(w, cmd, false)), nil
}

// commandName reads the name of a command, without a slash.
func commandName(fields *php.Array) (string, *world.Refusal) {
	v := fields.Get("command")
	if _, list := v.(*php.Array); list {
		return "", world.BadRequest("COMMAND_NAME_INVALID", "Command name is invalid")
	}
	return strings.TrimPrefix(php.Trim(php.Text(v)), "/"), nil
}

// setTexts stores titles and hints by language; null removes a language.
func setTexts(cmd *world.Command, titles, params *php.Array) {
	langs := php.NewArray()
	taken := map[string]bool{}
	for _, lang := range php.Entries(cmd.Titles, "") {
		language := strings.ToLower(lang.Text("LANGUAGE_ID"))
		if titles.Has(language) && !titles.Given(language) {
			continue
		}
		entry := php.Object("LANGUAGE_ID", language, "TITLE", lang.Text("TITLE"), "PARAMS", lang.Text("PARAMS"))
		if titles.Given(language) {
			entry.Set("TITLE", titles.Text(language))
			if params.Given(language) {
				entry.Set("PARAMS", params.Text(language))
			}
		}
		taken[language] = true
		langs.Add(entry)
	}
	for i := range titles.Len() {
		if language := titles.Keys[i]; !taken[language] && titles.Given(language) {
			langs.Add(php.Object("LANGUAGE_ID", language, "TITLE", titles.Text(language), "PARAMS", params.Text(language)))
		}
	}
	cmd.Titles = langs
}

// ownCommand is the command of commandId.
func ownCommand(c *world.Call, b *world.Bot) (*world.Command, *world.Refusal) {
	cmd := c.World.Commands[c.Params.ID("COMMANDID")]
	if cmd == nil || cmd.Bot != b {
		return nil, world.BadRequest("COMMAND_NOT_FOUND", "Command not found")
	}
	return cmd, nil
}

func commandUpdate(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, fail := botOf(c, "commandId", "fields")
	if fail != nil {
		return nil, fail
	}
	cmd, fail := ownCommand(c, b)
	if fail != nil {
		return nil, fail
	}
	fields := c.Params.Array("FIELDS")
	name, fail := commandName(fields)
	if fail != nil {
		return nil, fail
	}
	other := w.CommandOf(b.ID, name)
	switch {
	case fields.Given("command") && name == "":
		return nil, world.BadRequest("COMMAND_NAME_EMPTY", "Command name is empty")
	case name != "" && other != nil && other != cmd:
		return nil, world.BadRequest("COMMAND_ALREADY_EXISTS", "Command already exists")
	case fields.Given("title") && fields.Array("title") == nil:
		return nil, world.BadRequest("COMMAND_TITLE_INVALID", "Command title is invalid")
	}
	if name != "" {
		cmd.Name = name
	}
	for field, to := range map[string]*bool{"common": &cmd.Common, "hidden": &cmd.Hidden, "extranetSupport": &cmd.Extranet} {
		if fields.Given(field) {
			*to = yes(w, fields.Get(field))
		}
	}
	setTexts(cmd, fields.Array("title"), fields.Array("params"))
	w.NoteHelp()
	return php.Object("command", commandObject(w, cmd, false)), nil
}

func commandList(c *world.Call) (any, *world.Refusal) {
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	list := php.NewArray()
	for _, id := range world.SortedIDs(c.World.Commands) {
		if cmd := c.World.Commands[id]; cmd.Bot == b {
			list.Add(commandObject(c.World, cmd, true))
		}
	}
	if !c.World.Differs(world.DoubtBuiltInCommands) {
		list.Add(php.Object("id", "def0", "botId", 0, "command", "/rename", "title", "Rename the chat", "params", "", "common", true, "hidden", false,
			"extranetSupport", false, "category", "Chat", "context", ""))
	}
	return php.Object("commands", list), nil
}

func commandUnregister(c *world.Call) (any, *world.Refusal) {
	b, fail := botOf(c, "commandId")
	if fail != nil {
		return nil, fail
	}
	cmd, fail := ownCommand(c, b)
	if fail != nil {
		return nil, fail
	}
	delete(c.World.Commands, cmd.ID)
	c.World.NoteHelp()
	return isTrue(), nil
}

func commandAnswer(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, dialog, fail := botInDialog(c, "commandId", "messageId")
	if fail != nil {
		return nil, fail
	}
	failed := world.BadRequest("COMMAND_ANSWER_FAILED", "Command answer failed")
	cmd, asked, fields := w.Commands[c.Params.ID("COMMANDID")], w.Messages[c.Params.ID("MESSAGEID")], c.Params.Array("FIELDS")
	chat := w.Find(b.ID, dialog)
	if cmd == nil || cmd.Bot != b || asked == nil || chat == nil || asked.ChatID != chat.ID {
		return nil, failed
	}
	member := chat.Member(b.ID) != nil
	if !member && !time.Now().Before(chat.Answers[b.ID]) {
		return nil, failed
	}
	parts, bad := readParts(w, fields, b, "COMMAND_ANSWER_FAILED", "COMMAND_ANSWER_FAILED")
	text := world.TrimmedText(fields.Text("message"))
	if bad != nil || text == "" && parts[world.PartAttach] == nil {
		return nil, failed
	}
	system := yes(w, fields.Get("system"))
	if !member {
		system, text = true, w.WithBotName(b, text)
	}
	w.Store(chat, world.Message{AuthorID: b.ID, Text: text, System: system, Parts: parts})
	return isTrue(), nil
}

func commandObject(w *world.World, cmd *world.Command, listed bool) *php.Array {
	a := php.Object("id", cmd.ID, "botId", cmd.Bot.ID, "command", "/"+cmd.Name)
	if listed {
		lang := world.Title(cmd.Titles)
		a.Set("title", lang.Text("TITLE"))
		a.Set("params", lang.Text("PARAMS"))
	}
	a.Set("common", cmd.Common)
	a.Set("hidden", cmd.Hidden)
	a.Set("extranetSupport", cmd.Extranet)
	if listed {
		a.Set("category", w.Users[cmd.Bot.ID].Name())
		a.Set("context", "")
	}
	return a
}
