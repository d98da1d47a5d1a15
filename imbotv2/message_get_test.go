package imbotv2

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// chatOf answers getContext as a portal with so many messages, whose ids are the odd numbers.
func chatOf(t *testing.T, d *documented, messages int) {
	text := strings.Repeat("long ago ", 200)
	d.body = func(string) string {
		var req struct {
			MessageID int
			Range     int
		}
		require.NoError(t, json.Unmarshal([]byte(d.sent[len(d.sent)-1]), &req))
		d.sent = d.sent[:1] // not what the test measures
		middle, size := req.MessageID/2, max(req.Range, 1)
		if req.Range == 0 {
			size = 50
		}
		from, to := max(middle-size, 0), min(middle+size, messages-1)
		var page []string
		for i := from; i <= to; i++ {
			page = append(page, fmt.Sprintf(`{"id":"%d","text":"%s %d"}`, 2*i+1, text, i))
		}
		return fmt.Sprintf(`{"result":{"messages":[%s],"users":[],"hasPrevPage":%t,"hasNextPage":%t}}`, strings.Join(page, ","), from > 0, to < messages-1)
	}
}

func TestHistoryReadsEachMessageOnceInOrder(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 7, 50} {
		d := &documented{}
		chatOf(t, d, 321)
		next := imbot.ID(2*300 + 1)
		for m, err := range d.client(t).WithBot(5).Message.History(t.Context(), MessageGetContextRequest{MessageID: next, Range: size}) {
			require.NoError(t, err)
			require.Equal(t, next-2, m.ID)
			next = m.ID
		}
		require.EqualValues(t, 1, next, size)
	}
}

func TestHistoryEnds(t *testing.T) {
	t.Parallel()
	const page = `{"result":{"messages":[{"id":9},{"id":7},{"id":7},{"id":8},{"id":10}],"hasPrevPage":true}}`
	for name, row := range map[string]struct {
		bodies []string
		want   []imbot.ID
		failed bool
	}{
		"where a portal says that there is more and gives nothing": {[]string{page, page}, []imbot.ID{8, 7}, false},
		"with an error": {[]string{page, `{"error":"MESSAGE_ACCESS_DENIED","error_description":""}`}, []imbot.ID{8, 7}, true},
		"with a page that has a message without an id": {[]string{page, `{"result":{"messages":[{"id":6},{"id":null}],"hasPrevPage":true}}`}, []imbot.ID{8, 7}, true},
		"with an empty page":                           {[]string{page, `{"result":{"messages":[],"hasPrevPage":true}}`}, []imbot.ID{8, 7}, true},
		"with a newer page":                            {[]string{page, `{"result":{"messages":[{"id":20},{"id":21}],"hasPrevPage":true}}`}, []imbot.ID{8, 7}, false},
		"with the first message":                       {[]string{strings.Replace(page, "true", "false", 1)}, []imbot.ID{8, 7}, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := &documented{}
			d.body = func(string) string { return row.bodies[len(d.sent)-1] }
			var ids []imbot.ID
			var failed error
			for m, err := range d.client(t).WithBot(5).Message.History(t.Context(), MessageGetContextRequest{MessageID: 9}) {
				if failed = err; err == nil {
					ids = append(ids, m.ID)
				}
			}
			require.Equal(t, row.want, ids)
			require.Equal(t, row.failed, failed != nil, failed)
			require.Len(t, d.sent, len(row.bodies))
		})
	}
	d := &documented{}
	d.body = func(string) string { return page }
	for _, err := range d.client(t).WithBot(5).Message.History(t.Context(), MessageGetContextRequest{MessageID: 9}) {
		require.NoError(t, err)
		break
	}
	require.Len(t, d.sent, 1, "who has enough asks no more")
}

// A chat of 10,000 messages of 1.8 KB takes as much memory in its last thousand as in its first.
func TestHistoryKeepsOnePage(t *testing.T) {
	d := &documented{}
	chatOf(t, d, 10_001)
	alive := func() int64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	n, next, early := 0, imbot.ID(2*10_000+1), int64(0)
	for m, err := range d.client(t).WithBot(5).Message.History(t.Context(), MessageGetContextRequest{MessageID: next}) {
		require.NoError(t, err)
		require.Equal(t, next-2, m.ID)
		next = m.ID
		switch n++; n {
		case 500:
			early = alive()
		case 9500:
			late := alive()
			t.Logf("%d KB more after 9,000 messages", (late-early)>>10)
			require.Less(t, late-early, int64(1<<20), "a page of 101 has 0.2 MB, the chat 18")
		}
	}
	require.Equal(t, 10_000, n)
}

// A page is read message by message: what comes with them has more keys than one may have.
func TestAContextMayHaveMoreKeysThanAMessage(t *testing.T) {
	t.Parallel()
	var params []string
	for i := range 200 {
		params = append(params, fmt.Sprintf(`"K%d":"v"`, i))
	}
	messages := strings.Repeat(fmt.Sprintf(`,{"id":7,"params":{%s}}`, strings.Join(params, ",")), 101)[1:]
	r, err := MessageGetContextRequest{}.Decode([]byte(`{"messages":[` + messages + `],"users":{"1":{"id":1}},"hasPrevPage":"Y"}`))
	require.NoError(t, err)
	require.Len(t, r.Messages, 101)
	require.Equal(t, "v", r.Messages[100].Params.Get("K199"))
	require.EqualValues(t, 1, r.Users[0].ID)
	require.True(t, r.HasPrevPage)
}

func FuzzContext(f *testing.F) {
	f.Add([]byte(`{"messages":[{"id":7,"text":"a"}],"users":[{"id":1}],"hasPrevPage":true,"hasNextPage":"N"}`))
	f.Add([]byte(`{"messages":{"a":{"id":"7"}},"users":false,"hasPrevPage":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := MessageGetContextRequest{}.Decode(data)
		require.Equal(t, err == nil, len(r.Messages) > 0)
		if err == nil {
			require.True(t, json.Valid(data))
		}
		_, _ = ChatListUsersRequest{}.Decode(data)
		_, _ = MessageForwardRequest{}.Decode(data)
	})
}
