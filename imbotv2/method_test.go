package imbotv2

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// documented answers each method with its documented body, and keeps what was sent.
type documented struct {
	mu   sync.Mutex
	sent []string
	body func(method string) string // nil: the documented one
}

func (d *documented) RoundTrip(r *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.sent = append(d.sent, string(data))
	d.mu.Unlock()
	method := path.Base(r.URL.Path)
	var body []byte
	if d.body != nil {
		body = []byte(d.body(method))
	} else if body, err = os.ReadFile("testdata/rest/" + method + ".ok.json"); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(body))), ContentLength: -1,
	}, nil
}

// count is how many requests were sent, also while others send.
func (d *documented) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.sent)
}

func (d *documented) client(t testing.TB) *Client {
	t.Helper()
	c, err := NewClient(imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/s3cr3t/", BotToken: "token"},
		imbot.WithHTTPClient(&http.Client{Transport: d}), imbot.WithLimiter(nil))
	require.NoError(t, err)
	return c
}

const someUUID = "12345678-1234-4123-8123-123456789012"

func TestMethods(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, tt := range map[string]struct {
		call func(c *Client) (any, error)
		sent string
		want func(t *testing.T, result any)
	}{
		"Bot.Register": {
			func(c *Client) (any, error) { return c.Bot.Register(ctx, fullRegister) },
			`{"fields":{"botToken":"token","code":"a","properties":{"name":"A","lastName":"B","workPosition":"C","color":"LIGHT_BLUE","gender":"M","avatar":"cG5n"},
			"type":"bot","eventMode":"webhook","webhookUrl":"https://bot.example.com/","isHidden":"Y","isReactionsEnabled":"N","isSupportOpenline":"Y","backgroundId":"mint"}}`,
			func(t *testing.T, result any) {
				r := result.(BotResult)
				require.Equal(t, "support_bot", r.Bot.Raw.Get("code"))
				r.Bot.Raw = imbot.RawEvent{}
				require.Equal(t, Bot{
					ID: 456, Code: "support_bot", Type: BotTypeBot, IsHidden: imbot.No, IsSupportOpenline: imbot.No, IsReactionsEnabled: imbot.Yes,
					Language: "en", ModuleID: "rest", EventMode: EventModeFetch,
				}, r.Bot)
				require.Equal(t, imbot.ID(456), r.User.ID)
				require.True(t, r.User.Bot.Bool() && r.Bot.Owned())
			},
		},
		"Bot.Update": {
			func(c *Client) (any, error) { return c.Bot.Update(ctx, BotUpdateRequest{IsHidden: imbot.No}) },
			`{"botToken":"token","botId":5,"fields":{"isHidden":"N"}}`,
			func(t *testing.T, result any) { require.Equal(t, 150, result.(BotResult).Bot.CountMessage) },
		},
		"Bot.Get": {
			func(c *Client) (any, error) { return c.Bot.Get(ctx, BotGetRequest{Code: "a"}) },
			`{"botToken":"token","code":"a"}`,
			func(t *testing.T, result any) { require.Equal(t, "support_bot", result.(BotResult).Bot.Code) },
		},
		"Bot.List": {
			func(c *Client) (any, error) {
				return c.Bot.List(ctx, BotListRequest{Type: BotTypeBot, Limit: 10, Offset: 20})
			},
			`{"botToken":"token","filter":{"type":"bot"},"limit":10,"offset":20}`,
			func(t *testing.T, result any) {
				r := result.(BotListResult)
				require.Len(t, r.Bots, 1)
				require.Len(t, r.Users, 1)
				require.False(t, r.HasNextPage)
			},
		},
		"Bot.Unregister": {
			func(c *Client) (any, error) { return nil, c.Bot.Unregister(ctx, BotUnregisterRequest{BotID: 6}) },
			`{"botToken":"token","botId":6}`, nil,
		},
		"Chat.Get": {
			func(c *Client) (any, error) { return c.Chat.Get(ctx, ChatGetRequest{DialogID: "chat5"}) },
			`{"botToken":"token","botId":5,"dialogId":"chat5"}`,
			func(t *testing.T, result any) {
				chat := result.(Chat)
				require.Equal(t, "Support Chat", chat.Name)
				require.Equal(t, RoleOwner, chat.Role)
				require.Equal(t, imbot.Yes, chat.TextFieldEnabled)
				require.Equal(t, 2025, chat.DateCreate.Year())
				require.Zero(t, chat.MarkedID)
			},
		},
		"Chat.Add": {
			func(c *Client) (any, error) {
				r := fullChat
				r.BotID = 0
				return c.Chat.Add(ctx, r)
			},
			`{"botToken":"token","botId":5,"fields":{"type":"open","title":"A","description":"B","color":"LIGHT_BLUE",
			"avatar":"R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=","userIds":[2,3],"ownerId":2,"message":"C"}}`,
			func(t *testing.T, result any) {
				require.Equal(t, imbot.DialogID("chat5"), result.(Chat).DialogID)
				require.EqualValues(t, 456, result.(Chat).Owner)
			},
		},
		"Chat.Add of a chat like any": {
			func(c *Client) (any, error) { return c.Chat.Add(ctx, ChatAddRequest{}) },
			`{"botToken":"token","botId":5,"fields":{}}`, nil,
		},
		"Chat.Update": {
			func(c *Client) (any, error) {
				return nil, c.Chat.Update(ctx, ChatUpdateRequest{DialogID: "chat5", Description: new(string), Color: imbot.ColorDarkBlue})
			},
			`{"botToken":"token","botId":5,"dialogId":"chat5","fields":{"description":"","color":"DARK_BLUE"}}`, nil,
		},
		"Chat.Leave": {
			func(c *Client) (any, error) { return nil, c.Chat.Leave(ctx, ChatLeaveRequest{DialogID: "chat5"}) },
			`{"botToken":"token","botId":5,"dialogId":"chat5"}`, nil,
		},
		"Chat.SetOwner": {
			func(c *Client) (any, error) {
				return nil, c.Chat.SetOwner(ctx, ChatSetOwnerRequest{DialogID: "chat5", UserID: 27})
			},
			`{"botToken":"token","botId":5,"dialogId":"chat5","userId":27}`, nil,
		},
		"Chat.AddUsers": {
			func(c *Client) (any, error) {
				return nil, c.Chat.AddUsers(ctx, ChatAddUsersRequest{DialogID: "chat5", UserIDs: []imbot.ID{27, 28}})
			},
			`{"botToken":"token","botId":5,"dialogId":"chat5","userIds":[27,28]}`, nil,
		},
		"Chat.DeleteUser": {
			func(c *Client) (any, error) {
				return nil, c.Chat.DeleteUser(ctx, ChatDeleteUserRequest{DialogID: "chat5", UserID: 27})
			},
			`{"botToken":"token","botId":5,"dialogId":"chat5","userId":27}`, nil,
		},
		"Chat.ListUsers": {
			func(c *Client) (any, error) {
				return c.Chat.ListUsers(ctx, ChatListUsersRequest{DialogID: "chat5", Limit: 200, OrderBy: ByLastMessage, Descending: true})
			},
			`{"botToken":"token","botId":5,"dialogId":"chat5","order":{"lastSendMessageId":"DESC"},"limit":200}`,
			func(t *testing.T, result any) {
				users := result.([]User)
				require.Len(t, users, 2)
				require.Equal(t, "22-08", users[1].Birthday)
			},
		},
		"Chat.ListUsers in an order": {
			func(c *Client) (any, error) {
				return c.Chat.ListUsers(ctx, ChatListUsersRequest{DialogID: "27", OrderBy: ByID})
			},
			`{"botToken":"token","botId":5,"dialogId":"27","order":{"id":"ASC"}}`, nil,
		},
		"Chat.AddManagers": {
			func(c *Client) (any, error) {
				return nil, c.Chat.AddManagers(ctx, ChatAddManagersRequest{DialogID: "chat5", UserIDs: []imbot.ID{27}})
			},
			`{"botToken":"token","botId":5,"dialogId":"chat5","userIds":[27]}`, nil,
		},
		"Chat.DeleteManagers": {
			func(c *Client) (any, error) {
				return nil, c.Chat.DeleteManagers(ctx, ChatDeleteManagersRequest{DialogID: "chat5", UserIDs: []imbot.ID{27}})
			},
			`{"botToken":"token","botId":5,"dialogId":"chat5","userIds":[27]}`, nil,
		},
		"Chat.SetTextField": {
			func(c *Client) (any, error) {
				return nil, c.Chat.SetTextField(ctx, ChatSetTextFieldRequest{DialogID: "27", Enabled: imbot.No})
			},
			`{"botToken":"token","botId":5,"dialogId":"27","enabled":"N"}`, nil,
		},
		"Message.Get": {
			func(c *Client) (any, error) { return c.Message.Get(ctx, MessageGetRequest{MessageID: 789}) },
			`{"botToken":"token","botId":5,"messageId":789}`,
			func(t *testing.T, result any) {
				require.Equal(t, "Hello! How are you?", result.(MessageResult).Message.Text)
				require.Equal(t, "Test User", result.(MessageResult).User.Name)
			},
		},
		"Message.GetContext": {
			func(c *Client) (any, error) {
				return c.Message.GetContext(ctx, MessageGetContextRequest{MessageID: 789, Range: 10})
			},
			`{"botToken":"token","botId":5,"messageId":789,"range":10}`,
			func(t *testing.T, result any) {
				r := result.(MessageContext)
				require.Equal(t, []imbot.ID{785, 789}, []imbot.ID{r.Messages[0].ID, r.Messages[1].ID})
				require.Len(t, r.Users, 2)
				require.False(t, r.HasPrevPage)
				require.True(t, r.HasNextPage)
			},
		},
		"Message.AddReaction": {
			func(c *Client) (any, error) {
				return nil, c.Message.AddReaction(ctx, MessageAddReactionRequest{MessageID: 2, Reaction: ReactionFaceWithTearsOfJoy})
			},
			`{"botToken":"token","botId":5,"messageId":2,"reaction":"faceWithTearsOfJoy"}`, nil,
		},
		"Message.DeleteReaction": {
			func(c *Client) (any, error) {
				return nil, c.Message.DeleteReaction(ctx, MessageDeleteReactionRequest{MessageID: 2, Reaction: ReactionLike})
			},
			`{"botToken":"token","botId":5,"messageId":2,"reaction":"like"}`, nil,
		},
		"UserEvent.Subscribe": {
			func(c *Client) (any, error) { return nil, c.UserEvent.Subscribe(ctx, UserEventSubscribeRequest{}) }, `{}`, nil,
		},
		"UserEvent.Unsubscribe": {
			func(c *Client) (any, error) { return nil, c.UserEvent.Unsubscribe(ctx, UserEventUnsubscribeRequest{}) }, `{}`, nil,
		},
		"UserEvent.Get": {
			func(c *Client) (any, error) { return c.UserEvent.Get(ctx, UserEventGetRequest{Offset: 7, Limit: 10}) },
			`{"offset":7,"limit":10}`,
			func(t *testing.T, result any) {
				require.Equal(t, int64(2002), result.(EventGetResult).NextOffset)
				require.Equal(t, "ONIMV2MESSAGEADD", result.(EventGetResult).Events[0].Type)
			},
		},
		"UserFile.Upload": {
			func(c *Client) (any, error) {
				return c.UserFile.Upload(ctx, UserFileUploadRequest{DialogID: "chat5", Name: "a.txt", Content: []byte("a"), Message: "b"})
			},
			`{"dialogId":"chat5","fields":{"name":"a.txt","message":"b","content":"YQ=="}}`,
			func(t *testing.T, result any) { require.Equal(t, "report.pdf", result.(FileUploadResult).File.Name) },
		},
		"UserFile.UploadFrom": {
			func(c *Client) (any, error) {
				return c.UserFile.UploadFrom(ctx, strings.NewReader("a"), UserFileUploadRequest{DialogID: "chat5", Name: "a.txt"})
			},
			`{"dialogId":"chat5","fields":{"name":"a.txt","content":"YQ=="}}`, nil,
		},
		"UserFile.Download": {
			func(c *Client) (any, error) {
				return c.UserFile.Download(ctx, UserFileDownloadRequest{DialogID: "chat5", FileID: 7})
			},
			`{"dialogId":"chat5","fileId":7}`,
			func(t *testing.T, result any) {
				require.Contains(t, string(result.(imbot.FileURL)), "/rest/download.json?token=im%7CaW")
			},
		},
		"Chat.NotifyAction": {
			func(c *Client) (any, error) {
				return nil, c.Chat.NotifyAction(ctx, ChatNotifyActionRequest{DialogID: "chat5", Status: ActionSearching, Duration: 1500 * time.Millisecond})
			},
			`{"botToken":"token","botId":5,"dialogId":"chat5","statusMessageCode":"IMBOT_AGENT_ACTION_SEARCHING","duration":2}`, nil,
		},
		"Message.Send": {
			func(c *Client) (any, error) {
				return c.Message.Send(ctx, MessageSendRequest{DialogID: "chat5", Message: "hi", Attach: attach, Keyboard: keyboard, ReplyID: 7, URLPreview: imbot.No, TemplateID: someUUID})
			},
			`{"botToken":"token","botId":5,"dialogId":"chat5","fields":{"message":"hi","attach":{"BLOCKS":[{"MESSAGE":"a"}]},
			"keyboard":{"BOT_ID":5,"BUTTONS":[{"TEXT":"A","COMMAND":"a"}]},"urlPreview":"N","replyId":7,"templateId":"` + someUUID + `"}}`,
			func(t *testing.T, result any) { require.Equal(t, imbot.ID(789), result) },
		},
		"Message.Update": {
			func(c *Client) (any, error) {
				return nil, c.Message.Update(ctx, MessageUpdateRequest{MessageID: 2, Message: &text, Attach: &imbot.Attach{}, Keyboard: &imbot.Keyboard{}})
			},
			`{"botToken":"token","botId":5,"messageId":2,"fields":{"message":"text","attach":"","keyboard":"N"}}`, nil,
		},
		"Message.Update of the parts": {
			func(c *Client) (any, error) {
				return nil, c.Message.Update(ctx, MessageUpdateRequest{MessageID: 2, Attach: attach, Keyboard: keyboard})
			},
			`{"botToken":"token","botId":5,"messageId":2,"fields":{"attach":{"BLOCKS":[{"MESSAGE":"a"}]},"keyboard":{"BOT_ID":5,"BUTTONS":[{"TEXT":"A","COMMAND":"a"}]}}}`, nil,
		},
		"Message.Delete": {
			func(c *Client) (any, error) {
				return nil, c.Message.Delete(ctx, MessageDeleteRequest{MessageID: 2, Complete: imbot.Yes})
			},
			`{"botToken":"token","botId":5,"messageId":2,"complete":"Y"}`, nil,
		},
		"Message.Read": {
			func(c *Client) (any, error) { return c.Message.Read(ctx, MessageReadRequest{DialogID: "27"}) },
			`{"botToken":"token","botId":5,"dialogId":"27"}`,
			func(t *testing.T, result any) {
				require.Equal(t, MessageReadResult{ChatID: 5, LastID: 789, ViewedMessages: []imbot.ID{785, 786, 789}}, result)
			},
		},
		"Command.Register": {
			func(c *Client) (any, error) {
				return c.Command.Register(ctx, CommandRegisterRequest{Command: "/help", Title: map[string]string{"en": "Help"}})
			},
			`{"botToken":"token","botId":5,"fields":{"command":"help","title":{"en":"Help"}}}`,
			func(t *testing.T, result any) {
				c := result.(Command)
				c.Raw = imbot.RawEvent{}
				require.Equal(t, Command{ID: 42, BotID: 456, Command: "/help", Common: imbot.No, Hidden: imbot.No, ExtranetSupport: imbot.No}, c)
			},
		},
		"Command.Update": {
			func(c *Client) (any, error) {
				return c.Command.Update(ctx, CommandUpdateRequest{CommandID: 42, Title: map[string]*string{"en": &text, "de": nil}})
			},
			`{"botToken":"token","botId":5,"commandId":42,"fields":{"title":{"de":null,"en":"text"}}}`,
			func(t *testing.T, result any) { require.Equal(t, imbot.ID(42), result.(Command).ID) },
		},
		"Command.List": {
			func(c *Client) (any, error) { return c.Command.List(ctx, CommandListRequest{}) },
			`{"botToken":"token","botId":5}`,
			func(t *testing.T, result any) { require.Equal(t, "Show Help", result.([]Command)[0].Title) },
		},
		"Command.Unregister": {
			func(c *Client) (any, error) {
				return nil, c.Command.Unregister(ctx, CommandUnregisterRequest{CommandID: 42})
			},
			`{"botToken":"token","botId":5,"commandId":42}`, nil,
		},
		"Command.Answer": {
			func(c *Client) (any, error) {
				return nil, c.Command.Answer(ctx, CommandAnswerRequest{CommandID: 42, MessageID: 7, DialogID: "chat5", Message: "done"})
			},
			`{"botToken":"token","botId":5,"commandId":42,"messageId":7,"dialogId":"chat5","fields":{"message":"done"}}`, nil,
		},
		"Event.Get": {
			func(c *Client) (any, error) {
				return c.Event.Get(ctx, EventGetRequest{Offset: 7, Limit: 10, WithUserEvents: true})
			},
			`{"botToken":"token","botId":5,"offset":7,"limit":10,"withUserEvents":true}`,
			func(t *testing.T, result any) {
				r := result.(EventGetResult)
				require.Equal(t, int64(1002), r.NextOffset)
				require.Equal(t, int64(1001), r.Events[0].EventID)
				require.Equal(t, "ONIMBOTV2MESSAGEADD", r.Events[0].Type)
			},
		},
		"Revision.Get": {
			func(c *Client) (any, error) { return c.Revision.Get(ctx, RevisionGetRequest{}) },
			`{}`,
			func(t *testing.T, result any) {
				r := result.(Revision)
				require.Equal(t, "130", r.Raw.Get("web"))
				r.Raw = imbot.RawEvent{}
				require.Equal(t, Revision{REST: 33, Web: 130, Mobile: 23, Desktop: 6}, r)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &documented{}
			result, err := tt.call(d.client(t).WithBot(5))
			require.NoError(t, err)
			require.Len(t, d.sent, 1)
			require.JSONEq(t, tt.sent, d.sent[0])
			if tt.want != nil {
				tt.want(t, result)
			}
		})
	}
}

func TestRequestsAreRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	long, many := strings.Repeat("ä", maxMessage+1), &imbot.Attach{Blocks: []imbot.Block{imbot.BlockMessage(strings.Repeat("a", maxRich))}}
	bot := BotRegisterRequest{Code: "a", Properties: BotProperties{Name: "A"}}
	with := func(change func(*BotRegisterRequest)) BotRegisterRequest {
		r := bot
		change(&r)
		return r
	}
	for name, tt := range map[string]struct {
		req  imbot.Checker
		code imbot.ErrorCode
	}{
		"a bot without a code":                {BotRegisterRequest{Properties: BotProperties{Name: "A"}}, ErrBotCodeRequired},
		"a bot without a name":                {BotRegisterRequest{Code: "a"}, ErrBotPropertiesRequired},
		"a webhook without a URL":             {with(func(r *BotRegisterRequest) { r.EventMode = EventModeWebhook }), ErrBotWebhookURLRequired},
		"fetching with a URL":                 {with(func(r *BotRegisterRequest) { r.EventMode, r.WebhookURL = EventModeFetch, "https://a.example/" }), ""},
		"a URL that is not https":             {with(func(r *BotRegisterRequest) { r.WebhookURL = "http://a.example/" }), ErrBotInvalidCallback},
		"a URL that is none":                  {with(func(r *BotRegisterRequest) { r.WebhookURL = "bot" }), ErrBotInvalidCallback},
		"an avatar that is a data URL":        {with(func(r *BotRegisterRequest) { r.Properties.Avatar = []byte("data:image/png;base64,") }), ErrBotAvatarIncorrectType},
		"an unknown background":               {with(func(r *BotRegisterRequest) { r.BackgroundID = "plaid" }), ""},
		"an unknown colour":                   {with(func(r *BotRegisterRequest) { r.Properties.Color = "PLAID" }), ""},
		"an update of nothing":                {BotUpdateRequest{BotID: 5}, ""},
		"a profile without a name":            {BotUpdateRequest{Properties: &BotProperties{LastName: "A"}}, ErrBotPropertiesRequired},
		"a blank new token":                   {BotUpdateRequest{NewBotToken: " "}, ""},
		"a reply to an event without a chat":  {new(MessageAddEvent).Reply("hello"), ""},
		"an answer without a dialog":          {CommandAnswerRequest{CommandID: 1, MessageID: 1, Message: "hello"}, ""},
		"a status without a dialog":           {ChatNotifyActionRequest{}, ""},
		"a question about no chat":            {ChatGetRequest{}, ""},
		"a mark of no dialog":                 {MessageReadRequest{MessageID: 1}, ""},
		"a new token that no client has":      {BotUpdateRequest{NewBotToken: "a&b"}, ""},
		"a long new token":                    {BotUpdateRequest{NewBotToken: strings.Repeat("t", 41)}, ErrBotTokenInvalidLength},
		"a blank message":                     {MessageSendRequest{DialogID: "1", Message: " \n"}, ErrEmptyMessage},
		"a message that would be cut":         {MessageSendRequest{DialogID: "1", Message: long}, ""},
		"an attachment without blocks":        {MessageSendRequest{DialogID: "1", Message: "a", Attach: &imbot.Attach{}}, ErrParamAttach},
		"an attachment that is too large":     {MessageSendRequest{DialogID: "1", Message: "a", Attach: many}, ErrParamAttach},
		"a keyboard without buttons":          {MessageSendRequest{DialogID: "1", Message: "a", Keyboard: &imbot.Keyboard{}}, imbot.ErrParamKeyboard},
		"a UUID in capitals":                  {MessageSendRequest{DialogID: "1", Message: "a", TemplateID: strings.ToUpper(someUUID[:35] + "A")}, ""},
		"a UUID of version 7":                 {MessageSendRequest{DialogID: "1", Message: "a", TemplateID: "12345678-1234-7123-8123-123456789012"}, ""},
		"a change of nothing":                 {MessageUpdateRequest{MessageID: 1}, ""},
		"a message that becomes blank":        {MessageUpdateRequest{MessageID: 1, Message: new(string)}, ErrEmptyMessage},
		"a preview without a text":            {MessageUpdateRequest{MessageID: 1, URLPreview: imbot.No}, ""},
		"an action that takes too long":       {ChatNotifyActionRequest{DialogID: "1", Duration: time.Hour}, ""},
		"a command without a name":            {CommandRegisterRequest{Command: "/", Title: map[string]string{"en": "A"}}, ErrCommandRequired},
		"a command with a blank":              {CommandRegisterRequest{Command: "order pizza", Title: map[string]string{"en": "A"}}, ErrCommandNameInvalid},
		"a new name with a blank":             {CommandUpdateRequest{CommandID: 1, Command: "order\tpizza"}, ErrCommandNameInvalid},
		"a visible command without a title":   {CommandRegisterRequest{Command: "a"}, ErrCommandTitleRequired},
		"a language of three letters":         {CommandRegisterRequest{Command: "a", Title: map[string]string{"eng": "A"}}, ""},
		"a hint without its title":            {CommandRegisterRequest{Command: "a", Hidden: imbot.Yes, Params: map[string]string{"en": "A"}}, ""},
		"a change of nothing of a command":    {CommandUpdateRequest{CommandID: 1}, ""},
		"a hint without its title, changed":   {CommandUpdateRequest{CommandID: 1, Params: map[string]*string{"en": &text}}, ""},
		"a blank answer":                      {CommandAnswerRequest{Message: ""}, ErrEmptyMessage},
		"a page of 1001 events":               {EventGetRequest{Limit: 1001}, ""},
		"a page of 1001 events of a user":     {UserEventGetRequest{Limit: 1001}, ""},
		"a chat of a kind that bots make not": {ChatAddRequest{Type: ChatTypeChannel}, ""},
		"a chat of nobody's":                  {ChatAddRequest{OwnerID: -1}, ""},
		"a chat with nobody in it":            {ChatAddRequest{UserIDs: []imbot.ID{1, 0}}, ""},
		"a chat in an unknown colour":         {ChatAddRequest{Color: "PLAID"}, ""},
		"a chat whose avatar is none":         {ChatAddRequest{Avatar: []byte("<html>")}, ""},
		"a chat that is not changed":          {ChatUpdateRequest{DialogID: "chat5"}, ""},
		"a private dialog with a title":       {ChatUpdateRequest{DialogID: "27", Title: "A"}, ErrWrongMessageType},
		"an avatar that would remove it":      {ChatUpdateRequest{DialogID: "chat5", Avatar: []byte("picture.png")}, ""},
		"an avatar that is a data URL too":    {ChatUpdateRequest{DialogID: "chat5", Avatar: []byte("data:image/png;base64,")}, ""},
		"leaving a private dialog":            {ChatLeaveRequest{DialogID: "27"}, ErrWrongMessageType},
		"leaving no chat":                     {ChatLeaveRequest{}, ""},
		"an owner of a private dialog":        {ChatSetOwnerRequest{DialogID: "27", UserID: 1}, ErrWrongMessageType},
		"an owner who is nobody":              {ChatSetOwnerRequest{DialogID: "chat5"}, ""},
		"somebody new in a private dialog":    {ChatAddUsersRequest{DialogID: "27", UserIDs: []imbot.ID{1}}, ErrWrongMessageType},
		"nobody new":                          {ChatAddUsersRequest{DialogID: "chat5"}, ErrEmptyUserIDs},
		"one who is nobody":                   {ChatAddUsersRequest{DialogID: "chat5", UserIDs: []imbot.ID{0}}, ""},
		"nobody taken out":                    {ChatDeleteUserRequest{DialogID: "chat5"}, ""},
		"one of a private dialog":             {ChatDeleteUserRequest{DialogID: "27", UserID: 1}, ErrWrongMessageType},
		"more users than a list has":          {ChatListUsersRequest{DialogID: "chat5", Limit: 201}, ""},
		"users by their names":                {ChatListUsersRequest{DialogID: "chat5", OrderBy: "name"}, ""},
		"users by nothing, descending":        {ChatListUsersRequest{DialogID: "chat5", Descending: true}, ""},
		"no managers":                         {ChatAddManagersRequest{DialogID: "chat5"}, ErrEmptyUserIDs},
		"a manager of a private dialog":       {ChatDeleteManagersRequest{DialogID: "27", UserIDs: []imbot.ID{1}}, ErrWrongMessageType},
		"a text field that would be there":    {ChatSetTextFieldRequest{DialogID: "chat5"}, ""},
		"nothing to forward":                  {MessageForwardRequest{DialogID: "chat5", Message: "a"}, ErrEmptyMessage},
		"more to forward than is taken":       {MessageForwardRequest{DialogID: "chat5", ForwardIDs: make([]imbot.ID, 101)}, ErrTooManyMessages},
		"a message that is forwarded twice":   {MessageForwardRequest{DialogID: "chat5", ForwardIDs: []imbot.ID{1, 2, 1}}, ""},
		"a message that is none":              {MessageForwardRequest{DialogID: "chat5", ForwardIDs: []imbot.ID{0}}, ""},
		"a question about no message":         {MessageGetRequest{}, ""},
		"more messages than a context has":    {MessageGetContextRequest{MessageID: 1, Range: 51}, ""},
		"no reaction":                         {MessageAddReactionRequest{MessageID: 1}, ErrReactionNotFound},
		"a reaction that is an emoji":         {MessageAddReactionRequest{MessageID: 1, Reaction: "👍"}, ErrReactionNotFound},
		"a reaction in capitals":              {MessageDeleteReactionRequest{MessageID: 1, Reaction: "LIKE"}, ErrReactionNotFound},
		"a reaction to nothing":               {MessageAddReactionRequest{Reaction: ReactionLike}, ""},
		"a user's file that is a path":        {UserFileUploadRequest{DialogID: "1", Name: "a/b", Content: []byte("a")}, ""},
		"a user's file of nothing":            {UserFileUploadRequest{DialogID: "1", Name: "a"}, ErrFileEmpty},
		"a user's file of no dialog":          {UserFileDownloadRequest{FileID: 1}, ""},
		"an offset below zero":                {EventGetRequest{Offset: -1}, ""},
	} {
		err := tt.req.Check()
		require.Error(t, err, name)
		if tt.code != "" {
			require.ErrorIs(t, err, tt.code, name)
		}
	}
	d := &documented{}
	_, err := d.client(t).Message.Send(t.Context(), MessageSendRequest{DialogID: "1"})
	require.ErrorIs(t, err, imbot.ErrInvalid)
	require.ErrorIs(t, err, ErrEmptyMessage)
	_, err = d.client(t).Message.Send(t.Context(), MessageSendRequest{DialogID: "1", Message: "a"})
	require.ErrorIs(t, err, ErrBotIDRequired)
	require.Empty(t, d.sent)
}

