package imbotv2

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
)

// EnsureBot finds or registers a bot and brings it up to date: call it at each start. When
// nothing differs it is one call.
//
// It compares what the portal tells: name, last name, position, colour, gender, flags,
// background and event mode, where the request has a value. An avatar is only sent while the bot has
// none. With EventModeWebhook there is always an update, because nobody can read the URL.
//
// A bot of the first generation with the same code and owner becomes one of the second, with its
// id and dialogs, when the portal lets its event mode be changed (livecheck: v1-to-fetch); when
// not, the error is [ErrStillV1]. One that is to have EventModeWebhook has to fetch first: nobody
// can see that it is of the first generation, and the portal would post its messages in both forms.
//
// The error is [imbot.ErrInvalid] when the bot has another type, and [ErrBotCodeAlreadyTaken] when somebody
// else has the code.
//
// REST methods: imbot.v2.Bot.register, imbot.v2.Bot.update, imbot.v2.Bot.get; their errors.
func EnsureBot(ctx context.Context, c *Client, req BotRegisterRequest) (Bot, error) {
	if c == nil || c.base == nil {
		return Bot{}, invalid("EnsureBot: there is no client")
	}
	r, err := c.Bot.Register(ctx, req)
	if err != nil {
		return Bot{}, err
	}
	if req.Type != "" && r.Bot.Type != req.Type {
		return Bot{}, invalid("EnsureBot: bot %d has the type %q, which cannot be changed", r.Bot.ID, string(r.Bot.Type))
	}
	mode := req.EventMode
	switch {
	case mode == "" && req.WebhookURL != "":
		mode = EventModeWebhook
	case mode == "":
		mode = EventModeFetch
	}
	update := difference(r, req, mode)
	if update == (BotUpdateRequest{}) {
		return r.Bot, nil
	}
	update.BotID = r.Bot.ID
	before := r.Bot.EventMode
	r, err = c.Bot.Update(ctx, update)
	if err == nil && before != mode && r.Bot.EventMode == mode { // a portal may only say so
		r, err = c.Bot.Get(ctx, BotGetRequest{BotID: update.BotID})
	}
	if err != nil {
		return Bot{}, err
	}
	if r.Bot.EventMode != mode {
		return Bot{}, ErrStillV1
	}
	return r.Bot, nil
}

// difference is what has to be updated to make a bot what a request wants.
func difference(r BotResult, want BotRegisterRequest, mode EventMode) (update BotUpdateRequest) {
	flag := func(has, wanted imbot.Flag) imbot.Flag {
		if wanted == "" || has.Bool() == wanted.Bool() {
			return ""
		}
		return wanted
	}
	update.IsHidden = flag(r.Bot.IsHidden, want.IsHidden)
	update.IsReactionsEnabled = flag(r.Bot.IsReactionsEnabled, want.IsReactionsEnabled)
	update.IsSupportOpenline = flag(r.Bot.IsSupportOpenline, want.IsSupportOpenline)
	if want.BackgroundID != "" && want.BackgroundID != r.Bot.BackgroundID {
		update.BackgroundID = want.BackgroundID
	}
	if mode == EventModeWebhook || r.Bot.EventMode != mode {
		update.EventMode, update.WebhookURL = mode, want.WebhookURL
	}
	p, u := want.Properties, r.User
	other := func(has, wanted string) bool { return wanted != "" && has != wanted }
	fullName := strings.TrimSpace(p.Name + " " + p.LastName)
	nameDiffers := u.FirstName != p.Name && u.Name != fullName || other(u.LastName, p.LastName)
	colorDiffers := p.Color != "" && !strings.EqualFold(u.Color, p.Color.Hex())
	if nameDiffers || colorDiffers || other(u.WorkPosition, p.WorkPosition) || other(string(u.Gender), string(p.Gender)) || len(p.Avatar) > 0 && u.Avatar == "" {
		if u.Avatar != "" {
			p.Avatar = nil
		}
		update.Properties = &p
	}
	return update
}

// EnsureCommand is [EnsureCommands] for one command, and prunes nothing.
func EnsureCommand(ctx context.Context, c *Client, req CommandRegisterRequest) (Command, error) {
	commands, err := EnsureCommands(ctx, c, []CommandRegisterRequest{req}, false)
	if err != nil {
		return Command{}, err
	}
	return commands[0], nil
}

