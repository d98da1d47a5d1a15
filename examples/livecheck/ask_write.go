package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// askTwice sends a message with the same id twice.
func (c *check) askTwice(ctx context.Context, uuid string) (once bool, uuids json.RawMessage, err error) {
	params := fields{"message": "Sent twice with the same id", "templateId": uuid}
	first, uuids, err := c.sendRaw(ctx, params)
	if err != nil {
		return false, nil, err
	}
	again, err := c.send(ctx, params)
	return first == again, uuids, err
}

func askTemplateID(ctx context.Context, c *check) (seen, error) {
	once, uuids, err := c.askTwice(ctx, newUUID())
	c.room.uuids = uuids
	return seen{assumed: once}, err
}

func askTemplateIDUpper(ctx context.Context, c *check) (seen, error) {
	once, _, err := c.askTwice(ctx, strings.ToUpper(newUUID()))
	return seen{assumed: !once}, err
}

func askUUIDMap(_ context.Context, c *check) (seen, error) {
	if c.room.uuids == nil {
		return seen{}, notAsked("no message was sent")
	}
	return form(c.room.uuids)
}

// askFlagText switches the text field off with a text. A program that takes every text for true
// leaves it on.
func askFlagText(ctx context.Context, c *check) (seen, error) {
	bot, chat, err := c.chat(ctx)
	if err != nil {
		return seen{}, err
	}
	if was, err := c.textField(ctx); err != nil || !was {
		return seen{}, errors.Join(err, notAsked("the text field is off from the beginning"))
	}
	set := func(v any) (enabled bool, err error) {
		if err := c.call(ctx, "imbot.v2.Chat.TextField.enabled", fields{"botId": bot, "dialogId": chat, "enabled": v}, nil); err != nil {
			return false, err
		}
		return c.textField(ctx)
	}
	enabled, err := set("N")
	if err != nil || !enabled {
		return seen{assumed: !enabled}, err
	}
	if enabled, err := set(false); err != nil || enabled {
		return seen{}, errors.Join(err, notAsked("the text field cannot be switched off at all"))
	}
	return yesNo(false)
}

// textField reads whether the chat has one.
func (c *check) textField(ctx context.Context) (bool, error) {
	if err := c.readChat(ctx); err != nil {
		return false, err
	}
	return flagOf(c.room.object["textFieldEnabled"])
}

// flagOf reads what stands for yes or no in any form.
func flagOf(raw json.RawMessage) (bool, error) {
	switch strings.Trim(string(raw), `" `) {
	case "Y", "true", "1":
		return true, nil
	case "N", "false", "0":
		return false, nil
	}
	return false, errForm
}

// askFlagBool switches something off and on.
func askFlagBool(ctx context.Context, c *check) (seen, error) {
	bot, err := c.bot(ctx)
	if err != nil {
		return seen{}, err
	}
	right := true
	for _, on := range []bool{false, true} {
		var result struct {
			Bot map[string]json.RawMessage `json:"bot"`
		}
		if err := c.call(ctx, "imbot.v2.Bot.update", fields{"botId": bot, "fields": fields{"isReactionsEnabled": on}}, &result); err != nil {
			return seen{}, err
		}
		is, err := flagOf(result.Bot["isReactionsEnabled"])
		if err != nil {
			return seen{}, err
		}
		right = right && is == on
	}
	return yesNo(right)
}

func askTextField(_ context.Context, c *check) (seen, error) {
	return c.isText("textFieldEnabled")
}

func askViews(_ context.Context, c *check) (seen, error) {
	return c.isText("lastMessageViews")
}

// isText tells the form of a part of a chat.
func (c *check) isText(name string) (seen, error) {
	raw := bytes.TrimSpace(c.room.object[name])
	switch {
	case len(c.room.object) == 0:
		return seen{}, notAsked("no chat was read")
	case len(raw) == 0:
		return seen{note: "left out"}, nil
	}
	kind := map[byte]note{'"': "a text", '{': "an object", '[': "a list", 't': "a boolean", 'f': "a boolean", 'n': "null"}[raw[0]]
	if kind == "" {
		kind = "a number"
	}
	return seen{raw[0] == '"', kind}, nil
}

