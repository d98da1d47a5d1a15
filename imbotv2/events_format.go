package imbotv2

import "fmt"

// Each event masks its tokens on the pointer; see printPlain. [BotEvent] and [UserEvent] have no
// Format: it would be promoted to every type that embeds them, and print only that part.

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *MessageAddEvent) Format(f fmt.State, verb rune) {
	type messageAddEvent MessageAddEvent
	printPlain(f, verb, (*messageAddEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *MessageUpdateEvent) Format(f fmt.State, verb rune) {
	type messageUpdateEvent MessageUpdateEvent
	printPlain(f, verb, (*messageUpdateEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *MessageDeleteEvent) Format(f fmt.State, verb rune) {
	type messageDeleteEvent MessageDeleteEvent
	printPlain(f, verb, (*messageDeleteEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *JoinChatEvent) Format(f fmt.State, verb rune) {
	type joinChatEvent JoinChatEvent
	printPlain(f, verb, (*joinChatEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *CommandAddEvent) Format(f fmt.State, verb rune) {
	type commandAddEvent CommandAddEvent
	printPlain(f, verb, (*commandAddEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *ReactionChangeEvent) Format(f fmt.State, verb rune) {
	type reactionChangeEvent ReactionChangeEvent
	printPlain(f, verb, (*reactionChangeEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *ContextGetEvent) Format(f fmt.State, verb rune) {
	type contextGetEvent ContextGetEvent
	printPlain(f, verb, (*contextGetEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *BotDeleteEvent) Format(f fmt.State, verb rune) {
	type botDeleteEvent BotDeleteEvent
	printPlain(f, verb, (*botDeleteEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *UserMessageAddEvent) Format(f fmt.State, verb rune) {
	type userMessageAddEvent UserMessageAddEvent
	printPlain(f, verb, (*userMessageAddEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *UserMessageUpdateEvent) Format(f fmt.State, verb rune) {
	type userMessageUpdateEvent UserMessageUpdateEvent
	printPlain(f, verb, (*userMessageUpdateEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *UserMessageDeleteEvent) Format(f fmt.State, verb rune) {
	type userMessageDeleteEvent UserMessageDeleteEvent
	printPlain(f, verb, (*userMessageDeleteEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *UserReactionChangeEvent) Format(f fmt.State, verb rune) {
	type userReactionChangeEvent UserReactionChangeEvent
	printPlain(f, verb, (*userReactionChangeEvent)(ev))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *UserJoinChatEvent) Format(f fmt.State, verb rune) {
	type userJoinChatEvent UserJoinChatEvent
	printPlain(f, verb, (*userJoinChatEvent)(ev))
}
