package imbot_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// named is a request of any method.
type named struct {
	imbot.Returns[imbot.OK] `json:"-"`
	method                  string
	Bot                     imbot.ID `json:"botId,omitempty"`
	Code                    string   `json:"code,omitempty"`
	Fields                  any      `json:"fields,omitempty"`
}

func (n named) Method() string { return n.method }

// gone is a request after which something is not there any more.
type gone struct{ named }

func (gone) Repeatable() bool                  { return true }
func (gone) Ran(code imbot.ErrorCode) bool     { return code == "BOT_NOT_FOUND" }
func (gone) Decode(b []byte) (imbot.OK, error) { return imbot.Returns[imbot.OK]{}.Decode(b) }

func TestACallNamesItsBotAndOwner(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		req  named
		sent string
	}{
		"of the second generation":              {named{method: "imbot.v2.Chat.get"}, `{"botToken":"bot-secret-1","botId":5}`},
		"another bot":                           {named{method: "imbot.v2.Chat.get", Bot: 6}, `{"botToken":"bot-secret-1","botId":6}`},
		"a new bot, in its fields":              {named{method: "imbot.v2.Bot.register", Fields: map[string]string{"code": "a"}}, `{"fields":{"botToken":"bot-secret-1","code":"a"}}`},
		"a new bot with a token of its own":     {named{method: "imbot.v2.Bot.register", Fields: map[string]string{"botToken": "b"}}, `{"fields":{"botToken":"b"}}`},
		"all bots":                              {named{method: "imbot.v2.Bot.list"}, `{"botToken":"bot-secret-1"}`},
		"a bot by its code":                     {named{method: "imbot.v2.Bot.get", Code: "a"}, `{"botToken":"bot-secret-1","code":"a"}`},
		"the bot of the client":                 {named{method: "imbot.v2.Bot.get"}, `{"botToken":"bot-secret-1","botId":5}`},
		"nobody, for the revision":              {named{method: "imbot.v2.Revision.get"}, `{}`},
		"nobody, for a user's events":           {named{method: "im.v2.Event.get"}, `{}`},
		"the owner alone, in the first":         {named{method: "imbot.bot.list"}, `{"CLIENT_ID":"bot-secret-1"}`},
		"the owner alone, in an open line":      {named{method: "imopenlines.bot.session.finish"}, `{"CLIENT_ID":"bot-secret-1"}`},
		"nobody, in another module":             {named{method: "crm.lead.list"}, `{}`},
		"a method in other letters is the same": {named{method: "IMBOT.V2.chat.GET"}, `{"botToken":"bot-secret-1","botId":5}`},
	} {
		t.Run(name, func(t *testing.T) {
			rt := always(200, `{"result":true}`)
			_, err := imbot.Do(t.Context(), over(t, hook, rt).WithBot(5), tt.req)
			require.NoError(t, err)
			require.Len(t, rt.bodies, 1)
			require.JSONEq(t, tt.sent, rt.bodies[0])
		})
	}
}

func TestCallNamesTheOwnerAndNeverTheBot(t *testing.T) {
	t.Parallel()
	rt := always(200, `{"result":true}`)
	require.NoError(t, over(t, hook, rt).WithBot(5).Call(t.Context(), "imbot.v2.Chat.get", map[string]string{"dialogId": "chat7"}, nil))
	require.Equal(t, []string{`{"botToken":"bot-secret-1","dialogId":"chat7"}`}, rt.bodies)
}

func TestWithOAuthTheApplicationIsTheOwner(t *testing.T) {
	t.Parallel()
	rt := always(200, `{"result":true}`)
	client := over(t, app, rt).WithBot(5).WithBotToken("another")
	_, err := imbot.Do(t.Context(), client, named{method: "imbot.v2.Chat.get"})
	require.NoError(t, err)
	require.Equal(t, []string{`{"auth":"` + accessToken + `","botId":5}`}, rt.bodies)
}

