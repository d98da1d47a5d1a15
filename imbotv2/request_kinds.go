package imbotv2

import (
	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/rest"
)

// What the requests are beside requests. A wrong signature would make one silently
// none of these; here it does not compile.
var (
	_ imbot.Checker = BotRegisterRequest{}
	_ imbot.Checker = BotUpdateRequest{}
	_ imbot.Checker = ChatGetRequest{}
	_ imbot.Checker = ChatNotifyActionRequest{}
	_ imbot.Checker = CommandRegisterRequest{}
	_ imbot.Checker = CommandUpdateRequest{}
	_ imbot.Checker = CommandAnswerRequest{}
	_ imbot.Checker = EventGetRequest{}
	_ imbot.Checker = FileUploadRequest{}
	_ imbot.Checker = upload{}
	_ imbot.Checker = FileDownloadRequest{}
	_ imbot.Checker = MessageReadRequest{}
	_ imbot.Checker = MessageSendRequest{}
	_ imbot.Checker = MessageUpdateRequest{}

	_ imbot.Repeater = BotRegisterRequest{}
	_ imbot.Repeater = BotUpdateRequest{}
	_ imbot.Repeater = BotGetRequest{}
	_ imbot.Repeater = BotListRequest{}
	_ imbot.Repeater = BotUnregisterRequest{}
	_ imbot.Repeater = ChatGetRequest{}
	_ imbot.Repeater = ChatNotifyActionRequest{}
	_ imbot.Repeater = CommandRegisterRequest{}
	_ imbot.Repeater = CommandUpdateRequest{}
	_ imbot.Repeater = CommandListRequest{}
	_ imbot.Repeater = CommandUnregisterRequest{}
	_ imbot.Repeater = EventGetRequest{}
	_ imbot.Repeater = FileDownloadRequest{}
	_ imbot.Repeater = MessageSendRequest{}
	_ imbot.Repeater = MessageUpdateRequest{}
	_ imbot.Repeater = MessageReadRequest{}
	_ imbot.Repeater = RevisionGetRequest{}

	_ imbot.Secretive = BotUpdateRequest{}
	_ imbot.Secretive = get{}

	_ rest.Bulky = upload{}
)
