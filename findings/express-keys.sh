#!/usr/bin/env bash
# Express: a form's small numbers in brackets become places in a list, and are lost.
#
# Seen with express 5.3.0, node 20. With extended: true a name such as
# data[BOT][4][BOT_ID] is read by qs, for which numbers below its arrayLimit are indices, in
# Express those below 100, or below the number of variables if there are more. So data.BOT is
# a list of one bot under 0. From there on it is an object with that key, as PHP means it.
#
# For the code: on a real portal the ids of people and bots are large, and a bot that reads
# data.BOT[id] is right. In a portal in memory whose ids begin at 1 it would fail, so in
# imbottest they begin at 101.
#
# Output:
#   4: {"BOT":[{"BOT_ID":"4"}]}
#   101: {"BOT":{"101":{"BOT_ID":"101"}}}
set -euo pipefail

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
out=$(node main.js)
echo "$out"
[ "$out" = '4: {"BOT":[{"BOT_ID":"4"}]}
101: {"BOT":{"101":{"BOT_ID":"101"}}}' ]