func askV1ToFetch(ctx context.Context, c *check) (seen, error) {
	bot, err := c.registerV1(ctx, "https://livecheck.invalid/events") // a name that never leads anywhere
	if err != nil {
		return seen{}, err
	}
	if err := c.call(ctx, "imbot.v2.Bot.update", fields{"botId": bot, "fields": fields{"eventMode": "fetch"}}, nil); err != nil {
		return seen{note: refusal(err)}, notRefused(err)
	}
	var result struct {
		Bot struct{ EventMode string } `json:"bot"`
	}
	if err := c.call(ctx, "imbot.v2.Bot.get", fields{"botId": bot}, &result); err != nil {
		return seen{}, err
	}
	return yesNo(result.Bot.EventMode == string(imbotv2.EventModeFetch))
}

// lightBlue is the color that the chat was made with.
var lightBlue = imbot.ColorLightBlue.Hex()

func askColour(ctx context.Context, c *check) (seen, error) {
	if c.room.object == nil {
		if err := c.readChat(ctx); err != nil {
			return seen{}, err
		}
	}
	var color string
	if json.Unmarshal(c.room.object["color"], &color) != nil {
		return seen{}, errForm
	}
	return yesNo(strings.EqualFold(color, lightBlue))
}

// askProperties sends a name alone, and looks whether the last name stays.
func askProperties(ctx context.Context, c *check) (seen, error) {
	bot, err := c.bot(ctx)
	if err != nil {
		return seen{}, err
	}
	for _, params := range []fields{{"name": botName, "lastName": botLastName}, {"name": botName}} {
		user, err := c.updated(ctx, bot, fields{"properties": params})
		switch {
		case err != nil:
			return seen{}, err
		case user.LastName == nil:
			return seen{}, errForm
		case params["lastName"] == nil:
			return yesNo(*user.LastName == "")
		case *user.LastName != botLastName:
			return seen{}, notAsked("a last name could not be set")
		}
	}
	return seen{}, nil
}

// botUser is what is looked at of a bot's profile.
type botUser struct {
	FirstName string  `json:"firstName"`
	Name      string  `json:"name"`
	LastName  *string `json:"lastName"`
}

// updated updates a bot and returns how the portal tells it.
func (c *check) updated(ctx context.Context, bot imbot.ID, params fields) (botUser, error) {
	var result struct {
		Users []botUser `json:"users"`
	}
	if err := c.call(ctx, "imbot.v2.Bot.update", fields{"botId": bot, "fields": params}, &result); err != nil {
		return botUser{}, err
	}
	if len(result.Users) != 1 {
		return botUser{}, errForm
	}
	return result.Users[0], nil
}

func askRegisterAgain(ctx context.Context, c *check) (seen, error) {
	bot, err := c.bot(ctx)
	if err != nil {
		return seen{}, err
	}
	const next = "Another name"
	var result struct {
		Bot   struct{ ID imbot.ID }
		Users []botUser `json:"users"`
	}
	err = c.call(ctx, "imbot.v2.Bot.register", fields{"fields": fields{"code": c.room.code, "properties": fields{"name": next}}}, &result)
	switch {
	case err != nil:
		return seen{note: refusal(err)}, notRefused(err)
	case result.Bot.ID != bot:
		return seen{note: "another bot was made"}, nil
	case len(result.Users) != 1:
		return seen{}, errForm
	}
	return yesNo(!strings.Contains(result.Users[0].Name, next) && result.Users[0].FirstName != next)
}

func askBackground(ctx context.Context, c *check) (seen, error) {
	bot, err := c.bot(ctx)
	if err != nil {
		return seen{}, err
	}
	background := func(v any) (json.RawMessage, error) {
		var result struct {
			Bot map[string]json.RawMessage `json:"bot"`
		}
		err := c.call(ctx, "imbot.v2.Bot.update", fields{"botId": bot, "fields": fields{"backgroundId": v}}, &result)
		return result.Bot["backgroundId"], err
	}
	if raw, err := background("mint"); err != nil || string(raw) != `"mint"` {
		return seen{}, errors.Join(err, notAsked("a background could not be set"))
	}
	raw, err := background(nil)
	return seen{assumed: string(raw) == `"mint"`}, err
}

// sqlText has words that the filter of a box takes for an attack.
const sqlText = "Please select an item from the list"

func askSharedOwner(ctx context.Context, c *check) (seen, error) {
	bot, chat, err := c.chat(ctx)
	if err != nil {
		return seen{}, err
	}
	c.room.messages++
	err = c.call(ctx, "imbot.message.add", fields{"BOT_ID": bot, "DIALOG_ID": chat, "MESSAGE": sqlText}, &c.room.v1Message)
	if err != nil {
		return seen{note: refusal(err)}, notRefused(err)
	}
	return yesNo(true)
}

