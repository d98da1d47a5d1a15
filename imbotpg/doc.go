// Package imbotpg keeps what a bot must not lose, or shares between its replicas, in PostgreSQL
// (13 to 18): grants of an application, states of conversations, claims, the lead. It stands on
// github.com/jackc/pgx.
//
//	db, err := imbotpg.Open(ctx, os.Getenv("DATABASE_URL"), imbotpg.Options{})
//	…
//	app := &imbot.OAuthApp{Store: db.Tokens(), …}
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
// single transactions (PgBouncer) names the server itself with Options.SessionDSN.
package imbotpg
