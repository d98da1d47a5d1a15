package imbotredis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/imbot-go/imbot"
)

// Options say how a server is used. The zero Options work.
type Options struct {
	// Prefix begins all keys; programs that share no bot have prefixes of their own. Default "imbot".
	Prefix string

	// Keys encrypt states and grants. nil: nothing is encrypted.
	Keys *imbot.Keyring

	// Egress names the address that this process calls portals from, because a portal counts by
	// address. Default: all processes share one.
	Egress string

	// AllowLoss is for a server that may lose what it was given: see the package comment.
	AllowLoss bool

	// Wait is how many copies of the server must have a grant before it counts as stored. It needs a
	// client of one server, or a failover client; a cluster cannot. Default 0.
	Wait int
}

// Format implements [fmt.Formatter].
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "imbotredis.Options(prefix %q)", o.Prefix)
}

// DB is an open server. It is safe for concurrent use.
type DB struct {
	client  redis.UniversalClient
	options Options

	beats    sync.Once // the goroutine of beat
	works    sync.WaitGroup
	ctx      context.Context // of that goroutine
	cancel   context.CancelFunc
	mu       sync.Mutex
	replicas int
}

// Open looks whether the server answers and keeps what it is given, and fails with a text that says
// what to do. Close the result when nothing uses it any more; the client stays yours.
func Open(ctx context.Context, client redis.UniversalClient, o Options) (*DB, error) {
	o.Prefix = cmp.Or(o.Prefix, "imbot")
	if strings.ContainsAny(o.Prefix, "{}") || strings.ContainsAny(o.Egress, "{}") {
		return nil, errors.New("imbotredis: Open: Prefix and Egress have no braces: they choose the slot of a cluster")
	}
	db := &DB{client: client, options: o}
	if _, err := ask(ctx, func() (struct{}, error) { return struct{}{}, db.check(ctx) }); err != nil {
		return nil, failed("Open", err)
	}
	db.ctx, db.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return db, nil
}

// check looks at all servers that are written to.
func (db *DB) check(ctx context.Context) error {
	switch c := db.client.(type) {
	case *redis.ClusterClient:
		if c.Options().ReadOnly {
			return errors.New("the client has ReadOnly, RouteByLatency or RouteRandomly, and copies of a server may be behind: leave them out")
		}
		if db.options.Wait > 0 {
			return errors.New("Options.Wait needs one server, and this is a cluster")
		}
		return c.ForEachMaster(ctx, func(ctx context.Context, server *redis.Client) error { return db.checkServer(ctx, server) })
	case *redis.Ring:
		return c.ForEachShard(ctx, func(ctx context.Context, server *redis.Client) error { return db.checkServer(ctx, server) })
	}
	return db.checkServer(ctx, db.client)
}

func (db *DB) checkServer(ctx context.Context, server redis.Cmdable) error {
	info, err := server.Info(ctx, "server").Result()
	if err != nil {
		return err
	}
	if err := checkVersion(info); err != nil || db.options.AllowLoss {
		return err
	}
	const orElse = ", or set Options.AllowLoss if grants and states may get lost"
	for _, setting := range []struct{ name, value, why string }{
		{"maxmemory-policy", "noeviction", "or the server drops grants when it is full"},
		{"appendonly", "yes", "or a restart of the server loses grants"},
	} {
		got, err := server.ConfigGet(ctx, setting.name).Result()
		var refused redis.Error
		if err != nil && !errors.As(err, &refused) {
			return err
		}
		switch got[setting.name] {
		case setting.value:
		case "":
			return fmt.Errorf("the server does not tell its %s, which has to be %s: look there%s", setting.name, setting.value, orElse)
		default:
			return fmt.Errorf("%s is %s and has to be %s, %s: change it%s", setting.name, got[setting.name], setting.value, setting.why, orElse)
		}
	}
	return nil
}

// checkVersion refuses a server before 6.2. Valkey says which Redis it is compatible with.
func checkVersion(info string) error {
	for line := range strings.Lines(info) {
		version, found := strings.CutPrefix(strings.TrimSpace(line), "redis_version:")
		if !found {
			continue
		}
		major, rest, _ := strings.Cut(version, ".")
		minor, _, _ := strings.Cut(rest, ".")
		a, errA := strconv.Atoi(major)
		b, errB := strconv.Atoi(minor)
		if errA == nil && errB == nil && (a < 6 || a == 6 && b < 2) {
			return fmt.Errorf("the server is Redis %s, and has to be 6.2 or later", version)
		}
	}
	return nil
}

// Close ends what this process does beside the calls. The client stays open.
func (db *DB) Close() error {
	db.beats.Do(func() {}) // nothing begins any more
	db.cancel()
	db.works.Wait()
	return nil
}

// Format implements [fmt.Formatter]; a client may hold a password.
func (db *DB) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "imbotredis.DB("+db.options.Prefix+")")
}

// key is that of something, in the slot of the prefix.
func (db *DB) key(parts ...string) string {
	return "{" + db.options.Prefix + "}:" + strings.Join(parts, ":")
}

// portalKey is that of a portal's bucket, in a slot of its own.
func (db *DB) portalKey(portal string) string {
	return "{" + db.options.Prefix + ":" + strings.Map(noBraces, portal) + "}:pace:" + db.options.Egress
}

func noBraces(r rune) rune {
	if r == '{' || r == '}' {
		return '_'
	}
	return r
}

// ask returns when the server has answered, or when ctx ends. go-redis by itself waits for an answer as
// long as its ReadTimeout says, or, with ContextTimeoutEnabled, as the deadline does; what was asked ends then.
func ask[T any](ctx context.Context, question func() (T, error)) (T, error) {
	var answer, none T
	err := ctx.Err()
	if err != nil {
		return none, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		answer, err = question()
	}()
	select {
	case <-ended:
		return answer, err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// failed says what went wrong; nil stays nil.
func failed(method string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("imbotredis: %s: %w", method, err)
}

// millis is a duration for PX.
func millis(d time.Duration) int64 { return max(d.Milliseconds(), 1) }
