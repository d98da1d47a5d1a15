package imbot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/imbot-go/imbot/internal/secret"
)

// maxAnswer bounds what is read of one answer. The largest that the portal
// gives, a batch of fifty lists, stays far below it.
const maxAnswer = 16 << 20

// answer is what one HTTP request brought.
type answer struct {
	result   json.RawMessage
	body     []byte // of which result is a part
	status   int
	complete bool // the whole answer was read; false: it is unknown whether the call ran
	tooLong  bool // it was not, and the next one would be as long
	err      *Error
}

// envelope is the form of every answer of the portal.
type envelope struct {
	Result      json.RawMessage `json:"result"`
	Error       json.RawMessage `json:"error"`
	Description json.RawMessage `json:"error_description"`
	Argument    json.RawMessage `json:"argument"`
}

func readAnswer(resp *http.Response, from *url.URL, secrets []string) answer {
	defer func() { _ = resp.Body.Close() }()
	ans := answer{status: resp.StatusCode}
	fail := func(e *Error) answer {
		e.StatusCode = resp.StatusCode
		e.Code = ErrorCode(secret.ScrubCode(string(e.Code), secrets))
		e.Description = secret.Scrub(e.Description, secrets)
		e.Argument = secret.Scrub(e.Argument, secrets)
		ans.err = e
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
	if _, err := buf.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1)); err != nil {
		return fail(&Error{Description: "the answer broke off", cause: secret.Clean(err, secrets)})
	}
	if buf.Len() > maxAnswer {
		ans.tooLong = true
		return fail(&Error{Description: fmt.Sprintf("the answer is longer than %d bytes", maxAnswer)})
	}
	ans.complete = true
	env, err := readEnvelope(buf.Bytes())
	isError := env.Error != nil && string(env.Error) != "null"
	switch {
	case err != nil || !isError && env.Result == nil:
		return fail(&Error{Description: notAnAnswer(resp, secret.Scrub(buf.String(), secrets))})
	case isError:
		e := &Error{envelope: true, Argument: text(env.Argument)}
		e.Code, e.Description = errorOf(env)
		return fail(e)
	case resp.StatusCode >= 400:
		return fail(&Error{Description: "a result under an error status"})
	}
	ans.result, ans.body = env.Result, buf.Bytes()
	return ans
}

// errorOf reads code and text. The code may be a string, a number (older
// cores), empty, or an object with code and message (REST 3).
func errorOf(env envelope) (ErrorCode, string) {
	description := text(env.Description)
	var object struct{ Code, Message json.RawMessage }
	if env.Error[0] == '{' && json.Unmarshal(env.Error, &object) == nil {
		if description == "" {
			description = text(object.Message)
		}
		return ErrorCode(text(object.Code)), description
	}
	return ErrorCode(text(env.Error)), description
}

// text reads a JSON string or scalar as text; anything else is empty.
func text(raw json.RawMessage) string {
	s, err := scalar(raw)
	if err != nil {
		return ""
	}
	return s
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

// redirected describes a redirect. None is followed blindly: a POST would lose
// its body and the secret would go to another host. A portal that was renamed sends
// the same path at another host; a box without a licence sends another path.
func redirected(location string, from *url.URL) *Error {
	to, err := from.Parse(location)
	if location == "" || err != nil {
		return &Error{Description: "a redirect without a target"}
	}
	moved := to.Host != from.Host && to.Path == from.Path && (to.Scheme == "https" || isLoopback(to.Hostname()))
	if !moved {
		return &Error{Description: "an unexpected redirect to the host " + to.Host}
	}
	return &Error{Description: "the portal has moved to " + to.Host, kind: ErrPortalMoved, movedTo: to.Scheme + "://" + to.Host}
}

// operating reads how much of its time budget the method has used. The sum of a
// batch stays 0, it counts by its commands: of them the one counts that is
// nearest to its limit.
func (a answer) operating(batch bool) (used time.Duration, resetAt time.Time) {
	var env struct {
		Result json.RawMessage `json:"result"`
		Time   json.RawMessage `json:"time"`
	}
	if a.body == nil || json.Unmarshal(a.body, &env) != nil {
		return 0, time.Time{}
	}
	used, resetAt = operatingIn(env.Time)
	if !batch {
		return used, resetAt
	}
	var result struct {
		Times json.RawMessage `json:"result_time"`
	}
	_ = json.Unmarshal(env.Result, &result) // what it is not has no times
	times, _ := keyed(result.Times)
	for _, t := range times {
		if u, r := operatingIn(t); u > used {
			used, resetAt = u, r
		}
	}
	return used, resetAt
}

// operatingIn reads a "time".
func operatingIn(raw json.RawMessage) (used time.Duration, resetAt time.Time) {
	var t struct {
		Operating        json.Number `json:"operating"`
		OperatingResetAt json.Number `json:"operating_reset_at"`
	}
	if json.Unmarshal(raw, &t) != nil {
		return 0, time.Time{}
	}
	if s, err := t.Operating.Float64(); err == nil {
		used = time.Duration(s * float64(time.Second))
	}
	if s, err := t.OperatingResetAt.Int64(); err == nil && s > 0 {
		resetAt = time.Unix(s, 0)
	}
	return used, resetAt
}
