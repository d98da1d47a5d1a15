package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// demo is the portal and its people. The bot is this program once more, as a process
// that knows a webhook and a token and nothing else.
func demo(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	if err := portal.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	hook := portal.Webhook("a-long-random-bot-token")
	bot, err := start(ctx, hook)
	if err != nil {
		return err
	}
	id, err := portal.WaitBot(ctx, "echo")
	if err != nil {
		return errors.Join(err, kill(bot))
	}
	anna, boris, clara := portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov"), portal.AddUser("Clara", "Weiss")
	private, lunch := imbot.UserDialog(id), imbot.ChatDialog(portal.AddChat("Lunch", anna, boris, clara, id))
	mention := fmt.Sprintf("[USER=%d]Echo[/USER], ", id)
	talk := &talk{portal: portal}

	talk.say(ctx, anna, private, "", "hello")
	talk.say(ctx, boris, lunch, mention, "pizza for three")
	talk.wait(ctx)
	queued := len(portal.Queued(id))
	if err := errors.Join(talk.err, kill(bot)); err != nil {
		return err
	}
	fmt.Fprintf(out, "The bot was killed: %d events, which it had handled, were still in its queue.\n", queued)

	talk.say(ctx, anna, private, "", "are you there?")
	talk.say(ctx, boris, private, "", "and for me?")
	talk.say(ctx, clara, lunch, mention, "two with mushrooms")
	if bot, err = start(ctx, hook); err != nil {
		return err
	}
	talk.say(ctx, anna, lunch, mention, "at noon")
	talk.wait(ctx)
	if err := errors.Join(talk.err, stop(bot)); err != nil { // drained: nothing can come any more
		return err
	}
	talk.print(out)
	if err := errors.Join(talk.check(), portal.Err()); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d messages, and each has one answer.\n", len(talk.lines))
	return nil
}

// start starts a bot for which the portal is a real one.
func start(ctx context.Context, hook imbot.Webhook) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	bot := exec.CommandContext(ctx, self)
	bot.Env = append(os.Environ(), "BITRIX24_WEBHOOK_URL="+hook.URL, "BITRIX24_BOT_TOKEN="+hook.ClientID)
	bot.Stderr = os.Stderr
	return bot, bot.Start()
}

// kill ends the bot so that it can do nothing about it: SIGKILL.
func kill(bot *exec.Cmd) error {
	err := bot.Process.Kill()
	_ = bot.Wait() // says that it was killed
	return err
}

// stop interrupts the bot, which then handles what it has and acknowledges it.
func stop(bot *exec.Cmd) error {
	if err := bot.Process.Signal(os.Interrupt); err != nil {
		return errors.Join(err, kill(bot))
	}
	return bot.Wait()
}
