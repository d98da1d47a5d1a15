package imbot

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot/internal/rest"
)

// owner is how a method wants to be told whose bot is meant: the names of its parameters.
type owner struct {
	token    string // the secret that a webhook's bot was registered with; empty: not wanted
	bot      string // empty: not wanted
	instead  string // of bot; empty: nothing
	inFields bool   // the token stands in the parameter "fields"
	required bool   // the portal refuses a bot that is not named, where v1 would take any
}

// The numbers of the names that newCall watches.
const (
	namedToken = iota
	namedBot
	namedInstead
)

// ownerOf is the one rule for who is named in a call. Methods of users and of other
// modules name nobody.
func ownerOf(method string) owner {
	m := strings.ToLower(method)
	switch {
	case strings.HasPrefix(m, "imopenlines.bot.session."):
		return owner{token: "CLIENT_ID"}
	case !strings.HasPrefix(m, "imbot."), m == "imbot.v2.revision.get":
		return owner{}
	case !strings.HasPrefix(m, "imbot.v2."):
		return owner{token: "CLIENT_ID", bot: "BOT_ID"}
	case m == "imbot.v2.bot.register":
		return owner{token: "botToken", inFields: true}
	case m == "imbot.v2.bot.list":
		return owner{token: "botToken"}
	case m == "imbot.v2.bot.get":
		return owner{token: "botToken", bot: "botId", instead: "code", required: true}
	}
	return owner{token: "botToken", bot: "botId", required: true}
}

// maxNewBotToken bounds the token of a bot that is made now; older ones may be longer.
const maxNewBotToken = 40

// own puts the client's token and bot into parameters that do not name them.
func (c *Client) own(req any, o owner, params []byte, named rest.Found) ([]byte, error) {
	extra := make([]byte, 0, 192) // a token has at most 122 characters
	if token := c.ownerToken(); token != "" && o.token != "" && !named.Has(namedToken) {
		if strings.Trim(token, rest.Unreserved) != "" {
			return nil, invalid("", "the token given to WithBotToken may hold only A-Z a-z 0-9 - . _ ~")
		}
		member := append(append(append(append(append(extra, '"'), o.token...), `":"`...), token...), `",`...)
		switch {
		case !o.inFields:
			extra = member
		case len(token) > maxNewBotToken:
			return nil, invalid("BOT_TOKEN_INVALID_LENGTH", "the token of a new bot has at most %d characters", maxNewBotToken)
		default:
			params = intoFields(member, params)
		}
	}
	if _, hides := req.(untyped); hides || o.bot == "" || named.Has(namedBot) || o.instead != "" && named.Has(namedInstead) {
		return rest.Splice(extra, params), nil
	}
	if r, ok := req.(interface{ botID() ID }); ok && r.botID() != 0 || !ok && !o.required {
		return rest.Splice(extra, params), nil
	}
	if c.bot == 0 {
		if o.required {
			return nil, invalid("BOT_ID_REQUIRED", "botId is missing: set it, or call through WithBot")
		}
		return rest.Splice(extra, params), nil
	}
	extra = append(append(append(extra, '"'), o.bot...), `":`...)
	return rest.Splice(append(strconv.AppendInt(extra, int64(c.bot), 10), ','), params), nil
}

// intoFields puts a member into the object that is the parameter "fields", unless that has
// one of its name.
func intoFields(member, params []byte) []byte {
	var all map[string]json.RawMessage
	var fields map[string]json.RawMessage
	if json.Unmarshal(params, &all) != nil || json.Unmarshal(all["fields"], &fields) != nil || fields == nil {
		return params // which the portal refuses
	}
	if _, there := fields["botToken"]; there {
		return params
	}
	all["fields"] = rest.Splice(member, all["fields"])
	params, _ = json.Marshal(all) // it was JSON before
	return params
}

// ownerToken is what a webhook's bots were registered with.
func (c *Client) ownerToken() string {
	if c.token != nil {
		return *c.token
	}
	return c.clientID
}
