// Package openlines is what a bot in an open line calls, imopenlines.*: it hands a conversation
// to people, ends it, reads it, and is connected to a line.
//
//	lines := openlines.New(client)
//	err := openlines.EnsureBot(ctx, client, lineID, botID) // the bot takes new conversations
//
//	h.OnMessage = func(ctx context.Context, ev *imbot.MessageAddEvent) error {
//		line, ok := ev.OpenLine()
//		if !ok {
//			return nil
//		}
//		return lines.Session.CallOperator(ctx, openlines.SessionCallOperatorRequest{ChatID: line.ChatID})
//	}
//
// It serves bots of both generations; of package imbotv2 give [New] and [EnsureBot] the client's Base. Its
// requests are [imbot.Request]s, so they travel in batches and streams, too. The webhook or
// application needs the scope imopenlines.
//
// # What surprises
//
// A conversation, which the portal calls a session, is not the chat: the chat stays when it is over,
// and a guest who writes again begins another session there. Most methods look neither at the bot
// nor at who holds the conversation: finish and transfer take it from a person as well, and finish
// and message.send answer true for chats that do not exist. [SessionService.Get] tells who holds it.
//
// A message that is only the digit 0, such as a guest's, hands the conversation to the operators as
// [SessionService.CallOperator] does, after the bot has got it.
//
// The methods about one conversation use any bot of the application, so an OAuth application
// should have one bot for open lines. A webhook's bot is found by its client id.
package openlines
