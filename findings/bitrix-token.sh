#!/usr/bin/env bash
# @2bad/bitrix: the access token that a client is made with is never sent
#
# Version: @2bad/bitrix 2.5.1 and got 11.8.2, node 20 (2BAD/bitrix#55, open since 2023, without the cause)
# Behaviour: the second argument of Bitrix is the access token, and a hook appends it
#   to options.path of each request. The options of got 11 have a url and no path,
#   so the hook returns without a word, and every call of an OAuth application is
#   answered with NO_AUTH_FOUND.
# What follows: imbottest/interop gives this client its token as the parameter auth.
# Seen:
#> asked for /rest/profile
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
  console.log('asked for', request.url);
  response.setHeader('Content-Type', 'application/json');
  response.end('{"result":true}');
});
server.listen(0, '127.0.0.1', async () => {
  const bitrix = Bitrix(`http://127.0.0.1:${server.address().port}/rest`, 'an-access-token');
  await bitrix.call('profile');
  server.close();
});
JS
NO_PROXY=127.0.0.1 node main.js | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
