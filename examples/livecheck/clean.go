package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// problems are what went wrong while things were removed, told without a word of the portal.
type problems []error

func (p *problems) add(what string, err error) {
	if err != nil {
		*p = append(*p, fmt.Errorf("%s: %s", what, refusal(err)))
	}
}

// clean removes all that the journal tells of, looks whether it is gone, and deletes the journal then.
func (c *check) clean(ctx context.Context) error {
	var p problems
	bots := c.journal.bots()
	there := map[imbot.ID]bool{}
	for _, b := range bots {
		p.add("looking for a bot", c.find(ctx, b))
		if b.Bot != 0 {
			there[b.Bot] = true
		}
	}
	if len(there) < len(bots) {
		c.wire.rest(10) // a portal may go on with a call whose line broke
	}
	kept := map[imbot.ID]bool{}
	for _, bot := range slices.Sorted(maps.Keys(there)) {
		for _, dialog := range c.dialogs(ctx, bot) {
			err := c.empty(ctx, bot, dialog, there)
			p.add("removing messages", err)
			// Nobody else can delete what a person has from the bot, so it stays for -clean to try once more, and
			// as long as the portal does not answer.
			if err != nil && c.journal.seen(dialog) && (!c.journal.old || !definite(err)) {
				kept[bot] = true
			}
		}
	}
	for _, b := range bots {
		if b.Bot != 0 && !kept[b.Bot] {
			p.add("removing a bot", c.unregister(ctx, b))
		}
	}
	for _, b := range bots {
		if kept[b.Bot] {
			continue
		}
		gone := &botEntry{entry: entry{Kind: b.Kind, Code: b.Code}} // also one that was not there before: it may have come late
		p.add("looking whether a bot is gone", c.find(ctx, gone))
		if gone.Bot != 0 {
			p = append(p, errors.New("a bot is still there"))
		}
	}
	if len(p) > 0 {
		return fmt.Errorf("not all could be removed; run it again with -clean: %w", errors.Join(p...))
	}
	if len(there) == 0 && len(bots) > 0 && c.journal.old && c.journal.Portal != fingerprint(c.journal.Secret, c.client.Portal()) {
		return fmt.Errorf("nothing of %s is on this portal, but it was made for another one, or this one has been renamed. Take the webhook of that portal, or delete the file if you know that nothing is left", c.journal.path)
	}
	return c.journal.remove()
}

// unregister removes a bot.
func (c *check) unregister(ctx context.Context, b *botEntry) error {
	err := c.client.Call(ctx, "imbot.v2.Bot.unregister", fields{"botId": b.Bot}, nil)
	if err != nil && b.Kind == kindBotV1 {
		return c.client.Call(ctx, "imbot.unregister", fields{"BOT_ID": b.Bot}, nil)
	}
	return err
}

// botEntry is a bot of the journal.
type botEntry struct{ entry }

// bots are the bots of a journal, each once.
func (j *journal) bots() []*botEntry {
	var bots []*botEntry
	for _, e := range j.entries {
		if e.Code == "" {
			continue
		}
		i := slices.IndexFunc(bots, func(b *botEntry) bool { return b.Code == e.Code })
		if i < 0 {
			bots = append(bots, &botEntry{e})
		} else {
			bots[i].Bot = e.Bot
		}
	}
	return bots
}

// find looks for a bot by its code, which nobody else has, and sets its id; 0: there is none. What this run
// has made itself it knows.
func (c *check) find(ctx context.Context, b *botEntry) error {
	if b.Bot != 0 && !c.journal.old {
		return nil
	}
	b.Bot = 0
	var result struct{ Bot struct{ ID imbot.ID } }
	err := c.client.Call(ctx, "imbot.v2.Bot.get", fields{"code": b.Code}, &result)
	if err == nil {
		b.Bot = result.Bot.ID
		return nil
	}
	if !errors.Is(err, imbotv2.ErrBotNotFound) {
		return err
	}
	if b.Kind != kindBotV1 {
		return nil
	}
	all, err := c.client.Bot.List(ctx, imbot.BotListRequest{}) // a portal may hide it from the second generation
	for _, one := range all {
		if one.Code == b.Code {
			b.Bot = one.ID
		}
	}
	return err
}

// dialogs are the chats of a bot: those that the journal names, and when it had not heard of one yet,
// those of which the bot was told by an event.
func (c *check) dialogs(ctx context.Context, bot imbot.ID) []imbot.DialogID {
	var dialogs []imbot.DialogID
	asked, heard := 0, 0
	for _, e := range c.journal.entries {
		switch {
		case e.Kind == kindDialog:
			dialogs = append(dialogs, e.Dialog)
		case e.Kind != kindChat || e.Bot != bot:
		case e.Dialog == "":
			asked++
		default:
			heard++
			dialogs = append(dialogs, e.Dialog)
		}
	}
	if heard >= asked {
		return dialogs
	}
	page, err := c.v2(bot).Event.Get(ctx, imbotv2.EventGetRequest{})
	if err != nil {
		return dialogs // a chat that nobody is in any more when the bot is gone
	}
	for _, item := range page.Events {
		if join, is := item.Event().(*imbotv2.JoinChatEvent); is && !slices.Contains(dialogs, join.DialogID) {
			dialogs = append(dialogs, join.DialogID)
		}
	}
	return dialogs
}

