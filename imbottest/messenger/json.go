package messenger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/internal/textstage"
)

// The types of this file are written as the JSON that the page reads. Lists are never
// null.

type user struct {
	ID       imbot.ID `json:"id"`
	Name     string   `json:"name"`
	First    string   `json:"first"`
	Last     string   `json:"last"`
	Position string   `json:"position"`
	Color    string   `json:"color"`
	Avatar   string   `json:"avatar"`
	Bot      bool     `json:"bot"`
	Guest    bool     `json:"guest"`
	Gone     bool     `json:"gone"`
}

type dialog struct {
	ID       imbot.DialogID `json:"id"`
	Chat     imbot.ID       `json:"chat"`
	Type     string         `json:"type"`
	Title    string         `json:"title"`
	Color    string         `json:"color"`
	Avatar   string         `json:"avatar"`
	Members  []imbot.ID     `json:"members"`
	Owner    imbot.ID       `json:"owner"`
	Managers []imbot.ID     `json:"managers"`
	Messages int            `json:"messages"`
	Last     *message       `json:"last"`
	Typing   []imbot.ID     `json:"typing"`
	Closed   bool           `json:"closed"` // people cannot write there
}

type message struct {
	ID       imbot.ID        `json:"id"`
	Chat     imbot.ID        `json:"chat"`
	Dialog   imbot.DialogID  `json:"dialog"`
	Author   imbot.ID        `json:"author"`
	Text     string          `json:"text"`   // as its author can change it
	Served   string          `json:"served"` // as the portal hands it out to be shown
	System   bool            `json:"system"`
	Time     milliTime       `json:"time"`
	Edited   bool            `json:"edited"`
	Deleted  bool            `json:"deleted"`
	Gone     bool            `json:"gone"`    // deleted without a notice in its place
	Reply    imbot.ID        `json:"reply"`   // the message that it quotes, 0 for none
	Whisper  bool            `json:"whisper"` // the guest of the open line does not see it
	Keyboard json.RawMessage `json:"keyboard"`
	Attach   json.RawMessage `json:"attach"`
	Menu     json.RawMessage `json:"menu"`

	Reactions []reaction `json:"reactions"`
	Files     []file     `json:"files"`
	Forward   *forward   `json:"forward"`
}

type reaction struct {
	User imbot.ID `json:"user"`
	Code string   `json:"code"`
}

type file struct {
	Name    string `json:"name"`
	Size    int    `json:"size"`
	URL     string `json:"url"`
	Picture bool   `json:"picture"` // that the page can show
	Width   int    `json:"width"`
	Height  int    `json:"height"`
}

// forward is the message that was forwarded.
type forward struct {
	Message imbot.ID `json:"message"`
	Author  imbot.ID `json:"author"`
}

type command struct {
	Command string   `json:"command"`
	Bot     imbot.ID `json:"bot"`
	Title   string   `json:"title"`
	Params  string   `json:"params"`
	Hidden  bool     `json:"hidden"`
}

