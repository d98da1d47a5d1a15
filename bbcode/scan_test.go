package bbcode

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCodeNames(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields(codeNames) {
		_, ok := form(name)
		require.True(t, ok, name)
		require.NotEmpty(t, find(knownMarkup, "["+name+"]"), name)
	}
}
