package imbot_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// documented returns the answer that the documentation of a method shows.
func documented(t *testing.T, method string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "rest", method+".ok.json"))
	require.NoError(t, err)
	return string(body)
}

// attempt is a call that waits for a client.
type attempt struct {
	method string
	do     func(context.Context, *imbot.Client) (any, error)
}

func try[R any](req imbot.Request[R]) attempt {
	return attempt{req.Method(), func(ctx context.Context, client *imbot.Client) (any, error) {
		return imbot.Do(ctx, client, req)
	}}
}

func ptr[T any](v T) *T { return &v }
