package imbotv2

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/rest"
)

// BotService groups the methods that register and describe bots.
type BotService service

// BotProperties are the profile of a bot.
type BotProperties struct {
	Name         string       `json:"name,omitempty"` // required
	LastName     string       `json:"lastName,omitempty"`
	WorkPosition string       `json:"workPosition,omitempty"`
	Color        imbot.Color  `json:"color,omitempty"`
	Gender       imbot.Gender `json:"gender,omitempty"`
	Avatar       []byte       `json:"avatar,omitempty"` // a picture of at most 5000×5000 pixels
}

// BotRegisterRequest are the parameters of imbot.v2.Bot.register.
type BotRegisterRequest struct {
	Code               string // required; at most 255 characters (livecheck: lengths); one space of codes for all applications of the portal
	Properties         BotProperties
	Type               BotType    // default BotTypeBot; cannot be changed
	EventMode          EventMode  // default EventModeFetch, with WebhookURL EventModeWebhook
	WebhookURL         string     // a public https address
	IsHidden           imbot.Flag // default No; Yes: not in the list of contacts
	IsReactionsEnabled imbot.Flag // default Yes
	IsSupportOpenline  imbot.Flag // default No; Yes: may serve open lines
	BackgroundID       Background
}

// Method returns the name of the REST method.
func (BotRegisterRequest) Method() string { return "imbot.v2.Bot.register" }

// Repeatable is true.
func (BotRegisterRequest) Repeatable() bool { return true }

// Decode reads the result of a call.
func (BotRegisterRequest) Decode(data []byte) (BotResult, error) { return decodeBot(data) }

// MarshalJSON writes the parameters as the portal takes them.
func (r BotRegisterRequest) MarshalJSON() ([]byte, error) {
	if r.EventMode == "" && r.WebhookURL != "" {
		r.EventMode = EventModeWebhook
	}
	type fields struct {
		Code               string        `json:"code"`
		Properties         BotProperties `json:"properties"`
		Type               BotType       `json:"type,omitempty"`
		EventMode          EventMode     `json:"eventMode,omitempty"`
		WebhookURL         string        `json:"webhookUrl,omitempty"`
		IsHidden           imbot.Flag    `json:"isHidden,omitempty"`
		IsReactionsEnabled imbot.Flag    `json:"isReactionsEnabled,omitempty"`
		IsSupportOpenline  imbot.Flag    `json:"isSupportOpenline,omitempty"`
		BackgroundID       Background    `json:"backgroundId,omitempty"`
	}
	return json.Marshal(struct {
		Fields fields `json:"fields"`
	}{fields(r)})
}

// Check refuses what the portal would lose without a word, or refuse itself.
func (r BotRegisterRequest) Check() error {
	switch {
	case r.Code == "":
		return refuse(ErrBotCodeRequired, "code is empty")
	case r.Properties.Name == "":
		return refuse(ErrBotPropertiesRequired, "properties.name is empty")
	case r.EventMode == EventModeWebhook && r.WebhookURL == "":
		return refuse(ErrBotWebhookURLRequired, "webhookUrl is empty")
	case r.EventMode == EventModeFetch && r.WebhookURL != "":
		return refuse("", "webhookUrl without EventModeWebhook: the bot would not be called")
	}
	return cmp.Or(checkURL(r.WebhookURL), r.Properties.check(), checkBackground(r.BackgroundID))
}

// BotUpdateRequest are the parameters of imbot.v2.Bot.update. What is zero stays; at least one
// change is needed.
type BotUpdateRequest struct {
	BotID              imbot.ID
	Properties         *BotProperties // the whole profile: what is left out of it is emptied, Avatar excepted (livecheck: properties-partial)
	EventMode          EventMode      // to webhook deletes the queue
	WebhookURL         string
	IsHidden           imbot.Flag
	IsReactionsEnabled imbot.Flag
	IsSupportOpenline  imbot.Flag
	BackgroundID       Background // cannot be taken away: null may change nothing (livecheck: background-null)
	NewBotToken        string     // at most 40 of A-Z a-z 0-9 - . _ ~; [RotateToken] does it safely
}

