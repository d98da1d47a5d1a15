package imbotbolt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotbolt"
)

func TestWhatIsDoneToTheFileWhileItIsOpen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there the system refuses it")
	}
	for _, row := range []struct {
		name, text string
		spoil      func(path string) error
		ends       bool // what runs can end
	}{
		{"it is removed", "was removed or replaced while it was open", os.Remove, true},
		{"it is moved away", "was removed or replaced while it was open", func(path string) error { return os.Rename(path, path+".old") }, true},
		{"another one takes its place", "was removed or replaced while it was open", func(path string) error {
			return os.Rename(path+".run", path)
		}, true},
		{"it is emptied", "it was cut off while it was open, and has 0 of ", func(path string) error { return os.Truncate(path, 0) }, false},
		{"it is cut off behind its head", "it was cut off while it was open, and has 32768 of ", func(path string) error { return os.Truncate(path, 32768) }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bot.db")
			db := openFile(t, path, imbotbolt.Options{})
			in := db.Inbox()
			put(t, in, "a", "b")
			for range 2 { // the file gets larger, and the largest size is noted
				_, err := in.Put(t.Context(), driver.InboxItem{Key: fmt.Sprint("big", db.Rows("event")), Line: "big", Body: make([]byte, 1<<20)})
				require.NoError(t, err)
			}
			running := take(t, in, 1)[0]
			require.NoError(t, row.spoil(path))
			for range 2 {
				_, err := in.Put(t.Context(), driver.InboxItem{Key: "c", Line: "c"})
				require.ErrorContains(t, err, row.text)
				require.ErrorContains(t, err, "imbotbolt: nothing was stored")
				err = db.Tokens().Swap(t.Context(), imbot.Grant{}, imbot.Grant{MemberID: "m"})
				require.ErrorContains(t, err, row.text)
				_, err = db.Tokens().Load(t.Context(), "m")
				if row.ends {
					require.ErrorIs(t, err, imbot.ErrNotFound)
				} else {
					require.ErrorContains(t, err, row.text)
				}
			}
			err := in.Done(t.Context(), running, driver.InboxHandled)
			if row.ends {
				require.NoError(t, err)
				require.Equal(t, "b", take(t, in, 1)[0].Key)
			} else {
				require.ErrorContains(t, err, row.text)
			}
		})
	}
}

func TestALinkStaysALink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there the file keeps its size")
	}
	defer imbotbolt.WasteLess(8 << 20)()
	path, link := filepath.Join(t.TempDir(), "bot.db"), filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Symlink(path, link))
	db, err := imbotbolt.Open(link, imbotbolt.Options{})
	require.NoError(t, err)
	in := db.Inbox()
	for i := range 20 {
		n := fmt.Sprintf("k%d", i)
		_, err := in.Put(t.Context(), driver.InboxItem{Key: n, Line: n, Body: make([]byte, 1<<20)})
		require.NoError(t, err)
	}
	for _, it := range take(t, in, 19) {
		require.NoError(t, in.Done(t.Context(), it, driver.InboxHandled))
	}
	require.NoError(t, db.Close())
	require.NoError(t, openFile(t, link, imbotbolt.Options{}).Close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(8<<20), "the smaller file is where the link leads")
	require.Equal(t, "k19", take(t, openFile(t, path, imbotbolt.Options{}).Inbox(), 9)[0].Key)
}

func TestTheWorkingDirectoryMayChange(t *testing.T) {
	t.Chdir(t.TempDir())
	db := openFile(t, "bot.db", imbotbolt.Options{})
	t.Chdir(t.TempDir())
	put(t, db.Inbox(), "a")
}
