package imbot_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// documented returns the answer that the documentation of a method shows.
func documented(t *testing.T, method string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "rest", method+".ok.json"))
	require.NoError(t, err)
	return string(body)
}

func ptr[T any](v T) *T { return &v }
