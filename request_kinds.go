package imbot

// What the requests are beside requests. A wrong signature would make one silently
// none of these; here it does not compile.
var (
	_ Checker = AppRegisterRequest{}
	_ Checker = AppUpdateRequest{}
	_ Checker = (*Attach)(nil)
	_ Checker = BotRegisterRequest{}
	_ Checker = BotUpdateRequest{}
	_ Checker = ChatAddRequest{}
	_ Checker = ChatGetRequest{}
	_ Checker = ChatSetManagerRequest{}
	_ Checker = ChatSendTypingRequest{}
	_ Checker = ChatUpdateTitleRequest{}
	_ Checker = ChatUpdateColorRequest{}
	_ Checker = ChatAddUsersRequest{}
	_ Checker = ChatGetDialogRequest{}
	_ Checker = CommandRegisterRequest{}
	_ Checker = CommandUpdateRequest{}
	_ Checker = CommandAnswerRequest{}
	_ Checker = (*Keyboard)(nil)
	_ Checker = MessageAddRequest{}
	_ Checker = MessageUpdateRequest{}
	_ Checker = MessageDeleteRequest{}
	_ Checker = MessageLikeRequest{}

	_ Repeater = AppRegisterRequest{}
	_ Repeater = AppUpdateRequest{}
	_ Repeater = BotRegisterRequest{}
	_ Repeater = BotUpdateRequest{}
	_ Repeater = BotListRequest{}
	_ Repeater = ChatGetRequest{}
	_ Repeater = ChatSetManagerRequest{}
	_ Repeater = ChatSendTypingRequest{}
	_ Repeater = ChatUpdateTitleRequest{}
	_ Repeater = ChatUpdateAvatarRequest{}
	_ Repeater = ChatListUsersRequest{}
	_ Repeater = ChatAddUsersRequest{}
	_ Repeater = ChatGetDialogRequest{}
	_ Repeater = CommandRegisterRequest{}
	_ Repeater = commandList{}
	_ Repeater = CommandUpdateRequest{}
	_ Repeater = MessageUpdateRequest{}

	_ Secretive = AppRegisterRequest{}
	_ Secretive = AppUpdateRequest{}
	_ Secretive = (*member)(nil)
)
