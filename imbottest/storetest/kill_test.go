package storetest

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/inboxrpc"
	"github.com/imbot-go/imbot/internal/meminbox"
)

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
						inboxrpc.Serve(conn, b)
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
			return inboxrpc.New(conn)
		})
	})
}

// What tests of kills rely on is an inbox itself.
func TestInboxOfAnotherProcess(t *testing.T) {
	t.Parallel()
	s := meminbox.New()
	Inbox(t, func(testing.TB) driver.Inbox {
		near, far := net.Pipe()
		b := s.Open()
		go func() {
			inboxrpc.Serve(far, b)
			b.Kill()
		}()
		return inboxrpc.New(near)
	})
}
