package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// reminders is an application for any number of portals: its bot takes a
// reminder from whoever writes to it, and sends it back in the background. What differs in the second
// generation is in v2.go.
type reminders struct {
	oauth  *imbot.OAuthApp
	events *imbot.EventHandler
	v2     bool

	mu      sync.Mutex
	waiting []reminder
}

// reminder outlives the event that it came with, so it names its portal and bot.
type reminder struct {
	memberID string
	bot      imbot.ID
	dialog   imbot.DialogID
	text     string
}

// newReminders completes what main knows: id, secret, store and servers.
func newReminders(oauth *imbot.OAuthApp, eventURL string, log *slog.Logger, v2 bool) *reminders {
	a := &reminders{oauth: oauth, v2: v2}
	oauth.OnInstall = func(ctx context.Context, client *imbot.Client, _ imbot.Grant) error {
		ensure := ensureBot
		if v2 {
			ensure = ensureBotV2
		}
		if err := ensure(ctx, client, eventURL); err != nil {
			return err
		}
		// Refused without harm when it is bound already.
		uninstall := map[string]any{"event": "ONAPPUNINSTALL", "handler": eventURL}
		if err := client.Call(ctx, "event.bind", uninstall, nil); err != nil && !errors.Is(err, imbot.ErrCore) {
			return err
		}
		return nil
	}
	oauth.OnUninstall = func(_ context.Context, g imbot.Grant) error {
		a.forget(g.MemberID)
		return nil
	}
	second := &imbotv2.EventHandler{OnMessage: a.onMessageV2}
	a.events = &imbot.EventHandler{Verifier: oauth.Verifier(), Logger: log, OnMessage: a.onMessage, OnEvent: second.Handle}
	return a
}

func ensureBot(ctx context.Context, client *imbot.Client, eventURL string) error {
	_, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
		Code:         "reminders",
		EventHandler: eventURL,
		Properties:   imbot.BotProperties{Name: "Reminders", Color: imbot.ColorAqua},
	})
	return err
}

// handler serves the events and the page of the application.
func (a *reminders) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/events", a.events)
	mux.Handle("/install", a.oauth.InstallPage())
	return mux
}

func (a *reminders) onMessage(ctx context.Context, ev *imbot.MessageAddEvent) error {
	client, err := a.oauth.ForEvent(ctx, ev)
	if err != nil {
		return err
	}
	a.add(reminder{ev.Auth.MemberID, ev.Bot().BotID, ev.Params.DialogID, ev.Params.Message})
	_, err = client.Message.Add(ctx, ev.Reply("I will remind you."))
	return err
}

// remind sends what is waiting: the work in the background, without any event.
// What fails waits for the next time, unless its portal is lost.
func (a *reminders) remind(ctx context.Context) error {
	a.mu.Lock()
	waiting := a.waiting
	a.waiting = nil
	a.mu.Unlock()
	var failures []error
	for _, r := range waiting {
		err := a.send(ctx, r)
		if err == nil {
			continue
		}
		failures = append(failures, err)
		if !lost(err) && !errors.Is(err, imbot.ErrOutcomeUnknown) {
			a.add(r)
		}
	}
	return errors.Join(failures...)
}

// lost reports whether calls of the portal should stop.
func lost(err error) bool {
	stop := []error{imbot.ErrReinstall, imbot.ErrNotFound, imbot.ErrApplicationNotFound, imbot.ErrNotInstalled, imbot.ErrOAuth}
	return slices.ContainsFunc(stop, func(target error) bool { return errors.Is(err, target) })
}

func (a *reminders) send(ctx context.Context, r reminder) error {
	client, err := a.oauth.Client(ctx, r.memberID)
	if err != nil {
		return err
	}
	if a.v2 {
		return sendV2(ctx, client, r)
	}
	_, err = client.WithBot(r.bot).Message.Add(ctx, imbot.MessageAddRequest{DialogID: r.dialog, Message: "Reminder: " + r.text})
	return err
}

func (a *reminders) add(r reminder) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = append(a.waiting, r)
}

func (a *reminders) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.waiting)
}

// forget drops what waits for a portal.
func (a *reminders) forget(memberID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := a.waiting[:0]
	for _, r := range a.waiting {
		if r.memberID != memberID {
			kept = append(kept, r)
		}
	}
	a.waiting = kept
}
