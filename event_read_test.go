package imbot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

const (
	goodToken = "good-application-token"
	goodEvent = "event=ONIMBOTMESSAGEADD&data[PARAMS][DIALOG_ID]=27&data[PARAMS][MESSAGE]=hello&auth[application_token]=" + goodToken

	// marker stands in every hostile request, in the body and in the query.
	marker = "M4RK3R"
)

var errNotToday = errors.New("not today")

type refuseAll struct{}

func (refuseAll) Verify(context.Context, *imbot.EventMeta) error { return errNotToday }

type hostileRow struct {
	body     string
	verifier imbot.Verifier
	status   int
	reason   string
}

func deep(open, end string) string { return strings.Repeat(open, 10_000) + end }

func hostileRows() map[string]hostileRow {
	const head = "event=ONIMBOTMESSAGEADD&data[PARAMS][MESSAGE]=" + marker
	good := imbot.ApplicationToken(goodToken)
	manyKeys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%x&", i)
		}
		return b.String()
	}
	const untrusted, unreadable = http.StatusUnauthorized, http.StatusBadRequest
	return map[string]hostileRow{
		"forged token":                        {head + "&auth[application_token]=" + marker, good, untrusted, "not trusted"},
		"beginning of the token":              {head + "&auth[application_token]=good-application-toke", good, untrusted, "not trusted"},
		"empty token":                         {head + "&auth[application_token]=", good, untrusted, "not trusted"},
		"no token":                            {head, good, untrusted, "not trusted"},
		"empty token, and none is expected":   {head + "&auth[application_token]=", imbot.ApplicationToken(""), untrusted, "not trusted"},
		"no token, and none is expected":      {head, imbot.ApplicationToken(""), untrusted, "not trusted"},
		"no client id in the webhook":         {head + "&auth[application_token]=", imbot.Webhook{}.Verifier(), untrusted, "not trusted"},
		"token in the bot's own block only":   {head + "&data[BOT][567][application_token]=" + goodToken + "&data[BOT][567][AUTH][application_token]=" + goodToken, good, untrusted, "not trusted"},
		"token at the top of the body":        {head + "&application_token=" + goodToken, good, untrusted, "not trusted"},
		"token in auth of another case":       {head + "&AUTH[APPLICATION_TOKEN]=" + goodToken, good, untrusted, "not trusted"},
		"token as a list":                     {head + "&auth[application_token][]=" + goodToken, good, untrusted, "not trusted"},
		"token first as a text, then a map":   {head + "&auth[application_token]=" + goodToken + "&auth[application_token][x]=" + marker, good, untrusted, "not trusted"},
		"token sent twice, the last is wrong": {head + "&auth[application_token]=" + goodToken + "&auth[application_token]=" + marker, good, untrusted, "not trusted"},
		"auth as a text":                      {head + "&auth=" + goodToken, good, untrusted, "not trusted"},
		"auth first as a map, then a text":    {head + "&auth[application_token]=" + goodToken + "&auth=" + goodToken, good, untrusted, "not trusted"},
		"token as true in JSON":               {`{"event":"` + marker + `","auth":{"application_token":true}}`, good, untrusted, "not trusted"},
		"no verifier":                         {goodEvent + marker, nil, untrusted, "there is no verifier"},
		"a verifier that refuses":             {goodEvent + marker, refuseAll{}, untrusted, "not trusted: not today"},
		"brackets 10,000 deep":                {goodEvent + "&" + marker + deep("[a]", "=1"), good, unreadable, "the body cannot be read"},
		"empty brackets 10,000 deep":          {goodEvent + "&" + marker + deep("[]", "=1"), good, unreadable, "the body cannot be read"},
		"JSON objects 10,000 deep":            {`{"` + marker + `":` + deep(`{"a":`, "1"), good, unreadable, "the body cannot be read"},
		"JSON lists 10,000 deep":              {`{"` + marker + `":` + deep(`[`, "1"), good, unreadable, "the body cannot be read"},
		"a million keys, all the same":        {goodEvent + "&" + strings.Repeat("a&", 1_000_000), good, unreadable, "the body cannot be read"},
		"a hundred thousand different keys":   {goodEvent + "&" + manyKeys(100_000), good, unreadable, "the body cannot be read"},
		"a million elements in JSON":          {`{"` + marker + `":[` + strings.Repeat("0,", 1_000_000) + `0]}`, good, unreadable, "the body cannot be read"},
		"one byte more than 4 MiB":            {goodEvent + strings.Repeat("a", 4<<20-len(goodEvent)+1), good, unreadable, "the body is too long"},
		"JSON that ends in the middle":        {`{"event":"ONIMBOTMESSAGEADD","auth":{"application_token":"` + goodToken + `"},"data":{"x":"` + marker, good, unreadable, "the body cannot be read"},
		"JSON with something behind":          {`{"event":"ONIMBOTMESSAGEADD","auth":{"application_token":"` + goodToken + `"}}` + marker, good, unreadable, "the body cannot be read"},
		"a page":                              {"<html><body>" + marker + "</body></html>", good, unreadable, "the body names no event"},
		"bytes":                               {"\x00\xff%zz%" + marker + "[[]]&&==\x00", good, unreadable, "the body names no event"},
		"nothing":                             {"", good, unreadable, "the body names no event"},
		"no name of an event":                 {"data[PARAMS][MESSAGE]=" + marker + "&auth[application_token]=" + goodToken, good, unreadable, "the body names no event"},
		"an empty name of an event":           {"event=&auth[application_token]=" + goodToken, good, unreadable, "the body names no event"},
		"a name that is a map":                {"event[]=ONIMBOTMESSAGEADD&auth[application_token]=" + goodToken, good, unreadable, "the body names no event"},
	}
}

