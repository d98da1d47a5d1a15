package imbottest

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// A Command is a slash command of a bot.
type Command struct {
	ID     imbot.ID
	Bot    imbot.ID
	Name   string // without the slash
	Title  string // in the portal's language, else in the first one
	Params string // hint about the parameters
	Common bool   // usable in every chat
	Hidden bool   // usable, but not offered; a command without any title is hidden, too
}

// command is a slash command as the portal keeps it. No method of the portal returns
// the titles and whether it is hidden; people see that.
type command struct {
	id       imbot.ID
	bot      *bot
	name     string
	common   bool
	extranet bool // users from outside the company may give it, too
	hidden   bool
	titles   *array // LANG
}

// Commands returns the commands that somebody can give in a dialog: those of its bots,
// and the common ones. A private dialog need not be opened before.
func (p *Portal) Commands(user imbot.ID, dialog imbot.DialogID) []Command {
	p.Lock()
	defer p.Unlock()
	c := p.existingOrNewChat(user, dialog)
	if c == nil {
		return nil
	}
	var list []Command
	for _, id := range sortedIDs(p.commands) {
		if cmd := p.commands[id]; p.usable(cmd, c, user) {
			lang := title(cmd.titles)
			list = append(list, Command{
				ID: id, Bot: cmd.bot.id, Name: cmd.name, Title: lang.text("TITLE"), Params: lang.text("PARAMS"),
				Common: cmd.common, Hidden: cmd.hidden || lang == nil,
			})
		}
	}
	return list
}

// title returns the entry of LANG in the portal's language, else the first one. The
// portal skips entries without a language or title; nil means that none is left.
func title(titles *array) *array {
	list := slices.DeleteFunc(entries(titles, ""), func(lang *array) bool { return lang.text("LANGUAGE_ID") == "" || !lang.given("TITLE") })
	if len(list) == 0 {
		return nil
	}
	i := slices.IndexFunc(list, func(lang *array) bool { return strings.EqualFold(lang.text("LANGUAGE_ID"), language) })
	return list[max(0, i)]
}

// describe stores what people see of a command. What was not sent stays as it was.
func (cmd *command) describe(from *array) {
	if from.array("LANG").len() > 0 {
		cmd.titles = from.array("LANG")
	}
	if hidden := from.text("HIDDEN"); hidden != "" {
		cmd.hidden = hidden == "Y"
	}
	if extranet := from.text("EXTRANET_SUPPORT"); extranet != "" {
		cmd.extranet = extranet == "Y"
	}
}

// answerTime is how long a bot may answer in a dialog after a command was given there.
const answerTime = 10 * time.Minute

// invocation is a command that a person gave, with its parameters.
type invocation struct {
	command *command
	params  string
}

// typed matches a command at the start of a line. Only a blank ends its name, and only
// one blank is dropped before the parameters.
var typed = regexp.MustCompile(`(?m)^/([^ \r\n]+)(?: (.*?))?\r?$`)

// maxInvocations is how many commands one message can give.
const maxInvocations = 10

// invoked returns the commands that a person's text gives: those of the bots in the
// chat, and the common ones. When a command is there twice, the last line counts.
func (p *world) invoked(chat *chat, user imbot.ID, text string) (list []invocation) {
	at, ids := map[*command]int{}, sortedIDs(p.commands)
	for _, line := range typed.FindAllStringSubmatch(text, -1) {
		for _, id := range ids {
			cmd := p.commands[id]
			if cmd.name != line[1] || !p.usable(cmd, chat, user) {
				continue
			}
			if i, again := at[cmd]; again {
				list[i].params = line[2]
			} else if len(list) < maxInvocations {
				at[cmd] = len(list)
				list = append(list, invocation{cmd, line[2]})
			}
		}
	}
	return list
}

// usable reports whether a person can give the command in a chat.
func (p *world) usable(cmd *command, chat *chat, user imbot.ID) bool {
	return (cmd.common || chat.member(cmd.bot.id) != nil) && (cmd.extranet || !p.isExtranet(user))
}

func (p *world) commandOf(bot imbot.ID, name string) *command {
	for _, cmd := range p.commands {
		if cmd.bot.id == bot && cmd.name == name {
			return cmd
		}
	}
	return nil
}
