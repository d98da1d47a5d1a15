package imbot_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// planted is a secret that no fuzzed body holds by itself.
const planted = "pl4nt3d-t0k3n-7f3a9c"

// Secrets at all the places where the portal puts them; a fuzzed body follows.
const (
	plantedForm = "auth[access_token]=" + planted + "&auth[refresh_token]=" + planted + "&auth[application_token]=" + planted +
		"&data[BOT][1][access_token]=" + planted + "&data[BOT][1][refresh_token]=" + planted + "&data[BOT][1][AUTH][access_token]=" + planted +
		"&data[BOT][2][AUTH][refresh_token]=" + planted + "&data[PARAMS][FILES][1][urlShow]=https://files.example/?token=" + planted +
		"&data[PARAMS][FILES][1][urlDownload]=" + planted + "&data[PARAMS][FILES][1][urlPreview]=%20//x/" + planted + "&"
	plantedJSON = `{"auth":{"access_token":"` + planted + `","refresh_token":"` + planted + `","application_token":"` + planted + `"},
		"data":{"BOT":[{"access_token":"` + planted + `"},{"AUTH":{"refresh_token":"` + planted + `"}}],
		"PARAMS":{"FILES":[{"urlShow":"https://files.example/` + planted + `","urlPreview":"` + planted + `"}]}},`
)

// FuzzEvent: whatever is posted is an event or refused with 400, and what is
// printed of an event is never a secret.
func FuzzEvent(f *testing.F) {
	samples, err := filepath.Glob(filepath.Join("testdata", "events", "*"))
	require.NoError(f, err)
	require.NotEmpty(f, samples)
	for _, file := range samples {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(strings.HasSuffix(file, ".json"), body)
	}
	f.Add(false, []byte(goodEvent))
	f.Add(true, []byte(`{"event":"ONIMBOTDELETE","ts":1e99,"data":[]}`))
	f.Add(false, []byte("event=ONIMBOTMESSAGEADD&data[PARAMS][FILES][][date]=9999-12-31T23:59:59-12:00&ts=9223372036854775807"))
	f.Fuzz(func(t *testing.T, isJSON bool, body []byte) {
		contentType := formType
		if isJSON {
			contentType = "application/json"
		}
		tryEvent(t, contentType, string(body))
		if strings.Contains(string(body), planted) {
			t.Skip("the fuzzer has found out")
		}
		if rest, ok := strings.CutPrefix(string(body), "{"); ok {
			tryEvent(t, "application/json", plantedJSON+rest)
		} else {
			tryEvent(t, contentType, plantedForm+string(body))
		}
	})
}

func tryEvent(t *testing.T, contentType, body string) {
	ev, err := imbot.ParseEvent(eventPost(contentType, body), trustAll{})
	if err != nil {
		var refused *imbot.EventError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, http.StatusBadRequest, refused.StatusCode)
		require.Nil(t, ev)
		hidesPlanted(t, err)
		return
	}
	require.NotEmpty(t, ev.Meta().Name)
	hidesPlanted(t, ev)
	switch ev := ev.(type) {
	case *imbot.MessageAddEvent:
		_, _, _, _ = ev.Bot(), ev.IsGroup(), ev.IsOpenLine(), ev.FromBot()
		require.Equal(t, ev.Params.DialogID, ev.Reply("hi").DialogID)
		hidesPlanted(t, *ev)
	case *imbot.JoinChatEvent:
		_, _, _ = ev.Bot(), ev.IsGroup(), ev.IsOpenLine()
		require.Equal(t, ev.Params.DialogID, ev.Reply("hi").DialogID)
	}
}

func hidesPlanted(t *testing.T, v any) {
	text := fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v)
	require.NotContains(t, text, planted)
	out, _ := json.Marshal(v) // a time beyond the year 9999 has no JSON
	require.NotContains(t, string(out), planted)
}
