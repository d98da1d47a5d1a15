package openlines

import "github.com/imbot-go/imbot"

// What the requests are beside requests. A wrong signature would make one silently
// none of these; here it does not compile.
var (
	_ imbot.Checker = LineGetRequest{}
	_ imbot.Checker = LineListRequest{}
	_ imbot.Checker = LineUpdateRequest{}
	_ imbot.Checker = SessionGetRequest{}
	_ imbot.Checker = SessionHistoryRequest{}
	_ imbot.Checker = SessionSendRequest{}
	_ imbot.Checker = SessionTransferRequest{}

	_ imbot.Repeater = LineGetRequest{}
	_ imbot.Repeater = LineListRequest{}
	_ imbot.Repeater = LineUpdateRequest{}
	_ imbot.Repeater = SessionCallOperatorRequest{}
	_ imbot.Repeater = SessionFinishRequest{}
	_ imbot.Repeater = SessionGetRequest{}
	_ imbot.Repeater = SessionHistoryRequest{}
)
