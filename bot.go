package imbot

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/imbot-go/imbot/internal/phpform"
)

// BotService groups the methods that manage bots.
//
// Each method can also fail with [ErrAccessDenied] (a webhook call without a
// client id, or no rights) and with the system's codes.
type BotService service

// BotRegisterRequest are the parameters of imbot.register.
//
// EventHandler is one URL for every event; it cannot be combined with the
// single Event… URLs, which the portal would overwrite with it. Without it
// EventMessageAdd, EventWelcomeMessage and EventBotDelete are required. A
// handler URL is http or https with a dot in its host name (127.0.0.1 passes,
// localhost does not), and the vendor's event servers must be able to reach it;
// the portal does not test that.
type BotRegisterRequest struct {
	Returns[ID]
	Code                string        `json:"CODE,omitempty"`                  // unique in the account among REST bots; at most 50 characters
	Type                BotType       `json:"TYPE,omitempty"`                  // default BotTypeBot; never changes later
	OpenLine            Flag          `json:"OPENLINE,omitempty"`              // default No; Yes for BotTypeOpenLine
	EventHandler        string        `json:"EVENT_HANDLER,omitempty"`         // every event
	EventMessageAdd     string        `json:"EVENT_MESSAGE_ADD,omitempty"`     // ONIMBOTMESSAGEADD
	EventMessageUpdate  string        `json:"EVENT_MESSAGE_UPDATE,omitempty"`  // ONIMBOTMESSAGEUPDATE
	EventMessageDelete  string        `json:"EVENT_MESSAGE_DELETE,omitempty"`  // ONIMBOTMESSAGEDELETE
	EventWelcomeMessage string        `json:"EVENT_WELCOME_MESSAGE,omitempty"` // ONIMBOTJOINCHAT
	EventBotDelete      string        `json:"EVENT_BOT_DELETE,omitempty"`      // ONIMBOTDELETE
	Properties          BotProperties `json:"PROPERTIES"`
}

// BotProperties is the profile of a new bot. Name or LastName is required.
type BotProperties struct {
	Name             string `json:"NAME,omitempty"`
	LastName         string `json:"LAST_NAME,omitempty"`
	Color            Color  `json:"COLOR,omitempty"`             // in the mobile application
	Email            string `json:"EMAIL,omitempty"`             // not that of a real user
	PersonalBirthday string `json:"PERSONAL_BIRTHDAY,omitempty"` // YYYY-MM-DD; anything else is refused, because the portal answers it like a failure of its own
	WorkPosition     string `json:"WORK_POSITION,omitempty"`     // shown as the description; the portal has a default text
	PersonalWWW      string `json:"PERSONAL_WWW,omitempty"`
	PersonalGender   Gender `json:"PERSONAL_GENDER,omitempty"`
	PersonalPhoto    []byte `json:"PERSONAL_PHOTO,omitempty"` // an image of at most 5000×5000 pixels; anything else is dropped without an error
}

// Method returns the name of the REST method.
func (BotRegisterRequest) Method() string { return "imbot.register" }

// Repeatable is true: a repeat returns the same id.
func (BotRegisterRequest) Repeatable() bool { return true }

// Check refuses what the portal would lose without a word.
func (r BotRegisterRequest) Check() error {
	p := r.Properties
	return checkAll(
		checkText("CODE", r.Code, maxBotCode),
		checkOneOf("TYPE", r.Type, BotTypeBot, BotTypeHuman, BotTypeOpenLine, BotTypeSupervisor),
		checkFlag("OPENLINE", r.OpenLine),
		checkHandlers(r.EventHandler, r.EventMessageAdd, r.EventMessageUpdate, r.EventMessageDelete, r.EventWelcomeMessage, r.EventBotDelete),
		checkColor(p.Color),
		checkOneOf("PERSONAL_GENDER", p.PersonalGender, GenderMale, GenderFemale),
		checkBirthday(p.PersonalBirthday),
		checkTexts("NAME", p.Name, "LAST_NAME", p.LastName, "WORK_POSITION", p.WorkPosition, "EMAIL", p.Email, "PERSONAL_WWW", p.PersonalWWW),
	)
}

// BotUpdateRequest are the parameters of imbot.update.
type BotUpdateRequest struct {
	Returns[OK]
	BotID  ID              `json:"BOT_ID,omitempty"`
	Fields BotUpdateFields `json:"FIELDS"`
}

