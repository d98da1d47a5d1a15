package imbot_test

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot"
)

func TestNewClientRefusesMixedUpCredentials(t *testing.T) {
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"})
	for name, auth := range map[string]imbot.Auth{
		"an endpoint without a path":    imbot.OAuth{Endpoint: "https://portal.bitrix24.com", Tokens: source},
		"a webhook in place of it":      imbot.OAuth{Endpoint: hookURL, Tokens: source},
		"a webhook of nobody":           imbot.Webhook{URL: "https://portal.bitrix24.com/rest/0/s3cr3t/"},
		"a secret of punctuation alone": imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/../"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := imbot.NewClient(auth)
			require.ErrorIs(t, err, imbot.ErrInvalid)
			require.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}

func TestCallRefusesAResultThatIsNoPointerBeforeSending(t *testing.T) {
	rt := always(200, `{"result":1}`)
	client := over(t, hook, rt)
	require.ErrorIs(t, client.Call(t.Context(), "profile", nil, 5), imbot.ErrInvalid)
	require.ErrorIs(t, client.Call(t.Context(), "profile", nil, (*int)(nil)), imbot.ErrInvalid)
	require.Empty(t, rt.bodies)
}

func TestTheHashOfAnIFrameStaysOutOfErrors(t *testing.T) {
	const refused = `{"error":"WRONG_REQUEST","error_description":"not stored: HASH => 0123456789abcdef"}`
	client := over(t, hook, always(400, refused))
	register := imbot.AppRegisterRequest{Code: "x", IFrame: "https://e.com", Hash: "0123456789abcdef"}
	_, err := client.App.Register(t.Context(), register)
	require.ErrorIs(t, err, imbot.ErrWrongRequest)
	require.NotContains(t, err.Error(), "0123456789abcdef")
	err = client.App.Update(t.Context(), imbot.AppUpdateRequest{AppID: 1, Fields: imbot.AppUpdateFields{Hash: "0123456789abcdef"}})
	require.NotContains(t, err.Error(), "0123456789abcdef")
	for _, answer := range []string{refused, `{"result":{"result":[],"result_error":{"c0":` + refused + `}}}`} {
		batch := imbot.NewBatch()
		app := imbot.Queue(batch, register)
		err := over(t, hook, always(200, answer)).DoBatch(t.Context(), batch) // of the batch as a whole
		_, own := app.Result()
		err = errors.Join(err, own)
		require.ErrorIs(t, err, imbot.ErrWrongRequest)
		require.NotContains(t, err.Error(), "0123456789abcdef")
	}
}

func TestNewLimiterTakesNoRateForTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, perSecond := range []float64{0, -1, math.NaN()} {
			limiter, start := imbot.NewLimiter(perSecond, 0), time.Now()
			for range 3 {
				require.NoError(t, limiter.Wait(t.Context(), "portal"))
			}
			require.Equal(t, time.Second, time.Since(start))
		}
	})
}

func TestCallTakesARequestForItsParametersOnly(t *testing.T) {
	rt := always(502, "<html>")
	err := over(t, hook, rt).WithBot(39).Call(t.Context(), "imbot.update", imbot.BotUpdateRequest{}, nil)
	require.ErrorIs(t, err, imbot.ErrOutcomeUnknown, "it is not repeated")
	require.Len(t, rt.bodies, 1)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","FIELDS":{}}`, rt.bodies[0])
}
