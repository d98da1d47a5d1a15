package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/phpform"
)

// TestEvents measures a message event as a form and as JSON, each beside the parser
// that everybody has.
func TestEvents(t *testing.T) {
	form, token := sample(t)
	query := string(form)
	compare("form", []contender{
		{"ParseQuery", func(context.Context) error { _, err := url.ParseQuery(query); return err }},
		{"alone", func(context.Context) error { _, err := phpform.Parse(form); return err }},
		{"ParseEvent", parseEvent("application/x-www-form-urlencoded", form, token)},
	})
	object, err := os.ReadFile(samples + ".json")
	if err != nil {
		t.Fatal(err)
	}
	compare("json", []contender{
		{"struct", func(context.Context) error {
			var ev typedEvent
			err := json.Unmarshal(object, &ev)
			if err == nil && ev.Data.Params.MessageID == 0 {
				err = errors.New("no message")
			}
			return err
		}},
		{"ParseEvent", parseEvent("application/json", object, token)},
	})
}

// parseEvent reads the same request again and again.
func parseEvent(contentType string, body []byte, v imbot.Verifier) func(context.Context) error {
	reader := bytes.NewReader(nil)
	r := &http.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {contentType}}, ContentLength: int64(len(body)), Body: io.NopCloser(reader)}
	return func(context.Context) error {
		reader.Reset(body)
		ev, err := imbot.ParseEvent(r, v)
		if err == nil && ev.(*imbot.MessageAddEvent).Params.MessageID == 0 {
			err = errors.New("no message")
		}
		return err
	}
}

// samples is a message event as the portal sends it, but for the end of the file's name.
const samples = "../../testdata/events/messageadd_private"

func sample(t testing.TB) ([]byte, imbot.ApplicationToken) {
	t.Helper()
	form, err := os.ReadFile(samples + ".form")
	if err != nil {
		t.Fatal(err)
	}
	values, err := url.ParseQuery(string(form))
	if err != nil {
		t.Fatal(err)
	}
	return form, imbot.ApplicationToken(values.Get("auth[application_token]"))
}
