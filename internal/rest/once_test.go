package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type trip func(path string) (status int, body string)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := f(r.URL.Path)
	if status == 0 {
		return nil, io.EOF
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

type noLeave struct{ error }

func (l noLeave) Wait(context.Context, string) error { return l.error }

func TestSendOnce(t *testing.T) {
	const (
		batch      = "/rest/batch"
		reference  = `{"TEXT":"$result[x]"}` // cannot travel in a batch
		notInBatch = `{"error":"ERROR_BATCH_METHOD_NOT_ALLOWED","error_description":"x"}`
	)
	for _, row := range []struct {
		name   string
		params []string // of each call
		answer trip
		want   []Verdict
		path   string // of the only request
	}{
		{"one goes by itself", []string{`{}`}, func(string) (int, string) { return 200, `{"result":true}` }, []Verdict{Ran}, "/rest/m"},
		{"several go together", []string{`{}`, `{}`}, func(string) (int, string) { return 200, `{"result":{"result":{"c0":1,"c1":2}}}` }, []Verdict{Ran, Ran}, batch},
		{"a first one that cannot travel goes alone", []string{reference, `{}`}, func(string) (int, string) { return 200, `{"result":true}` }, []Verdict{Ran, NotSent}, "/rest/m"},
		{"another is left behind", []string{`{}`, reference, `{}`}, func(string) (int, string) { return 200, `{"result":{"result":{"c0":1,"c1":2}}}` }, []Verdict{Ran, NotSent, Ran}, batch},
		{"nothing is sent again: too many calls", []string{`{}`, `{}`}, func(string) (int, string) { return 503, `{"error":"QUERY_LIMIT_EXCEEDED"}` }, []Verdict{Failed, Failed}, batch},
		{"… no answer", []string{`{}`}, func(string) (int, string) { return 0, "" }, []Verdict{Failed}, "/rest/m"},
		{"… the page of a proxy", []string{`{}`}, func(string) (int, string) { return 502, "<html>" }, []Verdict{Failed}, "/rest/m"},
		{"a refusal", []string{`{}`}, func(string) (int, string) { return 400, `{"error":"MESSAGE_ID_ERROR"}` }, []Verdict{Refused}, "/rest/m"},
		{
			"in a batch only the first is certain", []string{`{}`, `{}`},
			func(string) (int, string) {
				return 200, `{"result":{"result":[],"result_error":{"c0":{"error":"ACCESS_DENIED"},"c1":{"error":"ACCESS_DENIED"}}}}`
			},
			[]Verdict{Refused, Failed}, batch,
		},
		{"a firewall in front of batch", []string{`{}`, `{}`}, func(string) (int, string) { return 403, "no" }, []Verdict{NotSent, NotSent}, batch},
		{
			"a method that cannot be called in a batch", []string{`{}`, `{}`},
			func(string) (int, string) {
				return 200, `{"result":{"result":[],"result_error":{"c0":` + notInBatch + `,"c1":` + notInBatch + `}}}`
			},
			[]Verdict{NotSent, NotSent}, batch,
		},
		{"time that is used up", []string{`{}`}, func(string) (int, string) { return 429, `{"error":"OPERATION_TIME_LIMIT"}` }, []Verdict{NotSent}, "/rest/m"},
		{"code of the user that panics", []string{`{}`, `{}`}, func(string) (int, string) { panic("x") }, []Verdict{NotSent, NotSent}, batch},
	} {
		t.Run(row.name, func(t *testing.T) {
			var paths []string
			core := New(&Config{
				Transport: trip(func(path string) (int, string) { paths = append(paths, path); return row.answer(path) }),
				Header:    HeaderOf("test"),
				Retry:     Retry{MaxAttempts: 4},
			}, &Portal{Root: "https://portal.example/rest/"})
			var items []*Item
			for _, params := range row.params {
				items = append(items, NewItem(core.NewCall("m", []byte(params), Nature{Repeatable: true})))
			}
			landed := false
			err := core.SendOnce(t.Context(), func() ([]*Item, time.Duration) { return items, time.Second }, func() { landed = true })
			require.Equal(t, !landed, err != nil)
			require.Equal(t, strings.Contains(row.name, "panics"), err != nil)
			for i, it := range items {
				require.Equal(t, row.want[i], it.Verdict, i)
				require.Equal(t, row.want[i] == Failed || row.want[i] == Refused, it.Failure != nil && it.Verdict != NotSent)
			}
			require.Equal(t, []string{row.path}, paths)
			if row.want[0] == NotSent && row.path == "/rest/m" {
				require.True(t, items[0].Later.After(time.Now()))
			}
		})
	}
}

func TestSendOnceWaitsForTheMethod(t *testing.T) {
	sent := 0
	core := New(&Config{Header: HeaderOf("test"), Transport: trip(func(string) (int, string) { sent++; return 200, `{"result":true}` })}, &Portal{Root: "https://portal.example/rest/", Holds: new(Holds)})
	core.portal.Holds.refused("held", time.Now())
	held, free := NewItem(core.NewCall("held", []byte(`{}`), Nature{})), NewItem(core.NewCall("free", []byte(`{}`), Nature{}))
	require.NoError(t, core.SendOnce(t.Context(), func() ([]*Item, time.Duration) { return []*Item{held, free}, time.Second }, func() {}))
	require.Equal(t, []Verdict{NotSent, Ran}, []Verdict{held.Verdict, free.Verdict})
	require.True(t, held.Later.After(time.Now()))
	require.Equal(t, 1, sent)
}

func TestSendOnceWithoutLeaveAsksForNothing(t *testing.T) {
	no := errors.New("no")
	core := New(&Config{Limiter: noLeave{no}}, &Portal{})
	require.ErrorIs(t, core.SendOnce(t.Context(), func() ([]*Item, time.Duration) { panic("asked") }, nil), no)
}
