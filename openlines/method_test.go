package openlines

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// portal answers each call with the next body, and the last of them from then on; "" breaks the
// connection when the call has been read.
type portal struct {
	bodies  []string
	methods []string
	sent    []string
}

func (p *portal) RoundTrip(r *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p.methods, p.sent = append(p.methods, path.Base(r.URL.Path)), append(p.sent, string(data))
	body := p.bodies[min(len(p.sent), len(p.bodies))-1]
	status := http.StatusOK
	switch {
	case body == "":
		return nil, errors.New("connection reset")
	case strings.HasPrefix(body, `{"error"`):
		status = http.StatusBadRequest
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1,
	}, nil
}

func (p *portal) client(t testing.TB) *imbot.Client {
	t.Helper()
	c, err := imbot.NewClient(imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/s3cr3t/", ClientID: "bot-secret-1"},
		imbot.WithHTTPClient(&http.Client{Transport: p}), imbot.WithLimiter(nil))
	require.NoError(t, err)
	return c
}

const yes = `{"result":true}`

func TestMethods(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	bot := WelcomeBot{Enable: imbot.Yes, BotID: 39, Join: BotJoinAlways, Left: BotLeftQueue}
	for name, tt := range map[string]struct {
		call   func(c *Client) (any, error)
		method string
		sent   string
		body   string
		want   any
	}{
		"an operator is called": {
			func(c *Client) (any, error) {
				return nil, c.Session.CallOperator(ctx, SessionCallOperatorRequest{ChatID: 112})
			},
			"imopenlines.bot.session.operator", `{"CLIENT_ID":"bot-secret-1","CHAT_ID":112}`, yes, nil,
		},
		"a text of the line": {
			func(c *Client) (any, error) {
				return nil, c.Session.Send(ctx, SessionSendRequest{ChatID: 112, Message: "An operator will answer soon"})
			},
			"imopenlines.bot.session.message.send",
			`{"CLIENT_ID":"bot-secret-1","CHAT_ID":112,"NAME":"DEFAULT","MESSAGE":"An operator will answer soon"}`, yes, nil,
		},
		"the greeting of the line": {
			func(c *Client) (any, error) {
				return nil, c.Session.Send(ctx, SessionSendRequest{ChatID: 112, Greeting: imbot.Yes})
			},
			"imopenlines.bot.session.message.send", `{"CLIENT_ID":"bot-secret-1","CHAT_ID":112,"NAME":"WELCOME"}`, yes, nil,
		},
		"a transfer to a person": {
			func(c *Client) (any, error) {
				return nil, c.Session.Transfer(ctx, SessionTransferRequest{ChatID: 112, UserID: 12, Leave: imbot.Yes})
			},
			"imopenlines.bot.session.transfer", `{"CLIENT_ID":"bot-secret-1","CHAT_ID":112,"USER_ID":12,"LEAVE":"Y"}`, yes, nil,
		},
		"a transfer to a line": {
			func(c *Client) (any, error) {
				return nil, c.Session.Transfer(ctx, SessionTransferRequest{ChatID: 112, LineID: 3})
			},
			"imopenlines.bot.session.transfer", `{"CLIENT_ID":"bot-secret-1","CHAT_ID":112,"QUEUE_ID":3}`, yes, nil,
		},
		"the end": {
			func(c *Client) (any, error) {
				return nil, c.Session.Finish(ctx, SessionFinishRequest{ChatID: 112})
			},
			"imopenlines.bot.session.finish", `{"CLIENT_ID":"bot-secret-1","CHAT_ID":112}`, yes, nil,
		},
		"the chat": {
			func(c *Client) (any, error) {
				d, err := c.Session.Get(ctx, SessionGetRequest{ChatID: 1777})
				require.Equal(t, "lines", d.Raw.Get("type"))
				d.Raw = imbot.RawEvent{}
				return d, err
			},
			"imopenlines.dialog.get", `{"CHAT_ID":1777}`, documented(t, "imopenlines.dialog.get"),
			Dialog{
				ChatID: 1777, DialogID: "chat1777", Name: "Green Guest #17 - Support", OwnerID: 27, ManagerIDs: []imbot.ID{27},
				OpenLine: imbot.OpenLine{
					ChatID: 1777, Connector: "livechat", LineID: 22, ConnectorChatID: "1775", GuestID: 599, SessionID: 343,
					SessionStart: time.Unix(1773682918, 0), Pinned: imbot.No, WaitsForClose: imbot.No, CRM: imbot.Yes, CRMEntityType: "LEAD",
					CRMEntityID: 1209, LeadID: 1209,
				},
			},
		},
		"the chat of a conversation, which nobody holds": {
			func(c *Client) (any, error) {
				d, err := c.Session.Get(ctx, SessionGetRequest{SessionID: 343})
				d.Raw = imbot.RawEvent{}
				return d, err
			},
			"imopenlines.dialog.get", `{"SESSION_ID":343}`, `{"result":{"id":"5","owner":"0","manager_list":[],"description":null}}`,
			Dialog{ChatID: 5, DialogID: "chat5", OpenLine: imbot.OpenLine{ChatID: 5}},
		},
		"the messages": {
			func(c *Client) (any, error) {
				return messages(c.Session.History(ctx, SessionHistoryRequest{SessionID: 321}))
			},
			"imopenlines.session.history.get", `{"SESSION_ID":321}`, documented(t, "imopenlines.session.history.get"),
			[]Message{{ID: 85851, ChatID: 1763, AuthorID: 103, Date: at("2026-03-11T13:12:46+01:00"), Text: "Hello", FileIDs: []imbot.ID{5437}}},
		},
		"the messages of a chat, by their ids": {
			func(c *Client) (any, error) {
				return messages(c.Session.History(ctx, SessionHistoryRequest{ChatID: 5}))
			},
			"imopenlines.session.history.get", `{"CHAT_ID":5}`,
			`{"result":{"message":{"99":{"id":"99","senderid":"0","text":"b","params":[]},"100":{"id":"100"},"9":{"id":"9","text":"a"}},"files":[]}}`,
			[]Message{{ID: 9, Text: "a"}, {ID: 99, Text: "b"}, {ID: 100}},
		},
		"no messages": {
			func(c *Client) (any, error) {
				return messages(c.Session.History(ctx, SessionHistoryRequest{ChatID: 5}))
			},
			"imopenlines.session.history.get", `{"CHAT_ID":5}`, `{"result":{"message":[]}}`, []Message{},
		},
		"the lines": {
			func(c *Client) (any, error) {
				return lines(c.Line.List(ctx, LineListRequest{Filter: map[string]any{"ACTIVE": "Y"}, Limit: 10, Offset: 20, Queue: imbot.Yes}))
			},
			"imopenlines.config.list.get",
			`{"PARAMS":{"filter":{"ACTIVE":"Y"},"order":{"ID":"ASC"},"limit":10,"offset":20},"OPTIONS":{"QUEUE":"Y"}}`,
			documented(t, "imopenlines.config.list.get"),
			[]Line{{ID: 15, Name: "Support", Active: imbot.Yes, WelcomeBot: WelcomeBot{Enable: imbot.Yes, BotID: 39}, QueueIDs: []imbot.ID{101, 205}}},
		},
		"the first lines": {
			func(c *Client) (any, error) { return lines(c.Line.List(ctx, LineListRequest{})) },
			"imopenlines.config.list.get", `{"PARAMS":{"order":{"ID":"ASC"}}}`, `{"result":[]}`, []Line{},
		},
		"lines as PHP writes a list with holes": {
			func(c *Client) (any, error) { return lines(c.Line.List(ctx, LineListRequest{})) },
			"imopenlines.config.list.get", `{"PARAMS":{"order":{"ID":"ASC"}}}`, `{"result":{"1":{"ID":"9","DATE_CREATE":{}},"0":{"ID":"7"}}}`, []Line{{ID: 7}, {ID: 9}},
		},
		"a line": {
			func(c *Client) (any, error) {
				l, err := c.Line.Get(ctx, LineGetRequest{LineID: 22, WithQueue: imbot.No, ShowOffline: imbot.Yes})
				require.Equal(t, "evenly", l.Raw.Get("QUEUE_TYPE"))
				l.Raw = imbot.RawEvent{}
				return l, err
			},
			"imopenlines.config.get", `{"CONFIG_ID":22,"WITH_QUEUE":"N","SHOW_OFFLINE":"Y"}`, documented(t, "imopenlines.config.get"),
			Line{ID: 22, Name: "Support", Active: imbot.Yes, WelcomeBot: WelcomeBot{imbot.Yes, 597, BotJoinAlways, 3 * time.Minute, BotLeftClose}},
		},
		"a bot for a line": {
			func(c *Client) (any, error) {
				return nil, c.Line.Update(ctx, LineUpdateRequest{LineID: 22, WelcomeBot: &bot})
			},
			"imopenlines.config.update",
			`{"CONFIG_ID":22,"PARAMS":{"WELCOME_BOT_ENABLE":"Y","WELCOME_BOT_ID":39,"WELCOME_BOT_JOIN":"always","WELCOME_BOT_TIME":0,"WELCOME_BOT_LEFT":"queue"}}`, yes, nil,
		},
		"no bot for a line, and a second begun": {
			func(c *Client) (any, error) {
				return nil, c.Line.Update(ctx, LineUpdateRequest{LineID: 22, WelcomeBot: &WelcomeBot{imbot.No, 0, BotJoinFirst, 1500 * time.Millisecond, BotLeftClose}})
			},
			"imopenlines.config.update",
			`{"CONFIG_ID":22,"PARAMS":{"WELCOME_BOT_ENABLE":"N","WELCOME_BOT_ID":0,"WELCOME_BOT_JOIN":"first","WELCOME_BOT_TIME":2,"WELCOME_BOT_LEFT":"close"}}`, yes, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &portal{bodies: []string{tt.body}}
			got, err := tt.call(New(p.client(t)))
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, []string{tt.method}, p.methods)
			require.JSONEq(t, tt.sent, p.sent[0])
		})
	}
}

