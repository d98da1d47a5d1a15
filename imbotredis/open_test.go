package imbotredis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotredis"
	"github.com/imbot-go/imbot/imbotredis/internal/redistest"
	"github.com/imbot-go/imbot/imbottest/storetest"
)

func TestAServerThatMayLoseGrantsIsRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		settings []string
		user     string // what the default user may do, else anything
		want     string
	}{
		{"it drops keys when it is full", []string{"maxmemory-policy", "allkeys-lru"}, "", "maxmemory-policy is allkeys-lru and has to be noeviction"},
		{"it drops keys that end", []string{"maxmemory-policy", "volatile-ttl"}, "", "maxmemory-policy is volatile-ttl and has to be noeviction"},
		{"it writes no file", []string{"appendonly", "no"}, "", "appendonly is no and has to be yes"},
		{"it does not tell its settings", nil, "-config", "the server does not tell its maxmemory-policy"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Own(t, row.settings...)
			if row.user != "" {
				require.NoError(t, s.Client(t).ACLSetUser(t.Context(), "default", row.user).Err())
			}
			_, err := imbotredis.Open(t.Context(), s.Client(t), imbotredis.Options{})
			require.ErrorContains(t, err, "imbotredis: Open: "+row.want)
			require.ErrorContains(t, err, "or set Options.AllowLoss")
			open(t, s, imbotredis.Options{AllowLoss: true})
		})
	}
}

func TestWhatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	for name, row := range map[string]struct {
		o    imbotredis.Options
		want string
	}{
		"braces in the prefix": {imbotredis.Options{Prefix: "a{b}"}, "Prefix and Egress have no braces"},
		"braces in the egress": {imbotredis.Options{Egress: "}"}, "Prefix and Egress have no braces"},
	} {
		_, err := imbotredis.Open(t.Context(), s.Client(t), row.o)
		require.ErrorContains(t, err, row.want, name)
	}
	for name, o := range map[string]*redis.ClusterOptions{
		"copies of a server are read": {ReadOnly: true},
		"the nearest server is read":  {RouteByLatency: true},
	} {
		c := redis.NewClusterClient(o)
		t.Cleanup(func() { _ = c.Close() })
		_, err := imbotredis.Open(t.Context(), c, imbotredis.Options{})
		require.ErrorContains(t, err, "copies of a server may be behind", name)
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{})
	t.Cleanup(func() { _ = c.Close() })
	_, err := imbotredis.Open(t.Context(), c, imbotredis.Options{Wait: 1})
	require.ErrorContains(t, err, "Options.Wait needs one server")
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: t.TempDir() + "/none", MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = c.Close() })
	_, err := imbotredis.Open(t.Context(), c, imbotredis.Options{})
	require.ErrorContains(t, err, "imbotredis: Open: ")
	require.ErrorContains(t, err, "/none")
}

// freePort returns a port where nobody listens, for what a server does not do through its socket.
func freePort(t *testing.T) string {
	t.Helper()
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, free.Close()) }()
	return strconv.Itoa(free.Addr().(*net.TCPAddr).Port)
}

// cluster returns a cluster of one server, to which all goes through its socket.
func cluster(t *testing.T) func(testing.TB) redis.UniversalClient {
	t.Helper()
	s := redistest.Own(t, "cluster-enabled", "yes", "bind", "127.0.0.1", "cluster-port", freePort(t))
	require.NoError(t, s.Client(t).ClusterAddSlotsRange(t.Context(), 0, 16383).Err())
	client := func(t testing.TB) redis.UniversalClient {
		t.Helper()
		c := redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: []string{"one:1"},
			Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", s.Options.Addr)
			},
		})
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	require.Eventually(t, func() bool { return client(t).Get(t.Context(), "x").Err() == redis.Nil }, 20*time.Second, 20*time.Millisecond)
	return client
}

func TestACluster(t *testing.T) {
	t.Parallel()
	client := cluster(t)
	db := func(t testing.TB) *imbotredis.DB {
		t.Helper()
		db, err := imbotredis.Open(t.Context(), client(t), imbotredis.Options{Keys: keys(t, 'k')})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		return db
	}
	storetest.TokenStore(t, func(t testing.TB) imbot.TokenStore { return db(t).Tokens() })
	storetest.StateStore(t, func(t testing.TB) driver.StateStore { return db(t).States() })
	storetest.Claims(t, func(t testing.TB) driver.Claims { return db(t).Claims() })
	storetest.Leader(t, func(t testing.TB) driver.Leader { return db(t).Leader() })
	storetest.Limiter(t, func(t testing.TB, perSecond float64, burst int) imbot.Limiter { return db(t).Limiter(perSecond, burst) })
}

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	require.NoError(t, s.Client(t).ConfigSet(t.Context(), "requirepass", "very-secret-password").Err())
	s.Options.Password = "very-secret-password"
	o := imbotredis.Options{Keys: keys(t, 'k')}
	db := open(t, s, o)
	for _, v := range []any{o, &o, db, db.Tokens(), db.States(), db.Claims(), db.Leader(), db.Limiter(2, 50)} {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s %q %d %x", v, v, v, v, v, v, v), string(text)} {
			require.NotContains(t, shown, "secret")
			require.NotContains(t, shown, "kkkk")
			require.NotContains(t, shown, "6b6b6b6b")
			require.NotContains(t, shown, "107 107")
		}
	}
	s.Options.Password = "another-secret"
	_, err := imbotredis.Open(t.Context(), s.Client(t), o)
	require.ErrorContains(t, err, "imbotredis: Open: ")
	require.NotContains(t, err.Error(), "secret")
}