// Method returns the name of the REST method.
func (BotUpdateRequest) Method() string { return "imbot.v2.Bot.update" }

// Repeatable is true unless the token changes: the old one is dead by then.
func (r BotUpdateRequest) Repeatable() bool { return r.NewBotToken == "" }

// Secrets returns the new token.
func (r BotUpdateRequest) Secrets() []string { return []string{r.NewBotToken} }

// Decode reads the result of a call.
func (BotUpdateRequest) Decode(data []byte) (BotResult, error) { return decodeBot(data) }

// Format implements [fmt.Formatter]; no verb prints the new token.
func (r BotUpdateRequest) Format(f fmt.State, verb rune) {
	type botUpdateRequest BotUpdateRequest
	if r.NewBotToken != "" {
		r.NewBotToken = "***"
	}
	printPlain(f, verb, botUpdateRequest(r))
}

// MarshalJSON writes the parameters as the portal takes them.
func (r BotUpdateRequest) MarshalJSON() ([]byte, error) {
	type fields struct {
		Properties         *BotProperties `json:"properties,omitempty"`
		EventMode          EventMode      `json:"eventMode,omitempty"`
		WebhookURL         string         `json:"webhookUrl,omitempty"`
		IsHidden           imbot.Flag     `json:"isHidden,omitempty"`
		IsReactionsEnabled imbot.Flag     `json:"isReactionsEnabled,omitempty"`
		IsSupportOpenline  imbot.Flag     `json:"isSupportOpenline,omitempty"`
		BackgroundID       Background     `json:"backgroundId,omitempty"`
		BotToken           string         `json:"botToken,omitempty"`
	}
	return json.Marshal(struct {
		BotID  imbot.ID `json:"botId,omitempty"`
		Fields fields   `json:"fields"`
	}{r.BotID, fields{
		r.Properties, r.EventMode, r.WebhookURL, r.IsHidden, r.IsReactionsEnabled, r.IsSupportOpenline, r.BackgroundID, r.NewBotToken,
	}})
}

// Check refuses what the portal would lose without a word, or refuse itself.
func (r BotUpdateRequest) Check() error {
	changes := r
	changes.BotID = 0
	switch {
	case changes == BotUpdateRequest{}:
		return refuse("", "nothing to change")
	case r.Properties != nil && r.Properties.Name == "":
		return refuse(ErrBotPropertiesRequired, "properties without name: the portal takes the whole profile")
	case r.EventMode == EventModeWebhook && r.WebhookURL == "":
		return refuse(ErrBotWebhookURLRequired, "webhookUrl is empty")
	case r.EventMode == EventModeFetch && r.WebhookURL != "":
		return refuse("", "webhookUrl without EventModeWebhook: the bot would not be called")
	case r.NewBotToken != "" && strings.TrimSpace(r.NewBotToken) == "":
		return refuse("", "the new botToken is blank: the portal would ignore it")
	case len(r.NewBotToken) > maxBotToken:
		return refuse(ErrBotTokenInvalidLength, "the new botToken has more than %d characters", maxBotToken)
	case strings.Trim(r.NewBotToken, rest.Unreserved) != "":
		return refuse("", "the new botToken may hold only A-Z a-z 0-9 - . _ ~: the portal takes others, but no client has such a token")
	}
	var properties BotProperties
	if r.Properties != nil {
		properties = *r.Properties
	}
	return cmp.Or(checkURL(r.WebhookURL), properties.check(), checkBackground(r.BackgroundID))
}

// maxBotToken bounds a new token; the portal refuses longer ones since August 2026.
const maxBotToken = 40

// BotGetRequest are the parameters of imbot.v2.Bot.get: the bot of the client unless either is
// set.
type BotGetRequest struct {
	BotID imbot.ID `json:"botId,omitempty"`
	Code  string   `json:"code,omitempty"`
}

