package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// A room is what a run makes on the portal, most of it when the first fact needs it, and what it has
// heard there that settles a further fact.
type room struct {
	bot  made[imbot.ID]       // a hidden one that fetches its events
	code string               // of it
	chat made[imbot.DialogID] // with nobody in it but the bot
	text made[imbot.ID]       // a message in it
	file made[uploaded]       // a file in it

	dialog made[imbot.DialogID] // with whoever runs this
	stage  made[stage]          // of the tier that listens

	bots, messages int        // that may be there
	sent           []imbot.ID // of these
	v2             bool       // the portal knows imbot.v2
	batches        bool       // it works in them

	scopes            []string                   // of the webhook, of those that matter to bots
	answered, refused answer                     // an answer with a result, and one with an error
	object            map[string]json.RawMessage // the chat
	uuids             json.RawMessage            // a uuidMap
	staged            made[string]               // a text with an entity and an address, as it came back
	v1Message         imbot.ID                   // one that a method of the first generation has sent
	batchMessages     []imbot.ID                 // that were sent in a batch
	offset            int64                      // behind all events
}

// made is something that is made once, or why it was not.
type made[T any] struct {
	done  bool
	value T
	err   error
}

func (m *made[T]) get(make func() (T, error)) (T, error) {
	if !m.done {
		m.done = true
		m.value, m.err = make()
	}
	return m.value, m.err
}

// cost is how many calls it takes to remove everything: three for each bot and one more for one of the first
// generation, four that read its chat and empty and leave it, three that let a person go and look again, and one
// for each message, or for each fifty when batches work.
func (r *room) cost() int {
	if r.bots == 0 {
		return 0
	}
	deletes := r.messages
	if r.batches {
		deletes = 3 // some are refused and tried alone
	}
	cost := 3*r.bots + 1 + 4 + deletes
	if r.dialog.done || r.stage.done {
		cost += 3
	}
	return cost
}

// errTaken stops a run whose code is taken, which a random one never is.
const errTaken = notAsked("the portal has a bot with the code of this run, so nothing is made")

// makeBot looks whether there is a bot with a new code, writes the journal, and makes one.
func (c *check) makeBot(ctx context.Context, kind string, register func(code string) (imbot.ID, error)) (bot imbot.ID, code string, err error) {
	code, err = c.newCode(ctx)
	if err != nil {
		return 0, "", err
	}
	if err := c.journal.write(entry{Kind: kind, Code: code}); err != nil {
		return 0, "", err
	}
	c.room.bots++
	if bot, err = register(code); err != nil {
		return 0, "", err
	}
	return bot, code, c.journal.write(entry{Kind: kind, Code: code, Bot: bot})
}

// register makes a bot of the second generation.
func (c *check) register(ctx context.Context, more fields) (bot imbot.ID, code string, err error) {
	return c.makeBot(ctx, kindBot, func(code string) (imbot.ID, error) {
		params := fields{"code": code, "type": "supervisor", "isHidden": "Y", "eventMode": "fetch", // others may not read messages
			"properties": fields{"name": botName, "lastName": botLastName, "workPosition": "A check"}}
		maps.Copy(params, more)
		var result struct{ Bot struct{ ID imbot.ID } }
		err := c.call(ctx, "imbot.v2.Bot.register", fields{"fields": params}, &result)
		return result.Bot.ID, err
	})
}

// registerV1 makes a bot of the first generation.
func (c *check) registerV1(ctx context.Context, handler string) (bot imbot.ID, err error) {
	bot, _, err = c.makeBot(ctx, kindBotV1, func(code string) (bot imbot.ID, err error) {
		err = c.call(ctx, "imbot.register", fields{"CODE": code, "TYPE": "B", "EVENT_HANDLER": handler, "PROPERTIES": fields{"NAME": botNameV1}}, &bot)
		return bot, err
	})
	return bot, err
}

// The names of our bots.
const (
	botName     = "Livecheck"
	botLastName = "of imbot"
	botNameV1   = "Livecheck one"
)

// newCode makes a code, and returns an error unless the portal says that it has no bot of it.
func (c *check) newCode(ctx context.Context) (string, error) {
	name, err := c.newSecret()
	if err != nil {
		return "", err
	}
	name = codeStart + name
	err = c.call(ctx, "imbot.v2.Bot.get", fields{"code": name}, nil)
	switch {
	case err == nil:
		return "", errTaken
	case errors.Is(err, imbotv2.ErrBotNotFound):
		return name, nil
	}
	return "", err
}

func (c *check) bot(ctx context.Context) (imbot.ID, error) {
	return c.room.bot.get(func() (bot imbot.ID, err error) {
		bot, c.room.code, err = c.register(ctx, nil)
		return bot, err
	})
}

// chat is a group chat with nobody in it but the bot.
func (c *check) chat(ctx context.Context) (imbot.ID, imbot.DialogID, error) {
	bot, err := c.bot(ctx)
	if err != nil {
		return 0, "", err
	}
	chat, err := c.room.chat.get(func() (imbot.DialogID, error) {
		return c.addChat(ctx, bot, fields{"color": "lightBlue", "message": firstText})
	})
	return bot, chat, err
}

