#!/usr/bin/env bash
# PostgreSQL: who takes one job with "in (select ... limit 1 for update skip locked)" may take all
#
# Version: PostgreSQL 18.7, as @electric-sql/pglite 0.5.17, node 20
# Behaviour: a plan for a small table makes the list after "in" again for each line of the
#   table. A row that the same update has taken is skipped then, the limit counts anew, and
#   the next row is taken too. A plan for a larger table makes the list once, so that the
#   statement is right until the day on which it was prepared for a table that is empty.
#   An array is made once, whatever the plan.
# What follows: imbotpg takes lines with "= any(array(select ...))".
# Seen:
#> in, prepared for 1000 jobs: 1 of 1000 taken
#> in, prepared while empty: 1000 of 1000 taken
#> any(array), prepared while empty: 1 of 1000 taken
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save @electric-sql/pglite@0.5.17

cat >main.mjs <<'JS'
import { PGlite } from '@electric-sql/pglite';

const free = 'select id from job where owner is null order by id limit 1 for update skip locked';
const db = await PGlite.create();
for (const [name, list, empty] of [
  ['in, prepared for 1000 jobs', `in (${free})`, false],
  ['in, prepared while empty', `in (${free})`, true],
  ['any(array), prepared while empty', `= any(array(${free}))`, true],
]) {
  await db.exec('create table job (id int primary key, owner int)');
  await db.exec('vacuum job');
  const fill = async () => { await db.exec('insert into job select generate_series(1, 1000)'); };
  if (!empty) {
    await fill();
    await db.exec('analyze job');
  }
  await db.exec(`prepare take as update job set owner = 1 where id ${list}`);
  await db.exec('begin; execute take; rollback'); // plans it
  if (empty) await fill();
  await db.exec('execute take');
  const { rows } = await db.query('select count(*) from job where owner = 1');
  console.log(`${name}: ${rows[0].count} of 1000 taken`);
  await db.exec('deallocate take');
  await db.exec('drop table job');
}
await db.close();
JS
node main.mjs | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
