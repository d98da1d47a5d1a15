package main

import (
	"context"
	"errors"
	"flag"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each mistake is told before the portal hears of anything, and without a secret.
func TestMistakes(t *testing.T) {
	portal := newPortal(t)
	require.NoError(t, portal.Listen("127.0.0.1:0"))
	hook := portal.Webhook("").URL
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	there := filepath.Join(t.TempDir(), "there.json")
	require.NoError(t, os.WriteFile(there, nil, 0o600))
	for name, row := range map[string]struct{ hook, args, says string }{
		"a URL that is none":          {"portal", "", "not an absolute URL"},
		"a URL without a secret":      {"https://portal.example.com/rest/1/", "", "must end with the user id and the secret"},
		"the URL of a portal":         {"https://portal.example.com/", "", "must end with the user id and the secret"},
		"plain http":                  {"http://portal.example.com/rest/1/s3cr3ts3cr3t/", "", "must be https"},
		"two tiers":                   {hook, "-write -person", "one of -write, -person and -listen at a time"},
		"a word":                      {hook, "clean", "flags, which begin with -"},
		"a flag that there is not":    {hook, "-wirte", "flag provided but not defined"},
		"cleaning and making":         {hook, "-clean -write", "-clean only removes"},
		"cleaning nowhere":            {"", "-clean", "without BITRIX24_WEBHOOK_URL"},
		"a person nowhere":            {"", "-person", "without BITRIX24_WEBHOOK_URL"},
		"a result of no portal":       {"", "-json x.json", "without BITRIX24_WEBHOOK_URL"},
		"a result where one is":       {hook, "-json " + there, "file exists"},
		"a result where none can be":  {hook, "-json /no/such/directory/x.json", "no such file or directory"},
		"a journal where none can be": {hook, "-write -yes -journal /no/such/directory/x", "no such file or directory"},
		"listening without a host":    {hook, "-listen /events", "-listen is no address"},
		"listening without a scheme":  {hook, "-listen bot.example.com", "-listen is no address"},
		"listening on a port in use":  {hook, "-listen https://bot.example.com/ -addr " + taken.Addr().String(), "address already in use"},
		"nobody to confirm":           {hook, "-write", "take -yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("BITRIX24_WEBHOOK_URL", row.hook)
			err := start(t.Context(), strings.Fields(row.args), 0)
			require.ErrorContains(t, err, row.says)
			require.NotContains(t, err.Error(), "s3cr3t")
			require.Empty(t, portal.Calls(""))
			require.NoFileExists(t, "livecheck.journal")
		})
	}
	require.ErrorIs(t, start(context.Background(), []string{"-h"}, 0), flag.ErrHelp)
}

func TestAPortalThatTakesNoCall(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	cfg, _ := newConfig(t, portal, "1", tierRead, tierWrite)
	wrong, away := cfg, cfg
	wrong.hook = regexp.MustCompile(`[^/]+/$`).ReplaceAllString(cfg.hook, "s3cr3ts3cr3t/")
	require.EqualError(t, run(t.Context(), wrong), "nothing could be asked: refused: HTTP 401 INVALID_CREDENTIALS")
	away.transport = &meddler{with: func(int, *http.Request, *http.Response) (*http.Response, error) {
		return nil, errors.New("no such host")
	}}
	require.EqualError(t, run(t.Context(), away), "nothing could be asked: the portal did not answer")
	require.NoFileExists(t, cfg.journalPath)
	requireNothingLeft(t, portal)
}

// The file of the result is made before the first call; without a run it goes away again.
func TestAResultThatIsNotComing(t *testing.T) {
	t.Parallel()
	cfg, _ := newConfig(t, newPortal(t), "1", tierRead, tierWrite)
	cfg.keep = filepath.Join(t.TempDir(), "result.json")
	cfg.journalPath = filepath.Join(t.TempDir(), "none", "journal")
	require.ErrorIs(t, run(t.Context(), cfg), os.ErrNotExist)
	require.NoFileExists(t, cfg.keep)
}

func TestOnlyItsOwnerReadsTheJournal(t *testing.T) {
	t.Parallel()
	j := &journal{Secret: "s"}
	path := filepath.Join(t.TempDir(), "journal")
	require.NoError(t, j.create(path, "https://portal.example.com"))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, j.remove())
}