// Method returns the name of the REST method.
func (BotGetRequest) Method() string { return "imbot.v2.Bot.get" }

// Repeatable is true.
func (BotGetRequest) Repeatable() bool { return true }

// Decode reads the result of a call.
func (BotGetRequest) Decode(data []byte) (BotResult, error) { return decodeBot(data) }

// BotListRequest are the parameters of imbot.v2.Bot.list.
type BotListRequest struct {
	Type   BotType // default all; portals differ in what an unknown one gives (livecheck: unknown-bot-type)
	Limit  int     // default 50
	Offset int
}

// Method returns the name of the REST method.
func (BotListRequest) Method() string { return "imbot.v2.Bot.list" }

// Repeatable is true.
func (BotListRequest) Repeatable() bool { return true }

// MarshalJSON writes the parameters as the portal takes them.
func (r BotListRequest) MarshalJSON() ([]byte, error) {
	type filter struct {
		Type BotType `json:"type"`
	}
	var f *filter
	if r.Type != "" {
		f = &filter{r.Type}
	}
	return json.Marshal(struct {
		Filter *filter `json:"filter,omitempty"`
		Limit  int     `json:"limit,omitempty"`
		Offset int     `json:"offset,omitempty"`
	}{f, r.Limit, r.Offset})
}

// Decode reads the result of a call.
func (BotListRequest) Decode(data []byte) (BotListResult, error) {
	f, err := result(data)
	if err != nil {
		return BotListResult{}, err
	}
	return BotListResult{
		Bots: list(f.sub("bots"), fields.bot), Users: list(f.sub("users"), fields.user), HasNextPage: f.flag("hasNextPage").Bool(),
	}, nil
}

// BotUnregisterRequest are the parameters of imbot.v2.Bot.unregister.
type BotUnregisterRequest struct {
	done  `json:"-"`
	BotID imbot.ID `json:"botId,omitempty"`
}

// Method returns the name of the REST method.
func (BotUnregisterRequest) Method() string { return "imbot.v2.Bot.unregister" }

// Repeatable is true.
func (BotUnregisterRequest) Repeatable() bool { return true }

// Ran says which code means that an attempt before has removed the bot.
func (BotUnregisterRequest) Ran(code imbot.ErrorCode) bool { return same(code, ErrBotNotFound) }

// BotResult is a bot with its account.
type BotResult struct {
	Bot  Bot
	User User
}

// BotListResult is a page of bots with their accounts.
type BotListResult struct {
	Bots        []Bot
	Users       []User
	HasNextPage bool // true for a full last page, too: the next one is empty
}

func decodeBot(data []byte) (BotResult, error) {
	f, err := result(data)
	if err != nil {
		return BotResult{}, err
	}
	r := BotResult{Bot: f.sub("bot").bot(), User: f.firstUser("users")}
	if r.Bot.ID == 0 {
		return BotResult{}, errNoID
	}
	return r, nil
}

// Register registers a bot, or returns the one that this owner has registered under the
// same code, unchanged (livecheck: register-again): [EnsureBot] brings it up to date. A bot of
// the first generation with the same owner and code counts, too.
//
// A webhook's token travels in the fields; it may have 40 characters. Events of an OAuth
// application flow when its installation is finished. In EventModeWebhook, builds of May 2026
// brought events to OAuth applications only (livecheck: v2-posts).
//
// Repeatable. REST method: imbot.v2.Bot.register. Errors: [ErrBotTokenNotSpecified],
// [ErrBotCodeRequired], [ErrBotPropertiesRequired], [ErrBotCodeAlreadyTaken], [ErrBotInvalidType],
// [ErrBotInvalidEventMode], [ErrBotWebhookURLRequired], [ErrBotInvalidCallback],
// [ErrBotLimitExceeded], [ErrBotAvatarIncorrectType], [ErrBotAvatarIncorrectSize],
// [ErrBotTokenInvalidLength], [ErrBotRegisterFailed].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/bots/bot-register.html
func (s *BotService) Register(ctx context.Context, req BotRegisterRequest) (BotResult, error) {
	return imbot.Do(ctx, s.client.base, req)
}

