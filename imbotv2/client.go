package imbotv2

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"

	"github.com/imbot-go/imbot"
)

// Client calls one portal with one set of credentials. It is safe for concurrent use;
// make one and keep it.
type Client struct {
	Bot       *BotService
	Chat      *ChatService
	Message   *MessageService
	Command   *CommandService
	Event     *EventService
	File      *FileService
	Revision  *RevisionService
	UserEvent *UserEventService
	UserFile  *UserFileService

	base  *imbot.Client
	whose func() whose // a function, because fmt prints no more of it than an address
	kept  *keptActions
}

// whose says whose calls a client makes.
type whose struct {
	origin any    // what calls of several bots have in common that may travel in one batch: a webhook's URL, or the client given to From
	token  string // of a webhook's bot, as far as it is known: one that From was given keeps its own
}

// service is what all services are: the methods of one family over a client.
type service struct{ client *Client }

// NewClient returns a client. It checks the credentials and options, but never dials and reads
// no environment. An [imbot.Webhook] names the bot's token as BotToken or ClientID.
func NewClient(auth imbot.Auth, opts ...imbot.Option) (*Client, error) {
	base, err := imbot.NewClient(auth, opts...)
	if err != nil {
		return nil, err
	}
	c := From(base)
	if hook, ok := auth.(imbot.Webhook); ok {
		w := whose{hook.URL, cmp.Or(hook.BotToken, hook.ClientID)}
		c.whose = func() whose { return w }
	}
	return c, nil
}

// From returns a client over the state, the bot and the token of another: one of an
// [imbot.OAuthApp], or one that calls the first generation, too (livecheck: shared-owner).
func From(base *imbot.Client) *Client {
	c := &Client{base: base, whose: func() whose { return whose{origin: base} }, kept: new(keptActions)}
	s := &service{client: c}
	c.Bot = (*BotService)(s)
	c.Chat = (*ChatService)(s)
	c.Message = (*MessageService)(s)
	c.Command = (*CommandService)(s)
	c.Event = (*EventService)(s)
	c.File = (*FileService)(s)
	c.Revision = (*RevisionService)(s)
	c.UserEvent = (*UserEventService)(s)
	c.UserFile = (*UserFileService)(s)
	return c
}

// Base returns the client below, for [imbot.Do], [imbot.DoAll], batches, any method by name,
// and the first generation.
func (c *Client) Base() *imbot.Client { return c.base }

// WithBot returns a client over the same state that fills BotID in requests which leave it
// zero. Without a bot they are refused with [ErrBotIDRequired].
func (c *Client) WithBot(bot imbot.ID) *Client { return c.over(c.base.WithBot(bot), c.whose()) }

// WithBotToken returns a client over the same state that has another bot's token, or the
// new one of the same. With OAuth it changes nothing.
func (c *Client) WithBotToken(token string) *Client {
	base := c.base.WithBotToken(token)
	if base == c.base { // OAuth
		return c
	}
	return c.over(base, whose{c.whose().origin, token})
}

// over returns a client of the same origin.
func (c *Client) over(base *imbot.Client, w whose) *Client {
	other := From(base)
	other.whose, other.kept = func() whose { return w }, c.kept
	return other
}

// BotID returns the bot that [Client.WithBot] was given.
func (c *Client) BotID() imbot.ID { return c.base.BotID() }

// bot is the bot of a request.
func (s *service) bot(id imbot.ID) imbot.ID {
	if id == 0 {
		return s.client.base.BotID()
	}
	return id
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "imbotv2.Client("+c.base.Portal()+")")
}

// LogValue implements [slog.LogValuer] without the secrets.
func (c *Client) LogValue() slog.Value {
	return slog.StringValue("imbotv2.Client(" + c.base.Portal() + ")")
}
