package imbottest_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// changesInWords describes what a person saw change, without exchanges.
func changesInWords(t *testing.T, portal *imbottest.Portal, user imbot.ID, after int64) (words []string) {
	t.Helper()
	if portal.Changed() == after {
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	portal.AddUser("The", "End") // so that Changes does not wait when the person saw nothing change
	changes, err := portal.Changes(ctx, user, after)
	require.NoError(t, err)
	last := after
	for _, c := range changes {
		require.GreaterOrEqual(t, c.Seq, last)
		last = c.Seq
		word := string(c.Kind)
		switch c.Kind {
		case imbottest.ChangeMessage:
			word += fmt.Sprintf(" %s %s", c.DialogID, c.Message.Text)
			if c.Gone {
				word += "gone"
			}
		case imbottest.ChangeDialog:
			require.Equal(t, c.DialogID, c.Dialog.ID)
			word += fmt.Sprintf(" %s %s %v", c.Dialog.ID, c.Dialog.Title, c.Dialog.Members)
		case imbottest.ChangeLeft:
			word += " " + string(c.DialogID)
		case imbottest.ChangeUser:
			word += " " + c.User.Name()
		case imbottest.ChangeTyping:
			word += fmt.Sprintf(" %s %d %t", c.DialogID, c.User.ID, c.Typing)
		case imbottest.ChangeExchange:
			continue
		}
		if word != "user The End" {
			words = append(words, word)
		}
	}
	return words
}

func TestChanges(t *testing.T) {
	t.Parallel()
	picture := base64.StdEncoding.EncodeToString(smallPNG)
	call := func(method, params string) func(*testing.T, *imbottest.Portal) {
		return func(t *testing.T, p *imbottest.Portal) {
			require.NotRegexp(t, "^[45]..( |$)", post(t, p, method, params))
		}
	}
	first := func(p *imbottest.Portal) imbottest.Message { return p.History(anna, "chat1001", 0, 9)[0] }
	const keys = `{"CLIENT_ID":"one","DIALOG_ID":"chat1001","MESSAGE":"new","KEYBOARD":[{"TEXT":"Go","COMMAND":"echo","BLOCK":"Y"}]}`
	for _, r := range []struct {
		says   string
		before func(*testing.T, *imbottest.Portal)
		act    func(*testing.T, *imbottest.Portal)
		anna   []string
		boris  []string
	}{
		{"a message", nil, func(t *testing.T, p *imbottest.Portal) {
			_, err := p.Say(t.Context(), anna, "chat1001", "hi")
			require.NoError(t, err)
		}, []string{"message chat1001 hi"}, nil},
		{"a first private message", nil, func(t *testing.T, p *imbottest.Portal) {
			_, err := p.Say(t.Context(), anna, "102", "hi")
			require.NoError(t, err)
		}, []string{"dialog 102 Boris Petrov [101 102]", "message 102 hi"}, []string{"dialog 101 Anna Ivanova [101 102]", "message 101 hi"}},
		{"a message to a bot lets it write", nil, func(t *testing.T, p *imbottest.Portal) {
			_, err := p.Say(t.Context(), anna, "103", "hi")
			require.NoError(t, err)
		}, []string{"dialog 103 Alpha [101 103]", "message 103 hi", "typing 103 103 true"}, nil},
		{"two changes of one message are one", call("imbot.message.add", keys), func(t *testing.T, p *imbottest.Portal) {
			call("imbot.message.update", `{"CLIENT_ID":"one","MESSAGE_ID":50001,"MESSAGE":"newer"}`)(t, p)
			call("imbot.message.like", `{"CLIENT_ID":"one","MESSAGE_ID":50001}`)(t, p)
		}, []string{"message chat1001 newer"}, nil},
		{"a keyboard that goes", call("imbot.message.add", keys), call("imbot.message.update", `{"CLIENT_ID":"one","MESSAGE_ID":50001,"KEYBOARD":"N"}`), []string{"message chat1001 new"}, nil},
		{"a deleted message", call("imbot.message.add", keys), call("imbot.message.delete", `{"CLIENT_ID":"one","MESSAGE_ID":50001}`), []string{"message chat1001 This message was deleted."}, nil},
		{"a message without a trace", call("imbot.message.add", keys), call("imbot.message.delete", `{"CLIENT_ID":"one","MESSAGE_ID":50001,"COMPLETE":"Y"}`), []string{"message chat1001 gone"}, nil},
		{"a like of a person", call("imbot.message.add", keys), func(t *testing.T, p *imbottest.Portal) {
			require.NoError(t, p.Like(t.Context(), anna, first(p)))
		}, []string{"message chat1001 new"}, nil},
		{"a pressed button that waits", call("imbot.message.add", keys), func(t *testing.T, p *imbottest.Portal) {
			require.NoError(t, p.PressButton(t.Context(), anna, first(p), 0))
		}, []string{"message chat1001 new"}, nil},
		{"an edit", func(t *testing.T, p *imbottest.Portal) { _, _ = p.Say(t.Context(), anna, "chat1001", "hi") }, func(t *testing.T, p *imbottest.Portal) {
			require.NoError(t, p.Edit(t.Context(), anna, first(p), "ho"))
		}, []string{"message chat1001 ho"}, nil},
		{"a person deletes", func(t *testing.T, p *imbottest.Portal) { _, _ = p.Say(t.Context(), anna, "chat1001", "hi") }, func(t *testing.T, p *imbottest.Portal) {
			require.NoError(t, p.Delete(t.Context(), anna, first(p)))
		}, []string{"message chat1001 This message was deleted."}, nil},
		{"a title", nil, call("imbot.chat.updateTitle", `{"CLIENT_ID":"one","CHAT_ID":1001,"TITLE":"Crew"}`), []string{"dialog chat1001 Crew [103 101]"}, nil},
		{"a color", nil, call("imbot.chat.updateColor", `{"CLIENT_ID":"one","CHAT_ID":1001,"COLOR":"RED"}`), []string{"dialog chat1001 Team [103 101]"}, nil},
		{"a picture", nil, call("imbot.chat.updateAvatar", `{"CLIENT_ID":"one","CHAT_ID":1001,"AVATAR":"`+picture+`"}`), []string{"dialog chat1001 Team [103 101]"}, nil},
		{"an owner", nil, call("imbot.chat.setOwner", `{"CLIENT_ID":"one","CHAT_ID":1001,"USER_ID":101}`), []string{"dialog chat1001 Team [103 101]"}, nil},
		{"a manager", nil, call("imbot.chat.setManager", `{"CLIENT_ID":"one","CHAT_ID":1001,"USER_ID":101}`), []string{"dialog chat1001 Team [103 101]"}, nil},
		{"a new member", nil, call("imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[102]}`), []string{"dialog chat1001 Team [103 101 102]"}, []string{"dialog chat1001 Team [103 101 102]"}},
		{"who came without the history sees nothing of it", func(t *testing.T, p *imbottest.Portal) {
			call("imbot.message.add", keys)(t, p)
			call("imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[102],"HIDE_HISTORY":"Y"}`)(t, p)
		}, call("imbot.message.update", `{"CLIENT_ID":"one","MESSAGE_ID":50001,"MESSAGE":"newer"}`), []string{"message chat1001 newer"}, nil},
		{"who goes writes no more", call("imbot.chat.sendTyping", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001"}`), func(t *testing.T, p *imbottest.Portal) {
			call("imbot.chat.leave", `{"CLIENT_ID":"one","CHAT_ID":1001}`)(t, p)
			require.Empty(t, p.Dialogs(anna)[0].Typing)
		}, []string{"typing chat1001 103 false", "dialog chat1001 Team [101]"}, nil},
		{"somebody is removed", nil, call("imbot.chat.user.delete", `{"CLIENT_ID":"one","CHAT_ID":1001,"USER_ID":101}`), []string{"left chat1001"}, nil},
		{"a person removes another", call("imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[102]}`), func(t *testing.T, p *imbottest.Portal) {
			require.NoError(t, p.Kick(t.Context(), boris, team, boris))
		}, []string{"dialog chat1001 Team [103 101]"}, []string{"left chat1001"}},
		{"who comes and goes has left", nil, func(t *testing.T, p *imbottest.Portal) {
			require.NoError(t, p.Invite(t.Context(), anna, team, boris))
			require.NoError(t, p.Kick(t.Context(), boris, team, boris))
		}, []string{"dialog chat1001 Team [103 101]"}, []string{"left chat1001"}},
		{"who goes and comes is there", nil, func(t *testing.T, p *imbottest.Portal) {
			require.NoError(t, p.Invite(t.Context(), anna, team, boris))
			require.NoError(t, p.Kick(t.Context(), boris, team, boris))
			require.NoError(t, p.Invite(t.Context(), anna, team, boris))
		}, []string{"dialog chat1001 Team [103 101 102]"}, []string{"dialog chat1001 Team [103 101 102]"}},
		{"a new bot", nil, call("imbot.register", `{"CLIENT_ID":"one","CODE":"third",`+bindings+`,"PROPERTIES":{"NAME":"Third"}}`), []string{"user Third"}, []string{"user Third"}},
		{"another name of a bot is another title", func(t *testing.T, p *imbottest.Portal) { require.NoError(t, p.Open(t.Context(), anna, beta)) },
			call("imbot.update", `{"CLIENT_ID":"two","BOT_ID":104,"FIELDS":{"PROPERTIES":{"NAME":"Gamma"}}}`), []string{"user Gamma", "dialog 104 Gamma [101 104]"}, []string{"user Gamma"}},
		{"a bot goes", nil, call("imbot.unregister", `{"CLIENT_ID":"one","BOT_ID":103}`), []string{"dialog chat1001 Team [101]", "user Alpha", "help"}, []string{"user Alpha", "help"}},
		{"a command", nil, call("imbot.command.unregister", `{"CLIENT_ID":"one","COMMAND_ID":701}`), []string{"help"}, []string{"help"}},
		{"an application", nil, call("imbot.app.unregister", `{"CLIENT_ID":"one","APP_ID":501}`), []string{"help"}, []string{"help"}},
		{"somebody writes", nil, call("imbot.chat.sendTyping", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001"}`), []string{"typing chat1001 103 true"}, nil},
		{"nobody writes where the bot is not", nil, call("imbot.chat.sendTyping", `{"CLIENT_ID":"two","DIALOG_ID":"chat1001"}`), nil, nil},
		{"the message ends the writing", nil, func(t *testing.T, p *imbottest.Portal) {
			call("imbot.chat.sendTyping", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001"}`)(t, p)
			call("imbot.message.add", keys)(t, p)
		}, []string{"typing chat1001 103 false", "message chat1001 new"}, nil},
		{"who goes on writing behind a message still writes", nil, func(t *testing.T, p *imbottest.Portal) {
			call("imbot.chat.sendTyping", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001"}`)(t, p)
			call("imbot.message.add", keys)(t, p)
			call("imbot.chat.sendTyping", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001"}`)(t, p)
			call("imbot.message.update", `{"CLIENT_ID":"one","MESSAGE_ID":50001,"MESSAGE":"newer"}`)(t, p)
		}, []string{"message chat1001 newer", "typing chat1001 103 true"}, nil},
		{"until the next message", call("imbot.message.add", keys), func(t *testing.T, p *imbottest.Portal) {
			call("imbot.chat.sendTyping", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001"}`)(t, p)
			call("imbot.message.update", `{"CLIENT_ID":"one","MESSAGE_ID":50001,"MESSAGE":"newer"}`)(t, p)
			call("imbot.chat.sendTyping", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001"}`)(t, p)
			call("imbot.message.add", keys)(t, p)
		}, []string{"message chat1001 newer", "typing chat1001 103 false", "message chat1001 new"}, nil},
	} {
		t.Run(r.says, func(t *testing.T) {
			portal := newTestPortal(t)
			if r.before != nil {
				r.before(t, portal)
			}
			after := portal.Changed()
			r.act(t, portal)
			require.Equal(t, r.anna, changesInWords(t, portal, anna, after))
			require.Equal(t, r.boris, changesInWords(t, portal, boris, after), "and Boris")
		})
	}
}

func TestChangesWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := newTestPortal(t)
		require.NoError(t, portal.Idle(t.Context()))
		after := portal.Changed()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		got := make(chan []imbottest.Change, 1)
		go func() {
			changes, _ := portal.Changes(ctx, anna, after)
			got <- changes
		}()
		synctest.Wait()
		_, err := portal.Say(t.Context(), boris, "1", "not for Anna")
		require.NoError(t, err)
		synctest.Wait()
		require.Empty(t, got)
		_, err = portal.Say(t.Context(), anna, "1", "for Anna")
		require.NoError(t, err)
		changes := <-got
		require.Equal(t, imbottest.ChangeDialog, changes[0].Kind)
		require.Equal(t, portal.Changed(), changes[len(changes)-1].Seq, "what is not for her counts as read")

		_, err = portal.Changes(ctx, anna, portal.Changed())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		go func() {
			_, err := portal.Changes(t.Context(), anna, portal.Changed())
			if err != nil {
				close(got)
			}
		}()
		synctest.Wait()
		portal.Close()
		<-got
	})
}

func TestExchangesAreChanges(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	release, reached := make(chan struct{}), make(chan struct{})
	portal.Serve(eventURL, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(reached); <-release }))
	after := portal.Changed()
	exchanges := func() (told []string) {
		changes, err := portal.Changes(t.Context(), boris, after)
		require.NoError(t, err)
		for _, c := range changes {
			if after = c.Seq; c.Exchange != nil {
				require.Equal(t, imbottest.ChangeExchange, c.Kind)
				told = append(told, fmt.Sprint(c.Exchange.Name, " ", c.Exchange.Done, " ", c.Exchange.Status))
			}
		}
		return told
	}
	post(t, portal, "imbot.bot.list", `{"CLIENT_ID":"one"}`)
	require.Equal(t, []string{"imbot.bot.list true 200"}, exchanges(), "its beginning and its end are one")
	_, err := portal.Say(t.Context(), anna, "103", "hi")
	require.NoError(t, err)
	<-reached
	require.Equal(t, []string{"ONIMBOTJOINCHAT false 0"}, exchanges())
	portal.Serve(eventURL, http.NotFoundHandler())
	close(release)
	require.NoError(t, portal.Idle(t.Context()))
	require.Equal(t, []string{"ONIMBOTJOINCHAT true 200", "ONIMBOTMESSAGEADD true 404"}, exchanges())
	for range 2000 {
		post(t, portal, "imbot.bot.list", `{"CLIENT_ID":"one"}`)
	}
	require.Len(t, exchanges(), 2000)
	after -= 4001 // the next change is that of an exchange which the log has forgotten
	require.Len(t, exchanges(), 2000)
}

// TestChangesCanBeReadOn goes on after each single change, as a page does whose
// connection broke there, and expects all changes that came after it.
func TestChangesCanBeReadOn(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.NoError(t, portal.Open(t.Context(), anna, beta))
	after := portal.Changed()
	require.Equal(t, "true", post(t, portal, "imbot.update", `{"CLIENT_ID":"two","BOT_ID":104,"FIELDS":{"PROPERTIES":{"NAME":"Gamma"}}}`))
	_ = say(t, portal)
	changes, err := portal.Changes(t.Context(), anna, after)
	require.NoError(t, err)
	for i, c := range changes[:len(changes)-1] {
		rest, err := portal.Changes(t.Context(), anna, c.Seq)
		require.NoError(t, err)
		for _, missing := range changes[i+1:] {
			require.True(t, slices.ContainsFunc(rest, func(got imbottest.Change) bool {
				return got.Kind == missing.Kind && got.DialogID == missing.DialogID
			}), "%s of %s behind %s", missing.Kind, missing.DialogID, c.Kind)
		}
	}
}

func TestChangesAreForgotten(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	_, err := portal.Changes(t.Context(), anna, portal.Changed()+1)
	require.ErrorIs(t, err, imbottest.ErrMissed, "a number of another portal")
	_, err = portal.Changes(t.Context(), anna, -1)
	require.ErrorIs(t, err, imbottest.ErrMissed)
	_, err = portal.Changes(t.Context(), anna, newTestPortal(t).Changed())
	require.ErrorIs(t, err, imbottest.ErrMissed, "of one that has told as much")
	old := portal.Changed()
	for range 16384 {
		require.NoError(t, portal.Like(t.Context(), anna, say(t, portal)))
	}
	_, err = portal.Changes(t.Context(), anna, old)
	require.ErrorIs(t, err, imbottest.ErrMissed)
	_, err = portal.Changes(t.Context(), anna, portal.Changed()-16385)
	require.ErrorIs(t, err, imbottest.ErrMissed, "one too old")
	changes, err := portal.Changes(t.Context(), anna, portal.Changed()-16384)
	require.NoError(t, err)
	require.Len(t, changes, 8192, "a message and its like are one")
}