// Update changes a bot. Its type and code stay. A refused URL leaves the other changes stored.
//
// Repeatable, unless the token changes. REST method: imbot.v2.Bot.update. Errors:
// [ErrBotTokenNotSpecified], [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership],
// [ErrBotInvalidEventMode], [ErrBotInvalidCallback], [ErrBotAvatarIncorrectType],
// [ErrBotAvatarIncorrectSize], [ErrBotTokenRotationFailed].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/bots/bot-update.html
func (s *BotService) Update(ctx context.Context, req BotUpdateRequest) (BotResult, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// Get returns a bot, also one of others. Only its owner gets the event mode and the counters.
//
// Repeatable. REST method: imbot.v2.Bot.get. Errors: [ErrBotTokenNotSpecified],
// [ErrParamsRequired], [ErrBotNotFound].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/bots/bot-get.html
func (s *BotService) Get(ctx context.Context, req BotGetRequest) (BotResult, error) {
	if req.Code == "" {
		req.BotID = (*service)(s).bot(req.BotID)
	}
	return imbot.Do(ctx, s.client.base, req)
}

// List returns a page of the bots of this owner.
//
// Repeatable. REST method: imbot.v2.Bot.list. Errors: [ErrBotTokenNotSpecified].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/bots/bot-list.html
func (s *BotService) List(ctx context.Context, req BotListRequest) (BotListResult, error) {
	return imbot.Do(ctx, s.client.base, req)
}

// All returns the bots of all pages from req on, one by one. It ends at an empty page, or with
// an error.
func (s *BotService) All(ctx context.Context, req BotListRequest) iter.Seq2[BotResult, error] {
	return func(yield func(BotResult, error) bool) {
		for {
			page, err := s.List(ctx, req)
			if err != nil {
				yield(BotResult{}, err)
				return
			}
			users := make(map[imbot.ID]User, len(page.Users))
			for _, u := range page.Users {
				users[u.ID] = u
			}
			for _, b := range page.Bots {
				if !yield(BotResult{b, users[b.ID]}, nil) {
					return
				}
			}
			if len(page.Bots) == 0 || !page.HasNextPage {
				return
			}
			req.Offset += len(page.Bots)
		}
	}
}

// Unregister removes a bot with its commands and its queue. In EventModeWebhook its last event
// is ONIMBOTV2DELETE; a bot that fetches cannot ask any more.
//
// Repeatable. REST method: imbot.v2.Bot.unregister. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrBotUnregisterFailed].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/bots/bot-unregister.html
func (s *BotService) Unregister(ctx context.Context, req BotUnregisterRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

func (p BotProperties) check() error {
	switch {
	case bytes.HasPrefix(p.Avatar, []byte("data:")):
		return refuse(ErrBotAvatarIncorrectType, "properties.avatar is a data URL: it has to be the picture's own bytes")
	case p.Color != "" && p.Color.Hex() == "":
		return refuse("", "properties.color %.20q is not one of imbot.Colors()", string(p.Color))
	}
	return nil
}

func checkBackground(b Background) error {
	switch b {
	case "", BackgroundAzure, BackgroundMint, BackgroundSteel, BackgroundSlate, BackgroundTeal, BackgroundCornflower, BackgroundSky, BackgroundPeach, BackgroundFrost:
		return nil
	}
	return refuse("", "backgroundId %.20q is not known to the portal", string(b))
}

// checkURL refuses a handler URL that the portal cannot call.
func checkURL(raw string) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return refuse(ErrBotInvalidCallback, "webhookUrl is not an absolute URL")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !rest.IsLoopback(u.Hostname())) {
		return refuse(ErrBotInvalidCallback, "webhookUrl must be https (plain http only for a loopback address)")
	}
	return nil
}
