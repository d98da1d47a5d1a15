// Finds the BB codes of a text. It goes through the text once and without recursion, so
// that no text, however it is made, takes long.

// The forms of codes. bare: [b]; valued: [size=8]; spaced: [img size=small]; single: there
// is no closing code.
const FORMS = {
  b: 'bare', i: 'bare', u: 'bare', s: 'bare', code: 'bare',
  size: 'valued', color: 'valued',
  user: 'valued', chat: 'valued', context: 'valued', pch: 'valued',
  url: 'bare valued', send: 'bare valued', put: 'bare valued', call: 'bare valued',
  img: 'bare spaced',
  icon: 'single valued', timestamp: 'single valued', disk: 'single valued', rating: 'single valued',
  br: 'single bare', like: 'single bare', dislike: 'single bare',
};
for (const [name, form] of Object.entries(FORMS)) FORMS[name] = new Set(form.split(' '));

// The values that some codes need; with another one they are text.
const VALUES = { user: /^\d+(?: replace)?$/i, chat: /^(?:imol\|)?\d+$/i, context: /^(?:chat\d+|\d+:\d+)\/\d+$/i, pch: /^\d+$/ };

// Of these a closing code belongs to the last opening one, of others to the first.
const NESTED = new Set(['b', 'i', 'u', 's', 'size', 'color']);

const HELD_OUT = new Set(['code', 'send', 'put']);

const NAME = /[a-z]{1,10}/iy;

// scan returns the codes in order: {start, end, name, value, kind, pair}. kind is
// "single", "open" or "close". pair is the closing code of an opening one, and the other
// way round; without it both are just text. Inside [code], [send] and [put] there are no codes.
export function scan(text) {
  const tokens = [];
  const open = new Map();
  const ends = new Map(); // the next closing code of those that are held out; null when there is none
  let bracket = 0; // the first "]" at or behind the last position that was asked for; -1 when there is none

  const closingBracket = (at) => {
    if (bracket >= 0 && bracket < at) bracket = text.indexOf(']', at);
    return bracket;
  };

  const read = (start) => {
    if (text[start] === '#') {
      return text.startsWith('#BR#', start) ? { start, end: start + 4, name: 'br', value: '', kind: 'single', pair: null } : null;
    }
    const closing = text[start + 1] === '/';
    NAME.lastIndex = start + (closing ? 2 : 1);
    const match = NAME.exec(text);
    const name = match ? match[0].toLowerCase() : '';
    const form = Object.hasOwn(FORMS, name) ? FORMS[name] : null;
    if (!form || (closing && form.has('single'))) return null;
    const behind = NAME.lastIndex;
    const kind = closing ? 'close' : form.has('single') ? 'single' : 'open';
    const next = text[behind];
    if (next === ']' && (closing || form.has('bare'))) {
      return { start, end: behind + 1, name, value: '', kind, pair: null };
    }
    if (closing || !((next === '=' && form.has('valued')) || (next === ' ' && form.has('spaced')))) return null;
    const end = closingBracket(behind);
    if (end < 0) return null;
    const value = text.slice(behind + 1, end).trim();
    return VALUES[name]?.test(value) === false ? null : { start, end: end + 1, name, value, kind, pair: null };
  };

  const nextEnd = ({ name, end }) => {
    const from = name === 'code' ? end : end + 1; // a command has a label, if need be with a closing code in it
    let found = ends.get(name);
    if (found === undefined || found?.index < from) {
      const closing = new RegExp(`\\[/${name}\\]`, 'gi');
      closing.lastIndex = from;
      found = closing.exec(text);
      ends.set(name, found);
    }
    if (found || from === end) return found;
    const closing = new RegExp(`\\[/${name}\\]`, 'iy');
    closing.lastIndex = end;
    return closing.exec(text);
  };

  const starts = /[[#]/g;
  for (let match; (match = starts.exec(text)); ) {
    const token = read(match.index);
    if (!token) continue;
    tokens.push(token);
    starts.lastIndex = token.end;
    if (HELD_OUT.has(token.name)) {
      const end = token.kind === 'open' ? nextEnd(token) : null;
      if (!end) continue;
      token.pair = { start: end.index, end: end.index + end[0].length, name: token.name, value: '', kind: 'close', pair: token };
      tokens.push(token.pair);
      starts.lastIndex = token.pair.end;
    } else if (token.kind === 'open') {
      if (!open.has(token.name)) open.set(token.name, []);
      if (NESTED.has(token.name) || open.get(token.name).length === 0) open.get(token.name).push(token);
    } else if (token.kind === 'close') {
      const opener = open.get(token.name)?.pop();
      if (opener) {
        opener.pair = token;
        token.pair = opener;
      }
    }
  }
  return tokens;
}

// oneLine returns the beginning of a text in one line and without codes, for lists.
export function oneLine(text, length = 120) {
  const head = String(text ?? '').slice(0, 600).replace(/^-{54}$/gm, ' ').replace(/^>>/gm, '');
  let out = '';
  let done = 0;
  for (const token of scan(head)) {
    if (token.start < done || (token.kind !== 'single' && !token.pair)) continue;
    out += head.slice(done, token.start);
    done = token.end;
    if (token.name === 'br') out += ' ';
    if (token.name === 'like') out += '👍';
    if (token.name === 'dislike') out += '👎';
    if (token.name === 'rating') out += '★'.repeat(Math.min(5, Math.max(0, parseInt(token.value, 10) || 0)));
    if (token.name === 'disk') out += 'File';
    if (token.name === 'img' && token.kind === 'open') {
      out += 'Picture';
      done = token.pair.end;
    }
  }
  out = (out + head.slice(done)).replace(/\s+/g, ' ').trim();
  return [...out].slice(0, length).join('');
}