func askSQLWords(ctx context.Context, c *check) (seen, error) {
	if c.room.v1Message == 0 {
		return seen{}, notAsked("no message of the first generation was sent")
	}
	text, err := c.textOf(ctx, c.room.v1Message)
	return seen{assumed: text == sqlText}, err
}

// askTextCut tells how long two texts come back.
func askTextCut(ctx context.Context, c *check) (seen, error) {
	var lengths []int
	for _, n := range []int{20_001, 20_007} {
		text, err := c.sentAndRead(ctx, strings.Repeat("a", n))
		if err != nil {
			return seen{}, err
		}
		lengths = append(lengths, utf8.RuneCountInString(text))
	}
	return seen{lengths[0] == 20_001 && lengths[1] == 20_006, note(fmt.Sprintf("%d and %d came back", lengths[0], lengths[1]))}, nil
}

// staged is how the portal gives a text back that has an entity and an address.
func (c *check) staged(ctx context.Context) (string, error) {
	return c.room.staged.get(func() (string, error) { return c.sentAndRead(ctx, "An entity &lt; and https://example.com/ here") })
}

func askEntities(ctx context.Context, c *check) (seen, error) {
	text, err := c.staged(ctx)
	return seen{assumed: strings.HasPrefix(text, "An entity < and")}, err
}

func askLinks(ctx context.Context, c *check) (seen, error) {
	text, err := c.staged(ctx)
	return seen{assumed: strings.Contains(strings.ToLower(text), "[url]https://example.com/[/url]")}, err
}

func askMe(ctx context.Context, c *check) (seen, error) {
	text, err := c.sentAndRead(ctx, "/me waves")
	return seen{assumed: text == "/me waves"}, err
}

// askReferences answers a message of a batch in the same batch.
func askReferences(ctx context.Context, c *check) (seen, error) {
	bot, chat, err := c.chat(ctx)
	switch {
	case err != nil:
		return seen{}, err
	case !c.room.batches:
		return seen{}, notAsked("imbot.v2 does not work in a batch")
	}
	c.room.messages += 2
	send := func(text string, more fields) string {
		params := fields{"message": text}
		maps.Copy(params, more)
		return c.command("imbot.v2.Chat.Message.send", fields{"botId": bot, "dialogId": chat, "fields": params})
	}
	b, err := c.batch(ctx, fields{"a": send("Asked in a batch", nil), "b": send("Answered in a batch", fields{"replyId": "$result[a][id]"})})
	if err != nil {
		return seen{}, err
	}
	if err := b.refused("a"); err != nil { // there is nothing to refer to
		return seen{}, err
	}
	if err := b.refused("b"); err != nil {
		return seen{note: refusal(err)}, notRefused(err)
	}
	var first, second struct {
		ID imbot.ID `json:"id"`
	}
	if json.Unmarshal(b.Results["a"], &first) != nil || json.Unmarshal(b.Results["b"], &second) != nil {
		return seen{}, errForm
	}
	c.room.batchMessages = []imbot.ID{first.ID, second.ID}
	var result struct {
		Message struct {
			Params json.RawMessage `json:"params"`
		} `json:"message"`
	}
	if err := c.call(ctx, "imbot.v2.Chat.Message.get", fields{"botId": bot, "messageId": second.ID}, &result); err != nil {
		return seen{}, err
	}
	var params map[string]json.RawMessage
	_ = json.Unmarshal(result.Message.Params, &params) // a list when it is empty
	return yesNo(strings.Trim(string(params["REPLY_ID"]), `"`) == first.ID.String())
}

// askBatchOperating changes two messages in one batch and looks at the times of both.
func askBatchOperating(ctx context.Context, c *check) (seen, error) {
	bot, err := c.bot(ctx)
	switch {
	case err != nil:
		return seen{}, err
	case len(c.room.batchMessages) != 2:
		return seen{}, notAsked("no messages were sent in a batch")
	}
	edit := func(i int) string {
		return c.command("imbot.v2.Chat.Message.update", fields{"botId": bot, "messageId": c.room.batchMessages[i], "fields": fields{"message": "Changed in a batch"}})
	}
	b, err := c.batch(ctx, fields{"a": edit(0), "b": edit(1)})
	if err := errors.Join(err, b.refused("a"), b.refused("b")); err != nil {
		return seen{}, err
	}
	told := 0
	most := 0.0
	for _, times := range b.Times {
		if operating, err := strconv.ParseFloat(fmt.Sprint(times["operating"]), 64); err == nil { // a number or a text
			told++
			most = max(most, operating)
		}
	}
	return seen{told == 2, note(fmt.Sprintf("told by %d of 2, at most %.1f s", told, most))}, nil
}