// A hostileTest is a handler that must call nothing back but the good event.
type hostileTest struct {
	handler  *imbot.EventHandler
	messages chan *imbot.MessageAddEvent
	log      bytes.Buffer
}

func newHostileTest(v imbot.Verifier) *hostileTest {
	h := &hostileTest{messages: make(chan *imbot.MessageAddEvent, 10)}
	h.handler = &imbot.EventHandler{
		Verifier:  v,
		OnMessage: func(_ context.Context, ev *imbot.MessageAddEvent) error { h.messages <- ev; return nil },
		OnEvent:   func(context.Context, imbot.Event) error { h.messages <- nil; return nil },
		OnError:   func(context.Context, imbot.Event, error) { h.messages <- nil },
		Logger:    slog.New(slog.NewJSONHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	return h
}

// refuses sends r, which must be answered with status, reach no callback, leave
// nothing of itself in the log, and do no harm to the good event after it.
func (h *hostileTest) refuses(t *testing.T, r *http.Request, status int) {
	t.Helper()
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	require.Equal(t, status, w.Code)
	require.NoError(t, h.handler.Idle(t.Context()))
	require.Empty(t, h.messages)
	require.Equal(t, imbot.EventStats{Refused: 1}, h.handler.Stats())
	require.Contains(t, h.log.String(), "imbot: event refused")
	for _, secret := range []string{marker, goodToken, "from-the-query"} {
		require.NotContains(t, h.log.String(), secret)
		require.NotContains(t, w.Body.String(), secret)
	}

	h.handler.Verifier = imbot.ApplicationToken(goodToken)
	w = httptest.NewRecorder()
	h.handler.ServeHTTP(w, eventPost(formType, goodEvent))
	require.Equal(t, http.StatusOK, w.Code)
	require.NoError(t, h.handler.Idle(t.Context()))
	require.Len(t, h.messages, 1)
	require.Equal(t, "hello", (<-h.messages).Params.Message)
	require.NoError(t, h.handler.Shutdown(t.Context()))
}

func TestHostileBodiesReachNoCallback(t *testing.T) {
	t.Parallel()
	for name, row := range hostileRows() {
		t.Run(name, func(t *testing.T) {
			request := func() *http.Request {
				r := eventPost("", row.body)
				r.URL.RawQuery += "&" + marker + "&event=ONIMBOTMESSAGEADD&auth[application_token]=" + goodToken + "&application_token=" + goodToken
				return r
			}
			ev, err := imbot.ParseEvent(request(), row.verifier)
			require.Nil(t, ev)
			var refused *imbot.EventError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, row.status, refused.StatusCode)
			require.Contains(t, err.Error(), "imbot: event refused: "+row.reason)
			require.Equal(t, row.verifier == refuseAll{}, errors.Is(err, errNotToday))
			for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
				text := fmt.Sprintf(verb, err)
				require.NotContains(t, text, marker)
				require.NotContains(t, text, goodToken)
			}
			newHostileTest(row.verifier).refuses(t, request(), row.status)
		})
	}
}

func TestForeignMethodsAreNotAllowed(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "post", marker} {
		t.Run(method, func(t *testing.T) {
			r := eventPost(formType, goodEvent)
			r.Method = method
			h := newHostileTest(imbot.ApplicationToken(goodToken))
			h.refuses(t, r, http.StatusMethodNotAllowed)

			w := httptest.NewRecorder()
			h.handler.ServeHTTP(w, r)
			require.Equal(t, []string{"POST"}, w.Result().Header["Allow"])
		})
	}
}

// endless is a body without an end that counts what is read.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, strings.Repeat("a="+marker+"&", len(p)/(len(marker)+3)+1))
	e.n += int64(n)
	return n, nil
}

func TestAHugeBodyIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	const limit = 4 << 20
	rows := map[string]struct{ length, most int64 }{
		"chunked":                  {-1, limit + 1},
		"32 MiB announced":         {32 << 20, 0},
		"4 MiB and one announced":  {limit + 1, 0},
		"less announced than sent": {10, limit + 1},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			body := new(endless)
			r := eventPost(formType, "")
			r.Body, r.ContentLength = io.NopCloser(io.LimitReader(body, 32<<20)), row.length
			newHostileTest(imbot.ApplicationToken(goodToken)).refuses(t, r, http.StatusBadRequest)
			require.LessOrEqual(t, body.n, row.most)
		})
	}
	whole := goodEvent + strings.Repeat("a", limit-len(goodEvent))
	for _, length := range []int64{limit, -1} {
		r := eventPost(formType, whole)
		r.ContentLength = length
		_, err := imbot.ParseEvent(r, trustAll{})
		require.NoError(t, err, "4 MiB are not too long")
	}
	r := eventPost(formType, whole+"a")
	r.ContentLength = -1
	_, err := imbot.ParseEvent(r, trustAll{})
	require.ErrorContains(t, err, "too long")
}

