package imbot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot/internal/secret"
)

// call is a request ready to be sent.
type call struct {
	method     string
	params     []byte // a JSON object, with CLIENT_ID and BOT_ID where they belong
	repeatable bool
	attempts   int
	hop        string   // REST root to which the portal has redirected the call
	secrets    []string // cut out of every text that enters its error
	batch      int      // how many calls are inside, if it is a batch itself
	inBatch    bool     // its last attempt was inside a batch
	sent       time.Time
	paid       bool          // the limiter was asked for the next attempt
	waited     time.Duration // until it was paid
}

// hide keeps a token, and what else an application knows of the portal, out of the
// call's errors.
func (cl *call) hide(t *oauth2.Token, source oauth2.TokenSource) {
	hidden := []string{t.AccessToken, t.RefreshToken}
	if m, ok := source.(*member); ok {
		g := m.current()
		hidden = append(hidden, g.RefreshToken, g.ApplicationToken, g.PreviousToken, m.app.ClientSecret)
	}
	cl.secrets = append(hidden, cl.secrets...)
}

// newCall checks and encodes a request, once for all attempts.
func (c *Client) newCall(method string, req any) (*call, error) {
	cl := &call{method: method, secrets: c.core.secrets}
	if !isMethod(method) {
		return nil, invalid("", "%.40q is not the name of a method", secret.Scrub(method, c.core.secrets))
	}
	if own, ok := req.(interface{ check() *Error }); ok {
		if e := own.check(); e != nil {
			e.Method = method
			return nil, e
		}
	}
	params, err := json.Marshal(req)
	if err != nil {
		return nil, &Error{Method: method, Description: "the parameters cannot be encoded", kind: ErrInvalid, cause: secret.Clean(err, c.core.secrets)}
	}
	if string(params) == "null" {
		params = []byte("{}")
	}
	if notUTF8(params) {
		e := invalid("", "a text is not UTF-8, or JSON in it has the escape of U+FFFD")
		e.Method = method
		return nil, e
	}
	clientID := c.core.clientID
	has, e := checkNames(params) // also of our own requests: others embed them
	if e != nil {
		e.Method = method
		return nil, e
	}
	if has {
		clientID = ""
	}
	var extra []byte
	if clientID != "" && needsClientID(method) {
		extra = append(append(append(extra, `"CLIENT_ID":"`...), clientID...), `",`...)
	}
	if r, ok := req.(interface{ botID() ID }); ok && c.bot != 0 && r.botID() == 0 {
		extra = fmt.Appendf(extra, `"BOT_ID":%d,`, c.bot)
	}
	cl.params = splice(extra, params)
	if r, ok := req.(interface{ secret() string }); ok && r.secret() != "" {
		cl.secrets = append([]string{r.secret()}, cl.secrets...)
	}
	if r, ok := req.(interface{ Repeatable() bool }); ok {
		cl.repeatable = r.Repeatable()
	}
	return cl, nil
}

// needsClientID is the rule for which methods a webhook has to name the bot's
// owner. imbot.v2 has a token of its own.
func needsClientID(method string) bool {
	m := strings.ToLower(method)
	return strings.HasPrefix(m, "imbot.") && !strings.HasPrefix(m, "imbot.v2.") ||
		strings.HasPrefix(m, "imopenlines.bot.session.")
}

func isMethod(s string) bool {
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

// checkNames refuses reserved parameters, and reports whether the caller has set
// CLIENT_ID himself. The portal does not look at the case of these names.
func checkNames(params []byte) (hasClientID bool, e *Error) {
	if params[0] != '{' {
		return false, invalid("", "the parameters must be a JSON object")
	}
	for name := range names(params) {
		hasClientID = hasClientID || bytes.EqualFold(name, []byte("client_id"))
		for _, r := range reserved {
			if bytes.EqualFold(name, r) {
				return false, invalid("", "a parameter named %s would change the meaning of the request", name)
			}
		}
	}
	return hasClientID, nil
}

// names are the names in a JSON object that encoding/json has written.
func names(object []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		depth, isName := 0, false
		for i := 0; i < len(object); i++ {
			switch object[i] {
			case '{', '[':
				depth++
				isName = depth == 1
			case '}', ']':
				depth--
			case ',':
				isName = depth == 1
			case '"':
				start := i
				for i++; object[i] != '"'; i++ {
					if object[i] == '\\' {
						i++
					}
				}
				if !isName {
					continue
				}
				isName = false
				name := object[start+1 : i]
				if bytes.IndexByte(name, '\\') >= 0 {
					name = []byte(text(object[start : i+1]))
				}
				if !yield(name) {
					return
				}
			}
		}
	}
}

// splice puts members ("name":value, each with its comma) in front of those of
// a JSON object.
func splice(members, object []byte) []byte {
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
