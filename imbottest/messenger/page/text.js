// Texts of any length: long ones are shown in part, because a megabyte without a
// blank takes seconds to lay out.

import { render } from './bbcode.js';
import { el } from './dom.js';

const LONG = 3000;
const LONG_LINES = 60;
const MOST = 30000; // more than a portal keeps; a megabyte would stop the page

// A letter under thousands of marks takes minutes to draw; thirty are left to it.
const MARKS = /(\p{M}{30})\p{M}+/gu;

// longText returns the nodes for a text with codes, in an element made with the
// attributes. expand is called when all of it is asked for.
export function longText(text, app, attributes, { expanded = false, expand } = {}) {
  if (text.length > MOST) text = text.slice(0, MOST) + `… (${(text.length - MOST).toLocaleString()} characters more)`;
  text = text.replace(MARKS, '$1');
  const cut = expanded ? text.length : shortened(text);
  const node = el('div', { dir: 'auto', ...attributes }, render(text.slice(0, cut), app));
  if (cut === text.length) return [node];
  const all = el('button', { type: 'button', class: 'show-all', click: () => {
    node.replaceChildren(render(text, app));
    all.remove();
    expand?.();
  } }, `Show all (${text.length.toLocaleString()} characters)`);
  return [el('div', { class: 'short' }, node), all];
}

// shortened is how much of a text is shown at first.
function shortened(text) {
  let cut = text.length;
  if (cut > LONG) cut = LONG - 500;
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < cut; at = text.indexOf('\n', at + 1)) {
    if (++lines === LONG_LINES) return at;
  }
  // Half a surrogate pair is no character.
  if (cut < text.length && /[\ud800-\udbff]/.test(text[cut - 1])) cut--;
  return cut;
}

// brief is a name or title that has a line for itself.
export function brief(text, length = 200) {
  const s = String(text ?? '');
  return s.length > length ? s.slice(0, length).replace(/[\ud800-\udbff]$/, '') + '…' : s;
}