func TestABodyThatBreaksOffIsRefused(t *testing.T) {
	t.Parallel()
	r := eventPost(formType, "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(goodEvent), iotest.ErrReader(io.ErrUnexpectedEOF)))
	_, err := imbot.ParseEvent(r, trustAll{})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, "the body broke off")

	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(goodEvent), iotest.ErrReader(io.ErrUnexpectedEOF)))
	newHostileTest(imbot.ApplicationToken(goodToken)).refuses(t, r, http.StatusBadRequest)
}

func TestARequestWithoutABodyIsRefused(t *testing.T) {
	t.Parallel()
	r := eventPost(formType, "")
	r.Body = nil
	newHostileTest(imbot.ApplicationToken(goodToken)).refuses(t, r, http.StatusBadRequest)
}

// What is odd but genuine is an event; none of it costs more than it weighs.
func TestOddBodiesOfTheRealPortalAreEvents(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		body string
		bots []imbot.ID
		text string
	}{
		"index 2147483647":           {"&data[BOT][2147483647][BOT_CODE]=A&data[BOT][][BOT_ID]=5", []imbot.ID{2147483647, 5}, ""},
		"the largest index of all":   {"&data[BOT][9223372036854775807][BOT_CODE]=A&data[BOT][][BOT_ID]=5", []imbot.ID{9223372036854775807}, ""},
		"an index beyond 64 bits":    {"&data[BOT][99999999999999999999][BOT_ID]=6", []imbot.ID{6}, ""},
		"a negative index":           {"&data[BOT][-3][BOT_ID]=6", []imbot.ID{6}, ""},
		"a text, then a map":         {"&data[PARAMS]=x&data[PARAMS][MESSAGE]=hello", nil, "hello"},
		"a map, then a text":         {"&data[PARAMS][MESSAGE]=hello&data[PARAMS]=x", nil, ""},
		"a text below a text":        {"&data[PARAMS][MESSAGE]=x&data[PARAMS][MESSAGE][y]=z", nil, ""},
		"an open bracket":            {"&data[PARAMS][MESSAGE=x", nil, ""},
		"invalid UTF-8":              {"&data[PARAMS][MESSAGE]=%ff", nil, "\xff"},
		"a broken escape":            {"&data[PARAMS][MESSAGE]=100%", nil, "100%"},
		"a number that is no number": {"&data[BOT][567][BOT_ID]=0x10&ts=NaN", []imbot.ID{567}, ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			ev := parseAs[*imbot.MessageAddEvent](t, formType, "event=ONIMBOTMESSAGEADD"+row.body)
			var bots []imbot.ID
			for _, b := range ev.Bots {
				bots = append(bots, b.BotID)
			}
			require.Equal(t, row.bots, bots)
			require.Equal(t, row.text, ev.Params.Message)
			require.True(t, ev.Time.IsZero())
		})
	}
}

func TestTheContentTypeSaysThatItIsJSON(t *testing.T) {
	t.Parallel()
	const indented = "\n{\"event\":\"ONIMBOTDELETE\",\"data\":{\"BOT_ID\":567}}"
	for _, contentType := range []string{"application/json", "Application/JSON;charset=UTF-8", "application/vnd.portal+json"} {
		require.Equal(t, imbot.ID(567), parseAs[*imbot.BotDeleteEvent](t, contentType, indented).BotID)
	}
	_, err := imbot.ParseEvent(eventPost("application/json", goodEvent), trustAll{})
	require.Error(t, err, "a form that says it is JSON")
}

func TestTheNameOfAnEventMayBeInLowerCase(t *testing.T) {
	t.Parallel()
	ev := parseAs[*imbot.BotDeleteEvent](t, formType, "event=onImBotDelete&data[BOT_ID]=567")
	require.Equal(t, "ONIMBOTDELETE", ev.Name)
	require.Equal(t, imbot.ID(567), ev.BotID)
}

func TestTheQueryBesideTheBodyIsIgnored(t *testing.T) {
	t.Parallel()
	r := eventPost(formType, "event=ONIMBOTDELETE&data[BOT_ID]=567")
	r.URL.RawQuery = "event=ONIMBOTJOINCHAT&data[BOT_ID]=1&data[BOT_CODE]=evil&auth[domain]=evil.example"
	ev, err := imbot.ParseEvent(r, trustAll{})
	require.NoError(t, err)
	require.Equal(t, &imbot.BotDeleteEvent{EventMeta: imbot.EventMeta{Name: "ONIMBOTDELETE"}, BotID: 567}, withoutRaw(ev))
}

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
