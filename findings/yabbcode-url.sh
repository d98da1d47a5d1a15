#!/usr/bin/env bash
# ya-bbcode: a link without a text of its own leads to #
#
# Version: ya-bbcode 4.0.0, node 20
# Behaviour: [url]address[/url], as portals write the links of messages, is shown as the
#   address and leads nowhere; the address is taken from [url=address] only. For [img]
#   the same library takes what stands between the tags.
# What follows: who shows a bot's messages with it gives bbcode.Link a text, which then
#   writes [url=address]text[/url].
# Seen:
#> [url=https://a.example]a[/url]: <a href="https://a.example">a</a>
#> [url]https://a.example[/url]: <a href="#">https://a.example</a>
#> [img]https://a.example[/img]: <img src="https://a.example" alt=""/>
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save ya-bbcode@4.0.0

cat >main.js <<'JS'
const YABBCode = require('ya-bbcode');

const parser = new YABBCode();
for (const text of ['[url=https://a.example]a[/url]', '[url]https://a.example[/url]', '[img]https://a.example[/img]']) {
  console.log(`${text}:`, parser.parse(text));
}
JS
node main.js | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
