package imbottest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// botOf is a part of the answers that have a bot.
type botOf struct {
	Bot struct {
		ID                                              imbot.ID
		Code, Type, EventMode, ModuleID, BackgroundID   string
		IsHidden, IsReactionsEnabled, IsSupportOpenline bool
	}
	Users []struct {
		Name, FirstName, LastName, WorkPosition, Gender, Color string
	}
}

func callBot(t *testing.T, portal *imbottest.Portal, method, params string) (got botOf) {
	t.Helper()
	answer := post(t, portal, "imbot.v2.Bot."+method, "{"+params+"}")
	require.NoError(t, json.Unmarshal([]byte(answer), &got), answer)
	return got
}

// rename is a call of Bot.update, with members of fields.
func rename(token, members string) string {
	return `imbot.v2.Bot.update {"botToken":"` + token + `","botId":105,"fields":{` + members + `}}`
}

func TestBotsOfTheSecondGeneration(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		says  string
		calls []string // of gamma, before it is asked for
		want  func(*testing.T, botOf)
	}{
		{"one that was registered", nil, func(t *testing.T, b botOf) {
			require.EqualValues(t, gamma, b.Bot.ID)
			require.Equal(t, []string{"gamma", "bot", "fetch", "rest", ""}, []string{b.Bot.Code, b.Bot.Type, b.Bot.EventMode, b.Bot.ModuleID, b.Bot.BackgroundID})
			require.Equal(t, []bool{false, true, false}, []bool{b.Bot.IsHidden, b.Bot.IsReactionsEnabled, b.Bot.IsSupportOpenline})
			require.Equal(t, "Gamma", b.Users[0].Name)
		}},
		{"registered again it stays what it is", []string{`imbot.v2.Bot.register {"fields":{"botToken":"three","code":"gamma","type":"supervisor","isHidden":true,"properties":{"name":"New"}}}`}, func(t *testing.T, b botOf) {
			require.Equal(t, "Gamma bot false", fmt.Sprint(b.Users[0].Name, " ", b.Bot.Type, " ", b.Bot.IsHidden))
		}},
		{"flags, in any spelling", []string{rename("three", `"isHidden":"Y","isReactionsEnabled":"0","isSupportOpenline":true,"backgroundId":"mint"`)}, func(t *testing.T, b botOf) {
			require.Equal(t, []bool{true, false, true}, []bool{b.Bot.IsHidden, b.Bot.IsReactionsEnabled, b.Bot.IsSupportOpenline})
			require.Equal(t, "mint", b.Bot.BackgroundID)
			require.Equal(t, "Gamma", b.Users[0].Name, "what is not sent stays")
		}},
		{"an unknown background is no change", []string{rename("three", `"backgroundId":"mint"`), rename("three", `"backgroundId":"rose"`), rename("three", `"backgroundId":null`)}, func(t *testing.T, b botOf) {
			require.Equal(t, "mint", b.Bot.BackgroundID)
		}},
		{"a profile", []string{rename("three", `"properties":{"name":"A","lastName":"B","workPosition":"C","gender":"F","color":"lightBlue"}`)}, func(t *testing.T, b botOf) {
			require.Equal(t, "A B A B C F #4ba5c3", fmt.Sprint(b.Users[0].Name, " ", b.Users[0].FirstName, " ", b.Users[0].LastName, " ", b.Users[0].WorkPosition, " ", b.Users[0].Gender, " ", b.Users[0].Color))
		}},
		{"what is left out of a profile is emptied, except the name", []string{rename("three", `"properties":{"name":"A","lastName":"B","workPosition":"C","gender":"F"}`), rename("three", `"properties":{"color":"LIGHT_BLUE"}`)}, func(t *testing.T, b botOf) {
			require.Equal(t, "A||Chat bot|", strings.Join([]string{b.Users[0].Name, b.Users[0].LastName, b.Users[0].WorkPosition, b.Users[0].Gender}, "|"))
		}},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newV2Portal(t)
			for _, call := range tt.calls {
				prepare(t, portal, call)
			}
			tt.want(t, callBot(t, portal, "get", asGamma))
		})
	}
}

