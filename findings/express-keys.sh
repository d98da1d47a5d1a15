#!/usr/bin/env bash
# Express: a form's small numbers in brackets become places in a list, and are lost
#
# Version: express 5.3.0, node 20
# Behaviour: with extended: true a name such as data[BOT][4][BOT_ID] is read by
#   qs, for which a number below its arrayLimit is an index; in Express that limit
#   is 100, or the number of variables if there are more. So data.BOT is a list of
#   one bot under 0. From the limit on it is an object with that key, as PHP means it.
# What follows: ids of people and bots in imbottest begin at 101, as they are large on
#   a real portal, where a bot that reads data.BOT[id] is right.
# Seen:
#> 4: {"BOT":[{"BOT_ID":"4"}]}
#> 101: {"BOT":{"101":{"BOT_ID":"101"}}}
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save express@5.3.0

cat >main.js <<'JS'
const express = require('express');

const app = express();
app.use(express.urlencoded({ extended: true }));
app.post('/', (request, response) => response.json(request.body.data));
const server = app.listen(0, '127.0.0.1', async () => {
  for (const id of [4, 101]) {
    const body = new URLSearchParams({ [`data[BOT][${id}][BOT_ID]`]: String(id) });
    const answer = await fetch(`http://127.0.0.1:${server.address().port}/`, { method: 'POST', body });
    console.log(`${id}: ${await answer.text()}`);
  }
  server.close();
});
JS
node main.js | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
