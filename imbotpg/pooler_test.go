package imbotpg_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
)

// pooler is what PgBouncer is in transaction mode, for clients that ask one question at a time: all
// share the session of one connection.
func pooler(t *testing.T, dsn string) string {
	t.Helper()
	server, err := pgconn.Connect(t.Context(), dsn)
	require.NoError(t, err)
	behind, err := server.Hijack()
	require.NoError(t, err)
	ln, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(t.TempDir(), ".s.PGSQL.5432"))
	require.NoError(t, err)
	var mu sync.Mutex
	var wg sync.WaitGroup
	wg.Go(func() {
		for conn, err := ln.Accept(); err == nil; conn, err = ln.Accept() {
			wg.Go(func() {
				defer func() { _ = conn.Close() }()
				client := pgproto3.NewBackend(conn, conn)
				if _, err := client.ReceiveStartupMessage(); err != nil {
					return
				}
				client.Send(&pgproto3.AuthenticationOk{})
				for name, value := range behind.ParameterStatuses {
					client.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
				}
				client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
				for client.Flush() == nil {
					question, err := client.Receive()
					if _, isQuery := question.(*pgproto3.Query); err != nil || !isQuery {
						return
					}
					mu.Lock()
					bytes, _ := question.Encode(nil)
					_, _ = behind.Conn.Write(bytes)
					err = answer(conn, behind.Conn)
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
		_ = behind.Conn.Close()
	})
	return "user=postgres dbname=postgres default_query_exec_mode=simple_protocol host=" + filepath.Dir(ln.Addr().String())
}

// answer copies messages to the end of an answer.
func answer(to io.Writer, from io.Reader) error {
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(from, head); err != nil {
			return err
		}
		_, err := to.Write(head)
		if err == nil {
			_, err = io.CopyN(to, from, int64(binary.BigEndian.Uint32(head[1:]))-4)
		}
		if err != nil || head[0] == 'Z' {
			return err
		}
	}
}

func TestAPoolerThatServesTransactionsIsRefused(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	dsn := pooler(t, s.DSN)
	_, err := imbotpg.Open(t.Context(), dsn, imbotpg.Options{})
	require.ErrorContains(t, err, "set Options.SessionDSN")
	db, err := imbotpg.Open(t.Context(), dsn, imbotpg.Options{SessionDSN: s.DSN})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	in := db.Inbox()
	mustPut(t, in, "1", "a")
	mustPut(t, in, "2", "u")
	for range 2 {
		it := mustTake(t, in)
		require.Equal(t, "body of "+it.Key, string(it.Body))
		require.NoError(t, in.Done(context.Background(), it, 0))
	}
}
