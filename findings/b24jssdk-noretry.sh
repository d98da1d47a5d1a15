#!/usr/bin/env bash
# @bitrix24/b24jssdk: told not to repeat, it repeats a message when the connection breaks
#
# Version: @bitrix24/b24jssdk 2.2.0 and axios 1.21.1, node 20
# Behaviour: a call whose answer is lost is sent up to three times, whatever its method
#   does; retryOnNetworkError: false is meant for methods that must not be. It goes by the
#   code ERR_NETWORK, which axios has in browsers: in node a broken connection is
#   ECONNRESET, and is repeated all the same. A time-out is not, and a 502 is.
# What follows: a bot in node names these codes in hardErrorCodes too. Here a call that
#   may have been carried out is sent again only if that does no harm.
# Seen:
#> retryOnNetworkError false, no answer in time: 1 message, REQUEST_TIMEOUT
#> retryOnNetworkError false, the connection breaks: 2 messages, success true
#> retryOnNetworkError false, the answer is a 502: 2 messages, success true
#> and two hardErrorCodes, the connection breaks: 1 message, ECONNRESET
#> and two hardErrorCodes, the answer is a 502: 1 message, ERR_BAD_RESPONSE
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save @bitrix24/b24jssdk@2.2.0 axios@1.21.1

cat >main.mjs <<'JS'
import http from 'node:http';
import { ApiVersion, B24OAuth, ParamsFactory } from '@bitrix24/b24jssdk';

const late = 'no answer in time', breaks = 'the connection breaks', bad = 'the answer is a 502';
let messages, lost;
const server = http.createServer(async (request, response) => {
  for await (const _ of request);
  messages++; // the portal writes it, and the first answer gets lost
  if (messages === 1 && lost === late) return;
  if (messages === 1 && lost === breaks) return request.socket.destroy();
  if (messages === 1) return response.writeHead(502).end();
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ result: messages, time: {} }));
});
server.listen(0, '127.0.0.1', async () => {
  const endpoint = `http://127.0.0.1:${server.address().port}/rest`;
  const send = async (name, params) => {
    const b24 = new B24OAuth({
      applicationToken: 'x', userId: 1, memberId: 'x', accessToken: 'x', refreshToken: 'x', expires: 4e9, expiresIn: 3600,
      scope: 'imbot', domain: 'x', clientEndpoint: endpoint, serverEndpoint: endpoint, status: 'L',
    }, { clientId: 'x', clientSecret: 'x' });
    await b24.setRestrictionManagerParams({ ...ParamsFactory.getDefault(), retryOnNetworkError: false, ...params });
    b24.getHttpClient(ApiVersion.v2).ajaxClient.defaults.timeout = 500;
    messages = 0;
    const end = await b24.actions.v2.call.make({ method: 'imbot.message.add', params: { MESSAGE: 'hi' } })
      .then((result) => `success ${result.isSuccess}`, (error) => error.code);
    console.log(`${name}, ${lost}: ${messages} message${messages > 1 ? 's' : ''}, ${end}`);
  };
  for (lost of [late, breaks, bad]) await send('retryOnNetworkError false', {});
  for (lost of [breaks, bad]) await send('and two hardErrorCodes', { hardErrorCodes: ['ECONNRESET', 'ERR_BAD_RESPONSE'] });
  server.close();
  server.closeAllConnections();
});
JS
NO_PROXY=127.0.0.1 node main.mjs | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