type app struct {
	ID          imbot.ID          `json:"id"`
	Bot         imbot.ID          `json:"bot"`
	Code        string            `json:"code"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Icon        string            `json:"icon"`
	Frame       bool              `json:"frame"`
	Width       int               `json:"width"`
	Height      int               `json:"height"`
	JS          imbot.AppJSMethod `json:"js"`
	Param       string            `json:"param"`
}

type exchange struct {
	ID     int64     `json:"id"`
	Kind   string    `json:"kind"`
	Name   string    `json:"name"`
	Time   milliTime `json:"time"`
	MS     float64   `json:"ms"`
	Done   bool      `json:"done"`
	Status int       `json:"status"`
	Error  string    `json:"error"`
	Batch  bool      `json:"batch"`
	Parent int64     `json:"parent"` // the id of the batch, 0 for none
	URL    string    `json:"url"`
	Replay int64     `json:"replay"`

	Polls   int  `json:"polls"`   // polls that brought nothing, which this line counts
	Fetched bool `json:"fetched"` // an event in a queue
}

type exchangeBodies struct {
	exchange
	Sent   string `json:"sent"`
	Answer string `json:"answer"`
}

// milliTime is a time that is written with milliseconds.
type milliTime time.Time

func (s milliTime) MarshalJSON() ([]byte, error) {
	return []byte(`"` + time.Time(s).Format("2006-01-02T15:04:05.000Z07:00") + `"`), nil
}

func (h *handler) user(u imbottest.User) user {
	return user{
		ID: u.ID, Name: u.Name(), First: u.FirstName, Last: u.LastName, Position: u.Position, Color: u.Color.Hex(),
		Avatar: h.avatar("user", imbot.UserDialog(u.ID), u.ID), Bot: u.Bot, Guest: u.Guest, Gone: u.Gone,
	}
}

func (h *handler) dialog(d imbottest.Dialog) dialog {
	out := dialog{
		ID: d.ID, Chat: d.ChatID, Type: d.Type, Title: d.Title, Color: d.Color.Hex(), Members: neverNil(d.Members),
		Owner: d.Owner, Managers: neverNil(d.Managers), Messages: d.Messages, Typing: neverNil(d.Typing), Closed: d.Closed,
	}
	if other, private := d.ID.UserID(); private {
		out.Avatar = h.avatar("user", d.ID, other)
	} else {
		out.Avatar = h.avatar("chat", d.ID, d.ChatID)
	}
	if d.Last != nil {
		last := newMessage(*d.Last, d.ID)
		out.Last = &last
	}
	return out
}

// avatar is the address of a picture, "" when there is none. It has a checksum of the
// picture, so that the page shows a new one at once.
func (h *handler) avatar(kind string, dialog imbot.DialogID, id imbot.ID) string {
	return pictureURL("avatar?"+kind, id, h.portal.Avatar(dialog))
}

func pictureURL(what string, id imbot.ID, data []byte) string {
	if pictureType(data) == "" {
		return ""
	}
	return fmt.Sprintf("api/%s=%d&v=%x", what, id, crc32.ChecksumIEEE(data))
}

func newMessage(m imbottest.Message, dialog imbot.DialogID) message {
	out := message{
		ID: m.ID, Chat: m.ChatID, Dialog: dialog, Author: m.AuthorID, Text: m.Text, Served: textstage.Serve(m.Text, nil),
		System: m.System, Time: milliTime(m.Time), Edited: m.Edited, Deleted: m.Deleted, Reply: m.ReplyTo, Whisper: m.Whisper,
		Reactions: []reaction{}, Files: []file{},
	}
	for _, r := range m.Reactions {
		out.Reactions = append(out.Reactions, reaction{r.User, r.Reaction})
	}
	for _, f := range m.Files {
		out.Files = append(out.Files, file{
			Name: f.Name, Size: len(f.Content), URL: fmt.Sprintf("api/file?message=%d&id=%d", m.ID, f.ID), Picture: f.Width > 0 && pictureType(f.Content) != "",
			Width: f.Width, Height: f.Height,
		})
	}
	if m.Forward.MessageID != 0 {
		out.Forward = &forward{m.Forward.MessageID, m.Forward.AuthorID}
	}
	out.Attach, out.Keyboard, out.Menu = m.Wire()
	for _, part := range []*json.RawMessage{&out.Keyboard, &out.Menu} {
		if bytes.Equal(*part, []byte("null")) {
			*part = json.RawMessage("[]")
		}
	}
	return out
}

func newExchange(x imbottest.Exchange) exchange {
	kind := "call"
	if x.Event {
		kind = "event"
	}
	return exchange{
		ID: x.ID, Kind: kind, Name: x.Name, Time: milliTime(x.Time), MS: float64(x.Duration.Microseconds()) / 1000, Done: x.Done,
		Status: x.Status, Error: x.Error, Batch: x.Batch != 0, Parent: x.Batch, URL: x.URL, Replay: x.Replay, Polls: x.Polls, Fetched: x.Fetched,
	}
}

func neverNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
