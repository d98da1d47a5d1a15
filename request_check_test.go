package imbot_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// refusal is a call that must not leave the process.
type refusal struct {
	name    string
	attempt attempt
	field   string          // named in the error
	code    imbot.ErrorCode // the portal's own for this mistake, if it has one
}

func testRefused(t *testing.T, tests []refusal) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, sent := mockClient(t, tt.attempt.method, 200, `{"result":true}`)
			_, err := tt.attempt.do(t.Context(), client)
			require.Empty(t, sent(), "it was sent")
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.ErrorIs(t, err, imbot.ErrInvalid)
			require.Equal(t, tt.code, e.Code)
			if tt.code != "" {
				require.ErrorIs(t, err, tt.code)
			}
			require.Zero(t, e.StatusCode)
			require.Zero(t, e.Attempts)
			require.Equal(t, tt.attempt.method, e.Method)
			require.Contains(t, err.Error(), tt.attempt.method)
			require.Contains(t, err.Error(), tt.field)
			require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
			require.Less(t, len(err.Error()), 300, "the error repeats what was refused")
		})
	}
}

func cyrillic(characters int) string { return strings.Repeat("я", characters) }

const notUTF8 = "caf\xe9"

func TestRefusedBots(t *testing.T) {
	register := func(change func(*imbot.BotRegisterRequest)) attempt {
		r := imbot.BotRegisterRequest{Code: "newbot", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "NewBot"}}
		change(&r)
		return try(r)
	}
	update := func(f imbot.BotUpdateFields) attempt { return try(imbot.BotUpdateRequest{BotID: 39, Fields: f}) }
	properties := func(p imbot.BotPropertiesUpdate) attempt { return update(imbot.BotUpdateFields{Properties: &p}) }
	tests := []refusal{
		{"a code of 51 characters at registration", register(func(r *imbot.BotRegisterRequest) { r.Code = cyrillic(51) }), "CODE", ""},
		{"a code that is not UTF-8 at registration", register(func(r *imbot.BotRegisterRequest) { r.Code = notUTF8 }), "CODE", ""},
		{"an unknown type", register(func(r *imbot.BotRegisterRequest) { r.Type = "X" }), "TYPE", ""},
		{"a type in lower case", register(func(r *imbot.BotRegisterRequest) { r.Type = "b" }), "TYPE", ""},
		{"an open line flag that is neither Yes nor No", register(func(r *imbot.BotRegisterRequest) { r.OpenLine = "true" }), "OPENLINE", ""},
		{"an unknown colour at registration", register(func(r *imbot.BotRegisterRequest) { r.Properties.Color = "TEAL" }), "COLOR", imbot.ErrWrongColor},
		{"an unknown gender at registration", register(func(r *imbot.BotRegisterRequest) { r.Properties.PersonalGender = "X" }), "PERSONAL_GENDER", ""},
		{"a name that is not UTF-8", register(func(r *imbot.BotRegisterRequest) { r.Properties.Name = notUTF8 }), "NAME", ""},
		{"a birthday that is not UTF-8", register(func(r *imbot.BotRegisterRequest) { r.Properties.PersonalBirthday = notUTF8 }), "PERSONAL_BIRTHDAY", ""},
		{"a handler that is not UTF-8", register(func(r *imbot.BotRegisterRequest) { r.EventHandler = notUTF8 }), "EVENT_HANDLER", ""},
		{"a single handler that is not UTF-8", update(imbot.BotUpdateFields{EventBotDelete: notUTF8}), "EVENT_", ""},
		{"a code of 51 characters in an update", update(imbot.BotUpdateFields{Code: cyrillic(51)}), "CODE", ""},
		{"an unknown colour in an update", properties(imbot.BotPropertiesUpdate{Color: "mint"}), "COLOR", imbot.ErrWrongColor},
		{"an unknown gender in an update", properties(imbot.BotPropertiesUpdate{PersonalGender: ptr(imbot.Gender("m"))}), "PERSONAL_GENDER", ""},
		{"a position that is not UTF-8", properties(imbot.BotPropertiesUpdate{WorkPosition: ptr(notUTF8)}), "WORK_POSITION", ""},
		{"a birthday that is not UTF-8 in an update", properties(imbot.BotPropertiesUpdate{PersonalBirthday: ptr(notUTF8)}), "PERSONAL_BIRTHDAY", ""},
		{"an update without any field", update(imbot.BotUpdateFields{}), "FIELDS", imbot.ErrWrongRequest},
		{"an update of the picture alone, which is never applied", properties(imbot.BotPropertiesUpdate{PersonalPhoto: []byte("png")}), "FIELDS", imbot.ErrWrongRequest},
		{"a birthday that is no date", register(func(r *imbot.BotRegisterRequest) { r.Properties.PersonalBirthday = "1.2.2003" }), "PERSONAL_BIRTHDAY", ""},
		{"a birthday that is no date in an update", properties(imbot.BotPropertiesUpdate{PersonalBirthday: ptr("2003-02-30")}), "PERSONAL_BIRTHDAY", ""},
		{"a handler with a fragment", register(func(r *imbot.BotRegisterRequest) { r.EventHandler = "https://bot.example.com/#x" }), "handler URL", ""},
		{"an update with empty properties only", properties(imbot.BotPropertiesUpdate{}), "FIELDS", imbot.ErrWrongRequest},
		{"an update with an empty picture only", properties(imbot.BotPropertiesUpdate{PersonalPhoto: []byte{}}), "FIELDS", imbot.ErrWrongRequest},
	}
	const one, all = "https://bot.example.com/one", "https://bot.example.com/all"
	for field, single := range map[string]struct {
		register func(*imbot.BotRegisterRequest)
		update   imbot.BotUpdateFields
	}{
		"EVENT_MESSAGE_ADD":     {func(r *imbot.BotRegisterRequest) { r.EventMessageAdd = one }, imbot.BotUpdateFields{EventHandler: all, EventMessageAdd: one}},
		"EVENT_MESSAGE_UPDATE":  {func(r *imbot.BotRegisterRequest) { r.EventMessageUpdate = one }, imbot.BotUpdateFields{EventHandler: all, EventMessageUpdate: one}},
		"EVENT_MESSAGE_DELETE":  {func(r *imbot.BotRegisterRequest) { r.EventMessageDelete = one }, imbot.BotUpdateFields{EventHandler: all, EventMessageDelete: one}},
		"EVENT_WELCOME_MESSAGE": {func(r *imbot.BotRegisterRequest) { r.EventWelcomeMessage = one }, imbot.BotUpdateFields{EventHandler: all, EventWelcomeMessage: one}},
		"EVENT_BOT_DELETE":      {func(r *imbot.BotRegisterRequest) { r.EventBotDelete = one }, imbot.BotUpdateFields{EventHandler: all, EventBotDelete: one}},
	} {
		tests = append(tests,
			refusal{"one handler for all beside " + field + " at registration", register(single.register), "EVENT_HANDLER", ""},
			refusal{"one handler for all beside " + field + " in an update", update(single.update), "EVENT_HANDLER", ""})
	}
	testRefused(t, tests)
}

