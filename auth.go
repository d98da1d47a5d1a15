package imbot

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot/internal/rest"
	"github.com/imbot-go/imbot/internal/secret"
)

// Auth is what a client calls the portal with: a [Webhook] or [OAuth].
type Auth interface {
	access() (access, error)
}

// access is what both kinds of credentials come down to.
type access struct {
	portal   rest.Portal
	clientID string // sent as CLIENT_ID or botToken where needed; empty for OAuth
}

// Webhook are the credentials of an incoming webhook with the scope imbot.
//
// All fields are secrets. ClientID and BotToken are two names of one, which the two
// generations of the API use: set either (livecheck: shared-owner). You make it up. The portal
// sends it back in every event of a bot, as the proof that the event is genuine, and appends it un-escaped to the
// handler URLs of the first generation: take a long random one of A-Z a-z 0-9 - . _ ~ (at
// most 122 characters, 40 for a bot that the second generation registers), one per bot and
// environment. Whoever knows it and the URL controls the bot.
//
// No verb of fmt prints them, nor do JSON and slog, except where fmt calls no method:
// in a field that is not exported, of a struct of yours that it prints; behind a pointer
// to a struct or a list of yours, in a container, under a verb that does not fit a
// pointer (%s, %t); and for %w, or %p of a value, both of which go vet reports. Print
// the parts that you need instead. So it is with [Grant], [EventAuth] and whatever else
// holds a secret.
type Webhook struct {
	URL      string // https://portal.bitrix24.com/rest/1/secret/
	ClientID string // CLIENT_ID of imbot.*; not needed for other methods
	BotToken string // botToken of imbot.v2.*: the same secret
}

// The portal keeps "custom" + CLIENT_ID in a column of 128 characters.
const maxClientID = 122

func (w Webhook) access() (access, error) {
	u, err := parseEndpoint("Webhook.URL", w.URL)
	if err != nil {
		return access{}, err
	}
	segments := strings.Split(strings.Trim(u.Path, "/"), "/")
	if n := len(segments); n < 2 || segments[n-1] == "" || !isNumber(segments[n-2]) || strings.Trim(segments[n-1], ".-_~") == "" || strings.Trim(segments[n-2], "0") == "" {
		return access{}, invalid("", "Webhook.URL must end with the user id and the secret, as in https://portal.bitrix24.com/rest/1/secret/")
	}
	if strings.Trim(segments[len(segments)-1], rest.Unreserved) != "" {
		return access{}, invalid("", "Webhook.URL: the secret has characters that no portal gives")
	}
	if w.ClientID != "" && w.BotToken != "" && w.ClientID != w.BotToken {
		return access{}, invalid("", "Webhook.ClientID and Webhook.BotToken differ: they are two names of one secret, set either")
	}
	field := "Webhook.ClientID"
	if w.ClientID == "" {
		field = "Webhook.BotToken"
	}
	if len(w.token()) > maxClientID {
		return access{}, invalid("", "%s is longer than %d characters", field, maxClientID)
	}
	if strings.Trim(w.token(), rest.Unreserved) != "" {
		return access{}, invalid("", "%s may hold only A-Z a-z 0-9 - . _ ~, because the portal puts it un-escaped into URLs", field)
	}
	return access{portal: rest.Portal{
		Root:    u.String(),
		Name:    u.Host,
		Secrets: []string{segments[len(segments)-1], w.token()},
	}, clientID: w.token()}, nil
}

// token is the secret that has two names.
func (w Webhook) token() string { return cmp.Or(w.ClientID, w.BotToken) }

// Verifier returns the verifier for events of the bots of this webhook, of both
// generations: as application token the portal sends the ClientID, and in events of the
// second generation what it has made of the BotToken. For several bots behind one URL, and
// while a token is replaced, see [AnyOf].
func (w Webhook) Verifier() Verifier { return webhookVerifier(w.token()) }

// webhookVerifier is the secret that the bots of a webhook were registered with.
type webhookVerifier string

// Verify compares in constant time.
func (v webhookVerifier) Verify(ctx context.Context, ev *EventMeta) error {
	token := string(v)
	if token != "" && strings.HasPrefix(ev.Name, "ONIMBOTV2") {
		token = "custom" + token // the owner of the bot, cut to the column of application tokens (livecheck: application-token)
		token = token[:min(len(token), maxOwnerToken)]
	}
	return ApplicationToken(token).Verify(ctx, ev)
}

