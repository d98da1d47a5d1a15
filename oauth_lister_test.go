package imbot_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestStoresListTheirMembers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "grants")
	for name, store := range map[string]imbot.TokenStore{"in memory": imbot.NewMemoryStore(), "in files": imbot.NewFileStore(dir)} {
		members := func(ctx context.Context) (ids []string, err error) {
			for id, err := range store.(imbot.TokenLister).Members(ctx) {
				if err != nil {
					return ids, err
				}
				ids = append(ids, id)
			}
			return ids, nil
		}
		ids, err := members(t.Context())
		require.NoError(t, err, name)
		require.Empty(t, ids, name)
		for _, id := range []string{"b", "a"} {
			require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, imbot.Grant{MemberID: id, AccessToken: "x"}), name)
		}
		ids, err = members(t.Context())
		require.NoError(t, err, name)
		require.ElementsMatch(t, []string{"a", "b"}, ids, name)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = members(ended)
		require.ErrorIs(t, err, context.Canceled, name)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files[0], []byte("damaged"), 0o600))
	for _, err := range imbot.NewFileStore(dir).(imbot.TokenLister).Members(t.Context()) {
		if err != nil {
			require.ErrorContains(t, err, files[0])
			return
		}
	}
	require.Fail(t, "a damaged file is an error")
}