func TestARefusedURLLeavesTheRestOfTheChange(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	require.Equal(t, "400 BOT_INVALID_CALLBACK", post(t, portal, "imbot.v2.Bot.update", `{`+asGamma+`,"fields":{"isHidden":true,"eventMode":"webhook","webhookUrl":"http://bot.example.com/"}}`))
	got := callBot(t, portal, "get", asGamma)
	require.True(t, got.Bot.IsHidden)
	require.Equal(t, "fetch", got.Bot.EventMode)
}

func TestStrangersSeeLessOfABot(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	for _, by := range []string{`"botId":105`, `"code":"gamma"`} {
		got := post(t, portal, "imbot.v2.Bot.get", `{"botToken":"other",`+by+`}`)
		require.Contains(t, got, `"code":"gamma"`)
		for _, owners := range []string{"moduleId", "eventMode", "countChat"} {
			require.NotContains(t, got, owners)
		}
	}
}

func TestListsOfBots(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	for i, kind := range []string{"bot", "supervisor", "personal", "openline"} {
		prepare(t, portal, fmt.Sprintf(`imbot.v2.Bot.register {"fields":{"botToken":"three","code":"b%d","type":%q,"properties":{"name":"B"}}}`, i, kind))
	}
	for params, want := range map[string]string{
		``:                              "105 106 107 108 109 false",
		`,"limit":2`:                    "105 106 true",
		`,"limit":2,"offset":4`:         "109 false",
		`,"limit":5`:                    "105 106 107 108 109 true", // full, although nothing comes after it
		`,"limit":5,"offset":5`:         "false",
		`,"offset":-3`:                  "105 106 107 108 109 false",
		`,"filter":{"type":"openline"}`: "109 false",
		`,"filter":{"type":"unknown"}`:  "false", // as documented; a server that was read ignores it
		`,"filter":{"type":"personal"}`: "108 false",
	} {
		var got struct {
			Bots        []struct{ ID imbot.ID }
			Users       []struct{ ID imbot.ID }
			HasNextPage bool
		}
		answer := post(t, portal, "imbot.v2.Bot.list", `{"botToken":"three"`+params+`}`)
		require.NoError(t, json.Unmarshal([]byte(answer), &got))
		require.Equal(t, got.Bots, got.Users, params)
		words := []string{}
		for _, b := range got.Bots {
			words = append(words, b.ID.String())
		}
		require.Equal(t, want, strings.Join(append(words, fmt.Sprint(got.HasNextPage)), " "), params)
	}
	require.Equal(t, `{"bots":[],"users":[],"hasNextPage":false}`, post(t, portal, "imbot.v2.Bot.list", `{"botToken":"nobody"}`))
}

func TestTokensOfBots(t *testing.T) {
	t.Parallel()
	const get = "imbot.v2.Chat.get"
	portal := newV2Portal(t)
	for _, name := range []string{"botToken", "BOT_TOKEN", "clientId", "CLIENT_ID"} {
		require.Contains(t, post(t, portal, get, `{"`+name+`":"three","botId":105,"dialogId":"chat1002"}`), `"id":1002`, name)
	}
	require.Equal(t, "400 BOT_TOKEN_NOT_SPECIFIED", post(t, portal, get, `{"fields":{"botToken":"three"},"botId":105,"dialogId":"chat1002"}`), "only Bot.register reads it there")
	require.EqualValues(t, gamma, callBot(t, portal, "register", `"botToken":"three","fields":{"botToken":"other","code":"gamma","properties":{"name":"G"}}`).Bot.ID, "the upper one wins")
	long := strings.Repeat("x", 60)
	prepare(t, portal, `imbot.register `+register("long", long, "B"))
	require.EqualValues(t, 106, callBot(t, portal, "get", `"botToken":"`+long+`","code":"long"`).Bot.ID, "old bots may have long ones")
}

func TestATokenIsExchanged(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	prepare(t, portal, rename("three", `"botToken":"  "`)) // a blank one is no token
	prepare(t, portal, rename("three", `"botToken":" four "`))
	const get = "imbot.v2.Chat.get"
	require.Equal(t, "400 BOT_OWNERSHIP_ERROR", post(t, portal, get, `{`+inCrew+`}`), "at once")
	require.Contains(t, post(t, portal, get, `{"botToken":"four","botId":105,"dialogId":"chat1002"}`), `"id":1002`)
	require.Equal(t, "400 BOT_OWNERSHIP_ERROR", post(t, portal, "imbot.v2.Bot.update", `{`+asGamma+`,"fields":{"botToken":"four"}}`), "repeating it fails")
	require.Contains(t, post(t, portal, "imbot.v2.Command.list", `{"botToken":"four","botId":105}`), `"/help"`, "its commands stay")
	require.Equal(t, "true", post(t, portal, "imbot.chat.updateTitle", `{"CLIENT_ID":"four","BOT_ID":105,"CHAT_ID":1002,"TITLE":"x"}`), "in both generations")
}

