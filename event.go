package imbot

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/imbot-go/imbot/internal/inbox"
	"github.com/imbot-go/imbot/internal/secret"
)

// Event is what the portal tells: one of the types whose name ends in Event, of this
// package or of imbotv2. Find out which with a type switch; where it does not matter, the
// methods tell what most programs ask for. A type that embeds [EventMeta] has all of them,
// so they answer for an [UnknownEvent], too.
type Event interface {
	Meta() *EventMeta
	MemberID() string // the portal
	Dialog() DialogID // where to answer; empty for an event about the application
	AuthorID() ID     // who did it; 0: nobody, or not told
	ForBot() ID       // whom it is for; 0: none, or several and none is meant
}

// EventMeta is what all events have; it is embedded in each.
type EventMeta struct {
	Name string    // in upper case, "ONIMBOTMESSAGEADD"
	Time time.Time // of sending, by the portal's clock
	Auth EventAuth // of the acting user, and the proof that the event is genuine
	Raw  RawEvent  // all that was sent
}

// Meta returns m; it makes a type that embeds EventMeta an [Event].
func (m *EventMeta) Meta() *EventMeta { return m }

// MemberID returns the id of the portal, which it keeps when it is renamed.
func (m *EventMeta) MemberID() string { return m.Auth.MemberID }

// Dialog returns where to answer, whatever the generation of the event.
func (m *EventMeta) Dialog() DialogID {
	data := fields{m.Raw.root}.sub("data")
	return cmp.Or(data.sub("PARAMS").dialog("DIALOG_ID"), data.dialog("dialogId"), data.sub("chat").dialog("dialogId"))
}

// AuthorID returns who did what the event tells.
func (m *EventMeta) AuthorID() ID {
	data := fields{m.Raw.root}.sub("data")
	params := data.sub("PARAMS")
	return cmp.Or(
		params.id("USER_ID"), params.id("FROM_USER_ID"), params.id("AUTHOR_ID"), data.sub("USER").id("ID"),
		data.sub("user").id("id"), data.sub("message").id("authorId"),
	)
}

// ForBot returns the bot that the event is for.
func (m *EventMeta) ForBot() ID {
	data := fields{m.Raw.root}.sub("data")
	if id := cmp.Or(data.sub("bot").id("id"), data.sub("PARAMS").id("BOT_ID"), data.id("BOT_ID")); id != 0 {
		return id
	}
	if commands := data.sub("COMMAND"); commands.Len() > 0 {
		return commands.commands()[0].BotID
	}
	return addressedBot(data.sub("BOT").bots(), data.sub("PARAMS").id("TO_USER_ID")).BotID
}

// EventAuth is an authorization block of an event. The tokens are missing when
// no user is behind the event, and always for a bot that was registered through
// a webhook. It never prints its tokens, alone and in all events; but fmt calls no method
// of a field that is not exported, of a struct of yours, nor in the other cases that
// [Webhook] names. For fmt an [EventMeta] and an [EventBot] are structs of yours: print no
// pointer to one in a container.
type EventAuth struct {
	AccessToken      string
	RefreshToken     string
	ApplicationToken string
	ClientID         string // of the application; only in the bot's own block
	UserID           ID     // whose tokens these are
	Expires          time.Time
	Scope            string // comma-separated
	Status           string // of the application: L local, F free, D demo, T trial, P paid, S subscription
	Domain           string // host of the portal, until it is renamed
	MemberID         string // of the portal, for ever
	ClientEndpoint   string // REST root of the portal
	ServerEndpoint   string // REST root of the authorization server
}

func (a EventAuth) masked() string {
	return fmt.Sprintf("imbot.EventAuth{Domain:%s, MemberID:%s, UserID:%d}", a.Domain, a.MemberID, a.UserID)
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (a EventAuth) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.masked()) }

// MarshalText implements [encoding.TextMarshaler] without the secrets.
func (a EventAuth) MarshalText() ([]byte, error) { return []byte(a.masked()), nil }

// LogValue implements [slog.LogValuer] without the secrets.
func (a EventAuth) LogValue() slog.Value { return slog.StringValue(a.masked()) }

// EventBot is a bot that an event is for.
type EventBot struct {
	BotID   ID
	BotCode string
	Auth    EventAuth // of the bot's own user; zero for a bot registered through a webhook
}

