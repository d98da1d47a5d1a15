#!/usr/bin/env bash
# @2bad/bitrix: of a long list of commands, the next pages are those of the last fifty
#
# Version: @2bad/bitrix 2.5.1 and got 11.8.2, node 20
# Behaviour: a list of more than 50 commands becomes several batches, each numbered from
#   0. Their results are joined as lists, but result_next is a map as soon as a command
#   without a next page stands before one that has it, and maps are laid over each
#   other by key. Of 100 commands of which the 2nd and the 52nd have more, one is left,
#   under the number of the 2nd.
# What follows: who pages by result_next with this client gives the commands names (an
#   object in place of a list), which no two batches share.
# Seen:
#> results: 100
#> next pages: {"1":150}
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save @2bad/bitrix@2.5.1 got@11.8.2

cat >main.js <<'JS'
const http = require('node:http');
const { Bitrix } = require('@2bad/bitrix');

const server = http.createServer((request, response) => {
  const first = new URL(request.url, 'http://x').searchParams.get('cmd[0]');
  const next = first.includes('start=0') ? 50 : 150;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({
    result: { result: Array(50).fill([]), result_error: [], result_total: [], result_next: { 1: next }, result_time: [] },
    time: {},
  }));
});
server.listen(0, '127.0.0.1', async () => {
  const bitrix = Bitrix(`http://127.0.0.1:${server.address().port}/rest/1/a-webhook`);
  const commands = Array.from({ length: 100 }, (_, i) => ({ method: 'user.get', params: { start: i < 50 ? 0 : 100 } }));
  const { result } = await bitrix.batch(commands);
  console.log('results:', result.result.length);
  console.log('next pages:', JSON.stringify(result.result_next));
  server.close();
});
JS
NO_PROXY=127.0.0.1 node main.js | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
