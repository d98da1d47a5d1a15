package imbotredis

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersions(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ info, refused string }{
		"Redis 6.0":            {"# Server\r\nredis_version:6.0.16\r\nredis_mode:standalone\r\n", "Redis 6.0.16"},
		"Redis 5":              {"redis_version:5.9.9\r\n", "Redis 5.9.9"},
		"Redis 6.2":            {"# Server\r\nredis_version:6.2.0\r\n", ""},
		"Redis 10":             {"redis_version:10.0.1\r\n", ""},
		"Valkey":               {"# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.0.0\r\n", ""},
		"a version of a kind":  {"redis_version:main\r\n", ""},
		"a service that hides": {"", ""},
	} {
		err := checkVersion(row.info)
		if row.refused == "" {
			require.NoError(t, err, name)
			continue
		}
		require.EqualError(t, err, "the server is "+row.refused+", and has to be 6.2 or later", name)
	}
}
