package imbot_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// TestTwoProcessesRenewOnce runs itself twice more: both processes make 200
// calls over one expired token, with one file store.
func TestTwoProcessesRenewOnce(t *testing.T) {
	if os.Getenv("RENEW_STORE") != "" {
		callOverAnExpiredToken(t)
		return
	}
	for name := range fileStores {
		t.Run(name, func(t *testing.T) { twoProcessesRenewOnce(t, name) })
	}
}

// fileStores are the ways in which a store of files locks.
var fileStores = map[string]func(dir string) imbot.TokenStore{"flock": imbot.NewFileStore, "lock files": imbot.NewLockFileStore}

func twoProcessesRenewOnce(t *testing.T, kind string) {
	var (
		mu       sync.Mutex
		renewals int
		waiting  = map[string]bool{} // processes whose token was refused
		both     = make(chan struct{})
		release  = sync.OnceFunc(func() { close(both) })
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/oauth/token/" {
			mu.Lock()
			renewals++
			mu.Unlock()
			_, _ = io.WriteString(w, `{"access_token":"new","refresh_token":"new-refresh","expires_in":3600,"member_id":"m1"}`)
			return
		}
		var body struct{ Auth string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body.Auth == "new" {
			_, _ = io.WriteString(w, `{"result":true}`)
			return
		}
		mu.Lock()
		if waiting[r.UserAgent()] = true; len(waiting) == 2 {
			release()
		}
		mu.Unlock()
		<-both // now both want to renew
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"expired_token"}`)
	}))
	defer server.Close()

	dir := t.TempDir()
	store := fileStores[kind](dir)
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, imbot.Grant{
		MemberID: "m1", ClientEndpoint: server.URL + "/rest/", ServerEndpoint: server.URL + "/rest/", AccessToken: "old", RefreshToken: "old-refresh",
	}))
	var wg sync.WaitGroup
	for _, name := range []string{"one", "two"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTwoProcessesRenewOnce$", "-test.count=1")
		cmd.Env = append(os.Environ(), "RENEW_STORE="+dir, "RENEW_LOCK="+kind, "RENEW_SERVER="+server.URL, "RENEW_NAME="+name)
		wg.Go(func() {
			defer release() // the other one must not wait for it
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %s: %v\n%s", name, err, out)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, renewals)
	g, err := store.Load(t.Context(), "m1")
	require.NoError(t, err)
	require.Equal(t, "new-refresh", g.RefreshToken)
}

func callOverAnExpiredToken(t *testing.T) {
	app := &imbot.OAuthApp{
		ClientID: "x", ClientSecret: "y", Store: fileStores[os.Getenv("RENEW_LOCK")](os.Getenv("RENEW_STORE")), AuthServers: []string{os.Getenv("RENEW_SERVER")},
		Options: []imbot.Option{imbot.WithLimiter(nil), imbot.WithUserAgent(os.Getenv("RENEW_NAME"))},
	}
	client, err := app.Client(t.Context(), "m1")
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if err := ping(t.Context(), client); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
