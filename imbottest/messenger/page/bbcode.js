// Shows BB code. However deep the codes are nested, the elements are not: each run of
// text gets elements for the marks that hold there (b, i, u, s, colour and size), and
// stands in at most one element that is like a link, and that in at most one quote.

import { scan } from './bbscan.js';
import { clamp, color, el, link, paint, pick, picture, safeLink } from './dom.js';

const RULE = /^-{54}$/;
const HEAD = /^(.*)\[([^[\]]+)\](?: #((?:chat\d+|\d+:\d+))\/(\d+))?$/; // of a quoted message
const MAX_PARTS = 20000; // elements; behind these a text is shown without its codes
const MAX_ADDRESS = 2000;
const ADDRESS = /\bhttps?:\/\/[^\s<>"'[\]]+/g;
const MARKS = ['s', 'u', 'i', 'b'];

// render returns the nodes that show a text. app is called when a link is clicked. With
// lineStart false the text does not begin with a quote.
export function render(text, app, lineStart = true) {
  const out = new Output(app, text, lineStart);
  let done = 0;
  for (const token of scan(text)) {
    if (token.start < done) continue;
    if (token.kind !== 'single' && !token.pair) continue;
    if (token.name === 'img' && !isImage(token, text)) continue;
    if (out.parts > MAX_PARTS) break;
    const node = token.kind === 'single' ? single(token, app) : null;
    if (token.kind === 'single' && node == null) continue; // its value is wrong, so it stays text
    out.text(text.slice(done, token.start));
    done = token.end;
    if (token.kind === 'single') {
      if (typeof node === 'string') out.text(node);
      else out.add(node);
    } else if (token.name === 'code' || token.name === 'img' || token.name === 'pch') {
      if (token.kind === 'close') continue;
      const inside = text.slice(token.end, token.pair.start);
      done = token.pair.end;
      if (token.name === 'pch') continue; // shows nothing
      if (token.name === 'code') out.block(el('pre', { class: 'code', tabindex: '-1' }, el('code', {}, inside.replace(/^\r?\n/, '').trimEnd())));
      else out.add(image(inside, token.value));
    } else if (token.kind === 'open') {
      out.open(token, text);
    } else {
      out.close(token);
    }
  }
  out.text(text.slice(done));
  return out.finish();
}

class Output {
  constructor(app, text, lineStart) {
    this.app = app;
    this.root = document.createDocumentFragment();
    this.into = this.root; // the root or a quote
    this.parts = 0;
    this.run = '';
    this.on = { b: 0, i: 0, u: 0, s: 0 };
    this.colors = [];
    this.sizes = [];
    this.link = null; // {token, make, node}
    this.lineStart = lineStart;
    this.afterBlock = false; // whether a block came last; the line break after it is dropped
    this.quote = ''; // "", "line" or "block"
    this.head = false; // whether the first line of a quoted message comes next
    this.rules = (text.match(/^-{54}$/gm) ?? []).length;
  }

  text(s) {
    for (let at = 0; at < s.length; ) {
      const end = s.indexOf('\n', at);
      this.piece(end < 0 ? s.slice(at) : s.slice(at, end), end >= 0);
      if (end < 0) return;
      this.newLine();
      at = end + 1;
    }
  }

  // piece adds text without a line break. whole says whether a line break follows.
  piece(s, whole) {
    if (s === '') return;
    if (this.lineStart && s.startsWith('---') && RULE.test(s) && (this.quote === 'block' || (whole && this.rules > 1 && this.parts < MAX_PARTS))) {
      this.rules--;
      this.leave(this.quote === 'block' ? '' : 'block');
      this.head = this.quote === 'block';
      this.skipBreak = whole;
      this.lineStart = false;
      return;
    }
    if (this.lineStart && this.quote !== 'block') {
      if (s.startsWith('>>') && this.parts < MAX_PARTS) {
        if (this.quote === 'line') this.run += '\n';
        else this.leave('line');
        s = s.slice(2);
        this.lineStart = false;
      } else if (this.quote === 'line') {
        this.leave('');
      }
    }
    this.lineStart = false;
    this.afterBlock = false;
    const head = this.head && whole ? HEAD.exec(s) : null;
    if (head && (head[1] !== '' || this.into.childNodes.length > 0)) this.quoted(...head.slice(1));
    else this.run += s;
  }

  // quoted adds the author and the time of a quoted message. With a place, the time leads to it.
  quoted(name, time, dialog, id) {
    if (name.trim() !== '') this.add(el('span', { class: 'quoted-name' }, name.trim()));
    this.run += ' ';
    const go = dialog && (() => this.app.openMessage(dialog, Number(id)));
    this.add(go ? el('button', { type: 'button', class: 'act quoted-time', click: go }, time.trim()) : el('span', { class: 'quoted-time' }, time.trim()));
  }

  newLine() {
    const drop = this.quote === 'line' || this.skipBreak || this.afterBlock;
    if (!this.skipBreak) this.head = false;
    if (this.lineStart && this.quote === 'line') this.leave(''); // an empty line ends the quote
    else if (!drop) this.run += '\n';
    this.skipBreak = this.afterBlock = false;
    this.lineStart = true;
  }

  // leave ends the quote, if there is one, and begins another one; '' is none.
  leave(quote) {
    if (this.run.endsWith('\n')) this.run = this.run.slice(0, -1); // a quote begins a new line anyway
    this.flush();
    if (this.quote !== '' && this.into.childNodes.length === 0) this.into.remove();
    this.quote = quote;
    this.into = this.root;
    if (this.link) this.link.node = null;
    if (quote === '') return;
    this.into = el('blockquote', { class: quote, dir: 'auto' });
    this.root.append(this.into);
    this.parts++;
  }

  flush() {
    if (this.run === '') return;
    let nodes = this.link ? [this.run] : withAddresses(this.run);
    this.run = '';
    for (const tag of MARKS) if (this.on[tag] > 0) nodes = [el(tag, {}, nodes)];
    const shade = this.colors.at(-1);
    const size = this.sizes.at(-1);
    if (shade || size) {
      const span = el('span', {}, nodes);
      if (shade) paint(span, shade);
      if (size) span.style.fontSize = size + 'px';
      nodes = [span];
    }
    this.parts += nodes.length;
    this.target().append(...nodes);
  }

  target() {
    if (!this.link) return this.into;
    if (!this.link.node) {
      this.link.node = this.link.make();
      this.into.append(this.link.node);
      this.parts++;
    }
    return this.link.node;
  }

  add(node) {
    this.inLine();
    this.flush();
    this.afterBlock = false;
    this.parts++;
    this.target().append(node);
  }

  block(node) {
    if (this.run.endsWith('\n')) this.run = this.run.slice(0, -1);
    this.add(node);
    this.afterBlock = true;
  }

  // inLine notes that something stands in the line: what comes behind it begins no quote.
  inLine() {
    if (this.lineStart && this.quote === 'line') this.leave('');
    this.lineStart = false;
  }

  open(token, text) {
    this.inLine();
    this.flush();
    if (token.name in this.on) this.on[token.name]++;
    else if (token.name === 'color') this.colors.push(color(token.value.startsWith('#') ? token.value : '#' + token.value) || this.colors.at(-1));
    else if (token.name === 'size') this.sizes.push(clamp(token.value, 8, 30, this.sizes.at(-1)));
    else if (!this.link) this.link = { token, make: linkMaker(token, text, this.app), node: null };
  }

  close(token) {
    if (this.link?.token === token.pair && this.run === '' && !this.link.node) this.run = emptyName(token.pair, this.app);
    this.inLine();
    this.flush();
    if (token.name in this.on) this.on[token.name]--;
    else if (token.name === 'color') this.colors.pop();
    else if (token.name === 'size') this.sizes.pop();
    else if (this.link?.token === token.pair) this.link = null;
  }

  finish() {
    this.flush();
    return this.root;
  }
}

// withAddresses makes links of the web addresses in a text.
function withAddresses(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(ADDRESS)) {
    let end = match[0].length;
    while (end > 0 && '.,;:!?)'.includes(match[0][end - 1])) end--; // punctuation of the sentence, not of the address
    const address = match[0].slice(0, end);
    if (end > MAX_ADDRESS || !safeLink(address)) continue;
    if (nodes.length > MAX_PARTS) break;
    nodes.push(text.slice(done, match.index), link(address, address));
    done = match.index + address.length;
  }
  nodes.push(text.slice(done));
  return nodes.filter((node) => node !== '');
}

// linkMaker returns a function that makes the element for a code that is like a link.
// When a quote begins or ends inside the code, the function is called for each part.
function linkMaker(token, text, app) {
  const { name, value } = token;
  const inside = () => text.slice(token.end, token.pair.start).trim();
  const act = (kind, title, work) => () =>
    el('button', { type: 'button', class: 'act ' + kind, title: title.slice(0, 300), click: work });
  switch (name) {
    case 'url': {
      const address = value || inside();
      return () => link(address);
    }
    case 'send': {
      const words = value || inside();
      return act('send', 'Say: ' + words, () => app.say(words));
    }
    case 'put': {
      const words = value || inside();
      return act('put', 'Put into the text field: ' + words, () => app.put(words));
    }
    case 'call': {
      const number = value || inside();
      return act('call', 'Call ' + number, () => app.call(number));
    }
    case 'user': {
      const user = parseInt(value, 10);
      if (user === 0) break;
      if (user === app.state.user) return () => el('span', { class: 'mention own' });
      return act('mention', 'Person ' + user, () => app.openDialog(String(user)));
    }
    case 'chat':
      if (value.includes('|')) break;
      return act('mention', 'Chat ' + value, () => app.openDialog('chat' + value));
    case 'context': {
      const [dialog, message] = value.split('/');
      return act('mention', 'Message ' + message, () => app.openMessage(dialog, Number(message)));
    }
  }
  return () => el('span');
}

// emptyName is the text of a mention or a command that has none.
function emptyName(token, app) {
  if (token.name === 'user') return app.nameOf(parseInt(token.value, 10)) || token.value;
  if (token.name === 'chat') return app.state.dialogs.get('chat' + token.value)?.title.slice(0, 200) || 'chat ' + token.value;
  return ['send', 'put'].includes(token.name) ? token.value : '';
}

// single returns what shows a code that has no closing code: a node or text. It returns
// null when the value is wrong, so that the code stays text.
function single(token, app) {
  const { name, value } = token;
  switch (name) {
    case 'br':
      return '\n';
    case 'like':
      return '👍';
    case 'dislike':
      return '👎';
    case 'rating':
      if (!/^[1-5]$/.test(value)) return null;
      return el('span', { class: 'rating', role: 'img', 'aria-label': value + ' of 5 stars' }, '★'.repeat(value), el('span', {}, '★'.repeat(5 - value)));
    case 'timestamp':
      return timestamp(value);
    case 'disk':
      if (!/^\d+$/.test(value)) return null;
      return el('button', { type: 'button', class: 'act file', click: () => app.note(`File ${value} of the portal's drive, which is not here.`) }, 'File ' + value);
    default:
      return inlineIcon(value);
  }
}

const IMAGE_SIZE = /\bsize=(small|medium|large)\b/i;

// isImage reports whether the portal shows a picture for the code: that needs a size,
// and a blank before the closing code. The portal makes a link of the address between them.
function isImage(token, text) {
  const [open, close] = token.kind === 'open' ? [token, token.pair] : [token.pair, token];
  return IMAGE_SIZE.test(open.value) && /\s/.test(text[close.start - 1]);
}

function image(address, attributes) {
  return picture(address.replace(/\[\/?url\]/gi, '').trim(), '', { class: 'picture ' + IMAGE_SIZE.exec(attributes)[1].toLowerCase() });
}

function inlineIcon(value) {
  value = value.slice(0, MAX_ADDRESS);
  const address = value.split(/\s/, 1)[0];
  const number = (name) => clamp(new RegExp(`\\s${name}=(\\d+)`, 'i').exec(value)?.[1], 4, 128, 0);
  const title = /\stitle=(.*?)(?=\s(?:size|width|height)=|$)/i.exec(value)?.[1] ?? '';
  const node = picture(address, title, { class: 'inline', title: title.slice(0, 200) });
  if (node.tagName !== 'IMG') return node;
  const size = number('size') || 20;
  node.style.width = (number('width') || size) + 'px';
  node.style.height = (number('height') || size) + 'px';
  return node;
}

const TIMES = {
  FORMAT_DATE: { dateStyle: 'short' },
  FORMAT_DATETIME: { dateStyle: 'short', timeStyle: 'medium' },
  SHORT_DATE_FORMAT: { dateStyle: 'short' },
  MEDIUM_DATE_FORMAT: { dateStyle: 'medium' },
  LONG_DATE_FORMAT: { dateStyle: 'long' },
  DAY_MONTH_FORMAT: { day: 'numeric', month: 'long' },
  DAY_SHORT_MONTH_FORMAT: { day: 'numeric', month: 'short' },
  SHORT_DAY_OF_WEEK_MONTH_FORMAT: { weekday: 'short', day: 'numeric', month: 'long' },
  SHORT_DAY_OF_WEEK_SHORT_MONTH_FORMAT: { weekday: 'short', day: 'numeric', month: 'short' },
  DAY_OF_WEEK_MONTH_FORMAT: { weekday: 'long', day: 'numeric', month: 'long' },
  FULL_DATE_FORMAT: { dateStyle: 'full' },
  SHORT_TIME_FORMAT: { timeStyle: 'short' },
  LONG_TIME_FORMAT: { timeStyle: 'medium' },
};

function timestamp(value) {
  const match = /^(\d{1,13})(?:\s+format=(\w+))?$/i.exec(value);
  if (!match) return null;
  const time = new Date(Number(match[1]) * 1000);
  if (Number.isNaN(time.getTime())) return null;
  const format = (match[2] ?? '').toUpperCase();
  const options = pick(TIMES, format, TIMES.FORMAT_DATETIME);
  return el('time', { datetime: time.toISOString(), title: time.toLocaleString() }, new Intl.DateTimeFormat(undefined, options).format(time));
}
