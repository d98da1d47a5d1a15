package imbotv2

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

// A reaction whose answer got lost is there when the portal says that it is; one that nobody had set
// before is an error.
func TestAReactionThatIsThereAlready(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		lost int
		want error
	}{
		"because an attempt before has set it": {1, nil},
		"before":                               {0, ErrReactionAlreadySet},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				client, err := NewClient(imbot.Webhook{URL: "https://portal.bitrix24.com/rest/1/s3cr3t/", BotToken: "token"}, imbot.WithLimiter(nil),
					imbot.WithHTTPClient(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
						if attempts++; attempts <= row.lost {
							return nil, errors.New("the connection is gone")
						}
						return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/json"}},
							Body: io.NopCloser(strings.NewReader(`{"error":"REACTION_ALREADY_SET","error_description":""}`))}, nil
					})}))
				require.NoError(t, err)
				err = client.Message.AddReaction(t.Context(), MessageAddReactionRequest{BotID: 5, MessageID: 2, Reaction: ReactionLike})
				require.ErrorIs(t, err, row.want)
				require.Equal(t, row.lost+1, attempts)
			})
		})
	}
}
