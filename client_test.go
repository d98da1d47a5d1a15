package imbot_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

const hookURL = "https://portal.bitrix24.com/rest/1/s3cr3t/"

// mockClient returns a client whose one answer is the given body; sent() is
// what it posted last.
func mockClient(t *testing.T, method string, status int, body string, opts ...imbot.Option) (client *imbot.Client, sent func() string) {
	t.Helper()
	var last string
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder(http.MethodPost, hookURL+method, func(r *http.Request) (*http.Response, error) {
		var raw json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
			return nil, err
		}
		last = string(raw)
		return httpmock.NewStringResponse(status, body), nil
	})
	opts = append([]imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: mock}), imbot.WithLimiter(nil)}, opts...)
	client, err := imbot.NewClient(imbot.Webhook{URL: hookURL, ClientID: "bot-secret-1"}, opts...)
	require.NoError(t, err)
	return client, func() string { return last }
}

func TestSmoke(t *testing.T) {
	client, sent := mockClient(t, "imbot.register", 200, `{"result":39,"time":{}}`)
	id, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "x"})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(39), id)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CODE":"x","PROPERTIES":{}}`, sent())
}
