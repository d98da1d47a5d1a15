package openlines

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/imbot-go/imbot"
)

// LineService groups the methods about the lines themselves.
type LineService service

// Line is the settings of an open line.
type Line struct {
	ID         imbot.ID
	Name       string
	Active     imbot.Flag
	WelcomeBot WelcomeBot
	QueueIDs   []imbot.ID     // the operators, where they were asked for
	Raw        imbot.RawEvent // all fields, as in Raw.Get("QUEUE_TYPE")
}

// WelcomeBot says which bot answers first in a line. The five fields go together: the portal resets
// those that are missing, and without Enable all others.
type WelcomeBot struct {
	Enable imbot.Flag    // Yes: a bot takes new conversations
	BotID  imbot.ID      // nobody checks that it is a bot, or one that serves open lines
	Join   BotJoin       // which conversations
	Time   time.Duration // after which a conversation goes to the operators by itself, rounded up to seconds; 0: never
	Left   BotLeft       // when the bot leaves the chat
}

// BotJoin says which conversations a line's bot takes.
type BotJoin string

// The conversations that a line's bot can take.
const (
	BotJoinFirst  BotJoin = "first"  // only the first of each guest
	BotJoinAlways BotJoin = "always" // each
)

// BotLeft says when a line's bot leaves the chat.
type BotLeft string

// When a line's bot can leave the chat.
const (
	BotLeftQueue BotLeft = "queue" // when the conversation goes to the operators
	BotLeftClose BotLeft = "close" // when the conversation is over
)

// MarshalJSON writes the settings as the portal takes them, all of them.
func (w WelcomeBot) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Enable imbot.Flag `json:"WELCOME_BOT_ENABLE"`
		BotID  imbot.ID   `json:"WELCOME_BOT_ID"`
		Join   BotJoin    `json:"WELCOME_BOT_JOIN"`
		Time   int64      `json:"WELCOME_BOT_TIME"`
		Left   BotLeft    `json:"WELCOME_BOT_LEFT"`
	}{w.Enable, w.BotID, w.Join, int64((w.Time + time.Second - 1) / time.Second), w.Left})
}

func (w WelcomeBot) check() error {
	switch {
	case w.Enable != imbot.Yes && w.Enable != imbot.No:
		return refuse("", "WELCOME_BOT_ENABLE is %.20q, not Yes or No: the portal would reset the other fields", string(w.Enable))
	case w.Enable == imbot.Yes && w.BotID <= 0:
		return refuse("", "WELCOME_BOT_ID is %d, which is no bot", w.BotID)
	case w.Join != BotJoinFirst && w.Join != BotJoinAlways:
		return refuse("", "WELCOME_BOT_JOIN %.20q is not known to the portal", string(w.Join))
	case w.Time < 0:
		return refuse("", "WELCOME_BOT_TIME is negative")
	case w.Left != BotLeftQueue && w.Left != BotLeftClose:
		return refuse("", "WELCOME_BOT_LEFT %.20q is not known to the portal", string(w.Left))
	}
	return nil
}

func (f fields) line() Line {
	return Line{
		ID: f.id("ID"), Name: f.Get("LINE_NAME"), Active: f.flag("ACTIVE"),
		WelcomeBot: WelcomeBot{
			f.flag("WELCOME_BOT_ENABLE"), f.id("WELCOME_BOT_ID"), BotJoin(f.Get("WELCOME_BOT_JOIN")),
			time.Duration(f.id("WELCOME_BOT_TIME")) * time.Second, BotLeft(f.Get("WELCOME_BOT_LEFT")),
		},
		QueueIDs: f.ids("QUEUE"), Raw: f.RawEvent,
	}
}

// LineListRequest are the parameters of imopenlines.config.list.get.
type LineListRequest struct {
	Filter map[string]any // by the names of the portal's fields, as in {"ACTIVE": "Y"}
	Limit  int            // default 50, at most 200
	Offset int            // how many lines to leave out
	Queue  imbot.Flag     // default No; Yes: with the operators
}

// Method returns the name of the REST method.
func (LineListRequest) Method() string { return "imopenlines.config.list.get" }

// Repeatable is true.
func (LineListRequest) Repeatable() bool { return true }

// MarshalJSON writes the parameters as the portal takes them. They say an order, without which pages
// could overlap.
func (r LineListRequest) MarshalJSON() ([]byte, error) {
	type params struct {
		Filter map[string]any    `json:"filter,omitempty"`
		Order  map[string]string `json:"order"`
		Limit  int               `json:"limit,omitempty"`
		Offset int               `json:"offset,omitempty"`
	}
	type options struct {
		Queue imbot.Flag `json:"QUEUE,omitempty"`
	}
	return json.Marshal(struct {
		Params  params  `json:"PARAMS"`
		Options options `json:"OPTIONS,omitzero"`
	}{params{r.Filter, map[string]string{"ID": "ASC"}, r.Limit, r.Offset}, options{r.Queue}})
}

