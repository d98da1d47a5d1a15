package imbotv2

import (
	"context"
	"errors"

	"github.com/imbot-go/imbot"
)

// RevisionService tells what the portal can do.
type RevisionService service

// RevisionGetRequest is imbot.v2.Revision.get, which has no parameters.
type RevisionGetRequest struct{}

// Method returns the name of the REST method.
func (RevisionGetRequest) Method() string { return "imbot.v2.Revision.get" }

// Repeatable is true.
func (RevisionGetRequest) Repeatable() bool { return true }

// Decode reads the result of a call.
func (RevisionGetRequest) Decode(data []byte) (Revision, error) {
	f, err := result(data)
	if err != nil {
		return Revision{}, err
	}
	r := Revision{REST: f.num("rest"), Web: f.num("web"), Mobile: f.num("mobile"), Desktop: f.num("desktop"), Raw: f.RawEvent}
	if r.REST == 0 {
		return Revision{}, errors.New("the result holds no revision")
	}
	return r, nil
}

// Revision are the revisions of the portal's interfaces. What came with which: 33 this method
// and JSON booleans in messages (livecheck: revision); 34 [ErrBotTokenNotSpecified] and texts in the list of
// commands; 35 a new token for a bot; 36 tokens of at most 40 characters.
type Revision struct {
	REST    int // of what this package calls
	Web     int
	Mobile  int
	Desktop int

	Raw imbot.RawEvent // all of it
}

// Get returns the revisions. Portals before revision 33 do not know the method.
//
// Repeatable. REST method: imbot.v2.Revision.get. Errors: none of its own.
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/revision-get.html
func (s *RevisionService) Get(ctx context.Context, req RevisionGetRequest) (Revision, error) {
	return imbot.Do(ctx, s.client.base, req)
}