// queue is the events of the bot after an offset.
func (c *check) queue(ctx context.Context, offset int64) (types []string, next int64, err error) {
	bot, _, err := c.chat(ctx)
	if err != nil {
		return nil, 0, err
	}
	params := fields{"botId": bot}
	if offset > 0 {
		params["offset"] = offset
	}
	var result struct {
		Events     []struct{ Type string } `json:"events"`
		NextOffset *int64                  `json:"nextOffset"`
	}
	if err := c.call(ctx, "imbot.v2.Event.get", params, &result); err != nil {
		return nil, 0, err
	}
	if result.NextOffset == nil {
		return nil, 0, errForm
	}
	for _, e := range result.Events {
		types = append(types, e.Type)
	}
	return types, *result.NextOffset, nil
}

func askOwnJoin(ctx context.Context, c *check) (seen, error) {
	types, next, err := c.queue(ctx, 0)
	if err != nil {
		return seen{}, err
	}
	c.room.offset = next
	return yesNo(slices.Contains(types, "ONIMBOTV2JOINCHAT"))
}

// askQueueOffset asks behind everything, where nothing is.
func askQueueOffset(ctx context.Context, c *check) (seen, error) {
	offset := max(c.room.offset, 1) + 1_000_000
	types, next, err := c.queue(ctx, offset)
	switch {
	case err != nil:
		return seen{}, err
	case len(types) > 0:
		return seen{}, notAsked("the queue was not empty")
	case next == offset:
		return yesNo(true)
	case next == 0:
		return seen{note: "0"}, nil
	}
	return seen{note: "another"}, nil
}

// askFirstMessage looks for it before a message that came later.
func askFirstMessage(ctx context.Context, c *check) (seen, error) {
	bot, message, err := c.message(ctx)
	if err != nil {
		return seen{}, err
	}
	var result struct {
		Messages    []struct{ Text string } `json:"messages"`
		HasPrevPage bool                    `json:"hasPrevPage"`
	}
	err = c.call(ctx, "imbot.v2.Chat.Message.getContext", fields{"botId": bot, "messageId": message, "range": 50}, &result)
	found := false
	for _, m := range result.Messages {
		found = found || m.Text == firstText
	}
	if !found && result.HasPrevPage {
		err = errors.Join(err, notAsked("not all messages of the chat were told"))
	}
	return seen{assumed: found}, err
}

func askUserList(ctx context.Context, c *check) (seen, error) {
	bot, chat, err := c.chat(ctx)
	if err != nil {
		return seen{}, err
	}
	var raw json.RawMessage
	if err := c.call(ctx, "imbot.v2.Chat.User.list", fields{"botId": bot, "dialogId": chat}, &raw); err != nil {
		return seen{}, err
	}
	return yesNo(strings.HasPrefix(strings.TrimSpace(string(raw)), "["))
}

func askUnknownType(ctx context.Context, c *check) (seen, error) {
	if _, err := c.bot(ctx); err != nil {
		return seen{}, err
	}
	count := func(params fields) (int, error) {
		var result struct {
			Bots []json.RawMessage `json:"bots"`
		}
		err := c.call(ctx, "imbot.v2.Bot.list", params, &result)
		return len(result.Bots), err
	}
	found, err := count(fields{"filter": fields{"type": "nosuchtype"}})
	if err != nil || found > 0 {
		return seen{note: note(fmt.Sprintf("%d found", found))}, err
	}
	if all, err := count(nil); err != nil || all == 0 {
		return seen{}, errors.Join(err, notAsked("Bot.list finds no bot at all"))
	}
	return yesNo(true)
}

