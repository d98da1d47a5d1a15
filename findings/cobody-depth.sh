#!/usr/bin/env bash
# co-body: below five brackets the rest of a form's name is one key
#
# Version: co-body 6.2.0 (the form reader of Koa's body parsers) and qs 6.17.1, node 20
# Behaviour: it reads a form by qs with the depth of qs, 5, and says nothing of what lies
#   deeper. A message's stored parameters, data[PARAMS][PARAMS], may hold an attachment,
#   where a grid's NAME has nine brackets: its last four are one key, brackets and all.
# What follows: a bot in Koa does not see a grid of an attachment unless it sets
#   queryString: { depth: 32 }; the form reader here goes down to 64.
# Seen:
#> default: [{"BLOCKS":{"[0][GRID][0][NAME]":"Total"}}]
#> depth 32: [{"BLOCKS":[{"GRID":[{"NAME":"Total"}]}]}]
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save co-body@6.2.0 qs@6.17.1

cat >main.js <<'JS'
const { Readable } = require('node:stream');
const cobody = require('co-body');

const body = 'data[PARAMS][PARAMS][ATTACH][0][BLOCKS][0][GRID][0][NAME]=Total';
async function read(options) {
  const request = Readable.from([Buffer.from(body)]);
  request.headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body.length) };
  return JSON.stringify((await cobody.form(request, options)).data.PARAMS.PARAMS.ATTACH);
}
(async () => {
  console.log('default:', await read({}));
  console.log('depth 32:', await read({ queryString: { depth: 32 } }));
})();
JS
node main.js | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
