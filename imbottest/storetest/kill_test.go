package storetest

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/meminbox"
)

// dialled is an inbox in another process, which sees when this one dies: the connection ends.
type dialled struct{ *asker }

func (d dialled) Close() error { return d.conn.Close() }

func TestKill(t *testing.T) {
	s := meminbox.New()
	t.Run("as a subtest", func(t *testing.T) {
		Kill(t, func(t testing.TB) string {
			l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { l.Close() })
			go func() {
				for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
					go func() {
						b := s.Open()
						answers(conn, b)
						b.Kill()
					}()
				}
			}()
			return l.Addr().String()
		}, func(t testing.TB, where string) driver.Inbox {
			if os.Getenv(envTest) == "" {
				return s.Open()
			}
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", where)
			require.NoError(t, err)
			return dialled{newAsker(conn)}
		})
	})
}