// addChat makes a chat of a bot, with other bots in it. The journal names it before a person comes in, so
// that after a kill nobody but bots is in a chat that nothing names.
func (c *check) addChat(ctx context.Context, bot imbot.ID, more fields) (imbot.DialogID, error) {
	if err := c.journal.write(entry{Kind: kindChat, Bot: bot}); err != nil {
		return "", err
	}
	c.room.messages += 2 // the first one, and what the portal says itself
	params := fields{"title": botName}
	maps.Copy(params, more)
	var result struct{ Chat struct{ ID imbot.ID } }
	if err := c.call(ctx, "imbot.v2.Chat.add", fields{"botId": bot, "fields": params}, &result); err != nil {
		return "", err
	}
	dialog := imbot.ChatDialog(result.Chat.ID)
	return dialog, c.journal.write(entry{Kind: kindChat, Bot: bot, Dialog: dialog})
}

// addGuest lets whoever runs this into a chat.
func (c *check) addGuest(ctx context.Context, bot imbot.ID, dialog imbot.DialogID) error {
	person, err := c.person()
	if err != nil {
		return err
	}
	if err := c.journal.write(entry{Kind: kindGuest, Dialog: dialog, Person: person}); err != nil {
		return err
	}
	return c.call(ctx, "imbot.v2.Chat.User.add", fields{"botId": bot, "dialogId": dialog, "userIds": []imbot.ID{person}}, nil)
}

const firstText = "The first message of this chat"

// send sends a message of the bot into the chat.
func (c *check) send(ctx context.Context, params fields) (imbot.ID, error) {
	id, _, err := c.sendRaw(ctx, params)
	return id, err
}

func (c *check) sendRaw(ctx context.Context, params fields) (id imbot.ID, uuids json.RawMessage, err error) {
	bot, chat, err := c.chat(ctx)
	if err != nil {
		return 0, nil, err
	}
	return c.sendTo(ctx, bot, chat, params)
}

func (c *check) sendTo(ctx context.Context, bot imbot.ID, dialog imbot.DialogID, params fields) (id imbot.ID, uuids json.RawMessage, err error) {
	c.room.messages++
	var result struct {
		ID      imbot.ID        `json:"id"`
		UUIDMap json.RawMessage `json:"uuidMap"`
	}
	err = c.call(ctx, "imbot.v2.Chat.Message.send", fields{"botId": bot, "dialogId": dialog, "fields": params}, &result)
	if err == nil && result.ID == 0 {
		err = errForm
	}
	if err == nil {
		c.room.sent = append(c.room.sent, result.ID)
	}
	return result.ID, result.UUIDMap, err
}

// message is one that the bot has sent.
func (c *check) message(ctx context.Context) (bot, message imbot.ID, err error) {
	if bot, err = c.bot(ctx); err != nil {
		return 0, 0, err
	}
	message, err = c.room.text.get(func() (imbot.ID, error) { return c.send(ctx, fields{"message": messageText}) })
	return bot, message, err
}

const messageText = "A text to be changed"

// textOf is how the portal gives a message back.
func (c *check) textOf(ctx context.Context, id imbot.ID) (string, error) {
	bot, _, err := c.chat(ctx)
	if err != nil {
		return "", err
	}
	var result struct{ Message struct{ Text *string } }
	err = c.call(ctx, "imbot.v2.Chat.Message.get", fields{"botId": bot, "messageId": id}, &result)
	switch {
	case err != nil:
		return "", err
	case result.Message.Text == nil:
		return "", errForm
	}
	return *result.Message.Text, nil
}

// sentAndRead sends a text and reads it.
func (c *check) sentAndRead(ctx context.Context, text string) (string, error) {
	id, err := c.send(ctx, fields{"message": text})
	if err != nil {
		return "", err
	}
	return c.textOf(ctx, id)
}

// readChat reads the chat as Chat.get tells it.
func (c *check) readChat(ctx context.Context) error {
	bot, chat, err := c.chat(ctx)
	if err != nil {
		return err
	}
	var result struct {
		Chat map[string]json.RawMessage `json:"chat"`
	}
	err = c.call(ctx, "imbot.v2.Chat.get", fields{"botId": bot, "dialogId": chat}, &result)
	if err == nil && len(result.Chat) == 0 {
		err = errForm
	}
	c.room.object = result.Chat
	return err
}

// person is the user of the webhook, whose id is in its URL.
func (c *check) person() (imbot.ID, error) {
	u, err := url.Parse(c.hook)
	if err != nil {
		return 0, errors.New("the URL of the webhook is none") // err would show it
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 {
		return 0, errors.New("the URL of the webhook has no user")
	}
	id, err := strconv.ParseInt(parts[len(parts)-2], 10, 64)
	if err != nil {
		return 0, errors.New("the URL of the webhook has no number of a user")
	}
	return imbot.ID(id), nil
}
