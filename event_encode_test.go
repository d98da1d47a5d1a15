package imbot_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestAnEncodedEventComesBackWhole(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"testdata/events/*", "testdata/install/*"} {
		samples, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, samples)
		for _, path := range samples {
			body, err := os.ReadFile(path)
			require.NoError(t, err)
			contentType := formType
			if strings.HasSuffix(path, ".json") {
				contentType = "application/json"
			}
			ev, err := imbot.ParseEvent(eventPost(contentType, string(body)), trustAll{})
			if err != nil {
				continue // no event
			}
			data, err := imbot.EncodeEvent(ev)
			require.NoError(t, err)
			again, err := imbot.DecodeEvent(data)
			require.NoError(t, err, path)
			require.IsType(t, ev, again, path)
			require.Equal(t, ev.Meta().Auth, again.Meta().Auth, path)
			twice, err := imbot.EncodeEvent(again)
			require.NoError(t, err)
			require.Equal(t, data, twice, path)
		}
	}
}

func TestADecodedEventIsHandled(t *testing.T) {
	t.Parallel()
	ev, err := imbot.ParseEvent(eventPost(formType, messageIn("27", "привет %00 &\"")+"&auth[access_token]=s3cr3t"), trustAll{})
	require.NoError(t, err)
	data, err := imbot.EncodeEvent(ev)
	require.NoError(t, err)
	again, err := imbot.DecodeEvent(data)
	require.NoError(t, err)
	require.Equal(t, "s3cr3t", again.Meta().Auth.AccessToken)
	var text string
	h := &imbot.EventHandler{OnMessage: func(_ context.Context, ev *imbot.MessageAddEvent) error { text = ev.Params.Message; return nil }}
	require.NoError(t, h.Handle(t.Context(), again))
	require.Equal(t, ev.(*imbot.MessageAddEvent).Params.Message, text)
}

func TestAnEventThatWasBuiltByHandCannotBeEncoded(t *testing.T) {
	t.Parallel()
	for want, ev := range map[string]imbot.Event{"built by hand": &imbot.MessageAddEvent{}, "no event": nil} {
		_, err := imbot.EncodeEvent(ev)
		require.ErrorIs(t, err, imbot.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
}

func TestDecodeEventSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	ev, err := imbot.ParseEvent(eventPost(formType, otherEvent+"&auth[access_token]=s3cr3t"), trustAll{})
	require.NoError(t, err)
	data, err := imbot.EncodeEvent(ev)
	require.NoError(t, err)
	for name, row := range map[string]struct{ data, want string }{
		"nothing":               {"", "not an event"},
		"a newer version":       {"\x02" + string(data[1:]), "newer version"},
		"a version and no more": {"\x01", "damaged"},
		"one that breaks off":   {string(data[:len(data)-1]), "damaged"},
		"more than one":         {string(data) + "s3cr3t", "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := imbot.DecodeEvent([]byte(row.data))
			require.ErrorContains(t, err, "imbot: DecodeEvent: ")
			require.ErrorContains(t, err, row.want)
			require.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}

// FuzzEncodeEvent: whatever the portal posts comes back, and what a store holds is an event or an error.
func FuzzEncodeEvent(f *testing.F) {
	f.Add([]byte(goodEvent))
	f.Add([]byte(`{"event":"X","data":{"":{},"a[b]":[null,"x"]}}`))
	f.Add([]byte("\x01\x02m1\x02\x05event\x00\x01X"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, parse := range []func() (imbot.Event, error){
			func() (imbot.Event, error) {
				return imbot.ParseEvent(httptest.NewRequest("POST", "/", strings.NewReader(string(body))), trustAll{})
			},
			func() (imbot.Event, error) { return imbot.DecodeEvent(body) },
		} {
			ev, err := parse()
			if err != nil {
				continue
			}
			data, err := imbot.EncodeEvent(ev)
			require.NoError(t, err)
			again, err := imbot.DecodeEvent(data)
			require.NoError(t, err)
			require.IsType(t, ev, again)
			require.Equal(t, ev.Meta().Auth, again.Meta().Auth)
			require.Equal(t, ev.Meta().Name, again.Meta().Name)
		}
	})
}