func TestABotTokenIsAClientID(t *testing.T) {
	t.Parallel()
	rt := always(200, `{"result":true}`)
	client := over(t, imbot.Webhook{URL: hookURL, BotToken: "bot-secret-2"}, rt)
	require.NoError(t, client.Call(t.Context(), "imbot.bot.list", nil, nil))
	require.NoError(t, client.WithBotToken("bot-secret-3").Call(t.Context(), "imbot.bot.list", nil, nil))
	require.NoError(t, client.WithBotToken("bot-secret-3").WithBot(5).Call(t.Context(), "imbot.v2.Bot.get", nil, nil))
	require.Equal(t, []string{`{"CLIENT_ID":"bot-secret-2"}`, `{"CLIENT_ID":"bot-secret-3"}`, `{"botToken":"bot-secret-3"}`}, rt.bodies)
}

func TestNoBotIsNamedTwice(t *testing.T) {
	t.Parallel()
	require.Equal(t, imbot.ID(5), over(t, hook, always(200, "")).WithBot(5).BotID())
	require.Equal(t, "portal.bitrix24.com", over(t, hook, always(200, "")).Portal())
}

func TestWhatNamesNobodyIsNotSent(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 41)
	for name, tt := range map[string]struct {
		client *imbot.Client
		req    named
		code   imbot.ErrorCode
	}{
		"a method that needs a bot":     {over(t, hook, nil), named{method: "imbot.v2.Chat.get"}, "BOT_ID_REQUIRED"},
		"a new bot with a long token":   {over(t, imbot.Webhook{URL: hookURL, BotToken: long}, nil), named{method: "imbot.v2.Bot.register"}, "BOT_TOKEN_INVALID_LENGTH"},
		"a token that is no URL's":      {over(t, hook, nil).WithBotToken("ä b"), named{method: "imbot.v2.Bot.list"}, ""},
		"a new bot with another's long": {over(t, hook, nil).WithBotToken(long), named{method: "imbot.v2.Bot.register"}, "BOT_TOKEN_INVALID_LENGTH"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := imbot.Do(t.Context(), tt.client, tt.req)
			require.ErrorIs(t, err, imbot.ErrInvalid)
			if tt.code != "" {
				require.ErrorIs(t, err, tt.code)
			}
			require.NotContains(t, err.Error(), long)
			require.NotContains(t, err.Error(), "ä b")
		})
	}
}

func TestTheTokenOfWithBotTokenIsCutOutOfErrors(t *testing.T) {
	t.Parallel()
	rt := always(400, `{"error":"WHAT","error_description":"no bot of bot-secret-9"}`)
	err := over(t, hook, rt).WithBotToken("bot-secret-9").Call(t.Context(), "imbot.v2.Bot.list", nil, nil)
	require.ErrorContains(t, err, "no bot of")
	require.NotContains(t, err.Error(), "bot-secret-9")
}

// lostThen answers nothing to the first request and a code to those that follow.
func lostThen(status int, body string) *wire {
	return &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
		if n == 1 {
			return nil, io.ErrUnexpectedEOF
		}
		return reply(status, body), nil
	}}
}

func TestACodeCanSettleWhetherTheAttemptBeforeRan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		notFound := `{"error":"BOT_NOT_FOUND","error_description":"x"}`
		req := gone{named{method: "imbot.v2.Bot.unregister", Bot: 5}}
		_, err := imbot.Do(t.Context(), over(t, hook, lostThen(400, notFound)), req)
		require.NoError(t, err, "the attempt whose answer was lost has removed it")
		_, err = imbot.Do(t.Context(), over(t, hook, always(400, notFound)), req)
		require.ErrorIs(t, err, imbot.ErrorCode("BOT_NOT_FOUND"), "there was none from the start")
		_, err = imbot.Do(t.Context(), over(t, hook, lostThen(400, `{"error":"ACCESS_DENIED"}`)), req)
		require.ErrorIs(t, err, imbot.ErrAccessDenied)
	})
}

func TestACodeSettlesItAfterABatchToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt := lostThen(400, `{"error":"BOT_NOT_FOUND","error_description":"x"}`)
		b := imbot.NewBatch()
		done := imbot.Queue(b, gone{named{method: "imbot.v2.Bot.unregister", Bot: 5}})
		require.ErrorIs(t, over(t, hook, rt).DoBatch(t.Context(), b), imbot.ErrOutcomeUnknown)
		_, err := done.Result()
		require.NoError(t, err)
		require.Len(t, rt.requests, 2)
	})
}

// The portal finds a message that an attempt before has made, or is just making.
func TestAMessageThatIsThereAlreadyIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{"made": "MESSAGE_DUPLICATED_BY_UUID", "being made": "SENDING_FAILED"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
					switch n {
					case 1:
						return nil, io.ErrUnexpectedEOF
					case 2:
						return reply(400, `{"error":"`+code+`"}`), nil
					}
					return reply(200, `{"result":true}`), nil
				}}
				_, err := imbot.Do(t.Context(), over(t, hook, rt), job{repeatable: true})
				require.NoError(t, err)
				require.Len(t, rt.requests, 3)
			})
		})
	}
	rt := always(400, `{"error":"SENDING_FAILED"}`)
	_, err := imbot.Do(t.Context(), over(t, hook, rt), job{repeatable: true})
	require.False(t, errors.Is(err, imbot.ErrOutcomeUnknown))
	require.Len(t, rt.requests, 1, "without a doubt it is definite")
}

func TestCallsOfBothGenerationsShareTheLaneOfADialog(t *testing.T) {
	t.Parallel()
	for name, same := range map[string][2]string{
		"a dialog":  {`{"DIALOG_ID":"chat5"}`, `{"dialogId":"chat5","messageId":7}`},
		"a message": {`{"MESSAGE_ID":7}`, `{"messageId":7}`},
	} {
		require.Equal(t, imbot.DialogOf([]byte(same[0])), imbot.DialogOf([]byte(same[1])), name)
		require.NotEmpty(t, imbot.DialogOf([]byte(same[0])), name)
	}
}

func TestAFingerprintTellsSecretsApart(t *testing.T) {
	t.Parallel()
	client := over(t, hook, nil)
	require.Equal(t, client.Fingerprint("a"), over(t, hook, nil).Fingerprint("a"))
	require.NotEqual(t, client.Fingerprint("a"), client.Fingerprint("b"))
	require.NotEqual(t, client.Fingerprint("a"), client.WithBotToken("another").Fingerprint("a"))
}

func TestAWebhookTrustsBothGenerations(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("t", 60)
	owner := ("custom" + long)[:50] // what the column of the portal takes
	verify := func(v imbot.Verifier, name, token string) error {
		return v.Verify(t.Context(), &imbot.EventMeta{Name: name, Auth: imbot.EventAuth{ApplicationToken: token}})
	}
	v := imbot.Webhook{URL: hookURL, BotToken: long}.Verifier()
	require.NoError(t, verify(v, "ONIMBOTMESSAGEADD", long))
	require.NoError(t, verify(v, "ONIMBOTV2MESSAGEADD", owner))
	require.Error(t, verify(v, "ONIMBOTV2MESSAGEADD", long))
	require.Error(t, verify(v, "ONIMBOTMESSAGEADD", owner))
	require.Error(t, verify(imbot.Webhook{URL: hookURL}.Verifier(), "ONIMBOTV2MESSAGEADD", "custom"), "an empty token matches nothing")
	require.NoError(t, verify(hook.Verifier(), "ONIMBOTV2JOINCHAT", "custombot-secret-1"))

	both := imbot.AnyOf(v, hook.Verifier())
	require.NoError(t, verify(both, "ONIMBOTMESSAGEADD", long))
	require.NoError(t, verify(both, "ONIMBOTMESSAGEADD", "bot-secret-1"))
	require.Error(t, verify(both, "ONIMBOTMESSAGEADD", "neither"))
	require.Error(t, verify(imbot.AnyOf(), "ONIMBOTMESSAGEADD", ""))
	require.Error(t, verify(imbot.AnyOf(nil), "ONIMBOTMESSAGEADD", ""))
}