// EventUser is the person behind an event; zero when the portal names none. Name and
// the three below it are as people read them; the portal sends them escaped for HTML,
// as Raw has them (livecheck: cloud-names).
type EventUser struct {
	ID           ID
	Name         string // as shown
	FirstName    string
	LastName     string
	WorkPosition string
	Gender       Gender
	IsBot        Flag // message events only, like the three below
	IsConnector  Flag // writes through an open line
	IsNetwork    Flag // of another portal
	IsExtranet   Flag
}

// UnknownEvent is an event that this package has no type for; Raw has its data.
type UnknownEvent struct {
	EventMeta
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *UnknownEvent) Format(f fmt.State, verb rune) {
	type unknownEvent UnknownEvent
	printPlain(f, verb, (*unknownEvent)(ev))
}

// Verifier decides whether an event is genuine; nil means that it is. The
// protocol has no signature (livecheck: post-headers): the proof is the application
// token. An [EventHandler] gives it five seconds, also when the portal has hung up.
type Verifier interface {
	Verify(ctx context.Context, ev *EventMeta) error
}

// lateVerifier is a verifier that may take long. Its verdict says what is known about
// an event at once; the handler does the rest after it has answered the portal.
type lateVerifier interface {
	Verifier

	verdict(ctx context.Context, ev *EventMeta) (inbox.Verdict, error)
}

// AnyOf returns a verifier that trusts what one of the verifiers trusts: for several bots
// behind one URL, and for the old and the new token of a bot while its token is replaced.
// The error is that of the last one. [OAuthApp.Verifier] does more than verify, so it stands
// alone.
func AnyOf(verifiers ...Verifier) Verifier { return anyOf(verifiers) }

type anyOf []Verifier

func (vs anyOf) Verify(ctx context.Context, ev *EventMeta) error {
	err := errors.New("imbot: there is no verifier")
	for _, v := range vs {
		if err = verifyEvent(ctx, ev, v); err == nil {
			return nil
		}
	}
	return err
}

// Format implements [fmt.Formatter]; fmt would not ask the verifiers under every verb.
func (vs anyOf) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "imbot.AnyOf(%d verifiers)", len(vs))
}

// ApplicationToken is the verifier for one known application token. The empty
// token matches nothing.
type ApplicationToken string

// Verify compares in constant time.
func (t ApplicationToken) Verify(_ context.Context, ev *EventMeta) error {
	if t == "" || subtle.ConstantTimeCompare([]byte(t), []byte(ev.Auth.ApplicationToken)) != 1 {
		return fmt.Errorf("imbot: the application token of the event is not the expected one (that of a webhook's bot is the ClientID it was registered with)")
	}
	return nil
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (t ApplicationToken) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, secret.Mask(string(t)))
}

// MarshalText implements [encoding.TextMarshaler] without the secret.
func (t ApplicationToken) MarshalText() ([]byte, error) { return []byte(secret.Mask(string(t))), nil }

// LogValue implements [slog.LogValuer] without the secret.
func (t ApplicationToken) LogValue() slog.Value { return slog.StringValue(secret.Mask(string(t))) }

// printPlain prints plain, which is a value whose type has a Format, converted to a
// type that has none. The types of events need one on their pointer:
// where a verb does not fit a pointer in a container, fmt prints all that it leads to and
// calls no method any more. [EventMeta] and [EventBot] have none, because it would be
// promoted to every type that embeds them and print only that part.
func printPlain(f fmt.State, verb rune, plain any) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plain)
}

// addressedBot returns the bot with the id to, else the only one, else zero.
func addressedBot(bots []EventBot, to ID) EventBot {
	for _, b := range bots {
		if b.BotID == to {
			return b
		}
	}
	if len(bots) == 1 {
		return bots[0]
	}
	return EventBot{}
}

func isGroup(d DialogID) bool {
	_, private := d.UserID()
	return d != "" && !private
}

// fromBot reports whether the author is a bot: one that the portal calls so, or one
// of those that the event is for.
func fromBot(bots []EventBot, user EventUser, author ID) bool {
	return user.IsBot.Bool() || author != 0 && slices.ContainsFunc(bots, func(b EventBot) bool { return b.BotID == author })
}
