package probe

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHandlerTellsWhatAnEventWouldMeet(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	found := Handler(t.Context(), srv.Client(), srv.URL)
	require.Len(t, found, 3)
	for i, want := range []string{"is not https", "only this machine or network has", "answers 404"} {
		require.Contains(t, found[i].Problem, want)
	}
	require.True(t, found[2].Guess)
	require.Len(t, Handler(t.Context(), srv.Client(), "ftp://bot.example.com"), 1)
}

func TestLooksLikeBox(t *testing.T) {
	for host, want := range map[string]bool{
		"example.bitrix24.com": false, "portal.test:8443": false, "localhost": false, "127.0.0.1:80": false,
		"portal.company.org": true, "10.0.0.5": true,
	} {
		require.Equal(t, want, LooksLikeBox(host), host)
	}
}