// empty deletes the messages of our bots in a dialog, lets everybody go and leaves it.
func (c *check) empty(ctx context.Context, bot imbot.ID, dialog imbot.DialogID, ours map[imbot.ID]bool) error {
	_, private := dialog.UserID()
	chat, err := c.v2(bot).Chat.Get(ctx, imbotv2.ChatGetRequest{DialogID: dialog})
	switch {
	case errors.Is(err, imbotv2.ErrChatNotFound) || c.journal.old && !private && errors.Is(err, imbot.ErrAccessDenied):
		return nil // it was left before
	case err != nil:
		return err
	}
	messages, unread := c.messages(ctx, bot, chat.LastMessageID, ours)
	for _, id := range c.room.sent { // whatever the portal tells of the dialog
		if !slices.Contains(messages, id) {
			messages = append(messages, id)
		}
	}
	refused, err := c.deleteAll(ctx, bot, messages)
	if err == nil {
		err = unread
	}
	if err == nil && len(refused) > 0 && c.journal.seen(dialog) {
		err = c.lookFor(ctx, bot, dialog, ours)
	}
	if err != nil || private {
		return err
	}
	if person := c.journal.guest(dialog); person != 0 {
		if err := c.client.Call(ctx, "imbot.v2.Chat.User.delete", fields{"botId": bot, "dialogId": dialog, "userId": person}, nil); err != nil {
			return err
		}
	}
	return c.client.Call(ctx, "imbot.v2.Chat.leave", fields{"botId": bot, "dialogId": dialog}, nil)
}

// lookFor returns an error when a message of our bots is left in a dialog.
func (c *check) lookFor(ctx context.Context, bot imbot.ID, dialog imbot.DialogID, ours map[imbot.ID]bool) error {
	chat, err := c.v2(bot).Chat.Get(ctx, imbotv2.ChatGetRequest{DialogID: dialog})
	if err != nil {
		return err
	}
	left, err := c.messages(ctx, bot, chat.LastMessageID, ours)
	if err == nil && len(left) > 0 {
		err = &imbot.Error{Code: imbot.ErrAccessDenied}
	}
	return err
}

// messages are those of our bots in a dialog, back from the last. There are fewer than a page holds.
func (c *check) messages(ctx context.Context, bot, last imbot.ID, ours map[imbot.ID]bool) ([]imbot.ID, error) {
	if last == 0 {
		return nil, nil
	}
	var around struct {
		Messages json.RawMessage `json:"messages"`
	}
	if err := c.client.Call(ctx, "imbot.v2.Chat.Message.getContext", fields{"botId": bot, "messageId": last, "range": 50}, &around); err != nil {
		return nil, err
	}
	type message struct {
		ID       imbot.ID   `json:"id"`
		AuthorID imbot.ID   `json:"authorId"`
		IsSystem imbot.Flag `json:"isSystem"`
	}
	var all []message
	if json.Unmarshal(around.Messages, &all) != nil {
		var byNumber map[string]message // some write lists so
		if json.Unmarshal(around.Messages, &byNumber) != nil {
			return nil, errForm
		}
		all = slices.Collect(maps.Values(byNumber))
	}
	var own []imbot.ID
	for _, m := range all {
		if ours[m.AuthorID] && m.IsSystem != imbot.Yes {
			own = append(own, m.ID)
		}
	}
	return own, nil
}

// deleteAll deletes messages in one batch, or one by one what is left after that. Those that it may not
// delete may be gone: the portal says the same of them.
func (c *check) deleteAll(ctx context.Context, bot imbot.ID, messages []imbot.ID) (refused []imbot.ID, err error) {
	client := c.client.WithBot(bot)
	for page := range slices.Chunk(messages, 50) {
		batch := imbot.NewBatch()
		var pending []*imbot.Pending[imbot.OK]
		for _, id := range page {
			pending = append(pending, imbot.Queue(batch, imbotv2.MessageDeleteRequest{MessageID: id, Complete: imbot.Yes}))
		}
		if c.room.batches || !c.room.v2 { // -clean does not know
			_ = client.DoBatch(ctx, batch) // what it has not done is done one by one
		}
		for i, id := range page {
			if _, err := pending[i].Result(); err == nil || errors.Is(err, imbotv2.ErrMessageNotFound) {
				continue
			}
			err := client.Call(ctx, "imbot.v2.Chat.Message.delete", fields{"botId": bot, "messageId": id, "complete": "Y"}, nil)
			switch {
			case err == nil || errors.Is(err, imbotv2.ErrMessageNotFound):
			case errors.Is(err, imbot.ErrAccessDenied) || errors.Is(err, imbotv2.ErrCantEditMessage):
				// Also one that is deleted but for its notice, and what the portal wrote in the bot's name.
				refused = append(refused, id)
			default:
				return refused, err
			}
		}
	}
	return refused, nil
}
