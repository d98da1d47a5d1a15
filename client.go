package imbot

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/imbot-go/imbot/internal/rest"
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
	bot ID
}

// connection is what a client and its WithBot copies share.
type connection struct {
	*access // a pointer, because fmt prints an embedded struct's secrets and only the address of a pointer
	rest    *rest.Core
	options *options
	typing  typing
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
	return newClient(connect(&access, o), 0), nil
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

func newClient(conn *connection, bot ID) *Client {
	c := &Client{connection: conn, bot: bot}
	s := &service{client: c}
	c.Bot = (*BotService)(s)
	c.Chat = (*ChatService)(s)
	c.App = (*AppService)(s)
	c.Message = (*MessageService)(s)
	c.Command = (*CommandService)(s)
	return c
}

// WithBot returns a client over the same state that fills BOT_ID in the
// requests of this package that leave it zero. [Client.Call] is left alone.
// With several bots in one application the portal would pick any of them; so it
// does when bot is zero.
func (c *Client) WithBot(bot ID) *Client { return newClient(c.connection, bot) }

// Format implements [fmt.Formatter]; no verb prints a secret.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "imbot.Client("+c.portal.Name+")")
}

// LogValue implements [slog.LogValuer] without the secrets.
func (c *Client) LogValue() slog.Value {
	return slog.StringValue("imbot.Client(" + c.portal.Name + ")")
}