// Check refuses what the portal would lose without a word.
func (r LineListRequest) Check() error {
	if r.Limit < 0 || r.Limit > 200 || r.Offset < 0 {
		return refuse("", "limit %d is not between 0 and 200, or offset %d is negative", r.Limit, r.Offset)
	}
	return checkFlag("QUEUE", r.Queue)
}

// Decode reads the result of a call.
func (LineListRequest) Decode(data []byte) ([]Line, error) {
	all, err := objects(data, "ID")
	if err != nil {
		return nil, err
	}
	lines := make([]Line, 0, len(all))
	for _, f := range all {
		lines = append(lines, f.line())
	}
	return lines, nil
}

// LineGetRequest are the parameters of imopenlines.config.get.
type LineGetRequest struct {
	LineID      imbot.ID   `json:"CONFIG_ID,omitempty"`
	WithQueue   imbot.Flag `json:"WITH_QUEUE,omitempty"`   // default Yes: with the operators
	ShowOffline imbot.Flag `json:"SHOW_OFFLINE,omitempty"` // default Yes: also those who are not there
}

// Method returns the name of the REST method.
func (LineGetRequest) Method() string { return "imopenlines.config.get" }

// Repeatable is true.
func (LineGetRequest) Repeatable() bool { return true }

// Check refuses what the portal would lose without a word.
func (r LineGetRequest) Check() error {
	return cmp.Or(checkFlag("WITH_QUEUE", r.WithQueue), checkFlag("SHOW_OFFLINE", r.ShowOffline))
}

// Decode reads the line; false is [imbot.ErrNotFound].
func (LineGetRequest) Decode(data []byte) (Line, error) {
	if string(data) == "false" {
		return Line{}, imbot.ErrNotFound
	}
	f, err := object(data)
	if err != nil {
		return Line{}, err
	}
	l := f.line()
	if l.ID == 0 {
		return Line{}, errNoID
	}
	return l, nil
}

// LineUpdateRequest are the parameters of imopenlines.config.update.
type LineUpdateRequest struct {
	LineID     imbot.ID    `json:"CONFIG_ID,omitempty"`
	WelcomeBot *WelcomeBot `json:"PARAMS,omitempty"`
}

// Method returns the name of the REST method.
func (LineUpdateRequest) Method() string { return "imopenlines.config.update" }

// Repeatable is true.
func (LineUpdateRequest) Repeatable() bool { return true }

// Check refuses what the portal would lose without a word.
func (r LineUpdateRequest) Check() error {
	if r.WelcomeBot == nil {
		return refuse("", "nothing to change: WelcomeBot is nil")
	}
	return r.WelcomeBot.check()
}

// Decode accepts true; false is [ErrNotChanged].
func (LineUpdateRequest) Decode(data []byte) (imbot.OK, error) {
	if string(data) == "false" {
		return imbot.OK{}, ErrNotChanged
	}
	return imbot.Returns[imbot.OK]{}.Decode(data)
}

// List returns the open lines of the portal, in the order of their ids.
//
// Repeatable. REST method: imopenlines.config.list.get. Errors: [imbot.ErrInvalidFormat].
// Page: api-reference/imopenlines/openlines/imopenlines-config-list-get.html
func (s *LineService) List(ctx context.Context, req LineListRequest) ([]Line, error) {
	return imbot.Do(ctx, s.client, req)
}

// Get returns the settings of a line; [imbot.ErrNotFound] when there is none.
//
// Repeatable. REST method: imopenlines.config.get. Errors: [imbot.ErrNotFound], [ErrConfigIDEmpty].
// Page: api-reference/imopenlines/openlines/imopenlines-config-get.html
func (s *LineService) Get(ctx context.Context, req LineGetRequest) (Line, error) {
	return imbot.Do(ctx, s.client, req)
}

// Update says which bot answers first in a line; [EnsureBot] does it where it has to be done. An
// administrator's webhook or token is needed.
//
// Repeatable. REST method: imopenlines.config.update. Errors: [ErrNotChanged], [ErrConfigIDEmpty],
// [ErrConfigWrongUserPermission].
// Page: api-reference/imopenlines/openlines/imopenlines-config-update.html
func (s *LineService) Update(ctx context.Context, req LineUpdateRequest) error {
	_, err := imbot.Do(ctx, s.client, req)
	return err
}
