package porting_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The pages show the files that the tests beside them compile and run.
func TestPagesShowTheFiles(t *testing.T) {
	for _, row := range []struct{ page, file, start, language string }{
		{"nethttp.md", "nethttp/before.go", "// before", "go"},
		{"nethttp.md", "nethttp/after.go", "// after", "go"},
		{"byname.md", "byname/before.go", "// before", "go"},
		{"byname.md", "byname/after.go", "// after", "go"},
		{"php.md", "php/before.php", "<?php", "php"},
		{"php.md", "php/after.go", "// after", "go"},
	} {
		t.Run(row.file, func(t *testing.T) {
			page, err := os.ReadFile(row.page)
			require.NoError(t, err)
			code, err := os.ReadFile(row.file)
			require.NoError(t, err)
			_, body, found := strings.Cut(string(code), row.start)
			require.True(t, found)
			require.Contains(t, string(page), "```"+row.language+"\n"+row.start+body+"```")
		})
	}
}
