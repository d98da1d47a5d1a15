package imbot

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"golang.org/x/oauth2"
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

// hide keeps a token out of the call's errors.
func (cl *call) hide(t *oauth2.Token) {
	cl.secrets = append([]string{t.AccessToken, t.RefreshToken}, cl.secrets...)
}

// newCall checks and encodes a request, once for all attempts.
func (c *Client) newCall(method string, req any) (*call, error) {
	cl := &call{method: method, secrets: c.core.secrets}
	if !isMethod(method) {
		return nil, invalid("", "%.40q is not the name of a method", scrub(method, c.core.secrets))
	}
	own, isOwn := req.(interface{ check() *Error })
	if isOwn {
		if e := own.check(); e != nil {
			e.Method = method
			return nil, e
		}
	}
	params, err := json.Marshal(req)
	if err != nil {
		return nil, &Error{Method: method, Description: "the parameters cannot be encoded", kind: ErrInvalid, cause: clean(err, c.core.secrets)}
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
	if !isOwn {
		has, e := checkNames(params)
		if e != nil {
			e.Method = method
			return nil, e
		}
		if has {
			clientID = ""
		}
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

// checkNames refuses parameters that would change the meaning of the whole
// request, and reports whether the caller has set CLIENT_ID himself. The
// portal does not look at the case of these names.
func checkNames(params []byte) (hasClientID bool, e *Error) {
	var names map[string]json.RawMessage
	if err := json.Unmarshal(params, &names); err != nil {
		return false, invalid("", "the parameters must be a JSON object")
	}
	for name := range names {
		switch strings.ToLower(name) {
		case "client_id":
			hasClientID = true
		case "auth", "access_token", "auth_connector", "aplogin", "ap", "method", "state", "token", "sessid",
			"livechat_auth_id", "call_auth_id", "bx24_request_id", "bx24_sdk_ver", "bx24_sdk_type":
			return false, invalid("", "a parameter named %s would change the meaning of the request", name)
		}
	}
	return hasClientID, nil
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
