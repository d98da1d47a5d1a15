package v1

import (
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func commandMethods(name string) world.Method {
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

func commandRegister(c *world.Call) (any, *world.Refusal) {
	w := c.World
	app, fail := application(c)
	if fail != nil {
		return nil, fail
	}
	b, fail := ownBot(c, app)
	if fail != nil {
		return nil, fail
	}
	if fail := noHandlers(b); fail != nil {
		return nil, fail
	}
	address := c.Params.Text("EVENT_COMMAND_ADD")
	if !world.Acceptable(address) {
		return nil, wrongHandler("EVENT_COMMAND_ADD", address)
	}
	name := strings.TrimPrefix(c.Params.Text("COMMAND"), "/")
	if name == "" {
		return nil, world.BadRequest("COMMAND_ERROR", "Command isn't specified")
	}
	if c.Params.Array("LANG").Len() == 0 {
		return nil, world.BadRequest("LANG_ERROR", "Lang set can't be empty")
	}
	if fail := c.Vetoed("Command can't be created"); fail != nil {
		return nil, fail
	}
	w.BindEvent(app, world.EventCommandAdd, address)
	for _, cmd := range w.Commands { // a command that exists is not changed, and its id is answered as text
		if cmd.Bot == b && cmd.Name == name {
			return cmd.ID.String(), nil
		}
	}
	w.LastCmd++
	cmd := &world.Command{ID: w.LastCmd, Bot: b, Name: name, Common: c.Params.Text("COMMON") == "Y"}
	describeCommand(cmd, c.Params)
	w.Commands[cmd.ID] = cmd
	w.NoteHelp()
	return w.LastCmd, nil
}

func commandUpdate(c *world.Call) (any, *world.Refusal) {
	cmd, fail := ownCommand(c)
	if fail != nil {
		return nil, fail
	}
	if fail := noHandlers(cmd.Bot); fail != nil {
		return nil, fail
	}
	fields := c.Params.Array("FIELDS")
	address := fields.Text("EVENT_COMMAND_ADD")
	if address != "" && !world.Acceptable(address) {
		return nil, wrongHandler("EVENT_COMMAND_ADD", address)
	}
	effective := address != "" || fields.Array("LANG").Len() > 0
	for _, flag := range []string{"HIDDEN", "EXTRANET_SUPPORT"} {
		effective = effective || fields.Text(flag) != ""
	}
	if !effective { // COMMAND alone is nothing to change: current portals do not read it here
		return nil, world.BadRequest("WRONG_REQUEST", "Update fields can't be empty")
	}
	if address != "" {
		c.World.BindEvent(cmd.Bot.App, world.EventCommandAdd, address)
	}
	describeCommand(cmd, fields)
	c.World.NoteHelp()
	return true, nil
}

func commandUnregister(c *world.Call) (any, *world.Refusal) {
	cmd, fail := ownCommand(c)
	if fail != nil {
		return nil, fail
	}
	if fail := c.Vetoed("Command can't be deleted"); fail != nil {
		return nil, fail
	}
	delete(c.World.Commands, cmd.ID)
	c.World.NoteHelp()
	return true, nil
}

func commandAnswer(c *world.Call) (any, *world.Refusal) {
	w := c.World
	cmd, fail := answeredCommand(c)
	if fail != nil {
		return nil, fail
	}
	id := c.Params.ID("MESSAGE_ID")
	if id <= 0 {
		return nil, world.BadRequest("MESSAGE_ID_EMPTY", "Message ID can't be empty")
	}
	text := world.TrimmedText(c.Params.Text("MESSAGE"))
	if text == "" {
		return nil, world.BadRequest("MESSAGE_EMPTY", "Message can't be empty")
	}
	bot := imbot.ID(0)
	if cmd != nil {
		bot = cmd.Bot.ID
	}
	parts, fail := newParts(c, world.PartKeyboard, bot, c.Params.ID("BOT_ID"))
	if fail != nil {
		return nil, fail
	}
	asked := w.Messages[id]
	if cmd == nil || asked == nil {
		return nil, world.BadRequest("WRONG_REQUEST", "Message isn't added")
	}
	chat := w.Chats[asked.ChatID]
	if !time.Now().Before(chat.Answers[bot]) {
		return true, nil // the portal answers true and sends nothing
	}
	if chat.Kind == world.KindPrivate {
		parts[world.PartMenu] = nil
	}
	if fail := storable(parts); fail != nil {
		return nil, fail
	}
	system := chat.Member(bot) == nil || c.Params.Text("SYSTEM") == "Y"
	if system {
		text = w.WithBotName(cmd.Bot, text)
	}
	return w.Store(chat, world.Message{AuthorID: bot, Text: text, System: system, Parts: parts}).ID, nil
}

// answeredCommand is the command that is answered, by COMMAND_ID or COMMAND. It is nil
// without an error when neither was sent: the portal refuses that only after all other
// checks.
func answeredCommand(c *world.Call) (*world.Command, *world.Refusal) {
	app, fail := application(c)
	if fail != nil {
		return nil, fail
	}
	if c.Params.Given("COMMAND_ID") {
		return ownCommand(c)
	}
	if !c.Params.Given("COMMAND") {
		return nil, nil
	}
	for _, id := range world.SortedIDs(c.World.Commands) {
		if cmd := c.World.Commands[id]; cmd.Bot.App == app && cmd.Name == c.Params.Text("COMMAND") {
			return cmd, nil
		}
	}
	return nil, errNoCommand
}

// ownCommand is the command of COMMAND_ID, which has to belong to the caller.
func ownCommand(c *world.Call) (*world.Command, *world.Refusal) {
	app, fail := application(c)
	if fail != nil {
		return nil, fail
	}
	cmd := c.World.Commands[c.Params.ID("COMMAND_ID")]
	switch {
	case cmd == nil:
		return nil, errNoCommand
	case cmd.Bot.App != app:
		return nil, world.BadRequest("APP_ID_ERROR", "Command was installed by another rest application")
	}
	return cmd, nil
}

var errNoCommand = world.BadRequest("COMMAND_ID_ERROR", "Command not found")

// describeCommand stores what people see of a command. What was not sent stays as it was.
func describeCommand(cmd *world.Command, from *php.Array) {
	if from.Array("LANG").Len() > 0 {
		cmd.Titles = from.Array("LANG")
	}
	if hidden := from.Text("HIDDEN"); hidden != "" {
		cmd.Hidden = hidden == "Y"
	}
	if extranet := from.Text("EXTRANET_SUPPORT"); extranet != "" {
		cmd.Extranet = extranet == "Y"
	}
}
