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
	Hidden bool   // usable, but not offered; so is one without any title
}

// command is a slash command of a bot. No method of the portal tells its titles
// and whether it is offered, people see them.
type command struct {
	id       imbot.ID
	bot      *bot
	name     string
	common   bool
	extranet bool // usable by users from outside
	hidden   bool
	titles   *array // LANG
}

// Commands returns the commands that somebody can give in a dialog, which need
// not exist yet: those of the bots in it, and the common ones.
func (p *Portal) Commands(user imbot.ID, dialog imbot.DialogID) []Command {
	p.mu.Lock()
	defer p.mu.Unlock()
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

// title is the entry of LANG in the portal's language, else the first one; nil
// when the portal has skipped them all.
func title(titles *array) *array {
	list := slices.DeleteFunc(entries(titles, ""), func(lang *array) bool { return lang.text("LANGUAGE_ID") == "" || !lang.given("TITLE") })
	if len(list) == 0 {
		return nil
	}
	i := slices.IndexFunc(list, func(lang *array) bool { return strings.EqualFold(lang.text("LANGUAGE_ID"), language) })
	return list[max(0, i)]
}

// describe takes over what people see of a command; what was not sent stays.
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

// answerTime is how long a bot may answer a command.
const answerTime = 10 * time.Minute

// invocation is a command that a person gave.
type invocation struct {
	command *command
	params  string
}

// typed is a command at the start of a line.
var typed = regexp.MustCompile(`(?m)^/(\S+)(?:[ \t]+(.*?))?[ \t\r]*$`)

// maxInvocations is the number of commands that one message can give.
const maxInvocations = 10

// invoked are the commands in a person's text: those of the bots in the chat,
// and the common ones. Of one command the last line counts.
func (p *Portal) invoked(chat *chat, user imbot.ID, text string) (list []invocation) {
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
func (p *Portal) usable(cmd *command, chat *chat, user imbot.ID) bool {
	return (cmd.common || chat.member(cmd.bot.id) != nil) && (cmd.extranet || !p.isExtranet(user))
}

func (p *Portal) commandOf(bot imbot.ID, name string) *command {
	for _, cmd := range p.commands {
		if cmd.bot.id == bot && cmd.name == name {
			return cmd
		}
	}
	return nil
}