// maxOwnerToken is how much of the owner fits where the portal keeps application tokens.
const maxOwnerToken = 50

// Format implements [fmt.Formatter]; no verb prints a secret.
func (v webhookVerifier) Format(f fmt.State, verb rune) { ApplicationToken(v).Format(f, verb) }

// MarshalText implements [encoding.TextMarshaler] without the secret.
func (v webhookVerifier) MarshalText() ([]byte, error) { return ApplicationToken(v).MarshalText() }

// LogValue implements [slog.LogValuer] without the secret.
func (v webhookVerifier) LogValue() slog.Value { return ApplicationToken(v).LogValue() }

func (w Webhook) masked() string {
	s := "imbot.Webhook{URL:" + secret.MaskURL(w.URL)
	if w.BotToken != "" {
		return s + ", BotToken:" + secret.Mask(w.BotToken) + "}"
	}
	return s + ", ClientID:" + secret.Mask(w.ClientID) + "}"
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (w Webhook) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, w.masked()) }

// MarshalText implements [encoding.TextMarshaler] without the secrets.
func (w Webhook) MarshalText() ([]byte, error) { return []byte(w.masked()), nil }

// LogValue implements [slog.LogValuer] without the secrets.
func (w Webhook) LogValue() slog.Value { return slog.StringValue(w.masked()) }

// OAuth are the credentials of an OAuth application on one portal.
//
// Endpoint is the portal's REST root (client_endpoint of a token answer or
// event, https://portal.bitrix24.com/rest/). The access token travels in the
// JSON body, never in a URL. Tokens may also be a [Renewer].
//
// A plain [oauth2.TokenSource] gets no context: a call waits until Token returns, also
// when its own context ends meanwhile; then it is not sent. Bound the source itself, by
// the Timeout of its http.Client for example. An [oauth2.Config] needs AuthStyleInParams,
// or its first renewal, once failed, is sent again with a refresh token that may be used up.
type OAuth struct {
	Endpoint string
	Tokens   oauth2.TokenSource
}

// Renewer is what the token source of an [OAuth] may be, too: one that can replace
// a token before its time. When the portal answers expired_token or invalid_token,
// Renew is asked once, with the token that was sent, and the call is sent again
// with what it returns. With any other source the portal's error is returned.
type Renewer interface {
	Renew(ctx context.Context, stale *oauth2.Token) (*oauth2.Token, error)
}

func (o OAuth) access() (access, error) {
	u, err := parseEndpoint("OAuth.Endpoint", o.Endpoint)
	if err != nil {
		return access{}, err
	}
	if u.Path == "/" {
		return access{}, invalid("", "OAuth.Endpoint must have the path of the REST root, as in https://portal.bitrix24.com/rest/")
	}
	if _, err := (Webhook{URL: o.Endpoint}).access(); err == nil {
		return access{}, invalid("", "OAuth.Endpoint is the URL of a webhook")
	}
	if o.Tokens == nil {
		return access{}, invalid("", "OAuth.Tokens is nil")
	}
	return access{portal: rest.Portal{Root: u.String(), Name: u.Host, Tokens: o.Tokens}}, nil
}

func (o OAuth) masked() string {
	return "imbot.OAuth{Endpoint:" + secret.MaskURL(o.Endpoint) + ", Tokens:***}"
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (o OAuth) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, o.masked()) }

// MarshalText implements [encoding.TextMarshaler] without the secrets.
func (o OAuth) MarshalText() ([]byte, error) { return []byte(o.masked()), nil }

// LogValue implements [slog.LogValuer] without the secrets.
func (o OAuth) LogValue() slog.Value { return slog.StringValue(o.masked()) }

// parseEndpoint reads a REST root and gives it its closing slash. The errors of
// url.Parse quote the URL, so they are not passed on.
func parseEndpoint(field, raw string) (*url.URL, error) {
	if raw == "" {
		return nil, invalid("", "%s is empty", field)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, invalid("", "%s is not a URL", field)
	case u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return nil, invalid("", "%s is not an absolute URL, which begins with https://", field)
	case u.Scheme != "https" && (u.Scheme != "http" || !rest.IsLoopback(u.Hostname())):
		return nil, invalid("", "%s must be https (plain http only for a loopback address)", field)
	case u.User != nil:
		return nil, invalid("", "%s must not hold a user name or password", field)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, invalid("", "%s must not have a query or fragment", field)
	}
	u.Host = strings.ToLower(u.Host)
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	u.RawPath = ""
	return u, nil
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
