package imbotv2

import (
	"cmp"
	"context"
	"strings"

	"github.com/imbot-go/imbot"
)

// Reaction is the code of a reaction. The set is open: portals may know others.
type Reaction string

// The reactions.
const (
	ReactionLike                                Reaction = "like"
	ReactionDislike                             Reaction = "dislike"
	ReactionFaceWithTearsOfJoy                  Reaction = "faceWithTearsOfJoy"
	ReactionRedHeart                            Reaction = "redHeart"
	ReactionNeutralFace                         Reaction = "neutralFace"
	ReactionFire                                Reaction = "fire"
	ReactionCry                                 Reaction = "cry"
	ReactionSlightlySmilingFace                 Reaction = "slightlySmilingFace"
	ReactionWinkingFace                         Reaction = "winkingFace"
	ReactionLaugh                               Reaction = "laugh"
	ReactionKiss                                Reaction = "kiss"
	ReactionWonder                              Reaction = "wonder"
	ReactionSlightlyFrowningFace                Reaction = "slightlyFrowningFace"
	ReactionLoudlyCryingFace                    Reaction = "loudlyCryingFace"
	ReactionFaceWithStuckOutTongue              Reaction = "faceWithStuckOutTongue"
	ReactionFaceWithStuckOutTongueAndWinkingEye Reaction = "faceWithStuckOutTongueAndWinkingEye"
	ReactionSmilingFaceWithSunglasses           Reaction = "smilingFaceWithSunglasses"
	ReactionConfusedFace                        Reaction = "confusedFace"
	ReactionFlushedFace                         Reaction = "flushedFace"
	ReactionThinkingFace                        Reaction = "thinkingFace"
	ReactionAngry                               Reaction = "angry"
	ReactionSmilingFaceWithHorns                Reaction = "smilingFaceWithHorns"
	ReactionFaceWithThermometer                 Reaction = "faceWithThermometer"
	ReactionFacepalm                            Reaction = "facepalm"
	ReactionPoo                                 Reaction = "poo"
	ReactionFlexedBiceps                        Reaction = "flexedBiceps"
	ReactionClappingHands                       Reaction = "clappingHands"
	ReactionRaisedHand                          Reaction = "raisedHand"
	ReactionSmilingFaceWithHeartEyes            Reaction = "smilingFaceWithHeartEyes"
	ReactionSmilingFaceWithHearts               Reaction = "smilingFaceWithHearts"
	ReactionPleadingFace                        Reaction = "pleadingFace"
	ReactionRelievedFace                        Reaction = "relievedFace"
	ReactionFoldedHands                         Reaction = "foldedHands"
	ReactionOkHand                              Reaction = "okHand"
	ReactionSignHorns                           Reaction = "signHorns"
	ReactionLoveYouGesture                      Reaction = "loveYouGesture"
	ReactionClownFace                           Reaction = "clownFace"
	ReactionPartyingFace                        Reaction = "partyingFace"
	ReactionQuestionMark                        Reaction = "questionMark"
	ReactionExclamationMark                     Reaction = "exclamationMark"
	ReactionLightBulb                           Reaction = "lightBulb"
	ReactionBomb                                Reaction = "bomb"
	ReactionSleepingSymbol                      Reaction = "sleepingSymbol"
	ReactionCrossMark                           Reaction = "crossMark"
	ReactionWhiteHeavyCheckMark                 Reaction = "whiteHeavyCheckMark"
	ReactionEyes                                Reaction = "eyes"
	ReactionHandshake                           Reaction = "handshake"
	ReactionHundredPoints                       Reaction = "hundredPoints"
)

// MessageAddReactionRequest are the parameters of imbot.v2.Chat.Message.Reaction.add.
type MessageAddReactionRequest struct {
	done      `json:"-"`
	BotID     imbot.ID `json:"botId,omitempty"`
	MessageID imbot.ID `json:"messageId"`
	Reaction  Reaction `json:"reaction"`
}

// Method returns the name of the REST method.
func (MessageAddReactionRequest) Method() string { return "imbot.v2.Chat.Message.Reaction.add" }

// Repeatable is true.
func (MessageAddReactionRequest) Repeatable() bool { return true }

// Ran says which code means that an attempt before has set the reaction.
func (MessageAddReactionRequest) Ran(code imbot.ErrorCode) bool {
	return same(code, ErrReactionAlreadySet)
}

// Check refuses what is no code of a reaction.
func (r MessageAddReactionRequest) Check() error {
	return cmp.Or(checkID("messageId", r.MessageID), checkReaction(r.Reaction))
}

// MessageDeleteReactionRequest are the parameters of imbot.v2.Chat.Message.Reaction.delete.
type MessageDeleteReactionRequest struct {
	done      `json:"-"`
	BotID     imbot.ID `json:"botId,omitempty"`
	MessageID imbot.ID `json:"messageId"`
	Reaction  Reaction `json:"reaction"`
}

// Method returns the name of the REST method.
func (MessageDeleteReactionRequest) Method() string { return "imbot.v2.Chat.Message.Reaction.delete" }

// Repeatable is true.
func (MessageDeleteReactionRequest) Repeatable() bool { return true }

// Check refuses what is no code of a reaction.
func (r MessageDeleteReactionRequest) Check() error {
	return cmp.Or(checkID("messageId", r.MessageID), checkReaction(r.Reaction))
}

// AddReaction puts a reaction of the bot on a message. A message that has it already gives an
// error.
//
// Repeatable. REST method: imbot.v2.Chat.Message.Reaction.add. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrAccessDenied] (the bot is not in the
// chat), [ErrReactionNotFound] (the portal does not know it), [ErrReactionAlreadySet].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/chat-message-reaction-add.html
func (s *MessageService) AddReaction(ctx context.Context, req MessageAddReactionRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// DeleteReaction takes a reaction of the bot back.
//
// Repeatable. REST method: imbot.v2.Chat.Message.Reaction.delete. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrAccessDenied] (the bot is not in the
// chat), [ErrReactionNotFound] (the portal does not know it).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/chat-message-reaction-delete.html
func (s *MessageService) DeleteReaction(ctx context.Context, req MessageDeleteReactionRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// checkReaction refuses what no portal can know, such as the emoji itself. Which words a portal
// knows is its own affair.
func checkReaction(r Reaction) error {
	switch {
	case r == "":
		return refuse(ErrReactionNotFound, "reaction is empty")
	case strings.Trim(string(r), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "", r[0] < 'a':
		return refuse(ErrReactionNotFound, "reaction %.30q is no code such as ReactionLike (%s)", string(r), ReactionLike)
	}
	return nil
}
