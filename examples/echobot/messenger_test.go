package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The bot answers whoever writes to it on the page whose address is printed.
func TestMessengerHasTheBotInside(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	printed, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := show(ctx, out, ":0")
		_ = out.CloseWithError(err)
		ended <- err
	}()
	lines := bufio.NewReader(printed)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	page, fragment, _ := strings.Cut(strings.TrimSpace(line), "#")
	at, err := url.ParseQuery(fragment)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", hostOf(t, page), "without a host, only this machine reaches it")

	stream, err := http.NewRequestWithContext(ctx, http.MethodGet, page+"api/events?user="+at.Get("user")+"&after=0", nil)
	require.NoError(t, err)
	changes, err := http.DefaultClient.Do(stream)
	require.NoError(t, err)
	defer func() { _ = changes.Body.Close() }()
	say, err := http.NewRequestWithContext(ctx, http.MethodPost, page+"api/say",
		strings.NewReader(`{"user":`+at.Get("user")+`,"dialog":"`+at.Get("dialog")+`","text":"hello"}`))
	require.NoError(t, err)
	say.Header.Set("Content-Type", "application/json")
	said, err := http.DefaultClient.Do(say)
	require.NoError(t, err)
	_ = said.Body.Close()
	require.Equal(t, http.StatusOK, said.StatusCode)

	answer := ""
	for seen := bufio.NewScanner(changes.Body); answer != "You said: hello" && seen.Scan(); {
		data, ok := strings.CutPrefix(seen.Text(), "data:")
		var change struct{ Message struct{ Text string } }
		if ok && json.Unmarshal([]byte(data), &change) == nil {
			answer = change.Message.Text
		}
	}
	require.Equal(t, "You said: hello", answer)
	cancel()
	require.NoError(t, <-ended)
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Hostname()
}
