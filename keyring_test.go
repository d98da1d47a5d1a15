package imbot_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestAKeyringSealsWithItsFirstKeyAndOpensWithAll(t *testing.T) {
	t.Parallel()
	old, young := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	before, err := imbot.NewKeyring(old)
	require.NoError(t, err)
	now, err := imbot.NewKeyring(young, old)
	require.NoError(t, err)
	plain, err := now.Open("grants/m1", before.Seal("grants/m1", []byte("s3cr3t")))
	require.NoError(t, err)
	require.Equal(t, "s3cr3t", string(plain))
	for name, open := range map[string]func() ([]byte, error){
		"another row":      func() ([]byte, error) { return now.Open("grants/m2", now.Seal("grants/m1", []byte("s3cr3t"))) },
		"a key it has not": func() ([]byte, error) { return before.Open("grants/m1", now.Seal("grants/m1", []byte("s3cr3t"))) },
		"not sealed":       func() ([]byte, error) { return now.Open("grants/m1", []byte("s3cr3t")) },
	} {
		_, err := open()
		require.ErrorContains(t, err, "imbot: Keyring.Open: ", name)
		require.NotContains(t, err.Error(), "s3cr3t", name)
	}
}

func TestANilKeyringLeavesEverythingAsItIs(t *testing.T) {
	t.Parallel()
	var k *imbot.Keyring
	plain, err := k.Open("grants/m1", k.Seal("grants/m1", []byte("text")))
	require.NoError(t, err)
	require.Equal(t, "text", string(plain))
}

func TestAKeyringNeedsKeysOf32Bytes(t *testing.T) {
	t.Parallel()
	for want, keys := range map[string][][]byte{"no key": nil, "key 0 has 6 bytes instead of 32": {[]byte("s3cr3t")}} {
		_, err := imbot.NewKeyring(keys...)
		require.ErrorIs(t, err, imbot.ErrInvalid)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "s3cr3t")
	}
}

func TestAKeyringPrintsNoKey(t *testing.T) {
	t.Parallel()
	key := []byte("s3cr3t-0123456789-0123456789-012")
	k, err := imbot.NewKeyring(key)
	require.NoError(t, err)
	js, err := json.Marshal(struct{ K any }{k})
	require.NoError(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "keys", k)
	held := struct{ K imbot.Keyring }{*k}
	for _, printed := range []string{fmt.Sprintf("%v %+v %#v %s %d %x %v %+v", k, k, k, k, k, k, held, &held), string(js), log.String()} {
		require.NotContains(t, printed, "s3cr3t")
		require.NotContains(t, printed, hex.EncodeToString(key[:6]))
		require.NotContains(t, printed, strings.Trim(fmt.Sprint(key[:6]), "[]"))
	}
	require.Equal(t, "imbot.Keyring{***}", fmt.Sprint(k))
}