// messages and lines are results without what they were read from.
func messages(all []Message, err error) ([]Message, error) {
	for i := range all {
		all[i].Raw = imbot.RawEvent{}
	}
	return all, err
}

func lines(all []Line, err error) ([]Line, error) {
	for i := range all {
		all[i].Raw = imbot.RawEvent{}
	}
	return all, err
}

func at(s string) time.Time {
	t, _ := time.Parse(time.RFC3339, s)
	return t
}

func TestRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	bot := func(change func(*WelcomeBot)) LineUpdateRequest {
		w := WelcomeBot{Enable: imbot.Yes, BotID: 39, Join: BotJoinAlways, Left: BotLeftQueue}
		change(&w)
		return LineUpdateRequest{LineID: 1, WelcomeBot: &w}
	}
	for name, tt := range map[string]struct {
		req  imbot.Checker
		code imbot.ErrorCode
		text string
	}{
		"neither text nor greeting":        {SessionSendRequest{ChatID: 1}, imbot.ErrMessageEmpty, "MESSAGE"},
		"no greeting either":               {SessionSendRequest{ChatID: 1, Greeting: imbot.No}, imbot.ErrMessageEmpty, "MESSAGE"},
		"text and greeting":                {SessionSendRequest{ChatID: 1, Message: "a", Greeting: imbot.Yes}, "", "MESSAGE"},
		"a text that PHP takes for none":   {SessionSendRequest{ChatID: 1, Message: "0"}, imbot.ErrMessageEmpty, "MESSAGE"},
		"half a character":                 {SessionSendRequest{ChatID: 1, Message: "\xff"}, "", "UTF-8"},
		"half a greeting":                  {SessionSendRequest{ChatID: 1, Message: "a", Greeting: "yes"}, "", "Greeting"},
		"a transfer to nobody":             {SessionTransferRequest{ChatID: 1}, ErrTransferIDEmpty, "USER_ID"},
		"a transfer to two":                {SessionTransferRequest{ChatID: 1, UserID: 2, LineID: 3}, "", "QUEUE_ID"},
		"a transfer with half a flag":      {SessionTransferRequest{ChatID: 1, UserID: 2, Leave: "true"}, "", "LEAVE"},
		"the chat of nothing":              {SessionGetRequest{}, imbot.ErrAccess, "CHAT_ID"},
		"the chat of two things":           {SessionGetRequest{ChatID: 1, SessionID: 2}, "", "SESSION_ID"},
		"the messages of nothing":          {SessionHistoryRequest{}, ErrMissingRequiredParam, "SESSION_ID"},
		"the messages of two things":       {SessionHistoryRequest{ChatID: 1, SessionID: 2}, "", "CHAT_ID"},
		"more lines than a page has":       {LineListRequest{Limit: 201}, "", "limit"},
		"lines before the first":           {LineListRequest{Offset: -1}, "", "offset"},
		"lines with half a flag":           {LineListRequest{Queue: "1"}, "", "QUEUE"},
		"a line with half a flag":          {LineGetRequest{LineID: 1, WithQueue: "1"}, "", "WITH_QUEUE"},
		"a line with half another":         {LineGetRequest{LineID: 1, ShowOffline: "1"}, "", "SHOW_OFFLINE"},
		"a line that is not to change":     {LineUpdateRequest{LineID: 1}, "", "WelcomeBot"},
		"a bot that is neither on nor off": {bot(func(w *WelcomeBot) { w.Enable = "" }), "", "WELCOME_BOT_ENABLE"},
		"a bot without an id":              {bot(func(w *WelcomeBot) { w.BotID = 0 }), "", "WELCOME_BOT_ID"},
		"a bot that never joins":           {bot(func(w *WelcomeBot) { w.Join = "" }), "", "WELCOME_BOT_JOIN"},
		"a bot with less than no time":     {bot(func(w *WelcomeBot) { w.Time = -1 }), "", "WELCOME_BOT_TIME"},
		"a bot that never leaves":          {bot(func(w *WelcomeBot) { w.Left = "never" }), "", "WELCOME_BOT_LEFT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.req.Check()
			require.ErrorContains(t, err, tt.text)
			if tt.code != "" {
				require.ErrorIs(t, err, tt.code)
			}
		})
	}
	p := &portal{bodies: []string{yes}}
	require.ErrorIs(t, New(p.client(t)).Session.Transfer(t.Context(), SessionTransferRequest{ChatID: 1}), imbot.ErrInvalid)
	require.Empty(t, p.sent)
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	update := LineUpdateRequest{LineID: 1, WelcomeBot: &WelcomeBot{imbot.Yes, 2, BotJoinFirst, 0, BotLeftQueue}}
	for name, tt := range map[string]struct {
		call func(c *Client, ctx context.Context) error
		body string
		want error
	}{
		"no such line": {func(c *Client, ctx context.Context) error {
			_, err := c.Line.Get(ctx, LineGetRequest{LineID: 1})
			return err
		}, `{"result":false}`, imbot.ErrNotFound},
		"a line that did not change": {func(c *Client, ctx context.Context) error { return c.Line.Update(ctx, update) }, `{"result":false}`, ErrNotChanged},
		"a code of the portal": {func(c *Client, ctx context.Context) error { return c.Line.Update(ctx, update) },
			`{"error":"CONFIG_WRONG_USER_PERMISSION","error_description":"no"}`, ErrConfigWrongUserPermission},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &portal{bodies: []string{tt.body}}
			err := tt.call(New(p.client(t)), t.Context())
			require.ErrorIs(t, err, tt.want)
			require.ErrorAs(t, err, new(*imbot.Error))
			require.Len(t, p.sent, 1, "a definite answer is not asked for again")
		})
	}
}