func TestAMessageHasATemplateIDOfItsOwn(t *testing.T) {
	t.Parallel()
	d := &documented{}
	c := d.client(t).WithBot(5)
	id := func() string {
		_, err := c.Message.Send(t.Context(), MessageSendRequest{DialogID: "1", Message: "a"})
		require.NoError(t, err)
		var sent struct{ Fields struct{ TemplateID string } }
		require.NoError(t, json.Unmarshal([]byte(d.sent[len(d.sent)-1]), &sent))
		return sent.Fields.TemplateID
	}
	first, second := id(), id()
	require.Regexp(t, isTemplateID, first)
	require.NotEqual(t, first, second)
	require.Empty(t, MessageSendRequest{TemplateID: someUUID}.To("2").TemplateID)
	_, err := c.Message.Send(t.Context(), MessageSendRequest{DialogID: "1", Message: "a", System: imbot.Yes})
	require.NoError(t, err)
	require.NotContains(t, d.sent[2], "templateId")
}

func TestAllBotsOfAllPages(t *testing.T) {
	t.Parallel()
	page := 0
	d := &documented{body: func(string) string {
		page++
		return []string{
			`{"result":{"bots":[{"id":1},{"id":2}],"users":[{"id":2,"name":"B"}],"hasNextPage":true}}`,
			`{"result":{"bots":{"0":{"id":"3"}},"users":[],"hasNextPage":"Y"}}`,
			`{"result":{"bots":[],"users":[],"hasNextPage":false}}`,
		}[page-1]
	}}
	var ids []imbot.ID
	for r, err := range d.client(t).Bot.All(t.Context(), BotListRequest{}) {
		require.NoError(t, err)
		ids = append(ids, r.Bot.ID)
	}
	require.Equal(t, []imbot.ID{1, 2, 3}, ids)
	require.Contains(t, d.sent[2], `"offset":3`)
}

