package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/imbot-go/imbot/internal/phpform"
	"github.com/imbot-go/imbot/internal/secret"
)

// maxAnswer bounds what is read of one answer. The largest that the portal
// gives, a batch of fifty lists, stays far below it.
const maxAnswer = 16 << 20

// answer is what one HTTP request brought.
type answer struct {
	envelope
	status   int
	reached  reach
	complete bool // the whole answer was read; false: it is unknown whether the call ran
	tooLong  bool // it was not, and the next one would be as long
	failure  *Failure
}

// envelope is the form of every answer of the portal.
type envelope struct {
	Result      json.RawMessage `json:"result"`
	Time        json.RawMessage `json:"time"`
	Error       json.RawMessage `json:"error"`
	Description json.RawMessage `json:"error_description"`
	Argument    json.RawMessage `json:"argument"`
}

// readEnvelope reads the members of an answer, which are parts of body. It reports
// whether body is a JSON object; PHP writes an empty one as a list.
func readEnvelope(body []byte) (env envelope, ok bool) {
	ok = phpform.Members(body, func(name, value []byte) bool {
		switch string(name) {
		case `"result"`:
			env.Result = value
		case `"time"`:
			env.Time = value
		case `"error"`:
			env.Error = value
		case `"error_description"`:
			env.Description = value
		case `"argument"`:
			env.Argument = value
		}
		return name != nil
	})
	return env, ok
}

func readAnswer(resp *http.Response, from *url.URL, limit *io.LimitedReader, secrets []string) answer {
	defer func() { _ = resp.Body.Close() }()
	ans := answer{status: resp.StatusCode, reached: connected}
	fail := func(f *Failure) answer {
		f.StatusCode = resp.StatusCode
		f.retryAfter = retryAfter(resp.Header.Get("Retry-After"))
		f.Code = secret.ScrubCode(f.Code, secrets)
		f.Description = secret.Scrub(f.Description, secrets)
		f.Argument = secret.Scrub(f.Argument, secrets)
		ans.failure = f
		return ans
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		ans.complete = true
		return fail(redirected(resp.Header.Get("Location"), from))
	}
	var buf bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= 1<<20 {
		buf.Grow(int(n) + bytes.MinRead) // ReadFrom wants room for its last, empty read
	}
	limit.R, limit.N = resp.Body, maxAnswer+1
	if _, err := buf.ReadFrom(limit); err != nil {
		return fail(&Failure{Description: "the answer broke off", Cause: secret.Clean(err, secrets)})
	}
	if buf.Len() > maxAnswer {
		ans.tooLong = true
		return fail(&Failure{Description: fmt.Sprintf("the answer is longer than %d bytes", maxAnswer), TooLarge: true})
	}
	ans.complete = true
	env, ok := readEnvelope(buf.Bytes())
	isError := env.Error != nil && string(env.Error) != "null"
	switch {
	case !ok || !isError && env.Result == nil:
		return fail(&Failure{Description: notAnAnswer(resp, secret.Scrub(buf.String(), secrets))})
	case isError:
		f := &Failure{FromPortal: true, Argument: text(env.Argument)}
		f.Code, f.Description = ErrorOf(env.Error, env.Description)
		return fail(f)
	case resp.StatusCode >= 400:
		return fail(&Failure{Description: "a result under an error status"})
	}
	ans.envelope = env
	return ans
}

// ErrorOf reads "error" and "error_description" of an answer. The code may be a
// string, a number (older cores), empty, or an object with code and message (REST 3). The description may
// be missing (livecheck: error-text).
func ErrorOf(raw, rawDescription json.RawMessage) (code, description string) {
	description = text(rawDescription)
	var object struct{ Code, Message json.RawMessage }
	if raw[0] == '{' && json.Unmarshal(raw, &object) == nil {
		if description == "" {
			description = text(object.Message)
		}
		return text(object.Code), description
	}
	return text(raw), description
}

// notAnAnswer describes a body that is no answer of the portal: the page of a
// proxy, an empty or cut body, a bare value.
func notAnAnswer(resp *http.Response, body string) string {
	body = strings.TrimSpace(body)
	if len(body) == 0 {
		return "the answer is empty"
	}
	mime, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	const most = 120
	if len(body) > most {
		return fmt.Sprintf("not an answer of the portal (%s): %q…", mime, body[:most])
	}
	return fmt.Sprintf("not an answer of the portal (%s): %q", mime, body)
}