// postsOf calls with a bot that has its events posted, and returns what comes.
func postsOf(t *testing.T, token string, act func(*testing.T, *imbottest.Portal, *mailbox)) []url.Values {
	t.Helper()
	portal, box := newV2Portal(t), &mailbox{}
	require.NoError(t, portal.Idle(t.Context()))
	portal.Serve(eventURL, box)
	portal.Serve(otherURL, box)
	prepare(t, portal, rename("three", `"botToken":"`+token+`"`))
	prepare(t, portal, rename(token, `"eventMode":"webhook","webhookUrl":"`+eventURL+`"`))
	act(t, portal, box)
	return box.take(t, portal)
}

func TestPostsOfTheSecondGeneration(t *testing.T) {
	t.Parallel()
	mention := func(t *testing.T, portal *imbottest.Portal) {
		_, err := portal.Say(t.Context(), anna, crewDialog, "[USER=105]Gamma[/USER] hi")
		require.NoError(t, err)
	}
	t.Run("come with the token, in the width of its column", func(t *testing.T) {
		token := strings.Repeat("t", 40)
		events := postsOf(t, token, func(t *testing.T, portal *imbottest.Portal, _ *mailbox) { mention(t, portal) })
		require.Len(t, events, 1)
		require.Equal(t, "custom"+token, events[0].Get("auth[application_token]"))
		require.False(t, events[0].Has("data[bot][auth][access_token]"), "tokens belong to applications")
		require.False(t, events[0].Has("auth[access_token]"))
		require.Equal(t, "105", events[0].Get("data[bot][id]"))
	})
	t.Run("which is cut after fifty characters", func(t *testing.T) {
		portal, box := newTestPortal(t), &mailbox{}
		portal.Serve(eventURL, box)
		long := strings.Repeat("x", 60) // only bots of the first generation can have it
		prepare(t, portal, `imbot.register `+register("long", long, "B"))
		prepare(t, portal, `imbot.v2.Bot.update {"botToken":"`+long+`","botId":105,"fields":{"eventMode":"webhook","webhookUrl":"`+eventURL+`"}}`)
		require.NoError(t, portal.Open(t.Context(), anna, 105))
		events := box.take(t, portal)
		require.Equal(t, "ONIMBOTV2JOINCHAT", events[len(events)-1].Get("event"))
		require.Equal(t, "custom"+strings.Repeat("x", 44), events[len(events)-1].Get("auth[application_token]"))
	})
	t.Run("come with a new token when there is one", func(t *testing.T) {
		events := postsOf(t, "four", func(t *testing.T, portal *imbottest.Portal, _ *mailbox) {
			prepare(t, portal, rename("four", `"botToken":"five"`))
			mention(t, portal)
		})
		require.Len(t, events, 1)
		require.Equal(t, "customfive", events[0].Get("auth[application_token]"))
	})
	t.Run("go to every URL of the application's bots", func(t *testing.T) {
		events := postsOf(t, "four", func(t *testing.T, portal *imbottest.Portal, _ *mailbox) {
			prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"four","code":"d","eventMode":"webhook","webhookUrl":"`+otherURL+`","properties":{"name":"D"}}}`)
			mention(t, portal)
		})
		require.Len(t, events, 2)
		require.Equal(t, events[0].Get("data[message][id]"), events[1].Get("data[message][id]"))
		require.NotEqual(t, events[0].Get("event_handler_id"), events[1].Get("event_handler_id"))
	})
	t.Run("go to the new URL only when it is changed", func(t *testing.T) {
		events := postsOf(t, "four", func(t *testing.T, portal *imbottest.Portal, _ *mailbox) {
			prepare(t, portal, rename("four", `"eventMode":"webhook","webhookUrl":"`+otherURL+`"`))
			mention(t, portal)
		})
		require.Len(t, events, 1)
	})
	t.Run("end with fetching", func(t *testing.T) {
		require.Empty(t, postsOf(t, "four", func(t *testing.T, portal *imbottest.Portal, _ *mailbox) {
			prepare(t, portal, rename("four", `"eventMode":"fetch"`))
			mention(t, portal)
			require.Len(t, portal.Queued(gamma), 1, "nothing comes from before")
		}))
	})
	t.Run("end with the bot, after the event that tells of it", func(t *testing.T) {
		events := postsOf(t, "four", func(t *testing.T, portal *imbottest.Portal, _ *mailbox) {
			prepare(t, portal, `imbot.v2.Bot.unregister {"botToken":"four","botId":105}`)
			_, err := portal.Say(t.Context(), anna, crewDialog, "hi")
			require.NoError(t, err)
		})
		require.Len(t, events, 1)
		require.Equal(t, "ONIMBOTV2DELETE", events[0].Get("event"))
	})
	t.Run("of another bot no longer go to its URL", func(t *testing.T) {
		events := postsOf(t, "four", func(t *testing.T, portal *imbottest.Portal, box *mailbox) {
			prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"four","code":"d","eventMode":"webhook","webhookUrl":"`+otherURL+`","properties":{"name":"D"}}}`)
			prepare(t, portal, `imbot.v2.Bot.unregister {"botToken":"four","botId":106}`)
			box.take(t, portal)
			mention(t, portal)
		})
		require.Len(t, events, 1)
	})
	t.Run("replace the queue", func(t *testing.T) {
		portal := newV2Portal(t)
		mention(t, portal)
		require.NotEmpty(t, portal.Queued(gamma))
		prepare(t, portal, rename("three", `"eventMode":"webhook","webhookUrl":"`+eventURL+`"`))
		require.Empty(t, portal.Queued(gamma))
	})
}

