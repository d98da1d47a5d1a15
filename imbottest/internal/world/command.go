package world

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// Command is a slash command as the portal keeps it. No method of the portal returns
// the titles and whether it is hidden; people see that.
type Command struct {
	ID       imbot.ID
	Bot      *Bot
	Name     string
	Common   bool
	Extranet bool // users from outside the company may give it, too
	Hidden   bool
	Titles   *php.Array // LANG
}

// Title returns the entry of LANG in the portal's language, else the first one. The
// portal skips entries without a language or title; nil means that none is left.
func Title(titles *php.Array) *php.Array {
	list := slices.DeleteFunc(php.Entries(titles, ""), func(lang *php.Array) bool { return lang.Text("LANGUAGE_ID") == "" || !lang.Given("TITLE") })
	if len(list) == 0 {
		return nil
	}
	i := slices.IndexFunc(list, func(lang *php.Array) bool { return strings.EqualFold(lang.Text("LANGUAGE_ID"), Language) })
	return list[max(0, i)]
}

// answerTime is how long a bot may answer in a dialog after a command was given there.
const answerTime = 10 * time.Minute

// invocation is a command that a person gave, with its parameters.
type invocation struct {
	command *Command
	params  string
}

// typed matches a command at the start of a line. Only a blank ends its name, and only
// one blank is dropped before the parameters.
var typed = regexp.MustCompile(`(?m)^/([^ \r\n]+)(?: (.*?))?\r?$`)

// maxInvocations is how many commands one message can give.
const maxInvocations = 10

// invoked returns the commands that a person's text gives: those of the bots in the
// chat, and the common ones. When a command is there twice, the last line counts.
func (w *World) invoked(chat *Chat, user imbot.ID, text string) (list []invocation) {
	at, ids := map[*Command]int{}, SortedIDs(w.Commands)
	for _, line := range typed.FindAllStringSubmatch(text, -1) {
		for _, id := range ids {
			cmd := w.Commands[id]
			if cmd.Name != line[1] || !w.Usable(cmd, chat, user) {
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

// Usable reports whether a person can give the command in a chat.
func (w *World) Usable(cmd *Command, chat *Chat, user imbot.ID) bool {
	return (cmd.Common || chat.Member(cmd.Bot.ID) != nil) && (cmd.Extranet || !w.IsExtranet(user))
}

// CommandOf finds a command of a bot by its name, nil when there is none.
func (w *World) CommandOf(bot imbot.ID, name string) *Command {
	for _, cmd := range w.Commands {
		if cmd.Bot.ID == bot && cmd.Name == name {
			return cmd
		}
	}
	return nil
}