// Whether the call ran is unknown after a broken connection.
func TestWhatIsRepeated(t *testing.T) {
	t.Parallel()
	const wrongChat, wrongOperator = `{"error":"WRONG_CHAT"}`, `{"error":"OPERATOR_WRONG"}`
	operator := func(c *Client, ctx context.Context) error {
		return c.Session.CallOperator(ctx, SessionCallOperatorRequest{ChatID: 1})
	}
	transfer := func(c *Client, ctx context.Context) error {
		return c.Session.Transfer(ctx, SessionTransferRequest{ChatID: 1, UserID: 2})
	}
	for name, tt := range map[string]struct {
		call   func(c *Client, ctx context.Context) error
		bodies []string
		want   error
		calls  int
	}{
		"no bot holds the conversation":                    {operator, []string{wrongChat}, ErrWrongChat, 1},
		"… because an attempt before took it from the bot": {operator, []string{"", wrongChat}, nil, 2},
		"an attempt before that did not":                   {operator, []string{"", yes}, nil, 2},
		"a transfer beside another":                        {transfer, []string{wrongOperator, yes}, nil, 2},
		"a transfer that cannot be":                        {transfer, []string{wrongOperator}, ErrOperatorWrong, 2},
		"a transfer that may have been":                    {transfer, []string{"", yes}, imbot.ErrOutcomeUnknown, 1},
		"a text that may have been sent": {func(c *Client, ctx context.Context) error {
			return c.Session.Send(ctx, SessionSendRequest{ChatID: 1, Message: "a"})
		}, []string{"", yes}, imbot.ErrOutcomeUnknown, 1},
		"an end that may have been": {func(c *Client, ctx context.Context) error {
			return c.Session.Finish(ctx, SessionFinishRequest{ChatID: 1})
		}, []string{"", yes}, nil, 2},
		"a transfer to nobody that the portal speaks of so": {transfer, []string{`{"error":"USER_ID_EMPTY"}`}, imbot.ErrUserIDEmpty, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &portal{bodies: tt.bodies}
				require.ErrorIs(t, tt.call(New(p.client(t)), t.Context()), tt.want)
				require.Len(t, p.sent, tt.calls)
			})
		})
	}
}

func TestATransferWaitsASecondAndNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &portal{bodies: []string{`{"error":"OPERATOR_WRONG"}`}}
		transfer := SessionTransferRequest{ChatID: 1, UserID: 2}
		start := time.Now()
		require.ErrorIs(t, New(p.client(t)).Session.Transfer(t.Context(), transfer), ErrOperatorWrong)
		require.Equal(t, time.Second, time.Since(start))
		require.Len(t, p.sent, 2)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		require.ErrorIs(t, New(p.client(t)).Session.Transfer(ctx, transfer), ErrOperatorWrong)
		require.Equal(t, 3*time.Second/2, time.Since(start))
		require.Len(t, p.sent, 3)
	})
}

func TestRequestsTravelInABatch(t *testing.T) {
	t.Parallel()
	p := &portal{bodies: []string{`{"result":{"result":{"c0":true,"c1":false},"result_error":[]}}`}}
	b := imbot.NewBatch()
	finish := imbot.Queue(b, SessionFinishRequest{ChatID: 7})
	line := imbot.Queue(b, LineGetRequest{LineID: 3})
	require.NoError(t, p.client(t).DoBatch(t.Context(), b))
	_, err := finish.Result()
	require.NoError(t, err)
	_, err = line.Result()
	require.ErrorIs(t, err, imbot.ErrNotFound)
	require.Equal(t, []string{"batch"}, p.methods)
	require.Contains(t, p.sent[0], "imopenlines.bot.session.finish?CLIENT_ID=bot-secret-1&CHAT_ID=7")
}

