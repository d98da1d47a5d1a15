#!/usr/bin/env bash
# @bitrix24/b24jssdk: a list that is to begin behind an id begins at the first
#
# Version: @bitrix24/b24jssdk 2.2.0, node 20
# Behaviour: callList and fetchList page by ">ID" and begin with 0. They lay this over the
#   caller's filter, so that a ">ID" in it is gone: who goes on behind 1000 is given
#   all again, as a success. An order that they cannot keep is warned of, this is not.
#   ">=ID" is another name and stays.
# What follows: who resumes a list with this client asks for ">=ID" of the next id.
# Seen:
#> {">ID":1000} is sent as {">ID":0}
#> {">=ID":1001} is sent as {">=ID":1001,">ID":0}
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save @bitrix24/b24jssdk@2.2.0

cat >main.mjs <<'JS'
import http from 'node:http';
import { B24OAuth } from '@bitrix24/b24jssdk';

let sent;
const server = http.createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  sent = JSON.stringify(JSON.parse(body).filter);
  response.setHeader('Content-Type', 'application/json');
  response.end('{"result":[],"time":{}}');
});
server.listen(0, '127.0.0.1', async () => {
  const endpoint = `http://127.0.0.1:${server.address().port}/rest`;
  const b24 = new B24OAuth({
    applicationToken: 'x', userId: 1, memberId: 'x', accessToken: 'x', refreshToken: 'x', expires: 4e9, expiresIn: 3600,
    scope: 'crm', domain: 'x', clientEndpoint: endpoint, serverEndpoint: endpoint, status: 'L',
  }, { clientId: 'x', clientSecret: 'x' });
  for (const filter of [{ '>ID': 1000 }, { '>=ID': 1001 }]) {
    await b24.actions.v2.callList.make({ method: 'crm.deal.list', params: { filter } });
    console.log(`${JSON.stringify(filter)} is sent as ${sent}`);
  }
  server.close();
});
JS
NO_PROXY=127.0.0.1 node main.mjs | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