func TestRefusedChats(t *testing.T) {
	testRefused(t, []refusal{
		{"an unknown type of chat", try(imbot.ChatAddRequest{Type: "open"}), "TYPE", ""},
		{"a title of 256 characters for a new chat", try(imbot.ChatAddRequest{Title: cyrillic(256)}), "TITLE", ""},
		{"an unknown colour for a new chat", try(imbot.ChatAddRequest{Color: "ORANGE"}), "COLOR", imbot.ErrWrongColor},
		{"a first message of 20,001 characters", try(imbot.ChatAddRequest{Message: cyrillic(20001)}), "MESSAGE", ""},
		{"a description that is not UTF-8", try(imbot.ChatAddRequest{Description: notUTF8}), "DESCRIPTION", ""},
		{"a tag that is not UTF-8 for a new chat", try(imbot.ChatAddRequest{EntityID: notUTF8}), "ENTITY_ID", ""},
		{"a tag that is not UTF-8 in a search", try(imbot.ChatGetRequest{EntityType: "CHAT", EntityID: notUTF8}), "ENTITY_ID", ""},
		{"a dialog that is not UTF-8 to type in", try(imbot.ChatSendTypingRequest{DialogID: notUTF8}), "DIALOG_ID", ""},
		{"a dialog that is not UTF-8 to describe", try(imbot.ChatGetDialogRequest{DialogID: notUTF8}), "DIALOG_ID", ""},
		{"a manager flag that is neither Yes nor No", try(imbot.ChatSetManagerRequest{ChatID: 5, UserID: 2, IsManager: "false"}), "IS_MANAGER", ""},
		{"a history flag that is neither Yes nor No", try(imbot.ChatAddUsersRequest{ChatID: 5, Users: []imbot.ID{2}, HideHistory: "0"}), "HIDE_HISTORY", ""},
		{"a new title of 256 characters", try(imbot.ChatUpdateTitleRequest{ChatID: 5, Title: cyrillic(256)}), "TITLE", ""},
		{"a new title that is not UTF-8", try(imbot.ChatUpdateTitleRequest{ChatID: 5, Title: notUTF8}), "TITLE", ""},
		{"an unknown new colour", try(imbot.ChatUpdateColorRequest{ChatID: 5, Color: "light_blue"}), "COLOR", imbot.ErrWrongColor},
	})
}

