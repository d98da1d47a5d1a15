package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// inForm rewrites an answer.
func inForm(v any, number func(json.Number) any, flag func(bool) any, list func([]any) any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			if k != "time" {
				v[k] = inForm(v[k], number, flag, list)
			}
		}
	case []any:
		for i := range v {
			v[i] = inForm(v[i], number, flag, list)
		}
		return list(v)
	case json.Number:
		return number(v)
	case bool:
		return flag(v)
	}
	return v
}

// Portals write numbers, flags and lists in many forms. Whichever it is, nothing stays behind.
func TestWhateverFormAnAnswerHas(t *testing.T) {
	t.Parallel()
	asIs := func(n json.Number) any { return n }
	truth := func(b bool) any { return b }
	whole := func(l []any) any { return l }
	for name, row := range map[string]struct {
		number func(json.Number) any
		flag   func(bool) any
		list   func([]any) any
	}{
		"numbers in texts": {func(n json.Number) any { return n.String() }, truth, whole},
		"flags as letters": {asIs, func(b bool) any { return map[bool]string{true: "Y", false: "N"}[b] }, whole},
		"flags as numbers": {asIs, func(b bool) any { return map[bool]int{true: 1, false: 0}[b] }, whole},
		"lists as objects": {asIs, truth, func(l []any) any {
			o := map[string]any{}
			for i, v := range l {
				o[strconv.Itoa(i)] = v
			}
			return o
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, tier := range []tier{tierWrite, tierPerson, tierListen} {
				portal := newPortal(t)
				cfg, h := newConfig(t, portal, "1", tierRead, tier)
				cfg.transport = &meddler{next: cfg.transport, with: func(_ int, _ *http.Request, resp *http.Response) (*http.Response, error) {
					if resp == nil {
						return nil, nil
					}
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					var v any
					d := json.NewDecoder(bytes.NewReader(body))
					d.UseNumber()
					if d.Decode(&v) == nil {
						body, err = json.Marshal(inForm(v, row.number, row.flag, row.list))
						require.NoError(t, err)
					}
					resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
					resp.Header.Del("Content-Length")
					return resp, nil
				}}
				require.NoError(t, run(t.Context(), cfg))
				for id, verdict := range reported(h.seen()) {
					if verdict == otherwise {
						require.Contains(t, []string{"empty-list", "uuidmap-empty", "user-list", "text-field-enabled"}, id) // which ask for a form
					}
				}
				requireNothingLeft(t, portal)
				requireNothingSeen(t, portal)
			}
		})
	}
}
