package imbotpg

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/imbot-go/imbot"
)

// Options say how a database is used. It prints masked.
type Options struct {
	// Schema has the tables; programs that share no bot have schemas of their own. Default "imbot".
	Schema string
	// Keys encrypt what is stored. A schema is encrypted from its beginning or not at all. nil: it is
	// not.
	Keys *imbot.Keyring
	// Name is what the server calls the connections of this process, in pg_stat_activity. Default
	// "imbot".
	Name string
	// NoMigrate leaves the tables alone. Open fails when they are not those that it needs.
	NoMigrate bool
	// SessionDSN is a direct address of the server, for the connections that hold locks. Default: that
	// of the pool.
	SessionDSN string
	// Egress names the address from which this process calls portals, for the Limiter: Bitrix24 counts
	// each address by itself. "": all replicas share one.
	Egress string
}

// Format implements [fmt.Formatter]; no verb prints a password.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "imbotpg.Options{Schema:"+o.Schema+", Name:"+o.Name+"}")
}

// DB is an open database. Close it when nothing uses it any more.
type DB struct {
	options  Options
	pool     *pgxpool.Pool
	own      bool            // the pool is
	direct   *pgx.ConnConfig // of connections that hold locks
	process  string          // a random name, so that those who share a limiter are counted
	sessions *sessions
	once     sync.Once
	err      error // of Close

	live     context.Context // of all connections
	cut      context.CancelFunc
	cleaning func() // ends it

	mu      sync.Mutex
	inboxes []*Inbox
	closed  bool
}

// Open opens a database by its DSN, a URL or a list of key=value. It fails with a text that says what to
// do: when the server cannot be reached, refuses or only reads, when the tables are of a newer version, when
// Keys are not those that the tables were encrypted with.
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("imbotpg: Open: the DSN is neither a URL nor a list of key=value that pgx takes") // its error quotes parts of it
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		config.MaxConns = max(config.MaxConns, poolSize)
	}
	config.ConnConfig.RuntimeParams["application_name"] = cmp.Or(o.Name, config.ConnConfig.RuntimeParams["application_name"], "imbot")
	db := newDB(o)
	direct := config.ConnConfig.Copy()
	db.wire(config.ConnConfig)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, failed("Open", err)
	}
	if err := db.open(ctx, pool, direct, o.SessionDSN); err != nil {
		pool.Close()
		return nil, err
	}
	db.own = true
	return db, nil
}

// OpenPool is [Open] with a pool of yours, which Close leaves open.
func OpenPool(ctx context.Context, pool *pgxpool.Pool, o Options) (*DB, error) {
	db := newDB(o)
	if err := db.open(ctx, pool, pool.Config().ConnConfig, o.SessionDSN); err != nil {
		return nil, err
	}
	return db, nil
}

func newDB(o Options) *DB {
	o.Schema, o.Name = cmp.Or(o.Schema, "imbot"), cmp.Or(o.Name, "imbot")
	o.SessionDSN = "" // fmt would print it in whatever holds the DB
	db := &DB{options: o, process: rand.Text()}
	db.live, db.cut = context.WithCancel(context.Background())
	db.sessions = newSessions(o.Schema, db.session)
	return db
}

// open looks whether the server is as it has to be. When it fails, no connection of the DB is left.
func (db *DB) open(ctx context.Context, pool *pgxpool.Pool, direct *pgx.ConnConfig, sessions string) (err error) {
	if sessions != "" {
		if direct, err = pgx.ParseConfig(sessions); err != nil {
			return errors.New("imbotpg: Open: SessionDSN is neither a URL nor a list of key=value that pgx takes")
		}
	}
	db.wire(direct)
	db.pool, db.direct = pool, direct
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	err = refuseSharedSessions(ctx, direct)
	if err == nil {
		err = db.migrate(ctx)
	}
	if err != nil {
		db.cut()
		return failed("Open", err)
	}
	db.cleaning = db.cleans()
	return nil
}