func TestRefusedMessages(t *testing.T) {
	testRefused(t, []refusal{
		{"a text of 20,001 characters", try(imbot.MessageAddRequest{DialogID: "27", Message: cyrillic(20001)}), "MESSAGE", ""},
		{"a text that is not UTF-8", try(imbot.MessageAddRequest{DialogID: "27", Message: notUTF8}), "MESSAGE", ""},
		{"a dialog that is not UTF-8", try(imbot.MessageAddRequest{DialogID: notUTF8, Message: "x"}), "DIALOG_ID", ""},
		{"a system flag that is neither Yes nor No", try(imbot.MessageAddRequest{DialogID: "27", Message: "x", System: "y"}), "SYSTEM", ""},
		{"a preview flag that is neither Yes nor No", try(imbot.MessageAddRequest{DialogID: "27", Message: "x", URLPreview: "1"}), "URL_PREVIEW", ""},
		{"a connector flag that is neither Yes nor No", try(imbot.MessageAddRequest{DialogID: "27", Message: "x", SkipConnector: "N "}), "SKIP_CONNECTOR", ""},
	})
}

func TestRefusedApps(t *testing.T) {
	const frame = "https://bot.example.com/frame"
	hex31 := strings.Repeat("a", 31)
	command := func(method imbot.AppJSMethod, param string) imbot.AppUpdateFields {
		return imbot.AppUpdateFields{JSMethod: method, JSParam: param}
	}
	lang := func(language, title string) imbot.AppUpdateFields {
		return imbot.AppUpdateFields{Context: imbot.AppContextAll, Lang: []imbot.AppLang{{LanguageID: "en", Title: "Button"}, {LanguageID: language, Title: title}}}
	}
	// Registration and update refuse the same.
	both := []struct {
		name   string
		fields imbot.AppUpdateFields
		field  string
		code   imbot.ErrorCode
	}{
		{"a command and an iframe together", imbot.AppUpdateFields{JSMethod: imbot.AppJSMethodSend, JSParam: "/help", IFrame: frame, Hash: "x"}, "IFRAME", imbot.ErrParams},
		{"an unknown JS method", command("send", "/help"), "JS_METHOD", ""},
		{"a command of one character to send", command(imbot.AppJSMethodSend, "/x"), "JS_PARAM", imbot.ErrParams},
		{"a command of one character to put", command(imbot.AppJSMethodPut, "/x"), "JS_PARAM", imbot.ErrParams},
		{"a command of nothing but a slash", command(imbot.AppJSMethodSend, "/"), "JS_PARAM", imbot.ErrParams},
		{"a command without a slash", command(imbot.AppJSMethodSend, "help"), "JS_PARAM", imbot.ErrParams},
		{"a command with a blank at its end", command(imbot.AppJSMethodSend, "/ab "), "JS_PARAM", imbot.ErrParams},
		{"a command with a line break at its end", command(imbot.AppJSMethodSend, "/ab\n"), "JS_PARAM", imbot.ErrParams},
		{"a command with a blank after the slash", command(imbot.AppJSMethodSend, "/ ab"), "JS_PARAM", imbot.ErrParams},
		{"a command with two blanks in a row", command(imbot.AppJSMethodSend, "/a  b"), "JS_PARAM", imbot.ErrParams},
		{"a command in upper case", command(imbot.AppJSMethodSend, "/HELP"), "JS_PARAM", imbot.ErrParams},
		{"a command in Cyrillic", command(imbot.AppJSMethodPut, "/помощь"), "JS_PARAM", imbot.ErrParams},
		{"a command with a full stop", command(imbot.AppJSMethodPut, "/a.b"), "JS_PARAM", imbot.ErrParams},
		{"an open line of 31 digits", command(imbot.AppJSMethodSupport, hex31), "JS_PARAM", imbot.ErrParams},
		{"an open line of 33 digits", command(imbot.AppJSMethodSupport, hex31+"aa"), "JS_PARAM", imbot.ErrParams},
		{"an open line with a digit that is not hexadecimal", command(imbot.AppJSMethodSupport, hex31+"g"), "JS_PARAM", imbot.ErrParams},
		{"a phone number that is not UTF-8", command(imbot.AppJSMethodCall, notUTF8), "JS_PARAM", ""},
		{"an iframe address of 256 characters", imbot.AppUpdateFields{IFrame: frame + strings.Repeat("x", 256-len(frame)), Hash: "x"}, "IFRAME", ""},
		{"an iframe of 249 pixels in width", imbot.AppUpdateFields{IFrame: frame, Hash: "x", IFrameWidth: 249}, "IFRAME_WIDTH", ""},
		{"an iframe of 49 pixels in height", imbot.AppUpdateFields{IFrame: frame, Hash: "x", IFrameHeight: 49}, "IFRAME_HEIGHT", ""},
		{"an iframe of negative size", imbot.AppUpdateFields{IFrame: frame, Hash: "x", IFrameWidth: -1}, "IFRAME_WIDTH", ""},
		{"a hash of 33 characters", imbot.AppUpdateFields{IFrame: frame, Hash: hex31 + "aa"}, "HASH", ""},
		{"a popup flag that is neither Yes nor No", imbot.AppUpdateFields{IFrame: frame, Hash: "x", IFramePopup: "yes"}, "IFRAME_POPUP", ""},
		{"an unknown context", imbot.AppUpdateFields{Context: "EVERYWHERE"}, "CONTEXT", ""},
		{"a context in lower case", imbot.AppUpdateFields{Context: "all"}, "CONTEXT", ""},
		{"no context but administrators only", imbot.AppUpdateFields{Context: "-admin"}, "CONTEXT", ""},
		{"a context that is for administrators twice", imbot.AppUpdateFields{Context: "ALL-admin-admin"}, "CONTEXT", ""},
		{"a hidden flag that is neither Yes nor No", imbot.AppUpdateFields{Hidden: "1"}, "HIDDEN", ""},
		{"an extranet flag that is neither Yes nor No", imbot.AppUpdateFields{ExtranetSupport: "1"}, "EXTRANET_SUPPORT", ""},
		{"a live chat flag that is neither Yes nor No", imbot.AppUpdateFields{LivechatSupport: "1"}, "LIVECHAT_SUPPORT", ""},
		{"a title without a language", lang("", "Button"), "LANGUAGE_ID", imbot.ErrLang},
		{"a language of three letters", lang("deu", "Knopf"), "LANGUAGE_ID", imbot.ErrLang},
		{"a language of one letter", lang("d", "Knopf"), "LANGUAGE_ID", imbot.ErrLang},
		{"a language of two digits", lang("12", "Knopf"), "LANGUAGE_ID", imbot.ErrLang},
		{"a language of a letter and a digit", lang("d1", "Knopf"), "LANGUAGE_ID", imbot.ErrLang},
		{"a language of one letter in two bytes", lang("я", "Knopf"), "LANGUAGE_ID", imbot.ErrLang},
		{"a language without a title", lang("de", ""), "TITLE", imbot.ErrLang},
		{"a title that is not UTF-8", lang("de", notUTF8), "TITLE", ""},
	}
	var tests []refusal
	for _, b := range both {
		f := b.fields
		tests = append(tests,
			refusal{b.name + " at registration", try(imbot.AppRegisterRequest{
				BotID: 39, Code: "echo", JSMethod: f.JSMethod, JSParam: f.JSParam, IFrame: f.IFrame, IFrameWidth: f.IFrameWidth, IFrameHeight: f.IFrameHeight,
				IFramePopup: f.IFramePopup, Hash: f.Hash, Context: f.Context, Hidden: f.Hidden, ExtranetSupport: f.ExtranetSupport, LivechatSupport: f.LivechatSupport, Lang: f.Lang,
			}), b.field, b.code},
			refusal{b.name + " in an update", try(imbot.AppUpdateRequest{AppID: 13, Fields: f}), b.field, b.code})
	}
	tests = append(tests,
		refusal{"a code that is not UTF-8", try(imbot.AppRegisterRequest{Code: notUTF8}), "CODE", ""},
		refusal{"an update without any field", try(imbot.AppUpdateRequest{AppID: 13}), "FIELDS", ""},
		refusal{"an update of the icon alone, which is never applied", try(imbot.AppUpdateRequest{AppID: 13, Fields: imbot.AppUpdateFields{IconFile: []byte("png")}}), "FIELDS", ""},
		refusal{"an update with an empty icon and list of titles only", try(imbot.AppUpdateRequest{AppID: 13, Fields: imbot.AppUpdateFields{IconFile: []byte{}, Lang: []imbot.AppLang{}}}), "FIELDS", ""},
		refusal{"an update of the JS method alone", try(imbot.AppUpdateRequest{AppID: 13, Fields: imbot.AppUpdateFields{JSMethod: imbot.AppJSMethodSend}}), "JS_PARAM", imbot.ErrParams},
		refusal{"an update of the command alone", try(imbot.AppUpdateRequest{AppID: 13, Fields: imbot.AppUpdateFields{JSParam: "/help"}}), "JS_METHOD", imbot.ErrParams},
	)
	testRefused(t, tests)
}

