package world

import (
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// Reaction is what somebody feels about a message.
type Reaction struct {
	User imbot.ID
	Code string
}

// ReactionLike is the reaction that the first generation has, too.
const ReactionLike = "like"

// reactionCodes are all there are.
const reactionCodes = ` like dislike faceWithTearsOfJoy redHeart neutralFace fire cry slightlySmilingFace winkingFace laugh kiss
 wonder slightlyFrowningFace loudlyCryingFace faceWithStuckOutTongue faceWithStuckOutTongueAndWinkingEye
 smilingFaceWithSunglasses confusedFace flushedFace thinkingFace angry smilingFaceWithHorns faceWithThermometer facepalm
 poo flexedBiceps clappingHands raisedHand smilingFaceWithHeartEyes smilingFaceWithHearts pleadingFace relievedFace
 foldedHands okHand signHorns loveYouGesture clownFace partyingFace questionMark exclamationMark lightBulb bomb
 sleepingSymbol crossMark whiteHeavyCheckMark eyes handshake hundredPoints `

// Reactions are the codes of all reactions.
func Reactions() []string { return strings.Fields(reactionCodes) }

// IsReaction reports whether there is a reaction with this code.
func IsReaction(code string) bool { return slices.Contains(Reactions(), code) }

// Has reports whether somebody has set a reaction.
func (m *Message) Has(r Reaction) bool { return slices.Contains(m.Reactions, r) }

// Likes returns who likes a message.
func (m *Message) Likes() (users []imbot.ID) {
	for _, r := range m.Reactions {
		if r.Code == ReactionLike {
			users = append(users, r.User)
		}
	}
	return users
}

// React sets a reaction, or takes it away when it is there, and tells of it.
func (w *World) React(m *Message, r Reaction) {
	action := "add"
	if m.Has(r) {
		action = "delete"
		m.Reactions = slices.DeleteFunc(slices.Clone(m.Reactions), func(other Reaction) bool { return other == r })
	} else {
		m.Reactions = append(slices.Clip(m.Reactions), r)
	}
	w.fireReaction(m, r, action)
	w.NoteMessage(m)
}

// ReactAsPerson is React of somebody who has one reaction at most: another one takes the place of
// the last.
func (w *World) ReactAsPerson(m *Message, r Reaction) {
	for _, old := range m.Reactions {
		if old.User == r.User && old != r {
			w.React(m, old)
		}
	}
	w.React(m, r)
}

// fireReaction tells the bot whose message it is about a reaction of somebody else, and people.
func (w *World) fireReaction(m *Message, r Reaction, action string) {
	chat := w.Chats[m.ChatID]
	set := func(to *php.Array) {
		to.Set("reaction", r.Code)
		to.Set("action", action)
		message := w.MessageObject(m)
		message.Set("viewedByOthers", r.User != m.AuthorID) // who reacts has seen it
		to.Set("message", message)
	}
	if b := w.Bots[m.AuthorID]; b != nil && b.ID != r.User && !b.NoReactions && chat.Member(b.ID) != nil {
		w.fireV2(v2ReactionChange, chat, r.User, v2Only([]*Bot{b}), func(b *Bot, to *php.Array) {
			set(to)
			w.setWhereV2(to, chat, b.ID, r.User)
		})
	}
	w.tellPeople("REACTIONCHANGE", chat, m, r.User, set)
}
