package openlines

import "github.com/imbot-go/imbot"

// Client calls the open lines of one portal. It is safe for concurrent use.
type Client struct {
	Session *SessionService
	Line    *LineService
}

// service is what all services are: the methods of one family over a client.
type service struct{ client *imbot.Client }

// New returns a client over the state and credentials of another.
func New(client *imbot.Client) *Client {
	s := &service{client}
	return &Client{Session: (*SessionService)(s), Line: (*LineService)(s)}
}
