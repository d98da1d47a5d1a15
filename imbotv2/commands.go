package imbotv2

import (
	"context"
	"maps"
	"slices"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/slash"
)

// SlashCommand is a command that people type as "/name" or give by a button, and what it does.
type SlashCommand struct {
	Name             string            // without slash, in any case
	Title            string            // in English
	Params           string            // in English: what to write behind it
	Titles           map[string]string // of further languages, of two small letters
	ParamsByLanguage map[string]string // of those in Titles
	Hidden           bool              // not offered to people: for buttons
	Common           bool              // in every chat, also without the bot
	Extranet         bool              // for extranet users, too

	Beside     bool // as [EventHandler.Beside]
	Interrupts bool // first ends the callback that runs in this dialog, as [EventHandler.Interrupt] does; implies Beside

	Run func(context.Context, *CommandAddEvent) error // may be nil with Interrupts
}

// SlashCommands is the table of a bot's commands: [EventHandler.Commands].
type SlashCommands []SlashCommand

// Ensure makes the commands of the client's bot, that of [Client.WithBot], those of the table, as
// [EnsureCommands] does with pruning: call it at each start. One request when nothing differs,
// two else, and more beyond fifty changes. Where several programs register commands of one
// bot, use [EnsureCommands] without pruning instead.
//
// A table that cannot be right is refused with [imbot.ErrInvalid] before anything is sent.
//
// REST methods: imbot.v2.Command.list, .register, .update, .unregister; their errors.
func (t SlashCommands) Ensure(ctx context.Context, c *Client) error {
	if c.BotID() == 0 {
		return invalid("SlashCommands.Ensure: the client has no bot: see Client.WithBot")
	}
	if err := t.table().Check(); err != nil {
		return invalid("SlashCommands.Ensure: %w", err)
	}
	reqs := make([]CommandRegisterRequest, len(t))
	for i, c := range t {
		reqs[i] = c.register()
	}
	_, err := EnsureCommands(ctx, c, reqs, true)
	return err
}

func (t SlashCommands) table() slash.Table[*CommandAddEvent] {
	table := make(slash.Table[*CommandAddEvent], len(t))
	for i, c := range t {
		table[i] = slash.Row[*CommandAddEvent]{
			Name: c.Name, Title: c.Title, Languages: slices.Collect(maps.Keys(c.Titles)), Beside: c.Beside, Interrupts: c.Interrupts, Run: c.Run,
		}
	}
	return table
}

func (c SlashCommand) register() CommandRegisterRequest {
	flag := func(is bool) imbot.Flag {
		if is {
			return imbot.Yes
		}
		return imbot.No
	}
	req := CommandRegisterRequest{
		Command: c.Name, Title: map[string]string{slash.English: c.Title}, Params: map[string]string{slash.English: c.Params},
		Common: flag(c.Common), Hidden: flag(c.Hidden), ExtranetSupport: flag(c.Extranet),
	}
	for language, title := range c.Titles {
		req.Title[language], req.Params[language] = title, "" // so that a hint which is gone goes
	}
	maps.Copy(req.Params, c.ParamsByLanguage)
	return req
}

// besides is Beside of the handler and of its commands.
func (h *EventHandler) besides(ev imbot.Event) bool {
	c, is := ev.(*CommandAddEvent)
	return is && h.commands.Beside(c.Command.Command) || h.Beside != nil && h.Beside(ev)
}

// Help lists the commands that are not hidden, one a line, each as a link that gives it: the
// answer to "/help". language is of two letters, such as [BotEvent.Language]; where a command has no
// title in it, that in English stands.
func (t SlashCommands) Help(language string) string {
	table := make(imbot.SlashCommands, len(t))
	for i, c := range t {
		table[i] = imbot.SlashCommand{Name: c.Name, Title: c.Title, Params: c.Params, Hidden: c.Hidden}
		for l, title := range c.Titles {
			table[i].Lang = append(table[i].Lang, imbot.CommandLang{LanguageID: l, Title: title, Params: c.ParamsByLanguage[l]})
		}
	}
	return table.Help(language)
}
