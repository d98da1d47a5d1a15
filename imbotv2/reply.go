package imbotv2

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"sync/atomic"
)

// replies makes the TemplateIDs of the replies to one delivery of an event. A pointer, so that
// copies of the event count together.
type replies struct {
	key   [sha256.Size]byte // of the event
	count atomic.Int64
}

// newReplies returns nil without a seed: then there is nothing that strangers do not know, and who
// knows a TemplateID before it is used can silence the bot.
func newReplies(seed []byte, ev *BotEvent, data fields) *replies {
	if len(seed) == 0 {
		return nil
	}
	// What names the event, the same in each delivery. A new message does so by its id, wherever
	// it was read; anything else can happen to one message many times.
	what := fmt.Sprintf("event %d", ev.EventID)
	switch {
	case ev.Name == "ONIMBOTV2MESSAGEADD" && data.sub("message").id("id") != 0:
		what = "message " + data.sub("message").text("id")
	case ev.EventID == 0:
		what = fmt.Sprintf("post %q %d %q %q %q %q %q %q", ev.Raw.Get("ts"), ev.User.ID, ev.Chat.DialogID, data.sub("message").text("id"),
			data.text("messageId"), data.sub("command").text("id"), data.sub("command").text("params"), data.text("reaction")+data.text("action"))
	}
	return &replies{key: hash(seed, fmt.Sprintf("%d %s %s", ev.Bot.ID, ev.Name, what))}
}

// next returns the TemplateID of the next reply.
func (r *replies) next() string {
	if r == nil {
		return ""
	}
	sum := hash(r.key[:], fmt.Sprint(r.count.Add(1)))
	return templateID([16]byte(sum[:16]))
}

func hash(key []byte, text string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(text)) // never fails
	return [sha256.Size]byte(mac.Sum(nil))
}
