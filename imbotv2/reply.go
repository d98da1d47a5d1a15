package imbotv2

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"sync/atomic"

	"github.com/imbot-go/imbot"
)

// replies makes the TemplateIDs of the replies to one delivery of an event. A pointer, so that
// copies of the event count together.
type replies struct {
	seed    []byte
	bot     imbot.ID
	name    string
	eventID int64
	raw     fields // of the event
	count   atomic.Int64
}

// newReplies returns nil without a seed: then there is nothing that strangers do not know, and who
// knows a TemplateID before it is used can silence the bot.
func newReplies(seed []byte, ev *BotEvent) *replies {
	if len(seed) == 0 {
		return nil
	}
	return &replies{seed: seed, bot: ev.Bot.ID, name: ev.Name, eventID: ev.EventID, raw: fields{ev.Raw}}
}

// next returns the TemplateID of the next reply.
func (r *replies) next() string {
	if r == nil {
		return ""
	}
	key := hash(r.seed, fmt.Sprintf("%d %s %s", r.bot, r.name, r.what()))
	sum := hash(key[:], fmt.Sprint(r.count.Add(1)))
	return templateID([16]byte(sum[:16]))
}

// what names the event, the same in each delivery. A new message does so by its id, wherever
// it was read; anything else can happen to one message many times.
func (r *replies) what() string {
	data := r.raw.sub("data")
	switch message := data.sub("message"); {
	case r.name == "ONIMBOTV2MESSAGEADD" && message.id("id") != 0:
		return "message " + message.text("id")
	case r.eventID == 0:
		return fmt.Sprintf("post %q %d %q %q %q %q %q %q", r.raw.text("ts"), data.sub("user").id("id"), data.dialogID(), message.text("id"),
			data.text("messageId"), data.sub("command").text("id"), data.sub("command").text("params"), data.text("reaction")+data.text("action"))
	}
	return fmt.Sprintf("event %d", r.eventID)
}

func hash(key []byte, text string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(text)) // never fails
	return [sha256.Size]byte(mac.Sum(nil))
}
