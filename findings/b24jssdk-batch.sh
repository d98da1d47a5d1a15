#!/usr/bin/env bash
# @bitrix24/b24jssdk: false and an empty list arrive otherwise in a batch than in a call
#
# Version: @bitrix24/b24jssdk 2.2.0, node 20
# Behaviour: a call sends its parameters as JSON, a batch sends each command as a query.
#   There an empty list is not written at all, so that the portal is not told to
#   empty the field, and false is the text false, which PHP takes for true.
# What follows: here a call that a query cannot say, as with an empty list, is not put
#   into a batch but sent by itself, and false is written as 0.
# Seen:
#> call: {"ID":5,"OPEN":false,"TAGS":[],"auth":"x"}
#> batch: crm.deal.update?ID=5&OPEN=false
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
  const { cmd } = JSON.parse(body);
  console.log(cmd ? `batch: ${cmd.a}` : `call: ${body}`);
  const result = cmd
    ? { result: { a: true }, result_error: [], result_total: [], result_next: [], result_time: [] }
    : true;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ result, time: {} }));
});
server.listen(0, '127.0.0.1', async () => {
  const endpoint = `http://127.0.0.1:${server.address().port}/rest`;
  const b24 = new B24OAuth({
    applicationToken: 'x', userId: 1, memberId: 'x', accessToken: 'x', refreshToken: 'x', expires: 4e9, expiresIn: 3600,
    scope: 'crm', domain: 'x', clientEndpoint: endpoint, serverEndpoint: endpoint, status: 'L',
  }, { clientId: 'x', clientSecret: 'x' });
  const command = { method: 'crm.deal.update', params: { ID: 5, OPEN: false, TAGS: [] } };
  await b24.actions.v2.call.make(command);
  await b24.actions.v2.batch.make({ calls: { a: command } });
  server.close();
});
JS
NO_PROXY=127.0.0.1 node main.mjs | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
