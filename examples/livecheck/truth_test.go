package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// said is how the report tells of a fact.
func said(t *testing.T, screen, id string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^\| ` + id + ` \| .* \| (.*) \|$`).FindStringSubmatch(screen)
	require.NotNil(t, m, id)
	return m[1]
}

// without takes a key out of an answer, wherever it stands.
func without(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, key)
		for k := range v {
			v[k] = without(v[k], key)
		}
	case []any:
		for i := range v {
			v[i] = without(v[i], key)
		}
	}
	return v
}

// A portal that answers about something else must not be taken for one that does the other.
func TestAnAnswerThatTellsNothingIsNoFact(t *testing.T) {
	t.Parallel()
	const busy = `{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}`
	for name, row := range map[string]struct {
		method string // its end
		status int    // with body, in place of the answer
		body   string
		lacks  string // or: taken out of the answer
		only   int    // the call of this method that is meant; 0: all
		fact   string
		says   string
	}{
		"too busy to look at the secret":        {method: "/scope", status: 503, body: busy, fact: "status-auth", says: "not asked: refused: HTTP 503 QUERY_LIMIT_EXCEEDED"},
		"too busy to look at the scope":         {method: "/crm.status.fields", status: 503, body: busy, fact: "status-scope", says: "not asked: refused: HTTP 503 QUERY_LIMIT_EXCEEDED"},
		"no CRM, but departments":               {method: "/crm.status.fields", status: 404, body: `{"error":"ERROR_METHOD_NOT_FOUND"}`, fact: "status-scope", says: "as assumed: HTTP 401"},
		"who may not call the method":           {method: "/crm.status.fields", status: 403, body: `{"error":"ACCESS_DENIED"}`, fact: "status-scope", says: "not asked: refused: HTTP 403 ACCESS_DENIED"},
		"no scope for the method":               {method: "2.Bot.get", status: 401, body: `{"error":"insufficient_scope"}`, fact: "status-method", says: "not asked: refused: HTTP 401 insufficient_scope"},
		"too busy for a batch":                  {method: "/batch", status: 200, body: `{"result":{"result":[],"result_error":{"a":{"error":"QUERY_LIMIT_EXCEEDED"}}}}`, fact: "v2-in-batch", says: "not asked: refused: QUERY_LIMIT_EXCEEDED"},
		"a revision of another form":            {method: "Revision.get", lacks: "rest", fact: "revision", says: "not asked: the answer has another form than documented"},
		"a revision in a text":                  {method: "Revision.get", status: 200, body: `{"result":{"rest":"36"}}`, fact: "revision", says: "not asked: the answer has another form than documented"},
		"bots of others in the list":            {method: "Bot.list", only: 1, status: 200, body: `{"result":{"bots":[{"id":7}]}}`, fact: "empty-list", says: "not asked: it was not empty"},
		"hidden bots are not listed":            {method: "Bot.list", status: 200, body: `{"result":{"bots":[]}}`, fact: "unknown-bot-type", says: "not asked: Bot.list finds no bot at all"},
		"too busy to change a bot":              {method: "Bot.update", status: 503, body: busy, fact: "v1-to-fetch", says: "not asked: refused: HTTP 503 QUERY_LIMIT_EXCEEDED"},
		"too busy for the first generation":     {method: "/imbot.message.add", status: 429, body: `{"error":"OPERATION_TIME_LIMIT"}`, fact: "shared-owner", says: "not asked: refused: HTTP 429 OPERATION_TIME_LIMIT"},
		"no last names":                         {method: "Bot.update", lacks: "lastName", fact: "properties-partial", says: "not asked: the answer has another form than documented"},
		"no next offset":                        {method: "Event.get", lacks: "nextOffset", fact: "queue-offset", says: "not asked: the answer has another form than documented"},
		"files without names":                   {method: "File.upload", lacks: "name", fact: "file-name-unique", says: "not asked: the answer does not name the file"},
		"a text field that stays":               {method: "TextField.enabled", status: 200, body: `{"result":{"result":true}}`, fact: "flag-text", says: "not asked: the text field cannot be switched off at all"},
		"messages that are not told":            {method: "Message.update", status: 200, body: `{"result":{"result":true}}`, fact: "empty-deletes", says: "otherwise: the text is what it was"},
		"a queue that answers as it was asked":  {fact: "queue-offset", says: "as assumed"},
		"messages without ids":                  {method: "Message.send", status: 200, body: `{"result":{"id":null,"uuidMap":[]}}`, fact: "templateid", says: "not asked: the answer has another form than documented"},
		"a page that is not the whole chat":     {method: "Message.getContext", only: 1, status: 200, body: `{"result":{"messages":[],"hasPrevPage":true}}`, fact: "chat-first-message", says: "not asked: not all messages of the chat were told"},
		"an id where there should be an object": {method: "Chat.add", status: 200, body: `{"result":{"chat":{"id":[]}}}`, fact: "templateid", says: "not asked: the answer has another form than documented"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			portal := newPortal(t)
			cfg, h := newConfig(t, portal, "1", tierRead, tierWrite)
			n := 0
			cfg.transport = &meddler{next: cfg.transport, with: func(_ int, r *http.Request, resp *http.Response) (*http.Response, error) {
				if row.method == "" || !strings.HasSuffix(r.URL.Path, row.method) {
					return nil, nil
				}
				if resp == nil {
					n++
				}
				switch {
				case row.only != 0 && n != row.only:
				case row.status != 0 && resp == nil:
					return answers(row.status, row.body), nil
				case row.lacks != "" && resp != nil:
					var v any
					require.NoError(t, json.NewDecoder(resp.Body).Decode(&v))
					body, err := json.Marshal(without(v, row.lacks))
					require.NoError(t, err)
					resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
					resp.Header.Del("Content-Length")
				}
				return nil, nil
			}}
			require.NoError(t, run(t.Context(), cfg))
			require.Equal(t, row.says, said(t, h.seen(), row.fact))
			requireNothingLeft(t, portal)
		})
	}
}
