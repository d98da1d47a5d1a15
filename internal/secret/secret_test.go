package secret_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/internal/secret"
)

func TestMask(t *testing.T) {
	t.Parallel()
	require.Empty(t, secret.Mask(""), "nobody takes an empty secret for a set one")
	require.Equal(t, "***", secret.Mask("s"))
	require.Equal(t, "https://p.example/***", secret.MaskURL("https://p.example/rest/1/s3cret/?a=b"))
	require.Equal(t, "***", secret.MaskURL("no url, maybe a secret"))
}

func TestScrub(t *testing.T) {
	t.Parallel()
	secrets := []string{"", "BOT", "long-secret"}
	require.Equal(t, "BOT *** and ***", secret.Scrub("BOT long-secret and long-secret", secrets))
	require.Equal(t, "BOT_ID_ERROR", secret.ScrubCode("BOT_ID_ERROR", append(secrets, "ERROR")))
	require.Equal(t, "***!", secret.Scrub("secret-and-more!", []string{"secret", "secret-and-more"}))
	require.Equal(t, "one  line  [31mof *** text", secret.Scrub("one\r\nline \x1b[31mof long-secret\u2028text", secrets))
	require.Equal(t, strings.Repeat("я", 1000)+"…", secret.Scrub(strings.Repeat("я", 10<<20), secrets))
	require.Equal(t, strings.Repeat("X", 100)+"…", secret.ScrubCode(strings.Repeat("X", 101), secrets))
	require.Equal(t, "***_ERROR", secret.ScrubCode("long-secret_ERROR", secrets))
}

func TestClean(t *testing.T) {
	t.Parallel()
	require.NoError(t, secret.Clean(nil, nil))

	plain := errors.New("connection refused")
	require.Same(t, plain, secret.Clean(plain, []string{"s3cret"}), "what holds no secret is passed on")

	quoting := &url.Error{Op: "Post", URL: "https://p.example/rest/1/s3cret/", Err: context.Canceled}
	require.Equal(t, context.Canceled, secret.Clean(quoting, nil))

	deep := secret.Clean(fmt.Errorf("below: %w", quoting), []string{"s3cret"})
	require.ErrorIs(t, deep, context.Canceled)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", deep, deep, deep), "s3cret")
	require.NotErrorAs(t, deep, new(*url.Error), "nobody gets at the URL")
}