// BotUpdateFields are what imbot.update changes; zero fields are left as they
// are. At least one is needed. For the handler URLs see [BotRegisterRequest].
type BotUpdateFields struct {
	Code                string               `json:"CODE,omitempty"` // at most 50 characters
	EventHandler        string               `json:"EVENT_HANDLER,omitempty"`
	EventMessageAdd     string               `json:"EVENT_MESSAGE_ADD,omitempty"`
	EventMessageUpdate  string               `json:"EVENT_MESSAGE_UPDATE,omitempty"`
	EventMessageDelete  string               `json:"EVENT_MESSAGE_DELETE,omitempty"`
	EventWelcomeMessage string               `json:"EVENT_WELCOME_MESSAGE,omitempty"`
	EventBotDelete      string               `json:"EVENT_BOT_DELETE,omitempty"`
	Properties          *BotPropertiesUpdate `json:"PROPERTIES,omitempty"`
}

// BotPropertiesUpdate changes a profile: nil leaves a field as it is, an empty
// text clears it.
type BotPropertiesUpdate struct {
	Name             *string `json:"NAME,omitempty"` // the portal ignores an empty one
	LastName         *string `json:"LAST_NAME,omitempty"`
	Color            Color   `json:"COLOR,omitempty"` // ignored by builds up to 2025
	Email            *string `json:"EMAIL,omitempty"` // a taken address is ignored without an error
	PersonalBirthday *string `json:"PERSONAL_BIRTHDAY,omitempty"`
	WorkPosition     *string `json:"WORK_POSITION,omitempty"` // empty: the portal's default text
	PersonalWWW      *string `json:"PERSONAL_WWW,omitempty"`
	PersonalGender   *Gender `json:"PERSONAL_GENDER,omitempty"`
	PersonalPhoto    []byte  `json:"PERSONAL_PHOTO,omitempty"` // accepted, but the portal never applies it
}

// Method returns the name of the REST method.
func (BotUpdateRequest) Method() string { return "imbot.update" }

// Repeatable is true.
func (BotUpdateRequest) Repeatable() bool { return true }

func (r BotUpdateRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r BotUpdateRequest) Check() error {
	f := r.Fields
	var p BotPropertiesUpdate
	if f.Properties != nil {
		p = *f.Properties
	}
	f.Properties = nil
	if f == (BotUpdateFields{}) && p.empty() {
		return invalid(ErrWrongRequest, "FIELDS is empty")
	}
	var gender Gender
	if p.PersonalGender != nil {
		gender = *p.PersonalGender
	}
	return checkAll(
		checkText("CODE", f.Code, maxBotCode),
		checkHandlers(f.EventHandler, f.EventMessageAdd, f.EventMessageUpdate, f.EventMessageDelete, f.EventWelcomeMessage, f.EventBotDelete),
		checkColor(p.Color),
		checkOneOf("PERSONAL_GENDER", gender, GenderMale, GenderFemale),
		checkBirthday(deref(p.PersonalBirthday)),
		checkTexts("NAME", deref(p.Name), "LAST_NAME", deref(p.LastName), "WORK_POSITION", deref(p.WorkPosition), "EMAIL", deref(p.Email), "PERSONAL_WWW", deref(p.PersonalWWW)),
	)
}

// empty reports whether nothing would change: the portal never applies a photo.
func (p BotPropertiesUpdate) empty() bool {
	return p.Name == nil && p.LastName == nil && p.Color == "" && p.Email == nil && p.PersonalBirthday == nil &&
		p.WorkPosition == nil && p.PersonalWWW == nil && p.PersonalGender == nil
}

