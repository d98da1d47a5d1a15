// What the client of a portal does to the beginning of a message, before it reads codes.

// It works in HTML: when one of these characters is cut off, the rest of it stays.
const IN_HTML = { '&': 'amp;', '<': 'lt;', '>': 'gt;', '"': 'quot;', "'": '#039;', '\n': 'br />' };

// At this time these codes are not in the text; nothing of them is cut off.
const HELD_OUT = /^\[(code|put|send)[\]=][^]*?\[\/\1\]/i;

// opening returns the text that is left of a message that the portal handed out, and
// "me", "loud" or "" for its look. "/me" and "/loud" are cut off with the character
// behind them, also where they are only the beginning of a word.
export function opening(served) {
  const text = String(served ?? '').trim().replace(/\[br\]/gi, '\n').replaceAll('    ', '\t');
  const [begin, look] = /^\/(me|loud)/.exec(text) ?? [];
  if (!begin) return { text, look: '' };
  const rest = text.slice(begin.length);
  if (rest === '' || HELD_OUT.test(rest)) return { text: rest, look };
  const left = Object.hasOwn(IN_HTML, rest[0]) ? IN_HTML[rest[0]] : '';
  return { text: (left + rest.slice(1)).toWellFormed(), look };
}
