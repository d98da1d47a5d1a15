package imbot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/openlines"
)

// walkedLines has a value of each exported type of package openlines, as walked has.
func walkedLines(t *testing.T) []any {
	client, err := imbot.NewClient(imbot.Webhook{URL: "https://portal.example/rest/1/" + walkMarker + "/", ClientID: walkMarker})
	require.NoError(t, err)
	lines := openlines.New(client)
	return []any{
		lines, lines.Session, lines.Line, openlines.SessionCallOperatorRequest{}, openlines.SessionSendRequest{},
		openlines.SessionTransferRequest{}, openlines.SessionFinishRequest{}, openlines.SessionGetRequest{}, openlines.Dialog{},
		openlines.SessionHistoryRequest{}, openlines.Message{}, openlines.Line{}, openlines.WelcomeBot{}, openlines.BotJoin(""),
		openlines.BotLeft(""), openlines.LineListRequest{}, openlines.LineGetRequest{}, openlines.LineUpdateRequest{},
	}
}
