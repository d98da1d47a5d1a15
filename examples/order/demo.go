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
// that knows a webhook, a token and a directory and nothing else.
func demo(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "order") // of mode 0700, which the states want
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	portal := imbottest.NewPortal()
	defer portal.Close()
	if err := portal.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	hook := portal.Webhook("a-long-random-bot-token")
	bot, err := start(ctx, hook, dir)
	if err != nil {
		return err
	}
	id, err := portal.WaitBot(ctx, "pizza")
	if err != nil {
		return errors.Join(err, kill(bot))
	}
	anna, boris := portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov")
	private, lunch := imbot.UserDialog(id), imbot.ChatDialog(portal.AddChat("Lunch", anna, boris, id))
	mention := fmt.Sprintf("[USER=%d]Pizza[/USER], ", id)
	talk := &talk{portal: portal, bot: id, out: out, said: map[imbot.DialogID]int{}}

	talk.waitCommands(ctx, anna, private)
	talk.say(ctx, anna, private, "/order")
	talk.say(ctx, boris, lunch, "/order")
	talk.say(ctx, anna, lunch, "/order")
	talk.wait(ctx, anna, private, lunch)
	talk.say(ctx, boris, lunch, mention+"large")
	talk.wait(ctx, anna, private, lunch)
	if err := errors.Join(talk.err, kill(bot)); err != nil {
		return err
	}
	talk.say(ctx, anna, private, "medium")
	talk.say(ctx, anna, lunch, mention+"small")
	talk.say(ctx, boris, lunch, mention+"Room 7")
	if bot, err = start(ctx, hook, dir); err != nil {
		return err
	}
	talk.wait(ctx, anna, private, lunch)
	talk.say(ctx, anna, private, "Main Street 1")
	talk.say(ctx, anna, lunch, "/cancel")
	talk.say(ctx, anna, lunch, mention+"Room 8")
	talk.wait(ctx, anna, private, lunch)
	if err := errors.Join(talk.err, stop(bot)); err != nil { // drained: nothing can come any more
		return err
	}
	talk.print(anna, private, "Anna and the bot, which was killed behind its first answer:")
	talk.print(anna, lunch, "The group chat, in which it was killed behind its third:")
	return portal.Err()
}

// A talk is with one bot, which answers everything once.
type talk struct {
	portal *imbottest.Portal
	bot    imbot.ID
	out    io.Writer
	said   map[imbot.DialogID]int
	err    error // the first one; nothing happens after it
}

func (t *talk) say(ctx context.Context, person imbot.ID, dialog imbot.DialogID, text string) {
	if t.err == nil {
		_, t.err = t.portal.Say(ctx, person, dialog, text)
		t.said[dialog]++
	}
}

// wait waits until the bot has answered everything.
func (t *talk) wait(ctx context.Context, person imbot.ID, dialogs ...imbot.DialogID) {
	for _, dialog := range dialogs {
		t.until(ctx, person, func() bool { return t.answers(person, dialog) >= t.said[dialog] })
	}
}

// waitCommands waits until the bot has made its commands.
func (t *talk) waitCommands(ctx context.Context, person imbot.ID, dialog imbot.DialogID) {
	t.until(ctx, person, func() bool { return len(t.portal.Commands(person, dialog)) == 2 })
}

func (t *talk) until(ctx context.Context, person imbot.ID, done func() bool) {
	for t.err == nil {
		now := t.portal.Changed()
		if done() {
			return
		}
		_, t.err = t.portal.Changes(ctx, person, now)
	}
}

func (t *talk) answers(person imbot.ID, dialog imbot.DialogID) (n int) {
	for _, m := range t.portal.Messages(person, dialog) {
		if m.AuthorID == t.bot {
			n++
		}
	}
	return n
}

func (t *talk) print(person imbot.ID, dialog imbot.DialogID, title string) {
	fmt.Fprintln(t.out, title)
	for _, m := range t.portal.Messages(person, dialog) {
		fmt.Fprintf(t.out, "  %-14s  %s\n", t.portal.Name(m.AuthorID), m.Plain())
	}
}

// start starts a bot for which the portal is a real one.
func start(ctx context.Context, hook imbot.Webhook, dir string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	bot := exec.CommandContext(ctx, self)
	bot.Env = append(os.Environ(), "BITRIX24_WEBHOOK_URL="+hook.URL, "BITRIX24_BOT_TOKEN="+hook.ClientID, "BOT_STATES="+dir)
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