// BotUnregisterRequest are the parameters of imbot.unregister.
type BotUnregisterRequest struct {
	Returns[OK]
	BotID ID `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (BotUnregisterRequest) Method() string { return "imbot.unregister" }

func (r BotUnregisterRequest) botID() ID { return r.BotID }

// BotListRequest is imbot.bot.list, which has no parameters.
type BotListRequest struct{ Returns[[]Bot] }

// Method returns the name of the REST method.
func (BotListRequest) Method() string { return "imbot.bot.list" }

// Repeatable is true.
func (BotListRequest) Repeatable() bool { return true }

// Decode reads a map keyed by bot id, which is [] when it is empty. A bot without an
// id has that of its key; one without either is an error.
func (BotListRequest) Decode(result []byte) ([]Bot, error) {
	entries, keys, err := phpform.Keyed[json.RawMessage](result)
	if err != nil {
		return nil, err
	}
	bots := make([]Bot, len(entries))
	for i, entry := range entries {
		if entry[0] != '{' {
			return nil, fmt.Errorf("imbot: %.20s in the list is not a bot", entry)
		}
		b := &bots[i]
		if err := json.Unmarshal(entry, b); err != nil {
			return nil, err
		}
		if b.Name = realName(b.Name); b.ID == 0 && i < len(keys) {
			b.ID = parseID(keys[i])
		}
		if b.ID <= 0 {
			return nil, fmt.Errorf("imbot: the bot with the code %.50q in the list has no id", b.Code)
		}
	}
	return bots, nil
}

// Bot is one entry of [BotService.List].
type Bot struct {
	ID       ID     `json:"ID"`
	Name     string `json:"NAME"` // as people read it; the portal sends it escaped for HTML
	Code     string `json:"CODE"`
	OpenLine Flag   `json:"OPENLINE"`
}

// Register registers a bot and returns its id.
//
// A bot with the same code is returned as it is, even when it belongs to
// another application: name, type and photo stay, only the handler URLs are
// bound anew. An application may have at most 5 bots. It has one handler URL
// for each event: the last registration or update wins, for all of its bots.
// The vendor's event servers must be able to reach the handler. EventMessageUpdate
// and EventMessageDelete were dropped for ordinary bots by builds before April 2026.
//
// Repeatable. REST method: imbot.register. Errors: [ErrEventMessageAdd],
// [ErrEventMessageUpdate], [ErrEventMessageDelete], [ErrEventContextGet],
// [ErrEventWelcomeMessage], [ErrEventBotDelete], [ErrCode], [ErrMaxCount],
// [ErrName], [ErrWrongRequest], [ErrWrongAuthType].
// Page: api-reference/chat-bots/outdated/bots/imbot-register.html
func (s *BotService) Register(ctx context.Context, req BotRegisterRequest) (ID, error) {
	return Do(ctx, s.client, req)
}

// Update changes the profile, code or handler URLs of a bot of this application.
//
// The handler URLs are those of the whole application, as in
// [BotService.Register]. The type never changes. The portal answers true also
// when it did not change anything: a photo is never applied, and a refused
// change of the profile (an e-mail address that is taken) is ignored.
//
// Repeatable. REST method: imbot.update. Errors: [ErrBotID], [ErrAppID],
// [ErrFetchNotSupported], [ErrEventMessageAdd], [ErrEventMessageUpdate],
// [ErrEventMessageDelete], [ErrEventContextGet], [ErrEventWelcomeMessage],
// [ErrEventBotDelete], [ErrName], [ErrWrongRequest], [ErrWrongAuthType].
// Page: api-reference/chat-bots/outdated/bots/imbot-update.html
func (s *BotService) Update(ctx context.Context, req BotUpdateRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// Unregister deletes a bot of this application with its commands and chat
// applications; the bot gets ONIMBOTDELETE.
//
// REST method: imbot.unregister. Errors: [ErrBotID], [ErrAppID],
// [ErrWrongRequest], [ErrWrongAuthType].
// Page: api-reference/chat-bots/outdated/bots/imbot-unregister.html
func (s *BotService) Unregister(ctx context.Context, req BotUnregisterRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// List returns all bots of the account, those of other applications and the
// built-in ones included; nothing tells whose they are. The order is that of
// the portal.
//
// Repeatable. REST method: imbot.bot.list. Errors: [ErrWrongAuthType].
// Page: api-reference/chat-bots/outdated/bots/imbot-bot-list.html
func (s *BotService) List(ctx context.Context, req BotListRequest) ([]Bot, error) {
	return Do(ctx, s.client, req)
}

// maxBotCode is the width of the portal's column; a longer code is cut.
const maxBotCode = 50

// checkHandlers refuses single URLs beside the one for all, which wins.
func checkHandlers(all string, single ...string) error {
	for _, s := range single {
		if all != "" && s != "" {
			return invalid("", "EVENT_HANDLER overwrites the single EVENT_… URLs: set it or them")
		}
		if e := checkText("EVENT_… URL", s, 0); e != nil {
			return e
		}
	}
	for _, s := range append(single, all) {
		if strings.Contains(s, "#") { // the portal appends CLIENT_ID behind it
			return invalid("", "a handler URL has a fragment, so CLIENT_ID would never arrive")
		}
	}
	return checkText("EVENT_HANDLER", all, 0)
}

// checkBirthday refuses what the portal answers with the code of a failure of
// its own, after which nobody can tell what happened.
func checkBirthday(s string) error {
	if _, err := time.Parse(time.DateOnly, s); s != "" && err != nil {
		return invalid("", "PERSONAL_BIRTHDAY is not a date like 2006-01-02")
	}
	return nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
