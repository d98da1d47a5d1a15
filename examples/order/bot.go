package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
	"github.com/imbot-go/imbot/imbotv2"
)

// order is how far somebody has come; in a group chat everybody has one.
type order struct {
	Asked, Size string
	Last        int64 // the event that was handled last
}

type bot struct {
	client *imbotv2.Client
	orders imbot.State[order]
}

// run finds or registers a bot that takes orders until ctx ends, and keeps those that are not
// complete in files below dir, for half an hour.
func run(ctx context.Context, hook imbot.Webhook, dir string, opts ...imbot.Option) error {
	client, err := imbotv2.NewClient(hook, opts...)
	if err != nil {
		return err
	}
	me, err := imbotv2.EnsureBot(ctx, client, imbotv2.BotRegisterRequest{Code: "pizza", Properties: imbotv2.BotProperties{Name: "Pizza"}})
	if err != nil {
		return err
	}
	b := &bot{client.WithBot(me.ID), imbot.State[order]{Name: "order", Store: imbot.NewFileStates(dir), TTL: 30 * time.Minute}}
	commands := imbotv2.SlashCommands{
		{Name: "order", Title: "Order a pizza", Run: b.order},
		{Name: "cancel", Title: "Forget the order", Run: b.cancel},
	}
	if err := commands.Ensure(ctx, b.client); err != nil {
		return err
	}
	return imbotv2.Poll(ctx, &imbotv2.EventHandler{Commands: commands, OnMessage: b.message}, b.client)
}

func (b *bot) order(ctx context.Context, ev *imbotv2.CommandAddEvent) error {
	return b.step(ctx, ev, ev.EventID, func(o *order) string { return o.set(order{Asked: "size"}, "Which size: "+sizes+"?") })
}

func (b *bot) cancel(ctx context.Context, ev *imbotv2.CommandAddEvent) error {
	return b.step(ctx, ev, ev.EventID, func(o *order) string { return o.set(order{}, "Forgotten.") })
}

func (b *bot) message(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
	return b.step(ctx, ev, ev.EventID, func(o *order) string { return o.next(ev.Text()) })
}

// step changes the order and sends what f answers. An event that was handled but not acknowledged
// before the bot was killed comes again: without Last a size would then be taken for an address.
func (b *bot) step(ctx context.Context, ev imbot.Event, id int64, f func(*order) string) error {
	return b.orders.Do(ctx, ev, func(o *order) error {
		if id <= o.Last {
			return nil
		}
		_, err := b.client.Reply(ctx, ev, f(o))
		o.Last = id
		return err
	})
}

const sizes = "small, medium, large"

// next takes what somebody says.
func (o *order) next(said string) string {
	switch size := strings.ToLower(said); {
	case o.Asked == "":
		return bbcode.Send("/order", "/order") + " brings you a pizza."
	case o.Asked == "address":
		return o.set(order{}, "A "+o.Size+" pizza is on its way to "+bbcode.Escape(bbcode.Plain(said))+".")
	case slices.Contains(strings.Split(sizes, ", "), size):
		return o.set(order{Asked: "address", Size: size}, "And where to?")
	}
	return "There is " + sizes + "."
}

func (o *order) set(next order, answer string) string {
	*o = next
	return answer
}