// TestPostsOfApplications is about bots of an application, whose events have tokens.
func TestPostsOfApplications(t *testing.T) {
	t.Parallel()
	portal, box := newPortal(t), &mailbox{}
	portal.Serve(eventURL, box)
	client, err := imbot.NewClient(portal.OAuth("local.1"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	var registered botOf
	require.NoError(t, client.Call(t.Context(), "imbot.v2.Bot.register", map[string]any{"fields": map[string]any{
		"code": "a", "eventMode": "webhook", "webhookUrl": eventURL, "properties": map[string]any{"name": "A"},
	}}, &registered))
	require.NoError(t, portal.Open(t.Context(), portal.AddUser("Anna", ""), registered.Bot.ID))
	events := box.take(t, portal)
	require.Len(t, events, 1)
	require.NotEmpty(t, events[0].Get("data[bot][auth][access_token]"))
	require.NotEmpty(t, events[0].Get("auth[access_token]"))
	require.False(t, strings.HasPrefix(events[0].Get("auth[application_token]"), "custom"))
}

func TestAfterItsEndABotHasNothing(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	require.Equal(t, `{"result":true}`, post(t, portal, "imbot.v2.Bot.unregister", `{`+asGamma+`}`))
	require.Empty(t, portal.Queued(gamma))
	for _, method := range []string{"Bot.unregister", "Event.get", "Command.list"} {
		require.Equal(t, "400 BOT_NOT_FOUND", post(t, portal, "imbot.v2."+method, `{`+asGamma+`}`), method)
	}
	require.Equal(t, "106", callBot(t, portal, "register", `"fields":{"botToken":"three","code":"gamma","properties":{"name":"G"}}`).Bot.ID.String())
	require.NotContains(t, post(t, portal, "imbot.v2.Command.list", `{"botToken":"three","botId":106}`), "/help")
}

func TestWaitingForABot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		found := make(chan imbot.ID)
		go func() {
			id, _ := portal.WaitBot(ctx, "gamma")
			found <- id
		}()
		synctest.Wait()
		require.Empty(t, found, "there is none")
		prepare(t, portal, v2Steps[0])
		require.EqualValues(t, 101, <-found)
		id, err := portal.WaitBot(ctx, "gamma")
		require.NoError(t, err)
		require.EqualValues(t, 101, id, "it is there already")
		_, err = portal.WaitBot(t.Context(), "delta")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, `no bot with the code "delta"`)
	})
}