// EnsureCommands registers the commands of the client's bot that are missing, and updates those
// that differ: call it at each start. When nothing differs it is one call, else a second
// request, or more beyond fifty changes. With prune it removes what the bot has beyond
// them. It returns the commands in the order of reqs.
//
// A portal tells titles and hints in its own language only: all texts of a command are sent when that
// one differs from each of the request's, and stay as they are else.
//
// REST methods: imbot.v2.Command.list, .register, .update, .unregister; their errors.
func EnsureCommands(ctx context.Context, c *Client, reqs []CommandRegisterRequest, prune bool) ([]Command, error) {
	if c == nil || c.base == nil {
		return nil, invalid("EnsureCommands: there is no client")
	}
	names := map[string]bool{}
	for _, req := range reqs {
		if err := req.Check(); err != nil {
			return nil, invalid("EnsureCommands: %w", err)
		}
		name := strings.ToLower(commandName(req.Command))
		if names[name] {
			return nil, invalid("EnsureCommands: %.40q is there twice", req.Command)
		}
		names[name] = true
	}
	bot := c.BotID()
	for i, req := range reqs {
		if own := (*service)(c.Command).bot(req.BotID); i == 0 {
			bot = own
		} else if own != bot {
			return nil, invalid("EnsureCommands: %.40q is for bot %d, the first one for %d", req.Command, own, bot)
		}
	}
	there, err := c.Command.List(ctx, CommandListRequest{BotID: bot})
	if err != nil {
		return nil, err
	}
	has := map[string]Command{}
	for _, cmd := range there {
		has[strings.ToLower(commandName(cmd.Command))] = cmd
	}
	var (
		batch   = imbot.NewBatch()
		changed = make([]*imbot.Pending[Command], len(reqs))
		gone    []*imbot.Pending[imbot.OK]
		changes int
	)
	for i, req := range reqs {
		req.BotID = bot
		cmd, ok := has[strings.ToLower(commandName(req.Command))]
		if !ok {
			changed[i] = imbot.Queue(batch, req)
			changes++
		} else if update, differs := commandUpdate(cmd, req); differs {
			changed[i] = imbot.Queue(batch, update)
			changes++
		}
	}
	if prune {
		for _, cmd := range there {
			if !names[strings.ToLower(commandName(cmd.Command))] {
				gone = append(gone, imbot.Queue(batch, CommandUnregisterRequest{BotID: bot, CommandID: cmd.ID}))
				changes++
			}
		}
	}
	var whole error // of the batch; its calls know better what became of them
	if changes > 0 {
		whole = c.base.DoBatch(ctx, batch)
	}
	var errs []error
	all := make([]Command, len(reqs))
	for i, req := range reqs {
		all[i] = has[strings.ToLower(commandName(req.Command))]
		if changed[i] != nil {
			cmd, err := changed[i].Result()
			errs = append(errs, err)
			all[i] = cmd
		}
	}
	for _, p := range gone {
		if _, err := p.Result(); !errors.Is(err, ErrCommandNotFound) { // or another program that starts was faster
			errs = append(errs, err)
		}
	}
	err = errors.Join(errs...)
	if whole != nil && errors.Is(err, imbot.ErrNotRun) {
		err = whole
	}
	return all, err
}

// commandUpdate is what has to be changed of a command.
func commandUpdate(has Command, want CommandRegisterRequest) (update CommandUpdateRequest, differs bool) {
	update = CommandUpdateRequest{BotID: want.BotID, CommandID: has.ID}
	for _, flag := range []struct{ has, want, to *imbot.Flag }{
		{&has.Common, &want.Common, &update.Common}, {&has.Hidden, &want.Hidden, &update.Hidden},
		{&has.ExtranetSupport, &want.ExtranetSupport, &update.ExtranetSupport},
	} {
		wanted := imbot.No
		if flag.want.Bool() {
			wanted = imbot.Yes
		}
		if flag.has.Bool() != wanted.Bool() {
			*flag.to, differs = wanted, true
		}
	}
	titleDiffers := len(want.Title) > 0 && !slices.Contains(slices.Collect(maps.Values(want.Title)), has.Title)
	paramsDiffer := len(want.Params) > 0 && !slices.Contains(slices.Collect(maps.Values(want.Params)), has.Params)
	if titleDiffers || paramsDiffer {
		differs = true
		update.Title, update.Params = map[string]*string{}, map[string]*string{}
		for language, text := range want.Title {
			update.Title[language] = &text
		}
		for language, text := range want.Params {
			update.Params[language] = &text
		}
	}
	return update, differs
}