func askBuiltIn(ctx context.Context, c *check) (seen, error) {
	bot, err := c.bot(ctx)
	if err != nil {
		return seen{}, err
	}
	var result struct {
		Commands []json.RawMessage `json:"commands"`
	}
	err = c.call(ctx, "imbot.v2.Command.list", fields{"botId": bot}, &result)
	return seen{len(result.Commands) > 0, note(fmt.Sprintf("%d found", len(result.Commands)))}, err // the bot has none
}

// keyboardText is what a message says that got an unusable keyboard.
const keyboardText = "A wrong keyboard"

func askKeyboard(ctx context.Context, c *check) (seen, error) {
	bot, message, err := c.message(ctx)
	if err != nil {
		return seen{}, err
	}
	err = c.call(ctx, "imbot.v2.Chat.Message.update", fields{"botId": bot, "messageId": message, "fields": fields{"message": keyboardText, "keyboard": "none"}}, nil)
	if err == nil {
		return yesNo(true)
	}
	return seen{note: refusal(err)}, notRefused(err)
}

// fileName and fileText are what is uploaded.
const (
	fileName = "livecheck.txt"
	fileText = "A file of a check. It may be deleted.\n"
)

// uploaded is a file that was sent into the chat.
type uploaded struct {
	id   imbot.ID
	name string
	long bool
}

// file is one that is in the chat.
func (c *check) file(ctx context.Context) (uploaded, error) {
	return c.room.file.get(func() (uploaded, error) { return c.upload(ctx) })
}

func (c *check) upload(ctx context.Context) (uploaded, error) {
	bot, chat, err := c.chat(ctx)
	if err != nil {
		return uploaded{}, err
	}
	c.room.messages++
	var result struct {
		File *struct {
			ID          imbot.ID        `json:"id"`
			Name        string          `json:"name"`
			URLDownload json.RawMessage `json:"urlDownload"`
			AuthorID    json.RawMessage `json:"authorId"`
		} `json:"file"`
	}
	params := fields{"name": fileName, "content": base64.StdEncoding.EncodeToString([]byte(fileText))}
	if err := c.call(ctx, "imbot.v2.File.upload", fields{"botId": bot, "dialogId": chat, "fields": params}, &result); err != nil {
		return uploaded{}, err
	}
	if result.File == nil {
		return uploaded{}, nil
	}
	return uploaded{result.File.ID, result.File.Name, result.File.URLDownload != nil && result.File.AuthorID != nil}, nil
}

func askFileObject(ctx context.Context, c *check) (seen, error) {
	file, err := c.file(ctx)
	if err == nil && file.id == 0 {
		return seen{note: "null"}, nil
	}
	return seen{assumed: file.long}, err
}

func askFileName(ctx context.Context, c *check) (seen, error) {
	first, err := c.file(ctx)
	if err != nil {
		return seen{}, err
	}
	second, err := c.upload(ctx)
	if err == nil && (first.name == "" || second.name == "") {
		err = notAsked("the answer does not name the file")
	}
	return seen{assumed: first.name != second.name}, err
}

func askFileDown(ctx context.Context, c *check) (seen, error) {
	file, err := c.file(ctx)
	if err != nil {
		return seen{}, err
	}
	if file.id == 0 {
		return seen{}, notAsked("the answer does not name the file")
	}
	bot, err := c.bot(ctx)
	if err != nil {
		return seen{}, err
	}
	if c.usedUp(2) {
		return seen{}, errUsedUp
	}
	content, err := c.v2(bot).File.Read(ctx, file.id, 1<<20)
	return seen{assumed: string(content) == fileText}, err
}

func askEmptyDeletes(ctx context.Context, c *check) (seen, error) {
	bot, message, err := c.message(ctx)
	if err != nil {
		return seen{}, err
	}
	err = c.call(ctx, "imbot.v2.Chat.Message.update", fields{"botId": bot, "messageId": message, "fields": fields{"message": " "}}, nil)
	if err != nil {
		return seen{note: refusal(err)}, notRefused(err)
	}
	text, err := c.textOf(ctx, message)
	switch {
	case errors.Is(err, imbotv2.ErrMessageNotFound) || errors.Is(err, imbotv2.ErrMessageAccessDenied) || errors.Is(err, imbot.ErrAccessDenied):
		return yesNo(true)
	case err != nil:
		return seen{}, err
	case text == messageText || text == keyboardText:
		return seen{note: "the text is what it was"}, nil
	case strings.TrimSpace(text) == "":
		return seen{}, notAsked("the text is empty, which tells nothing")
	}
	return yesNo(true) // a notice stands in its place
}
