package imbotpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// steps make the tables. Each one only adds, so that a replica of the version before goes on; a step
// that was released is never changed. {} is the schema.
var steps = []string{`
create table {}.setting (key text primary key, body bytea not null);

create table {}.replica (id bigint generated always as identity primary key, name text not null, at timestamptz not null default clock_timestamp());
create table {}.line (
	line text primary key, owner bigint, lease bigint, tries integer not null default 0, since timestamptz not null default clock_timestamp()
);
create index on {}.line (since) where owner is null;
create index on {}.line (owner, lease) where owner is not null;
create table {}.event (
	id bigint generated always as identity primary key, line text not null, key text not null, body bytea not null,
	at timestamptz not null default clock_timestamp()
) with (toast_tuple_target = 8160);
create index on {}.event (line, id);
create table {}.seen (key text primary key, at timestamptz not null);
create index on {}.seen (at);
create table {}.dead (
	id bigint primary key, line text not null, key text not null, body bytea not null,
	tries integer not null, at timestamptz not null, buried timestamptz not null default clock_timestamp()
);
create index on {}.dead (buried);

create table {}.grant_ (member text primary key, body bytea not null) with (fillfactor = 50); -- a full disk has room for another version
create table {}.state (key text primary key, body bytea not null, until timestamptz not null);
create index on {}.state (until);
create table {}.hold (scope text, method text, until timestamptz not null, primary key (scope, method));
create unlogged table {}.pace (
	bucket text primary key, at double precision not null, tat double precision not null,
	halvings integer not null default 0, calm double precision not null default 0
) with (fillfactor = 50);
create unlogged table {}.pacer (process text primary key, at timestamptz not null);
`}

// Schema is what [Open] runs to make the tables in the schema "imbot", for people who have a tool for
// that and set Options.NoMigrate. What a later version adds is at its end.
func Schema() string {
	var all strings.Builder
	all.WriteString("create schema if not exists {};\ncreate table {}.schema_version (version integer not null);\n")
	for _, step := range steps {
		all.WriteString(step)
	}
	fmt.Fprintf(&all, "\ninsert into {}.schema_version values (%d);\n", len(steps))
	return strings.ReplaceAll(all.String(), "{}", "imbot")
}

// migrate brings the tables up to date, or says what is wrong with them. Replicas that start together
// do it one after the other.
func (db *DB) migrate(ctx context.Context) error {
	return pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('imbot migrate ' || $1, 0))`, db.options.Schema); err != nil {
			return err
		}
		if err := refuseReader(ctx, tx); err != nil {
			return err
		}
		version, err := db.version(ctx, tx)
		if err != nil {
			return err
		}
		switch {
		case version > len(steps)+1:
			return fmt.Errorf("the tables in schema %s are of version %d, this program knows %d and the next one: update it", db.options.Schema, version, len(steps))
		case version < len(steps) && db.options.NoMigrate:
			return fmt.Errorf("the tables in schema %s are of version %d, this program needs %d: run what Schema returns, or leave Options.NoMigrate out", db.options.Schema, version, len(steps))
		case version < len(steps):
			if err := db.advance(ctx, tx, version); err != nil {
				return err
			}
		}
		return db.checkKeys(ctx, tx)
	})
}

// version is that of the tables; 0: there are none.
func (db *DB) version(ctx context.Context, tx pgx.Tx) (version int, err error) {
	there := false
	err = tx.QueryRow(ctx, `select to_regclass($1) is not null`, db.sql(`{}.schema_version`)).Scan(&there)
	if err == nil && there {
		err = tx.QueryRow(ctx, db.sql(`select max(version) from {}.schema_version`)).Scan(&version)
	}
	return version, err
}

func (db *DB) advance(ctx context.Context, tx pgx.Tx, version int) error {
	if version == 0 {
		if _, err := tx.Exec(ctx, db.sql(`create schema if not exists {}; create table {}.schema_version (version integer not null)`)); err != nil {
			return err
		}
	}
	for _, step := range steps[version:] {
		if _, err := tx.Exec(ctx, db.sql(step)); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, db.sql(`insert into {}.schema_version values ($1)`), len(steps))
	return err
}

// checkKeys refuses keys that open nothing of the tables. A text of its own proves that; it is sealed
// anew when this process seals with another key, because the one that has sealed it may leave the ring.
func (db *DB) checkKeys(ctx context.Context, tx pgx.Tx) error {
	const known = "imbot"
	keys := db.options.Keys
	var proof []byte
	err := tx.QueryRow(ctx, db.sql(`select body from {}.setting where key = 'keys'`)).Scan(&proof)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	first := errors.Is(err, pgx.ErrNoRows)
	plain, unopened := keys.Open("setting/keys", proof)
	switch {
	case first:
	case keys == nil && string(proof) != known:
		return fmt.Errorf("the tables in schema %s are encrypted: give Options.Keys", db.options.Schema)
	case keys == nil:
		return nil
	case string(proof) == known:
		return fmt.Errorf("the tables in schema %s are not encrypted: begin another schema, or leave Options.Keys out", db.options.Schema)
	case unopened != nil || string(plain) != known:
		return fmt.Errorf("the tables in schema %s are encrypted with a key that is not in Options.Keys: give it, too", db.options.Schema)
	}
	anew := keys.Seal("setting/keys", []byte(known))
	if len(proof) > sealHeader && bytes.Equal(proof[:sealHeader], anew[:sealHeader]) {
		return nil
	}
	_, err = tx.Exec(ctx, db.sql(`insert into {}.setting (key, body) values ('keys', $1) on conflict (key) do update set body = excluded.body`), anew)
	return err
}

// sealHeader is how much of a sealed text tells with which key.
const sealHeader = 5
