#!/usr/bin/env bash
# PostgreSQL: a statement prepared while a queue was empty reads the whole queue when it is full
#
# Version: PostgreSQL 18.7, as @electric-sql/pglite 0.5.17, node 20
# Behaviour: from its sixth execution on, a prepared statement may keep one plan for all
#   values. Made while the table was empty and vacuumed, as the table of a queue mostly is,
#   the plan is a sequential scan, even for a primary key, and stays one however many rows
#   come, until somebody analyzes the table. The same query, not prepared, uses the index.
# What follows: imbotpg, whose driver prepares what it sends, sets enable_seqscan off
#   beside the statements that take events from an inbox.
# Seen:
#> 1 of 20000 rows, prepared while empty: Seq Scan, 20000 rows read
#> the same query, not prepared: Index Scan, 1 rows read
#> prepared while empty, after analyze: Index Scan, 1 rows read
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save @electric-sql/pglite@0.5.17

cat >main.mjs <<'JS'
import { PGlite } from '@electric-sql/pglite';

const db = await PGlite.create();
const read = async (query) => {
  const { rows } = await db.query(`explain (analyze, format json) ${query}`);
  const { Plan: plan } = rows[0]['QUERY PLAN'][0];
  return `${plan['Node Type']}, ${plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)} rows read`;
};
await db.exec('create table queue (id bigint primary key, body text)');
await db.exec('insert into queue values (1)');
await db.exec('delete from queue');
await db.exec('vacuum queue');
await db.exec('prepare take(bigint) as select body from queue where id = $1');
for (let i = 0; i < 6; i++) await db.exec('execute take(1)');
await db.exec('insert into queue select generate_series(1, 20000)');
console.log('1 of 20000 rows, prepared while empty:', await read('execute take(1)'));
console.log('the same query, not prepared:', await read('select body from queue where id = 1'));
await db.exec('analyze queue');
console.log('prepared while empty, after analyze:', await read('execute take(1)'));
await db.close();
JS
node main.mjs | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
