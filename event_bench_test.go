package imbot_test

import (
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
)

// BenchmarkParseEvent reads, verifies and decodes; BenchmarkParseQuery is what
// net/url needs to take the same body apart and leave its brackets alone.
func BenchmarkParseEvent(b *testing.B) {
	body := readSample(b, "messageadd_private.form")
	verifier := imbot.ApplicationToken("d00d01a5d00d01a5d00d01a5d00d01")
	r := eventPost(formType, body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(body))
		ev, err := imbot.ParseEvent(r, verifier)
		if err != nil || ev.Meta().Name == "" {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseQuery(b *testing.B) {
	body := readSample(b, "messageadd_private.form")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		values, err := url.ParseQuery(body)
		if err != nil || values.Get("event") == "" {
			b.Fatal(err)
		}
	}
}
