package openlines

import (
	"cmp"
	"context"

	"github.com/imbot-go/imbot"
)

// EnsureBot makes sure that a bot answers first in a line, in place of any other. Running it at each
// start changes nothing the second time.
//
// Which conversations the bot takes and how long it keeps them stays as the line says:
// on most that is ten minutes. [LineService.Update] changes it. The bot has to be one that
// serves open lines, which the portal does not check. The change needs an administrator's
// webhook or token, the look at the line does not.
func EnsureBot(ctx context.Context, client *imbot.Client, line, bot imbot.ID) error {
	lines := New(client).Line
	found, err := lines.Get(ctx, LineGetRequest{LineID: line, WithQueue: imbot.No})
	if err != nil {
		return err
	}
	w := found.WelcomeBot
	if w.Enable.Bool() && w.BotID == bot {
		return nil
	}
	w.Enable, w.BotID = imbot.Yes, bot
	w.Join, w.Left = cmp.Or(w.Join, BotJoinAlways), cmp.Or(w.Left, BotLeftQueue)
	return lines.Update(ctx, LineUpdateRequest{LineID: line, WelcomeBot: &w})
}
