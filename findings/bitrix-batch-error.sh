#!/usr/bin/env bash
# @2bad/bitrix: what an error of a batch says is [object Object]
#
# Version: @2bad/bitrix 2.5.1 and got 11.8.2, node 20
# Behaviour: in result_error a portal has an object for each command that failed, with
#   error and error_description. The client joins them as if they were texts, so that
#   the Error which it throws names neither code nor command, and the results of the
#   commands that went well are gone with it.
# What follows: steps for this client in imbottest/interop cannot ask a batch for its error
#   code; here Batch gives each command its own error.
# Seen:
#> [batch] failed to process. Received errors in 1 commands:
#> [object Object]
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
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({
    result: {
      result: { me: { ID: '1' } },
      result_error: { deal: { error: 'NOT_FOUND', error_description: 'Not found' } },
      result_total: [], result_next: [], result_time: [],
    },
    time: {},
  }));
});
server.listen(0, '127.0.0.1', async () => {
  const bitrix = Bitrix(`http://127.0.0.1:${server.address().port}/rest/1/a-webhook`);
  const commands = { me: { method: 'profile' }, deal: { method: 'crm.deal.get', params: { ID: 5 } } };
  await bitrix.batch(commands).catch((error) => console.log(error.message));
  server.close();
});
JS
NO_PROXY=127.0.0.1 node main.js | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