func TestEnsureBot(t *testing.T) {
	t.Parallel()
	const update = `{"CONFIG_ID":22,"PARAMS":{"WELCOME_BOT_ENABLE":"Y","WELCOME_BOT_ID":39,"WELCOME_BOT_JOIN":"%","WELCOME_BOT_TIME":600,"WELCOME_BOT_LEFT":"queue"}}`
	for name, tt := range map[string]struct {
		line string
		sent string // of the update; empty: there is none
	}{
		"the bot is there":      {`"WELCOME_BOT_ENABLE":"Y","WELCOME_BOT_ID":"39","WELCOME_BOT_JOIN":"first"`, ""},
		"another bot is":        {`"WELCOME_BOT_ENABLE":"Y","WELCOME_BOT_ID":"40","WELCOME_BOT_JOIN":"first","WELCOME_BOT_TIME":"600","WELCOME_BOT_LEFT":"queue"`, strings.ReplaceAll(update, "%", "first")},
		"the bot is not let in": {`"WELCOME_BOT_ENABLE":"N","WELCOME_BOT_ID":"39","WELCOME_BOT_TIME":"600"`, strings.ReplaceAll(update, "%", "always")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &portal{bodies: []string{`{"result":{"ID":"22",` + tt.line + `}}`, yes}}
			require.NoError(t, EnsureBot(t.Context(), p.client(t), 22, 39))
			require.JSONEq(t, `{"CONFIG_ID":22,"WITH_QUEUE":"N"}`, p.sent[0])
			if tt.sent == "" {
				require.Len(t, p.sent, 1)
				return
			}
			require.Equal(t, []string{"imopenlines.config.get", "imopenlines.config.update"}, p.methods)
			require.JSONEq(t, tt.sent, p.sent[1])
		})
	}
	for name, tt := range map[string]struct {
		bodies []string
		want   error
	}{
		"no such line":           {[]string{`{"result":false}`}, imbot.ErrNotFound},
		"a line not to change":   {[]string{`{"result":{"ID":"22"}}`, `{"result":false}`}, ErrNotChanged},
		"somebody who may not":   {[]string{`{"result":{"ID":"22"}}`, `{"error":"CONFIG_WRONG_USER_PERMISSION"}`}, ErrConfigWrongUserPermission},
		"a line of another kind": {[]string{`{"result":{"ID":"22","WELCOME_BOT_JOIN":"new"}}`}, imbot.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &portal{bodies: tt.bodies}
			require.ErrorIs(t, EnsureBot(t.Context(), p.client(t), 22, 39), tt.want)
			require.Len(t, p.sent, len(tt.bodies))
		})
	}
}
