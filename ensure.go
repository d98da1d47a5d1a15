package imbot

import (
	"context"
	"errors"
)

// EnsureBot makes sure that a bot is there as req says, and returns its id: it
// registers the bot, or finds the one with the same code and brings it up to
// date. Running it at each start changes nothing the second time.
//
// A bot with this code that belongs to another application, or was registered
// with another CLIENT_ID, is left alone: the error matches [ErrAppID]. The type
// of a bot never changes, and nothing tells it; what can be seen is whether it
// serves open lines, and a difference there is an error that matches
// [ErrInvalid]. Empty fields of the profile stay as they are, and so does the
// photo, which the portal never replaces.
//
// The handler URLs are those of the whole application: see [BotService.Register].
func EnsureBot(ctx context.Context, client *Client, req BotRegisterRequest) (ID, error) {
	if req.Code == "" {
		return 0, invalid(ErrCode, "EnsureBot needs a Code to find the bot by")
	}
	if e := req.Check(); e != nil {
		return 0, e
	}
	own, foreign, err := findBot(ctx, client, req.Code)
	switch {
	case err != nil:
		return 0, err
	case foreign != 0:
		return 0, foreignBot(foreign, req.Code)
	case own.ID == 0:
		id, err := client.Bot.Register(ctx, req)
		if err != nil {
			return 0, err
		}
		// Somebody may have been faster: the portal returns any bot that has the code.
		switch ours, err := ownsBot(ctx, client, id); {
		case err != nil:
			return 0, err
		case !ours:
			return 0, foreignBot(id, req.Code)
		}
		return id, nil
	}
	if want := req.OpenLine.Bool() || req.Type == BotTypeOpenLine; own.OpenLine.Bool() != want {
		return 0, invalid("", "the bot %d with the code %.50q has OPENLINE=%s, which cannot be changed: unregister it, or use another code", own.ID, req.Code, own.OpenLine)
	}
	update := req.update(own.ID)
	if update.Check() != nil { // there is nothing to bring up to date
		return own.ID, nil
	}
	return own.ID, client.Bot.Update(ctx, update)
}

// update is the request that makes an existing bot what r says.
func (r BotRegisterRequest) update(id ID) BotUpdateRequest {
	set := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	p := r.Properties
	properties := BotPropertiesUpdate{
		Name: set(p.Name), LastName: set(p.LastName), Color: p.Color, Email: set(p.Email), PersonalBirthday: set(p.PersonalBirthday),
		WorkPosition: set(p.WorkPosition), PersonalWWW: set(p.PersonalWWW),
	}
	if p.PersonalGender != "" {
		properties.PersonalGender = &p.PersonalGender
	}
	fields := BotUpdateFields{
		EventHandler: r.EventHandler, EventMessageAdd: r.EventMessageAdd, EventMessageUpdate: r.EventMessageUpdate,
		EventMessageDelete: r.EventMessageDelete, EventWelcomeMessage: r.EventWelcomeMessage, EventBotDelete: r.EventBotDelete,
	}
	if !properties.empty() {
		fields.Properties = &properties
	}
	return BotUpdateRequest{BotID: id, Fields: fields}
}

func foreignBot(id ID, code string) *Error {
	return &Error{Code: ErrAppID, kind: ErrInvalid, Description: "the bot " + id.String() + " with the code " + code + " belongs to another application or CLIENT_ID"}
}

// findBot looks for the bot with a code: ours, or else a foreign one. The list
// has built-in bots, too, which may have any code.
func findBot(ctx context.Context, client *Client, code string) (own Bot, foreign ID, err error) {
	bots, err := client.Bot.List(ctx, BotListRequest{})
	if err != nil {
		return Bot{}, 0, err
	}
	for _, b := range bots {
		if b.Code != code {
			continue
		}
		ours, err := ownsBot(ctx, client, b.ID)
		if err != nil {
			return Bot{}, 0, err
		}
		if ours {
			return b, 0, nil
		}
		foreign = b.ID
	}
	return Bot{}, foreign, nil
}

// ownsBot asks the portal whether a bot is ours, without changing anything: a
// typing notice without a dialog is refused, and the reason tells.
func ownsBot(ctx context.Context, client *Client, bot ID) (bool, error) {
	err := client.Call(ctx, "imbot.chat.sendTyping", map[string]ID{"BOT_ID": bot}, nil)
	switch {
	case errors.Is(err, ErrDialogIDEmpty):
		return true, nil
	case errors.Is(err, ErrAppID):
		return false, nil
	case err == nil:
		return false, &Error{Method: "imbot.chat.sendTyping", Description: "the portal accepted a typing notice without a dialog, so it does not tell whose the bot is"}
	}
	return false, err
}

// EnsureApp makes sure that a chat application is there as req says, and returns
// its id: it registers the application, and brings up to date one that has the
// same bot and code. Running it at each start changes nothing the second time.
//
// Empty fields stay as they are. The portal keeps the icon of an existing
// application, and a change between a command and an iframe needs
// [AppService.Unregister] first. A foreign bot is refused with [ErrAppID].
func EnsureApp(ctx context.Context, client *Client, req AppRegisterRequest) (ID, error) {
	id, err := client.App.Register(ctx, req)
	if err != nil {
		return 0, err
	}
	return id, client.App.Update(ctx, AppUpdateRequest{AppID: id, Fields: AppUpdateFields{
		JSMethod: req.JSMethod, JSParam: req.JSParam, IFrame: req.IFrame, IFrameWidth: req.IFrameWidth, IFrameHeight: req.IFrameHeight,
		IFramePopup: req.IFramePopup, Hash: req.Hash, Context: req.Context, Hidden: req.Hidden,
		ExtranetSupport: req.ExtranetSupport, LivechatSupport: req.LivechatSupport, Lang: req.Lang,
	}})
}

// EnsureCommand makes sure that a slash command is there as req says, and
// returns its id: it registers the command, and brings up to date one that has
// the same bot and name. Running it at each start changes nothing the second time.
// For all commands of a bot there is [SlashCommands].
//
// Empty fields stay as they are, and Common never changes. The handler URL is
// that of all commands of the application. A foreign bot is refused with
// [ErrAppID].
func EnsureCommand(ctx context.Context, client *Client, req CommandRegisterRequest) (ID, error) {
	id, err := client.Command.Register(ctx, req)
	if err != nil {
		return 0, err
	}
	return id, client.Command.Update(ctx, CommandUpdateRequest{CommandID: id, Fields: CommandUpdateFields{
		Hidden: req.Hidden, ExtranetSupport: req.ExtranetSupport, Lang: req.Lang,
	}})
}