// poolSize is how many connections a pool has at most, unless its DSN says so: an inbox writes with
// three and reads with one, beside the callbacks.
const poolSize = 10

// refuseSharedSessions looks whether two connections that are open at a time share a session, as
// they do behind PgBouncer in transaction mode: a lock would be anybody's.
func refuseSharedSessions(ctx context.Context, config *pgx.ConnConfig) error {
	var conns [2]*pgx.Conn
	for i := range conns {
		conn, err := pgx.ConnectConfig(ctx, config.Copy())
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(ctx) }()
		conns[i] = conn
	}
	owner := map[int]int{} // connections by the process that serves them
	for i := range 6 {
		var pid int
		if err := conns[i%2].QueryRow(ctx, `select pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
			return err
		}
		if by, known := owner[pid]; known && by != i%2 || i > 1 && !known {
			return errors.New("there is a pooler between that gives each transaction another session, such as PgBouncer with pool_mode = transaction, " +
				"and locks need one of their own: set Options.SessionDSN to the address of the server itself, or pool_mode to session")
		}
		owner[pid] = i % 2
	}
	return refuseReader(ctx, conns[0])
}

// refuseReader says what to do when nothing can be written: else the first event would be the one to tell.
func refuseReader(ctx context.Context, conn interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) error {
	var reads, copies bool
	var who string
	err := conn.QueryRow(ctx, `select current_setting('transaction_read_only')::boolean, pg_is_in_recovery(),
		format('role %I in database %I', session_user, current_database())`).Scan(&reads, &copies, &who)
	switch {
	case err != nil || !reads:
		return err
	case copies:
		return errors.New("the server is a standby, which only reads: name the one that it copies, or all of them with target_session_attrs=read-write")
	}
	return fmt.Errorf("transactions of this user only read, default_transaction_read_only is on: if nobody has a reason for that, such as a full disk, "+
		"run begin read write; alter %s set default_transaction_read_only = off; commit", who)
}

// openTime is how long Open waits for a server, and for a replica that migrates.
const openTime = 30 * time.Second

// session connects past the pool. The server learns within 11 s that the machine of a
// connection has vanished.
func (db *DB) session(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, db.direct.Copy())
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, `select set_config(name, value, false) from (values
		('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '2'), ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '10000'),
		('statement_timeout', '0'), ('default_transaction_isolation', 'read committed'), ('application_name', $1 || ' locks')) as s (name, value)`, db.options.Name)
	if err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

// sql is a statement with the schema in place of each {}.
func (db *DB) sql(statement string) string {
	return strings.ReplaceAll(statement, "{}", pgx.Identifier{db.options.Schema}.Sanitize())
}

// Close ends what this process does with the database: its locks are free, its leads lost, what its
// inboxes hold is free for others at once. A server that hangs is waited for 4 s.
func (db *DB) Close() error {
	db.once.Do(func() {
		db.mu.Lock()
		inboxes := slices.Clone(db.inboxes)
		db.closed = true
		db.mu.Unlock()
		defer db.cut()
		defer time.AfterFunc(closeTime, db.cut).Stop()
		for _, in := range inboxes {
			db.err = errors.Join(db.err, in.Close())
		}
		db.cleaning()
		db.sessions.close()
		if db.own {
			db.pool.Close()
		}
	})
	return db.err
}

// Format implements [fmt.Formatter].
func (db *DB) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "imbotpg.DB("+db.options.Schema+")")
}

// failed says of which method an error is. pgx names host, user and database in the text of an error,
// and no password.
func failed(method string, err error) error {
	if err == nil {
		return nil
	}
	return &failure{method + ": " + err.Error(), err}
}

// failure is an error whose text may be shown: package imbot hides those of a token store otherwise.
type failure struct {
	text  string
	cause error
}

func (e *failure) Error() string { return "imbotpg: " + e.text }

func (e *failure) Unwrap() []error { return []error{e.cause, &imbot.Error{Description: e.text}} }
