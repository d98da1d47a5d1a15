package imbotbolt

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

// Who can write the file, and has no key, lets one row have what another one has.
func TestWhatIsEncryptedCannotBeMoved(t *testing.T) {
	ring, err := imbot.NewKeyring(bytes.Repeat([]byte{1}, 32))
	require.NoError(t, err)
	db, err := Open(filepath.Join(t.TempDir(), "bot.db"), Options{Keys: ring})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	in := db.Inbox()
	for _, key := range []string{"a", "b"} {
		_, err := in.Put(t.Context(), driver.InboxItem{Key: key, Line: key, Body: []byte(key)})
		require.NoError(t, err)
		require.NoError(t, db.States().Swap(t.Context(), key, nil, []byte(key), time.Hour))
		require.NoError(t, db.Tokens().Swap(t.Context(), imbot.Grant{}, imbot.Grant{MemberID: key, AccessToken: key}))
	}
	for _, bucket := range []string{"event", "state", "grant"} {
		last := map[string][]byte{}
		require.NoError(t, db.Rewrite(bucket, func(k, v []byte) []byte { last[string(k[len(k)-1:])] = v; return v }))
		require.NoError(t, db.Rewrite(bucket, func(k, v []byte) []byte {
			for other, value := range last {
				if other == string(k[len(k)-1:]) {
					continue
				}
				if bucket != "event" {
					return value
				}
				mine, err := decode(v)
				require.NoError(t, err)
				theirs, err := decode(value)
				require.NoError(t, err)
				mine.body = theirs.body
				return mine.encode()
			}
			return v
		}))
	}
	items, err := in.Take(t.Context(), 9)
	require.NoError(t, err)
	require.Len(t, items, 2)
	require.Empty(t, items[0].Body)
	_, err = db.States().Load(t.Context(), "a")
	require.ErrorContains(t, err, "Keyring.Open")
	_, err = db.Tokens().Load(t.Context(), "a")
	require.ErrorContains(t, err, "Keyring.Open")
}

func FuzzDecode(f *testing.F) {
	whole := row{line: "line", key: "key", at: time.Unix(1, 2), body: []byte("body")}.encode()
	f.Add(whole)
	f.Add(whole[:len(whole)-4])
	f.Add(whole[:15])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := decode(raw)
		if err != nil {
			require.Empty(t, r.body, "what is damaged is not handed over")
			require.True(t, r.line == "" || isName(r.line))
			return
		}
		require.True(t, isName(r.line) && isName(r.key))
		require.Equal(t, raw, r.encode())
	})
}
