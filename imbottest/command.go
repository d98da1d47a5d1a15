package imbottest

import (
	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
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

// Commands returns the commands that somebody can give in a dialog: those of its bots,
// and the common ones. A private dialog need not be opened before.
func (p *Portal) Commands(user imbot.ID, dialog imbot.DialogID) []Command {
	p.w.Lock()
	defer p.w.Unlock()
	c := p.w.ExistingOrNewChat(user, dialog)
	if c == nil {
		return nil
	}
	var list []Command
	for _, id := range world.SortedIDs(p.w.Commands) {
		if cmd := p.w.Commands[id]; p.w.Usable(cmd, c, user) {
			lang := world.Title(cmd.Titles)
			list = append(list, Command{
				ID: id, Bot: cmd.Bot.ID, Name: cmd.Name, Title: lang.Text("TITLE"), Params: lang.Text("PARAMS"),
				Common: cmd.Common, Hidden: cmd.Hidden || lang == nil,
			})
		}
	}
	return list
}
