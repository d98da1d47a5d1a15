// Shows texts of any length. Long ones are shown in part, because a browser needs seconds
// to lay out a megabyte without a blank.

import { render } from './bbcode.js';
import { el } from './dom.js';

const LONG = 3000;
const LONG_LINES = 60;
const MOST = 30000; // more than a portal keeps; a megabyte would block the page

// A letter with thousands of combining marks takes minutes to draw, so only thirty are kept.
const MARKS = /(\p{M}{30})\p{M}+/gu;

// longText returns an element with the attributes that shows a text with BB codes, and a
// button "Show all" when the text is long. expand is called when that is pressed. lineStart
// is that of render.
export function longText(text, app, attributes, { expanded = false, expand, lineStart = true } = {}) {
  if (text.length > MOST) text = text.slice(0, MOST) + `… (${(text.length - MOST).toLocaleString()} characters more)`;
  text = text.replace(MARKS, '$1');
  const cut = expanded ? text.length : shortened(text);
  const node = el('div', { dir: 'auto', ...attributes }, render(text.slice(0, cut), app, lineStart));
  if (cut === text.length) return [node];
  const all = el('button', { type: 'button', class: 'show-all', click: () => {
    node.replaceChildren(render(text, app, lineStart));
    all.remove();
    expand?.();
  } }, `Show all (${text.length.toLocaleString()} characters)`);
  return [el('div', { class: 'short' }, node), all];
}

// shortened returns how many characters of a text are shown at first.
function shortened(text) {
  let cut = text.length;
  if (cut > LONG) cut = LONG - 500;
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < cut; at = text.indexOf('\n', at + 1)) {
    if (++lines === LONG_LINES) return at;
  }
  // Do not cut a surrogate pair in two.
  if (cut < text.length && /[\ud800-\udbff]/.test(text[cut - 1])) cut--;
  return cut;
}

// brief cuts a name or title that is too long for a line.
export function brief(text, length = 200) {
  const s = String(text ?? '');
  return s.length > length ? s.slice(0, length).replace(/[\ud800-\udbff]$/, '') + '…' : s;
}

// bytes writes the size of a file.
export function bytes(n) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  for (; n >= 1000 && unit < units.length - 1; unit++) n /= 1000;
  return (unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)) + ' ' + units[unit];
}
