package world

import (
	"context"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// Call is what a method knows of its call.
type Call struct {
	World   *World
	User    imbot.ID     // who has the token or webhook
	App     *Application // of the token; nil for the webhook
	Params  *php.Array   // names in upper case
	Sent    *php.Array   // the same, with the names as they were sent
	InBatch bool         // it is a command of a batch
	Method  string       // the one that runs, in lower case

	// FileLink is a link to a file for the caller, with the caller's credential.
	FileLink func(scope string, file imbot.ID) string
}

// Denied reports whether Portal.Deny took the right to change chats from the user who calls.
func (c *Call) Denied() bool {
	u := c.World.Users[c.User]
	return u != nil && u.Denied
}

// AsSent are the parameters with the names as they were sent, without those that the REST
// layer does not pass on.
func (c *Call) AsSent() *php.Array {
	params := php.NewArray()
	for _, name := range c.Sent.Keys {
		if upper := strings.ToUpper(name); c.Params.Has(upper) {
			params.Set(name, c.Params.Get(upper))
		}
	}
	return params
}

// Method checks and acts under the portal's lock. Its checks stand in the
// order in which the portal makes them, because that order decides which error
// a bad call gets.
type Method func(*Call) (any, *Refusal)

// Vetoed is the error of a method to which Portal.Veto was applied, else nil.
func (c *Call) Vetoed(description string) *Refusal {
	if c.World.Vetoed[c.Method] {
		return BadRequest("WRONG_REQUEST", description)
	}
	return nil
}

// AnswerFunc answers a method in place of the portal, see Portal.Handle.
type AnswerFunc = func(ctx context.Context, params map[string]any) (any, error)
