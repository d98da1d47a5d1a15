package imbot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// walkedV2 has a value of each exported type of package imbotv2, as walked has.
func walkedV2(t *testing.T) []any {
	hook := imbot.Webhook{URL: "https://portal.example/rest/1/" + walkMarker + "/", BotToken: walkMarker}
	client, err := imbotv2.NewClient(hook)
	require.NoError(t, err)
	return []any{
		client, client.WithBotToken(walkMarker + "-2").Bot, client.Chat, client.Message, client.Command, client.Event, client.File, client.Revision,
		client.UserEvent, client.UserFile,
		&imbotv2.EventHandler{Verifier: hook.Verifier()}, &imbotv2.Poller{Clients: []*imbotv2.Client{client}}, &imbotv2.UserEventHandler{}, imbotv2.PollStats{},
		imbotv2.BotProperties{}, imbotv2.BotRegisterRequest{}, imbotv2.BotUpdateRequest{NewBotToken: walkMarker}, imbotv2.BotGetRequest{},
		imbotv2.BotListRequest{}, imbotv2.BotUnregisterRequest{}, imbotv2.BotResult{}, imbotv2.BotListResult{}, imbotv2.ChatGetRequest{},
		imbotv2.ActionStatus(""), imbotv2.ChatNotifyActionRequest{}, imbotv2.CommandRegisterRequest{}, imbotv2.CommandUpdateRequest{}, imbotv2.SlashCommand{}, imbotv2.SlashCommands{},
		imbotv2.CommandListRequest{}, imbotv2.CommandUnregisterRequest{}, imbotv2.CommandAnswerRequest{}, imbotv2.User{}, imbotv2.UserType(""),
		imbotv2.Bot{}, imbotv2.BotType(""), imbotv2.EventMode(""), imbotv2.Background(""), imbotv2.Chat{}, imbotv2.ChatType(""),
		imbotv2.ChatRole(""), imbotv2.EntityLink{}, imbotv2.ChatPermissions{}, imbotv2.LastMessageViews{}, imbotv2.Viewer{},
		imbotv2.PublicLink{Code: walkMarker, Link: walkMarker}, imbotv2.Message{}, imbotv2.ForwardedFrom{}, imbotv2.File{},
		imbotv2.FileType(""), imbotv2.Command{}, imbotv2.EventGetRequest{}, imbotv2.EventGetResult{}, imbotv2.EventItem{}, imbotv2.EventBot{},
		imbotv2.FileUploadRequest{}, imbotv2.FileUploadResult{}, imbotv2.FileDownloadRequest{},
		imbotv2.BotEvent{}, imbotv2.MessageAddEvent{}, imbotv2.MessageUpdateEvent{}, imbotv2.MessageDeleteEvent{}, imbotv2.JoinChatEvent{},
		imbotv2.CommandCall{}, imbotv2.CommandContext(""), imbotv2.CommandAddEvent{}, imbotv2.Reaction(""), imbotv2.ReactionAction(""),
		imbotv2.ReactionChangeEvent{}, imbotv2.ContextGetEvent{}, imbotv2.BotDeleteEvent{}, imbotv2.UserEvent{}, imbotv2.UserMessageAddEvent{},
		imbotv2.UserMessageUpdateEvent{}, imbotv2.UserMessageDeleteEvent{}, imbotv2.UserReactionChangeEvent{}, imbotv2.UserJoinChatEvent{},
		imbotv2.MessageSendRequest{}, imbotv2.MessageUpdateRequest{}, imbotv2.MessageDeleteRequest{}, imbotv2.MessageReadRequest{},
		imbotv2.MessageReadResult{}, imbotv2.RevisionGetRequest{}, imbotv2.Revision{}, imbotv2.DiagnoseRequest{},
		imbotv2.ChatAddRequest{}, imbotv2.ChatUpdateRequest{}, imbotv2.ChatLeaveRequest{}, imbotv2.ChatSetOwnerRequest{},
		imbotv2.ChatAddUsersRequest{}, imbotv2.ChatDeleteUserRequest{}, imbotv2.UserOrder(""), imbotv2.ChatListUsersRequest{},
		imbotv2.ChatAddManagersRequest{}, imbotv2.ChatDeleteManagersRequest{}, imbotv2.ChatSetTextFieldRequest{},
		imbotv2.MessageForwardRequest{}, imbotv2.MessageForwardResult{}, imbotv2.MessageGetRequest{}, imbotv2.MessageResult{},
		imbotv2.MessageGetContextRequest{}, imbotv2.MessageContext{}, imbotv2.MessageAddReactionRequest{},
		imbotv2.MessageDeleteReactionRequest{}, imbotv2.UserEventSubscribeRequest{}, imbotv2.UserEventUnsubscribeRequest{},
		imbotv2.UserEventGetRequest{}, imbotv2.UserFileUploadRequest{}, imbotv2.UserFileDownloadRequest{},
	}
}
