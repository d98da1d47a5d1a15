#!/usr/bin/env bash
# @bbob: [B] is not [b], and [B]x[/b] is no pair
#
# Version: @bbob/html and @bbob/preset-html5 4.4.1, node 20
# Behaviour: names of tags are compared letter by letter. The preset knows them in
#   small letters only and makes of [B] an element B without a style; [B] closed by
#   [/b] is an empty element and a text. A portal's messages have capitals too: [USER=1].
# What follows: package bbcode writes the font's tags in small letters, so that a page
#   which shows a bot's text by this library has them.
# Seen:
#> [b]x[/b]: <span style="font-weight: bold;">x</span>
#> [B]x[/B]: <B>x</B>
#> [B]x[/b]: <B></B>x[/b]
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save @bbob/html@4.4.1 @bbob/preset-html5@4.4.1

cat >main.mjs <<'JS'
import html from '@bbob/html';
import preset from '@bbob/preset-html5';

for (const text of ['[b]x[/b]', '[B]x[/B]', '[B]x[/b]']) console.log(`${text}:`, html(text, preset()));
JS
node main.mjs | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
