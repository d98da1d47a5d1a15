package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
)

// show runs the bot on a portal in memory, with the messenger in front of it,
// until ctx ends.
func show(ctx context.Context, out io.Writer, addr string) error {
	const eventURL = "https://bot.example.com/events"
	if strings.HasPrefix(addr, ":") {
		addr = net.JoinHostPort("127.0.0.1", addr[1:])
	}
	portal := imbottest.NewPortal()
	defer portal.Close()
	portal.Mount(messenger.Handler(portal))
	if err := portal.Listen(addr); err != nil {
		return fmt.Errorf("%w (-addr 127.0.0.1:0 is any free port)", err)
	}
	id, bot, err := newBot(ctx, portal.Webhook("a-long-random-client-id"), eventURL, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		return err
	}
	bot.Claims = forgetful{}
	portal.Serve(eventURL, bot)
	anna, boris := portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov")
	portal.AddChat("Lunch", anna, boris, id)

	page := strings.TrimSuffix(portal.Endpoint(), "rest/")
	fmt.Fprintf(out, "%s#user=%d&dialog=%d\nOpen this page and write to the bot; interrupt to stop.\n", page, anna, id)
	<-ctx.Done()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(bot.Shutdown(drain), portal.Err())
}

// forgetful lets an event count that the page sends once more. Otherwise a bot
// handles the same event only once.
type forgetful struct{}

func (forgetful) Claim(context.Context, string) (bool, error) { return true, nil }
func (forgetful) Release(context.Context, string) error       { return nil }
