package imbotv2_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

// What a client asks for happens, on a portal that loses the answer of each call that may be
// repeated.

const pixel = "GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// onAPortal is a portal, and the client of a bot of a type that may read messages.
func onAPortal(t *testing.T) (*imbottest.Portal, *imbotv2.Client) {
	t.Helper()
	portal := imbottest.NewPortal(imbottest.WithRateLimit(1e6, 1e6))
	t.Cleanup(portal.Close)
	client, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(t, err)
	bot, err := imbotv2.EnsureBot(t.Context(), client, imbotv2.BotRegisterRequest{
		Code: "helper", Type: imbotv2.BotTypeSupervisor, Properties: imbotv2.BotProperties{Name: "Helper"},
	})
	require.NoError(t, err)
	return portal, client.WithBot(bot.ID)
}

// loses lets the answers of methods get lost, once each.
func loses(portal *imbottest.Portal, methods ...string) {
	for _, m := range methods {
		portal.Fail(m, imbottest.Fault{Cut: imbottest.AfterRun, Times: 1})
	}
}

func ids(users []imbotv2.User) (all []imbot.ID) {
	for _, u := range users {
		all = append(all, u.ID)
	}
	slices.Sort(all)
	return all
}

func TestAChatFromItsBeginningToItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, client := onAPortal(t)
		ctx, bot := t.Context(), client.BotID()
		anna, boris := portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov")
		chat, err := client.Chat.Add(ctx, imbotv2.ChatAddRequest{
			Type: imbotv2.ChatTypeOpen, Title: "Lunch", Description: "Where to", Color: imbot.ColorLightBlue, UserIDs: []imbot.ID{anna}, Message: "Hungry?",
		})
		require.NoError(t, err)
		require.Equal(t, bot, chat.Owner)
		loses(portal, "imbot.v2.Chat.update", "imbot.v2.Chat.User.add", "imbot.v2.Chat.Manager.add", "imbot.v2.Chat.Manager.delete",
			"imbot.v2.Chat.TextField.enabled", "imbot.v2.Chat.User.delete", "imbot.v2.Chat.User.list")
		dialog, none := chat.DialogID, ""
		require.NoError(t, client.Chat.Update(ctx, imbotv2.ChatUpdateRequest{DialogID: dialog, Title: "Dinner", Description: &none, Avatar: []byte(pixel)}))
		require.Equal(t, pixel, string(portal.Avatar(dialog)))
		require.NoError(t, client.Chat.AddUsers(ctx, imbotv2.ChatAddUsersRequest{DialogID: dialog, UserIDs: []imbot.ID{boris}}))
		require.NoError(t, client.Chat.AddManagers(ctx, imbotv2.ChatAddManagersRequest{DialogID: dialog, UserIDs: []imbot.ID{anna, boris}}))
		require.NoError(t, client.Chat.DeleteManagers(ctx, imbotv2.ChatDeleteManagersRequest{DialogID: dialog, UserIDs: []imbot.ID{boris}}))
		require.NoError(t, client.Chat.SetTextField(ctx, imbotv2.ChatSetTextFieldRequest{DialogID: dialog, Enabled: imbot.No}))
		users, err := client.Chat.ListUsers(ctx, imbotv2.ChatListUsersRequest{DialogID: dialog, OrderBy: imbotv2.ByUserID, Descending: true})
		require.NoError(t, err)
		require.True(t, slices.IsSortedFunc(users, func(a, b imbotv2.User) int { return int(b.ID - a.ID) }))
		everybody := []imbot.ID{anna, boris, bot}
		slices.Sort(everybody)
		require.Equal(t, everybody, ids(users))

		chat, err = client.Chat.Get(ctx, imbotv2.ChatGetRequest{DialogID: dialog})
		require.NoError(t, err)
		require.Equal(t, []string{"Dinner", ""}, []string{chat.Name, chat.Description})
		require.ElementsMatch(t, []imbot.ID{bot, anna}, chat.ManagerList)
		require.Equal(t, imbot.No, chat.TextFieldEnabled)

		require.NoError(t, client.Chat.DeleteUser(ctx, imbotv2.ChatDeleteUserRequest{DialogID: dialog, UserID: boris}))
		require.NoError(t, client.Chat.SetOwner(ctx, imbotv2.ChatSetOwnerRequest{DialogID: dialog, UserID: anna}))
		require.ErrorIs(t, client.Chat.SetOwner(ctx, imbotv2.ChatSetOwnerRequest{DialogID: dialog, UserID: bot}), imbotv2.ErrAccessDenied)
		require.NoError(t, client.Chat.Leave(ctx, imbotv2.ChatLeaveRequest{DialogID: dialog}))
		require.ErrorIs(t, client.Chat.Leave(ctx, imbotv2.ChatLeaveRequest{DialogID: dialog}), imbotv2.ErrAccessDenied)
		require.NoError(t, portal.Err())
	})
}

func TestReactionsAndForwardsAreThereOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, client := onAPortal(t)
		ctx, anna := t.Context(), portal.AddUser("Anna", "Ivanova")
		crew := imbot.ChatDialog(portal.AddChat("Crew", anna, client.BotID()))
		var forward []imbot.ID
		for i := range 5 {
			said, err := portal.Say(ctx, anna, crew, fmt.Sprint("number ", i))
			require.NoError(t, err)
			forward = append(forward, said.ID)
		}
		loses(portal, "imbot.v2.Chat.Message.Reaction.add", "imbot.v2.Chat.Message.Reaction.delete", "imbot.v2.Chat.Message.send")
		react := imbotv2.MessageAddReactionRequest{MessageID: forward[0], Reaction: imbotv2.ReactionFire}
		require.NoError(t, client.Message.AddReaction(ctx, react))
		require.Len(t, portal.Calls("imbot.v2.Chat.Message.Reaction.add"), 2)
		require.ErrorIs(t, client.Message.AddReaction(ctx, react), imbotv2.ErrReactionAlreadySet)
		require.Equal(t, "fire", portal.Messages(anna, crew)[0].Reactions[0].Reaction)
		react.Reaction = "thumbsUp"
		require.ErrorIs(t, client.Message.AddReaction(ctx, react), imbotv2.ErrReactionNotFound, "which ones it knows is the portal's affair")
		require.NoError(t, client.Message.DeleteReaction(ctx, imbotv2.MessageDeleteReactionRequest{MessageID: forward[0], Reaction: imbotv2.ReactionFire}))
		require.Empty(t, portal.Messages(anna, crew)[0].Reactions)

		slices.Reverse(forward)
		req := imbotv2.MessageForwardRequest{DialogID: imbot.UserDialog(anna), ForwardIDs: forward}
		sent, err := client.Message.Forward(ctx, req)
		require.NoError(t, err)
		require.Len(t, portal.Calls("imbot.v2.Chat.Message.send"), 2)
		require.Zero(t, sent.ID)
		var there []imbot.ID
		for _, m := range portal.Messages(anna, imbot.UserDialog(client.BotID())) {
			require.Equal(t, fmt.Sprint("number ", 4-len(there)), m.Plain(), "in their order")
			there = append(there, m.ID)
		}
		var told []imbot.ID
		for _, uuid := range slices.Sorted(maps.Keys(sent.UUIDMap)) {
			told = append(told, sent.UUIDMap[uuid])
		}
		require.Equal(t, there, told)

		loses(portal, "imbot.v2.Chat.Message.send")
		req.Message, req.ForwardIDs = "see", forward[:2]
		sent, err = client.Message.Forward(ctx, req)
		require.NoError(t, err)
		require.NotZero(t, sent.ID)
		require.Len(t, portal.Messages(anna, imbot.UserDialog(client.BotID())), 8)
		require.NoError(t, portal.Err())
	})
}

func TestHistoryOfAChatOnAPortal(t *testing.T) {
	t.Parallel()
	portal, client := onAPortal(t)
	ctx, anna := t.Context(), portal.AddUser("Anna", "Ivanova")
	dialog := imbot.ChatDialog(portal.AddChat("Crew", anna, client.BotID()))
	var last imbottest.Message
	for i := range 220 {
		var err error
		last, err = portal.Say(ctx, anna, dialog, fmt.Sprint("message ", i))
		require.NoError(t, err)
	}
	got, err := client.Message.Get(ctx, imbotv2.MessageGetRequest{MessageID: last.ID})
	require.NoError(t, err)
	require.Equal(t, "message 219", got.Message.Text)
	require.Equal(t, anna, got.User.ID)
	n := 219
	for m, err := range client.Message.History(ctx, imbotv2.MessageGetContextRequest{MessageID: last.ID}) {
		require.NoError(t, err)
		if strings.HasPrefix(m.Text, "message ") { // what the portal itself has said is there, too
			n--
			require.Equal(t, fmt.Sprint("message ", n), m.Text)
		}
	}
	require.Zero(t, n)
	require.NoError(t, portal.Err())
}

func TestAPersonOnAPortal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, _ := onAPortal(t)
		client, err := imbotv2.NewClient(portal.Webhook("t"), imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		anna := portal.AddUser("Anna", "Ivanova")
		crew := imbot.ChatDialog(portal.AddChat("Crew", imbottest.Admin, anna))
		ctx, cancel := context.WithCancel(t.Context())
		ended, heard := make(chan error), make(chan string, 9)
		go func() {
			ended <- imbotv2.PollUser(ctx, &imbotv2.UserEventHandler{
				OnMessage: func(ctx context.Context, ev *imbotv2.UserMessageAddEvent) error {
					for _, file := range ev.Message.FileIDs {
						content, err := client.UserFile.Read(ctx, imbotv2.UserFileDownloadRequest{DialogID: ev.Dialog(), FileID: file}, 1<<20)
						if err != nil {
							return err
						}
						heard <- string(content)
					}
					heard <- ev.Message.Text
					return nil
				},
				OnReaction: func(_ context.Context, ev *imbotv2.UserReactionChangeEvent) error {
					heard <- string(ev.Reaction)
					return nil
				},
			}, client)
		}()
		time.Sleep(time.Second)
		said, err := portal.Say(ctx, anna, crew, "hello")
		require.NoError(t, err)
		require.NoError(t, portal.React(ctx, anna, said, "eyes"))
		_, err = client.UserFile.Upload(ctx, imbotv2.UserFileUploadRequest{DialogID: crew, Name: "a.txt", Content: []byte("a file"), Message: "there"})
		require.NoError(t, err)
		require.Equal(t, "hello", <-heard)
		require.Equal(t, "eyes", <-heard)
		require.Equal(t, "a file", <-heard, "the person's own message comes, too")
		require.Equal(t, "there", <-heard)
		cancel()
		require.NoError(t, <-ended)
		require.Empty(t, portal.Queued(imbottest.Admin))
		require.NoError(t, portal.Err())
	})
}