func TestAPageOfTheQueueIsReadHoweverOddItIs(t *testing.T) {
	t.Parallel()
	r, err := EventGetRequest{}.Decode([]byte(`{"events":{"3":{"eventId":"7","type":"onimbotv2messageadd","date":false,"data":[]},"5":"rubbish","6":null,"7":{"eventId":8,"type":"NEW","date":"2026-01-15T10:30:00+02:00","data":{"a":1}}},"lastEventId":"8","hasMore":"Y"}`))
	require.NoError(t, err)
	require.Len(t, r.Events, 4)
	require.Equal(t, EventItem{EventID: 7, Type: "ONIMBOTV2MESSAGEADD", Data: json.RawMessage(`[]`)}, r.Events[0])
	require.IsType(t, &imbot.UnknownEvent{}, r.Events[0].Event(), "its data cannot be read")
	require.IsType(t, &imbot.UnknownEvent{}, r.Events[1].Event())
	require.Equal(t, "1", r.Events[3].Event().Meta().Raw.Get("data", "a"))
	require.True(t, r.HasMore)
	require.EqualValues(t, 9, r.NextOffset)
}

func TestKeepActionEndsWithTheMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &documented{}
		c := d.client(t).WithBot(5)
		stop := KeepAction(t.Context(), c, "chat5", ActionThinking)
		other := KeepAction(t.Context(), c, "chat6", ActionThinking)
		colleague := KeepAction(t.Context(), c.WithBot(6), "chat5", ActionThinking)
		synctest.Wait()
		_, err := c.WithBot(5).Message.Send(t.Context(), MessageSendRequest{DialogID: "chat5", Message: "done"})
		require.NoError(t, err)
		sent := d.count()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, sent+2, d.count(), "only in the other dialog, and the other bot's")
		stop()
		stop()
		other()
		colleague()
		require.Empty(t, c.kept.ends)
	})
}

func TestKeepActionAsksAgainUntilItIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &documented{}
		stop := KeepAction(t.Context(), d.client(t).WithBot(5), "chat5", ActionThinking)
		time.Sleep(101 * time.Second)
		stop()
		require.Len(t, d.sent, 3)
		require.JSONEq(t, `{"botToken":"token","botId":5,"dialogId":"chat5","statusMessageCode":"IMBOT_AGENT_ACTION_THINKING","duration":60}`, d.sent[0])
	})
}
