package imbot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/imbot-go/imbot/bbcode"
	"github.com/imbot-go/imbot/internal/slash"
)

// SlashCommand is a command that people type as "/name" or give by a button, and what it does.
type SlashCommand struct {
	Name     string        // without slash, in any case
	Title    string        // in English
	Params   string        // in English: what to write behind it
	Lang     []CommandLang // further languages
	Hidden   bool          // not offered to people: for buttons
	Common   bool          // in every chat, also without the bot
	Extranet bool          // for extranet users, too

	Beside     bool // as [EventHandler.Beside]: all of a message that has several commands
	Interrupts bool // first ends the callback that runs in this dialog, as [EventHandler.Interrupt] does; implies Beside

	// Run gets an event that has this command only, also where a message has several. It
	// may be nil with Interrupts.
	Run func(context.Context, *CommandAddEvent) error
}

// SlashCommands is the table of a bot's commands: [EventHandler.Commands].
type SlashCommands []SlashCommand

// Ensure makes the commands of the client's bot, that of [Client.WithBot], those of the table: it
// registers what is missing, brings the others up to date, and unregisters what the bot has
// beyond the table. Call it at each start. Where several programs register commands of one
// bot, use [EnsureCommand] instead.
//
// Up to 49 commands take two requests, more of them take more. A portal without the second
// generation does not tell which commands a bot has: nothing is unregistered there, and
// Common stays what it was at first.
//
// handlerURL gets the events of all commands of the application. A table that cannot be right is
// refused with [ErrInvalid] before anything is sent.
//
// REST methods: imbot.command.register, .update, .unregister, imbot.v2.Command.list; their errors.
func (t SlashCommands) Ensure(ctx context.Context, client *Client, handlerURL string) error {
	bot := client.BotID()
	if err := t.check(bot); err != nil {
		return err
	}
	first, second := ensuring{Batch: NewBatch()}, ensuring{Batch: NewBatch()}
	ids := make([]func() ID, len(t))
	for i, c := range t {
		ids[i] = ensure(&first, c.Name, c.register(bot, handlerURL))
	}
	list := Queue(first.Batch, commandList{})
	if err := first.send(ctx, client); err != nil {
		return err
	}
	common, err := list.Result() // by command
	notV2 := errors.Is(err, ErrMethodNotFound) || errors.Is(err, ErrorCode("BOT_NOT_FOUND")) || errors.Is(err, ErrorCode("BOT_OWNERSHIP_ERROR"))
	if err != nil && !notV2 {
		return err
	}
	for i, c := range t {
		id, fields := ids[i](), c.register(bot, "")
		was, listed := common[id]
		delete(common, id)
		if listed && was != c.Common { // no update changes that
			ensure(&second, c.Name, CommandUnregisterRequest{CommandID: id})
			ensure(&second, c.Name, c.register(bot, handlerURL))
			continue
		}
		ensure(&second, c.Name, CommandUpdateRequest{CommandID: id, Fields: CommandUpdateFields{
			Hidden: fields.Hidden, ExtranetSupport: fields.ExtranetSupport, Lang: fields.Lang,
		}})
	}
	for id := range common {
		ensure(&second, "command "+id.String(), CommandUnregisterRequest{CommandID: id})
	}
	return second.send(ctx, client)
}

// ensuring is a batch of changes to commands.
type ensuring struct {
	*Batch
	outcomes []func() error
}

// ensure queues a change to a command. What it returns gives the result, after a send without error.
func ensure[R any](b *ensuring, command string, req Request[R]) func() R {
	p := Queue(b.Batch, req)
	b.outcomes = append(b.outcomes, func() error {
		_, err := p.Result()
		if _, prunes := any(req).(CommandUnregisterRequest); prunes && errors.Is(err, ErrCommandID) {
			return nil // another program that starts was faster
		}
		if err != nil {
			err = fmt.Errorf("imbot: SlashCommands.Ensure: %.40q: %w", command, err)
		}
		return err
	})
	return func() R { r, _ := p.Result(); return r }
}

