#!/usr/bin/env bash
# @bitrix24/b24jssdk: when a command of a batch fails, the results behind it move up
#
# Version: @bitrix24/b24jssdk 2.2.0, node 20
# Behaviour: calls given as a list give back a list that has the results of those that
#   went well and no hole for the others. With isHaltOnError false, three calls of which
#   the second fails give two results, and the third call's stands in place 1. Calls
#   with names keep theirs.
# What follows: each command of a Batch here has an outcome of its own, value or error;
#   who goes by places with this client sets returnAjaxResult, or gives the calls names.
# Seen:
#> a list: ["of 1","of 3"]
#> with returnAjaxResult: 3 places
#> with names: {"a":"of 1","c":"of 3"}
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save @bitrix24/b24jssdk@2.2.0

cat >main.mjs <<'JS'
import http from 'node:http';
import { B24OAuth } from '@bitrix24/b24jssdk';

const server = http.createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const result = {};
  const result_error = {};
  for (const [name, command] of Object.entries(JSON.parse(body).cmd)) {
    const id = command.split('ID=')[1];
    if (id === '2') result_error[name] = { error: 'NOT_FOUND', error_description: 'Not found' };
    else result[name] = `of ${id}`;
  }
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({
    result: { result, result_error, result_total: [], result_next: [], result_time: [] }, time: {},
  }));
});
server.listen(0, '127.0.0.1', async () => {
  const endpoint = `http://127.0.0.1:${server.address().port}/rest`;
  const b24 = new B24OAuth({
    applicationToken: 'x', userId: 1, memberId: 'x', accessToken: 'x', refreshToken: 'x', expires: 4e9, expiresIn: 3600,
    scope: 'crm', domain: 'x', clientEndpoint: endpoint, serverEndpoint: endpoint, status: 'L',
  }, { clientId: 'x', clientSecret: 'x' });
  const [a, b, c] = [1, 2, 3].map((ID) => ({ method: 'crm.deal.get', params: { ID } }));
  const batch = async (calls, options) => (
    await b24.actions.v2.batch.make({ calls, options: { isHaltOnError: false, ...options } })).getData();
  console.log('a list:', JSON.stringify(await batch([a, b, c])));
  console.log('with returnAjaxResult:', (await batch([a, b, c], { returnAjaxResult: true })).length, 'places');
  console.log('with names:', JSON.stringify(await batch({ a, b, c })));
  server.close();
});
JS
NO_PROXY=127.0.0.1 node main.mjs | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
