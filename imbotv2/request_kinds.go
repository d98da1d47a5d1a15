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
	_ imbot.Checker = ChatAddRequest{}
	_ imbot.Checker = ChatUpdateRequest{}
	_ imbot.Checker = ChatLeaveRequest{}
	_ imbot.Checker = ChatSetOwnerRequest{}
	_ imbot.Checker = ChatSetTextFieldRequest{}
	_ imbot.Checker = ChatAddUsersRequest{}
	_ imbot.Checker = ChatDeleteUserRequest{}
	_ imbot.Checker = ChatListUsersRequest{}
	_ imbot.Checker = ChatAddManagersRequest{}
	_ imbot.Checker = ChatDeleteManagersRequest{}
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
	_ imbot.Checker = MessageForwardRequest{}
	_ imbot.Checker = MessageGetRequest{}
	_ imbot.Checker = MessageGetContextRequest{}
	_ imbot.Checker = MessageAddReactionRequest{}
	_ imbot.Checker = MessageDeleteReactionRequest{}
	_ imbot.Checker = UserEventGetRequest{}
	_ imbot.Checker = UserFileUploadRequest{}
	_ imbot.Checker = UserFileDownloadRequest{}

	_ imbot.Repeater = BotRegisterRequest{}
	_ imbot.Repeater = BotUpdateRequest{}
	_ imbot.Repeater = BotGetRequest{}
	_ imbot.Repeater = BotListRequest{}
	_ imbot.Repeater = BotUnregisterRequest{}
	_ imbot.Repeater = ChatGetRequest{}
	_ imbot.Repeater = ChatNotifyActionRequest{}
	_ imbot.Repeater = ChatUpdateRequest{}
	_ imbot.Repeater = ChatSetTextFieldRequest{}
	_ imbot.Repeater = ChatAddUsersRequest{}
	_ imbot.Repeater = ChatDeleteUserRequest{}
	_ imbot.Repeater = ChatListUsersRequest{}
	_ imbot.Repeater = ChatAddManagersRequest{}
	_ imbot.Repeater = ChatDeleteManagersRequest{}
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
	_ imbot.Repeater = MessageForwardRequest{}
	_ imbot.Repeater = MessageGetRequest{}
	_ imbot.Repeater = MessageGetContextRequest{}
	_ imbot.Repeater = MessageAddReactionRequest{}
	_ imbot.Repeater = MessageDeleteReactionRequest{}
	_ imbot.Repeater = UserEventSubscribeRequest{}
	_ imbot.Repeater = UserEventUnsubscribeRequest{}
	_ imbot.Repeater = UserEventGetRequest{}
	_ imbot.Repeater = UserFileDownloadRequest{}

	_ imbot.Secretive = BotUpdateRequest{}
	_ imbot.Secretive = get{}

	_ rest.Batched = get{}

	_ rest.Bulky = upload{}
	_ rest.Bulky = userUpload{}
)