// TestNotRefused holds the other side of each limit, and what the portal
// reports itself.
func TestNotRefused(t *testing.T) {
	app := func(f imbot.AppUpdateFields) attempt { return try(imbot.AppUpdateRequest{AppID: 13, Fields: f}) }
	command := func(method imbot.AppJSMethod, param string) attempt {
		return app(imbot.AppUpdateFields{JSMethod: method, JSParam: param})
	}
	const frame = "https://bot.example.com/frame"
	tests := []struct {
		name    string
		attempt attempt
	}{
		{"a text of 20,000 characters", try(imbot.MessageAddRequest{DialogID: "27", Message: cyrillic(20000)})},
		{"a first message of 20,000 characters", try(imbot.ChatAddRequest{Message: cyrillic(20000)})},
		{"a code of 50 characters", try(imbot.BotRegisterRequest{Code: cyrillic(50)})},
		{"a code of 50 characters in an update", try(imbot.BotUpdateRequest{Fields: imbot.BotUpdateFields{Code: cyrillic(50)}})},
		{"a title of 255 characters", try(imbot.ChatAddRequest{Title: cyrillic(255)})},
		{"a new title of 255 characters", try(imbot.ChatUpdateTitleRequest{Title: cyrillic(255)})},
		{"the smallest iframe", app(imbot.AppUpdateFields{IFrame: frame, IFrameWidth: 250, IFrameHeight: 50})},
		{"an iframe address of 255 characters", app(imbot.AppUpdateFields{IFrame: frame + strings.Repeat("x", 255-len(frame))})},
		{"a hash of 32 characters", app(imbot.AppUpdateFields{IFrame: frame, Hash: strings.Repeat("a", 32)})},
		{"a command of two characters", command(imbot.AppJSMethodSend, "/ab")},
		{"a command of two words of one character", command(imbot.AppJSMethodPut, "/a b")},
		{"a command of every allowed character", command(imbot.AppJSMethodPut, "/az09-+_/ do it")},
		{"an open line of 32 digits", command(imbot.AppJSMethodSupport, strings.Repeat("aB", 16))},
		{"a phone number", command(imbot.AppJSMethodCall, "+1 (555) 010-9999")},
		{"a context for administrators", app(imbot.AppUpdateFields{Context: imbot.AppContextLines.AdminOnly()})},
		{"what the portal reports: a registration of nothing", try(imbot.BotRegisterRequest{})},
		{"what the portal reports: an application of nothing", try(imbot.AppRegisterRequest{})},
		{"what the portal reports: an empty message", try(imbot.MessageAddRequest{})},
		{"what the portal reports: no colour", try(imbot.ChatUpdateColorRequest{ChatID: 5})},
		{"what the portal reports: an iframe over http", try(imbot.AppRegisterRequest{IFrame: "http://bot.example.com", Hash: "x"})},
		{"what the portal reports: an iframe without a hash", try(imbot.AppRegisterRequest{IFrame: frame})},
	}
	for _, c := range imbot.Colors() {
		tests = append(tests, struct {
			name    string
			attempt attempt
		}{"the colour " + string(c), try(imbot.ChatUpdateColorRequest{Color: c})})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, sent := mockClient(t, tt.attempt.method, 200, `{"result":true}`)
			_, err := tt.attempt.do(t.Context(), client)
			require.False(t, errors.Is(err, imbot.ErrInvalid), "%v", err)
			require.NotEmpty(t, sent())
		})
	}
}