// send sends the batch. Its calls know better than itself what became of them.
func (b *ensuring) send(ctx context.Context, client *Client) error {
	whole := client.DoBatch(ctx, b.Batch)
	var errs []error
	for _, outcome := range b.outcomes {
		err := outcome()
		if whole != nil && errors.Is(err, ErrNotRun) {
			return whole
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// check refuses a table that cannot be right.
func (t SlashCommands) check(bot ID) error {
	if bot == 0 {
		return invalid("", "SlashCommands.Ensure: the client has no bot: see Client.WithBot")
	}
	if err := t.table().Check(); err != nil {
		return invalid("", "SlashCommands.Ensure: %s", err)
	}
	for _, c := range t {
		if req := c.register(bot, ""); req.Check() != nil {
			return refused(req.Method(), req.Check(), nil)
		}
	}
	return nil
}

func (t SlashCommands) table() slash.Table[*CommandAddEvent] {
	table := make(slash.Table[*CommandAddEvent], len(t))
	for i, c := range t {
		table[i] = slash.Row[*CommandAddEvent]{Name: c.Name, Title: c.Title, Beside: c.Beside, Interrupts: c.Interrupts, Run: c.Run}
		for _, l := range c.Lang {
			table[i].Languages = append(table[i].Languages, l.LanguageID)
		}
	}
	return table
}

func (c SlashCommand) register(bot ID, handlerURL string) CommandRegisterRequest {
	flag := func(is bool) Flag {
		if is {
			return Yes
		}
		return No
	}
	return CommandRegisterRequest{
		BotID: bot, Command: c.Name, EventCommandAdd: handlerURL,
		Common: flag(c.Common), Hidden: flag(c.Hidden), ExtranetSupport: flag(c.Extranet),
		Lang: append([]CommandLang{{LanguageID: slash.English, Title: c.Title, Params: c.Params}}, c.Lang...),
	}
}

// besides is Beside of the handler and of its commands.
func (h *EventHandler) besides(ev Event) bool {
	c, is := ev.(*CommandAddEvent)
	return is && slices.ContainsFunc(c.Commands, func(c EventCommand) bool { return h.commands.Beside(c.Command) }) ||
		h.Beside != nil && h.Beside(ev)
}

// runCommands runs the commands of an event, until its context ends.
func (h *EventHandler) runCommands(ctx context.Context, ev *CommandAddEvent) error {
	var errs []error
	for _, c := range ev.Commands {
		one := *ev
		one.Commands = []EventCommand{c}
		errs = append(errs, h.commands.Run(ctx, c.Command, &one, func() { h.Interrupt(ev) }, h.OnCommand))
		if ctx.Err() != nil {
			errs = append(errs, context.Cause(ctx))
			break
		}
	}
	return errors.Join(errs...)
}

// commandList are the parameters of imbot.v2.Command.list. Its result are the commands, and
// whether each is common.
type commandList struct{}

// Method returns the name of the REST method.
func (commandList) Method() string { return "imbot.v2.Command.list" }

// Repeatable is true.
func (commandList) Repeatable() bool { return true }

// Decode reads the result of a call.
func (commandList) Decode(result []byte) (map[ID]bool, error) {
	var raw RawEvent
	if err := raw.UnmarshalJSON(result); err != nil {
		return nil, err
	}
	common := map[ID]bool{}
	for _, key := range raw.Keys("commands") {
		c := raw.At("commands", key)
		if id := parseID(c.Get("id")); id != 0 { // the messenger's own have texts, such as def0
			common[id] = parseFlag(c.Get("common")).Bool()
		}
	}
	return common, nil
}

// Help lists the commands that are not hidden, one a line, each as a link that gives it: the answer
// to "/help". language is of two letters, such as [MessageParams.Language]; where a command has no
// title in it, that in English stands.
func (t SlashCommands) Help(language string) string {
	var lines []string
	for _, c := range t {
		if c.Hidden {
			continue
		}
		title, params := c.Title, c.Params
		for _, l := range c.Lang {
			if strings.EqualFold(l.LanguageID, language) {
				title, params = l.Title, l.Params
			}
		}
		if params != "" {
			params = " " + params
		}
		lines = append(lines, bbcode.Send("/"+c.Name, "/"+c.Name)+bbcode.Escape(params+" – "+title))
	}
	return strings.Join(lines, "\n")
}
