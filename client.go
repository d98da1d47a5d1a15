package imbot

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/imbot-go/imbot/internal/rest"
	"github.com/imbot-go/imbot/internal/stream"
)

// Client calls one portal with one set of credentials. It is safe for
// concurrent use; make one and keep it.
type Client struct {
	Bot     *BotService
	Chat    *ChatService
	App     *AppService
	Message *MessageService
	Command *CommandService

	*connection
	bot   ID
	token *string // in place of the connection's; nil: none
}

// connection is what a client and its WithBot copies share.
type connection struct {
	*access // a pointer, because fmt prints an embedded struct's secrets and only the address of a pointer
	rest    *rest.Core
	options *options
	typing  typing
	streams atomic.Pointer[stream.Set[*streamed]] // nil: there was none
}

const version = "0.1.0"

// service is what all services are: the methods of one family over a client.
type service struct{ client *Client }

// NewClient returns a client. It checks the credentials and options, but never
// dials and reads no environment.
func NewClient(auth Auth, opts ...Option) (*Client, error) {
	if auth == nil || auth == Auth((*Webhook)(nil)) || auth == Auth((*OAuth)(nil)) {
		return nil, invalid("", "NewClient: nil Auth")
	}
	access, err := auth.access()
	if err != nil {
		return nil, err
	}
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	return newClient(connect(&access, o), 0, nil), nil
}

func newOptions(opts []Option) (*options, error) {
	o := &options{Config: rest.Config{
		Transport: rest.SharedTransport,
		Header:    sharedHeader,
		Limiter:   sharedLimiter,
		Retry:     rest.Retry{MaxAttempts: 4, MinBackoff: time.Second, MaxBackoff: 30 * time.Second},
		Dialog:    dialogOf,
	}}
	o.Watcher = o
	for _, opt := range opts {
		if opt == nil {
			return nil, invalid("", "nil Option")
		}
		if err := opt(o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// sharedHeader is the header of all clients without a User-Agent of their own.
var sharedHeader = rest.HeaderOf("imbot-go/" + version)

// connect makes the way to a portal.
func connect(a *access, o *options) *connection {
	c := &connection{access: a, options: o}
	a.portal.Done = c.typing.done
	c.rest = rest.New(&o.Config, &a.portal)
	return c
}

func newClient(conn *connection, bot ID, token *string) *Client {
	c := &Client{connection: conn, bot: bot, token: token}
	s := &service{client: c}
	c.Bot = (*BotService)(s)
	c.Chat = (*ChatService)(s)
	c.App = (*AppService)(s)
	c.Message = (*MessageService)(s)
	c.Command = (*CommandService)(s)
	return c
}

// WithBot returns a client over the same state that fills BOT_ID, of the second generation
// botId, in typed requests that leave it zero. [Client.Call] is left alone.
// With several bots in one application a portal would pick any of them when bot is zero;
// methods of the second generation are refused then.
func (c *Client) WithBot(bot ID) *Client { return newClient(c.connection, bot, c.token) }

// WithBotToken returns a client over the same state whose calls name another owner:
// another bot's ClientID or BotToken, or the new one of the same bot. With OAuth, where
// the application is the owner, it changes nothing.
func (c *Client) WithBotToken(token string) *Client {
	if c.portal.Tokens != nil {
		return c
	}
	return newClient(c.connection, c.bot, &token)
}

// BotID returns the bot that [Client.WithBot] was given.
func (c *Client) BotID() ID { return c.bot }

// Portal returns what the portal is known by to a [Limiter], in logs and in [CallInfo]: its
// host, or its member id for a client of an [OAuthApp].
func (c *Client) Portal() string { return c.portal.Name }

// Fingerprint returns a hash of text that nobody can compute who does not have the
// client's secret: the ClientID or BotToken, for a stored grant the ClientSecret of its
// [OAuthApp]. It is the same in all processes, so it makes ids that strangers cannot foresee.
// With [OAuth] there is no secret that stays, and anybody can compute it.
func (c *Client) Fingerprint(text string) [sha256.Size]byte {
	key := c.ownerToken()
	if m, ok := c.portal.Tokens.(*member); ok {
		key = m.app.ClientSecret
	}
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte(text)) // never fails
	return [sha256.Size]byte(mac.Sum(nil))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "imbot.Client("+c.portal.Name+")")
}

// LogValue implements [slog.LogValuer] without the secrets.
func (c *Client) LogValue() slog.Value {
	return slog.StringValue("imbot.Client(" + c.portal.Name + ")")
}
