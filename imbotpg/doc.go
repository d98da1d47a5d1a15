// Package imbotpg keeps what a bot must not lose, or shares between its replicas, in PostgreSQL
// (13 to 18): accepted events, grants of an application, states of conversations, claims, the lead,
// the rate limit. It stands on github.com/jackc/pgx.
//
//	db, err := imbotpg.Open(ctx, os.Getenv("DATABASE_URL"), imbotpg.Options{})
//	…
//	app := &imbot.OAuthApp{Store: db.Tokens(), …}
//	h := &imbot.EventHandler{Inbox: db.Inbox(), …}
//	client, err := imbot.NewClient(hook, imbot.WithLimiter(db.Limiter(2, 50)))
//
// An event is committed before the portal gets its 200, whichever replica it was posted to, and
// however often. Any replica handles it, one at a time in each dialog, in the order of the posts. It is
// handled at least once: what ran in a replica that was killed, at most Workers events, is run by
// another one within a second, see [imbot.Redelivered]. While the server is away an event handler goes
// on, see EventHandler.Patience. After a crash of the server an event may run again whose end was
// written just before, because only the acceptance of events waits for the disk; Redelivered does
// not tell then. Transactions of other programs that last for hours slow the tables of events down,
// because nothing that was deleted meanwhile can be cleared away.
//
// A replica has a pool of connections, ten at most (pool_max_conns in the DSN), one more for an Inbox
// that events are taken from, and one for all other locks.
//
// Everything lies in the tables of one schema, which Open makes and brings up to date; see [Schema]
// for people who have a tool for that. Replicas of two versions that follow each other may run side
// by side.
//
// With Options.Keys everything that a person or portal has said, and every token, is encrypted and
// cannot be moved to another row unnoticed. Keys of events and states, lines, member ids and times
// are not; but for member ids they are hashes and numbers.
//
// Locks belong to sessions of the server and end with the process that holds them at once, with a
// machine that vanishes after about 11 s. Who has a pool of connections in between that serves
// single transactions (PgBouncer) names the server itself with Options.SessionDSN; one that knows no
// prepared statements (PgBouncer before 1.21) needs default_query_exec_mode=exec in the DSN of the pool, too.
package imbotpg
