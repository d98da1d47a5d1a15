package imbotv2

import (
	"context"
	"log/slog"

	"github.com/imbot-go/imbot"
)

// UserEventHandler has a callback for each event in the chats of a person; [PollUser] calls it.
// Callbacks run as those of an [EventHandler] do: in a bounded pool, in order within one dialog,
// different dialogs side by side.
//
// Nothing is dropped: the person's own messages come, and those of bots. Who answers as the person
// must not answer these.
type UserEventHandler struct {
	OnMessage       func(context.Context, *UserMessageAddEvent) error
	OnMessageUpdate func(context.Context, *UserMessageUpdateEvent) error
	OnMessageDelete func(context.Context, *UserMessageDeleteEvent) error
	OnReaction      func(context.Context, *UserReactionChangeEvent) error
	OnJoinChat      func(context.Context, *UserJoinChatEvent) error
	OnEvent         func(context.Context, imbot.Event) error // everything else, and what has no callback

	Middleware []imbot.Middleware // around every event; the first is the outermost

	OnError    func(ctx context.Context, ev imbot.Event, err error) // default: written to Logger
	Logger     *slog.Logger                                         // default: slog.Default()
	Workers    int                                                  // callbacks at a time, default 512
	Queue      int                                                  // events that wait, default 1024
	QueueBytes int                                                  // that waiting events may hold, default 64 MiB
}

// handler is what polls for the person. To an [EventHandler] its events are everything else.
func (h *UserEventHandler) handler() *EventHandler {
	return &EventHandler{
		OnEvent: h.call, Middleware: h.Middleware, OnError: h.OnError, Logger: h.Logger,
		Workers: h.Workers, Queue: h.Queue, QueueBytes: h.QueueBytes, FromBots: true,
	}
}

// call runs the callback of an event.
func (h *UserEventHandler) call(ctx context.Context, ev imbot.Event) error {
	switch ev := ev.(type) {
	case *UserMessageAddEvent:
		if h.OnMessage != nil {
			return h.OnMessage(ctx, ev)
		}
	case *UserMessageUpdateEvent:
		if h.OnMessageUpdate != nil {
			return h.OnMessageUpdate(ctx, ev)
		}
	case *UserMessageDeleteEvent:
		if h.OnMessageDelete != nil {
			return h.OnMessageDelete(ctx, ev)
		}
	case *UserReactionChangeEvent:
		if h.OnReaction != nil {
			return h.OnReaction(ctx, ev)
		}
	case *UserJoinChatEvent:
		if h.OnJoinChat != nil {
			return h.OnJoinChat(ctx, ev)
		}
	}
	if h.OnEvent != nil {
		return h.OnEvent(ctx, ev)
	}
	return nil
}
