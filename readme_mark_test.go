package imbot_test

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/meminbox"
)

// answerOnce is what the README shows.
func answerOnce(ctx context.Context, client *imbot.Client, answering *imbot.State[imbot.ID], ev *imbot.MessageAddEvent) error {
	again := false
	err := answering.Do(ctx, ev, func(last *imbot.ID) error { // an imbot.State[imbot.ID] in db.States()
		again, *last = *last == ev.Params.MessageID, ev.Params.MessageID
		return nil
	})
	if err != nil || again { // the first run may have sent it: say nothing, or say so
		return err
	}
	_, err = client.Message.Add(ctx, ev.Reply("You said: "+ev.Text()))
	return err
}

func TestAMarkKeepsACallbackThatRunsAgainFromAnsweringTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := meminbox.New(), imbot.NewStateStore()
		rt := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, `{"result":7}`), nil }}
		client := over(t, hook, rt)
		life := func(killed bool) (*imbot.EventHandler, *meminbox.Inbox) {
			answering := &imbot.State[imbot.ID]{Name: "answering", Store: store}
			inbox := server.Open()
			return &imbot.EventHandler{Verifier: trustAll{}, Inbox: inbox, OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
				err := answerOnce(ctx, client, answering, ev)
				if killed {
					<-ctx.Done()
				}
				return err
			}}, inbox
		}
		first, inbox := life(true)
		require.Equal(t, http.StatusOK, deliver(first, messageIn("27", "one")+"&data[PARAMS][MESSAGE_ID]=1&ts=1"))
		synctest.Wait()
		inbox.Kill()
		require.Len(t, rt.requests, 1)

		second, _ := life(false)
		require.Equal(t, http.StatusOK, deliver(second, messageIn("27", "two")+"&data[PARAMS][MESSAGE_ID]=2&ts=2"))
		require.NoError(t, second.Idle(t.Context()))
		require.EqualValues(t, 1, second.Stats().Redelivered)
		require.EqualValues(t, 2, second.Stats().Handled)
		require.Len(t, rt.requests, 2, "an answer to each message")
		require.NoError(t, second.Shutdown(t.Context()))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_ = first.Shutdown(ended) // it is dead
	})
}

func TestReadmeShowsTheMark(t *testing.T) {
	code, err := os.ReadFile("readme_mark_test.go")
	require.NoError(t, err)
	body := regexp.MustCompile(`(?s)ev \*imbot\.MessageAddEvent\) error \{\n(.*?)\treturn err\n\}\n\nfunc`).FindSubmatch(code)
	require.NotNil(t, body)
	require.Contains(t, readme(t), strings.TrimSuffix(strings.ReplaceAll("\n"+string(body[1]), "\n\t", "\n"), "\n"))
}
