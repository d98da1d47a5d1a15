package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot/internal/phpform"
	"github.com/imbot-go/imbot/internal/secret"
)

// Call is a request ready to be sent. It belongs to one caller at a time.
type Call struct {
	method     string
	params     []byte   // a JSON object
	content    [][]byte // of a file, see [Bulky]
	batched    bool     // see [Batched]
	repeatable bool
	ran        func(code string) bool // nil: no code tells
	doubt      bool                   // an attempt may have run
	attempts   int
	hop        string   // REST root to which the portal has redirected the call
	secrets    []string // cut out of every text that enters its failure
	items      []*Item  // what is inside, if it is a batch itself
	inBatch    bool     // its last attempt was inside a batch
	sent       time.Time
	once       bool          // it is sent again by whoever sends it
	paid       bool          // the limiter was asked for the next attempt
	waited     time.Duration // until it was paid

	// A batch whose riders may leave: board is called before each attempt, and fails
	// when nobody rides any more; landed is called after one that did not run and will
	// be followed by another.
	board  func() error
	landed func()
}

// waits notes that a call waits for another try.
func (cl *Call) waits() {
	if cl.landed != nil {
		cl.landed()
	}
}

// Nature is what a core has to know of a call beside its method and parameters.
type Nature struct {
	Repeatable bool                   // to run it twice does no harm
	Ran        func(code string) bool // nil, or whether an error says that an attempt of unknown outcome has run
	Content    [][]byte               // of a [Bulky] request
	Batched    bool                   // it is a [Batched] one
}

// Batched is a request whose caller wants to know when the portal does not run it in the batch that it
// was put in, or no batch at all, because a call of each would be too many.
type Batched interface{ Batched() }

// NewCall returns a call of a method with parameters from [Encode]. Its own secrets are
// kept out of its failure beside those of the portal.
func (c *Core) NewCall(method string, params []byte, nature Nature, secrets ...string) *Call {
	cl := &Call{method: method, params: params, repeatable: nature.Repeatable, ran: nature.Ran, content: nature.Content, batched: nature.Batched, secrets: c.portal.Secrets}
	if len(secrets) > 0 {
		cl.secrets = append(secrets, cl.secrets...)
	}
	return cl
}

// Undecodable is the failure of a call that ran, but whose result is not what
// its caller expects.
func (cl *Call) Undecodable(err error) *Failure {
	f := &Failure{Method: cl.method, Description: "unexpected result", StatusCode: 200, Attempts: cl.attempts, InBatch: cl.inBatch, Cause: secret.Clean(err, cl.secrets)}
	if f.InBatch {
		f.StatusCode = 0
	}
	return f
}

// hide keeps a token, and what else its source knows of the portal, out of the
// failures of the call.
func (cl *Call) hide(t *oauth2.Token, source oauth2.TokenSource) {
	hidden := []string{t.AccessToken, t.RefreshToken}
	if s, ok := source.(secretive); ok {
		hidden = append(hidden, s.Secrets()...)
	}
	cl.secrets = append(hidden, cl.secrets...)
}

// IsMethod reports whether s can be the name of a method.
func IsMethod(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
		case c == '.' && i > 0 && i < len(s)-1 && s[i-1] != '.':
		default:
			return false
		}
	}
	return s != ""
}

// reserved are the parameters that would change the meaning of a whole request.
var reserved = [][]byte{
	[]byte("auth"), []byte("access_token"), []byte("auth_connector"), []byte("aplogin"), []byte("ap"), []byte("method"), []byte("state"),
	[]byte("token"), []byte("sessid"), []byte("livechat_auth_id"), []byte("call_auth_id"), []byte("bx24_request_id"), []byte("bx24_sdk_ver"), []byte("bx24_sdk_type"),
}

// Found are names that [Encode] was told to watch, a bit each in their order.
type Found uint

// Has reports whether the name of this number is among them.
func (f Found) Has(i int) bool { return f>>i&1 == 1 }

// Encode writes the parameters of a call, once for all its attempts. nil has none.
// It also reports which of the watched names are among them; the portal does not look
// at the case of names. The failure is Invalid.
func Encode(v any, watched ...string) (params []byte, found Found, f *Failure) {
	params, err := json.Marshal(v)
	switch {
	case err != nil:
		return nil, 0, &Failure{Description: "the parameters cannot be encoded", Kind: Invalid, Cause: err}
	case string(params) == "null":
		return []byte("{}"), 0, nil
	case notUTF8(params):
		return nil, 0, &Failure{Description: "a text is not UTF-8, or JSON in it has the escape of U+FFFD", Kind: Invalid}
	case params[0] != '{':
		return nil, 0, &Failure{Description: "the parameters must be a JSON object", Kind: Invalid}
	}
	phpform.Members(params, func(quoted, _ []byte) bool {
		name := quoted[1 : len(quoted)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = []byte(text(quoted))
		}
		for i, w := range watched {
			if len(name) == len(w) && bytes.EqualFold(name, []byte(w)) {
				found |= 1 << i
			}
		}
		for _, r := range reserved {
			if len(name) == len(r) && bytes.EqualFold(name, r) {
				f = &Failure{Description: fmt.Sprintf("a parameter named %s would change the meaning of the request", name), Kind: Invalid}
			}
		}
		return f == nil
	})
	return params, found, f
}

// notUTF8 reports whether encoding/json has replaced a part of some text: it
// writes an escape for what is not UTF-8, and U+FFFD itself as it is.
func notUTF8(params []byte) bool {
	for {
		i := bytes.Index(params, []byte(`\ufffd`))
		if i < 0 {
			return false
		}
		slashes := 0
		for slashes < i && params[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return true
		}
		params = params[i+1:]
	}
}

// Splice puts members ("name":value, each with its comma) in front of those of
// a JSON object.
func Splice(members, object []byte) []byte {
	if len(members) == 0 {
		return object
	}
	if string(object) == "{}" {
		members = members[:len(members)-1]
	}
	body := make([]byte, 0, len(members)+len(object))
	body = append(body, '{')
	body = append(body, members...)
	return append(body, object[1:]...)
}
