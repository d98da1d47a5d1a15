#!/usr/bin/env bash
# @bitrix24/b24jssdk: as an OAuth application it asks for /rest//method
#
# Version: @bitrix24/b24jssdk 2.2.0, node 20
# Behaviour: the client_endpoint of tokens and events ends in a slash, and the SDK
#   appends /method to it as it is. A portal takes several slashes for one; a router
#   in Go, Express or nginx by default does not, or redirects and loses the body.
# What follows: imbottest takes several slashes in a path for one, at the portal and at
#   its authorization server.
# Seen:
#> POST /rest//server.time
#> healthy: true
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save @bitrix24/b24jssdk@2.2.0

cat >main.mjs <<'JS'
import http from 'node:http';
import { B24OAuth } from '@bitrix24/b24jssdk';

const server = http.createServer((request, response) => {
  console.log(request.method, request.url.split('?')[0]);
  response.setHeader('Content-Type', 'application/json');
  response.end('{"result":"2026-01-01T00:00:00+00:00","time":{}}');
});
server.listen(0, '127.0.0.1', async () => {
  const endpoint = `http://127.0.0.1:${server.address().port}/rest/`; // as a portal writes it
  const b24 = new B24OAuth({
    applicationToken: 'x', userId: 1, memberId: 'x', accessToken: 'x', refreshToken: 'x', expires: 4e9, expiresIn: 3600,
    scope: 'imbot', domain: 'x', clientEndpoint: endpoint, serverEndpoint: endpoint, status: 'L',
  }, { clientId: 'x', clientSecret: 'x' });
  console.log('healthy:', await b24.tools.healthCheck.make());
  server.close();
});
JS
NO_PROXY=127.0.0.1 node main.mjs | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
