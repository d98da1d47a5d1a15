#!/usr/bin/env bash
# superagent: of a list of objects in a form, the last object is what arrives
#
# Version: superagent 10.4.2, node 20
# Behaviour: type('form') writes a list of texts as a name that is repeated, and a list of
#   objects as if the list were not there. A keyboard of two buttons is KEYBOARD[TEXT]
#   two times; of one name PHP keeps what comes last, so the portal has the second
#   button, and that not in a list. No error is returned.
# What follows: keyboards and attachments are sent as JSON here; imbottest's portal reads
#   a form as PHP does, so that such a bot sees it in a test.
# Seen:
#> KEYBOARD[TEXT]=Yes
#> KEYBOARD[COMMAND]=yes
#> KEYBOARD[TEXT]=No
#> KEYBOARD[COMMAND]=no
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save superagent@10.4.2

cat >main.js <<'JS'
const http = require('node:http');
const superagent = require('superagent');

const server = http.createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  for (const [name, value] of new URLSearchParams(body)) console.log(`${name}=${value}`);
  response.end();
});
server.listen(0, '127.0.0.1', async () => {
  await superagent.post(`http://127.0.0.1:${server.address().port}/`).type('form').send({
    KEYBOARD: [{ TEXT: 'Yes', COMMAND: 'yes' }, { TEXT: 'No', COMMAND: 'no' }],
  });
  server.close();
});
JS
NO_PROXY=127.0.0.1 node main.js | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
