// Small helpers for the DOM. They use text as text nodes only: nothing in this page
// parses HTML.

const SVG = 'http://www.w3.org/2000/svg';

// el makes an element. An attribute that is a function becomes a listener for the event
// of that name; false and null leave it out, true makes it empty. Children are nodes,
// strings, lists of both, or null and false for none.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

const icons = new Map(); // made once and cloned, because messages have many

// icon shows one of the symbols of index.html.
export function icon(name) {
  if (!icons.has(name)) icons.set(name, newIcon(name));
  return icons.get(name).cloneNode(true);
}

function newIcon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  const use = document.createElementNS(SVG, 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', '#icon-' + name);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

// Colours come from bots, so only what has this form is put into a style.
const HEX = /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i;

export const color = (value) => (typeof value === 'string' && HEX.test(value) ? value : '');

// paint gives a text the colour that its author wants. The style sheet makes that lighter
// in the dark scheme.
export function paint(node, hex) {
  node.classList.add('shade');
  node.style.setProperty('--shade', hex);
}

// ink is black or white, whichever has more contrast on a colour.
export function ink(hex) {
  const digits = hex.length === 4 ? [...hex.slice(1)].map((d) => d + d) : hex.slice(1).match(/../g);
  const [r, g, b] = digits.map((d) => {
    const c = parseInt(d, 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return light > 0.18 ? '#10151b' : '#ffffff';
}

// pick returns the value of a table for a key that comes from the portal. It ignores what
// every object inherits, such as "constructor".
export const pick = (table, key, fallback) => (Object.hasOwn(table, key) ? table[key] : fallback);

// clamp reads a number that comes from the portal and limits it. fallback is for values
// that are no positive number.
export function clamp(value, low, high, fallback) {
  const n = Number(value);
  return Number.isFinite(n) && n > 0 ? Math.min(Math.max(n, low), high) : fallback;
}

// dialogID writes the id of a dialog in its usual form, "" when it is not one.
export function dialogID(value) {
  const match = /^(chat)?0*([1-9]\d{0,15})$/i.exec(String(value).trim());
  return match ? (match[1] ?? '').toLowerCase() + match[2] : '';
}

// safeLink returns the address when a click may go there, else "". It uses the URL parser,
// as the browser does, which recognises "java\tscript:" for what it is.
export function safeLink(address) {
  const url = parse(address);
  return url && ['http:', 'https:', 'mailto:', 'tel:'].includes(url.protocol) ? url.href : '';
}

// safeImage returns the address when the page's security policy permits it for a picture
// or a frame, else "".
export function safeImage(address) {
  const url = parse(address);
  const local = url && url.protocol === 'http:' && (url.hostname === 'localhost' || url.hostname === '127.0.0.1');
  return url && (url.protocol === 'https:' || local) ? url.href : '';
}

function parse(address) {
  const text = String(address).trim();
  if (!/^[a-z]+:/i.test(text)) return null; // relative addresses lead to pages of a real portal, which are not here
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

// link makes a link, or plain text when the address is not safe.
export function link(address, ...children) {
  const href = safeLink(address);
  if (!href) return el('span', { class: 'nolink', title: String(address).slice(0, 300) }, ...children);
  return el('a', { href, target: '_blank', rel: 'noopener noreferrer', title: href.slice(0, 300) }, ...children);
}

// picture shows an image, or a link with its name when it cannot be loaded.
export function picture(address, name, attributes = {}) {
  const src = safeImage(address);
  const instead = () => link(address, name || String(address).slice(0, 300));
  if (!src) return instead();
  const img = el('img', { src, alt: name || '', loading: 'lazy', referrerpolicy: 'no-referrer', ...attributes });
  img.addEventListener('error', () => img.replaceWith(img.closest('a') ? name || src : instead()), { once: true });
  return img;
}

// avatar shows the picture of a person or chat, or initials on its colour. The name
// stands beside it, so it is hidden from screen readers.
export function avatar(who, name) {
  const node = el('span', { class: 'avatar', 'aria-hidden': 'true' });
  const background = color(who?.color) || '#8a94a0';
  node.style.backgroundColor = background;
  node.style.color = ink(background);
  node.append(initials(name));
  if (who?.avatar && /^api\/avatar\?/.test(who.avatar)) {
    node.append(photo(who.avatar));
  }
  return node;
}

// photo covers the initials of an avatar. It is removed when it cannot be loaded.
export function photo(src) {
  const img = el('img', { src, alt: '', referrerpolicy: 'no-referrer' });
  img.addEventListener('error', () => img.remove(), { once: true });
  return img;
}

function initials(name) {
  const words = String(name ?? '').slice(0, 200).match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join('') || '·';
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const exact = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hour12: false });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

const valid = (time) => (Number.isNaN(time.getTime()) ? new Date(0) : time);
const sameDay = (a, b) => a.toDateString() === b.toDateString();

export const shortTime = (time) => clock.format(valid(new Date(time)));
export const exactTime = (time) => exact.format(valid(new Date(time)));
export const fullTime = (time) => full.format(valid(new Date(time)));

// listTime writes the time of day for today, the date for other days.
export function listTime(value) {
  const time = valid(new Date(value));
  return (sameDay(time, new Date()) ? clock : date).format(time);
}

export function dayName(value) {
  const time = valid(new Date(value));
  const now = new Date();
  if (sameDay(time, now)) return 'Today';
  now.setDate(now.getDate() - 1);
  return sameDay(time, now) ? 'Yesterday' : day.format(time);
}

// While the mouse button is down, soon waits with its work, because a click is lost when
// its element is replaced or moves before the button is released. The wait is limited,
// because browsers do not report the end of every press.
const HELD = 3000; // milliseconds, at most
let held = -Infinity; // the time until which soon waits
addEventListener('pointerdown', () => {
  held = performance.now() + HELD;
}, true);
for (const end of ['pointerup', 'pointercancel']) {
  addEventListener(end, () => {
    const ended = held;
    setTimeout(() => { // the click event comes before this
      if (held === ended) held = -Infinity; // if not, the next press has begun
    });
  }, true);
}

// soon returns a function that calls work once for any number of its calls: with the next
// frame, or a little later when the page is hidden and gets no frames. Between two calls of
// work there is a pause in milliseconds, and at least four times as long as work took, so
// that on a slow machine most of the time is left for typing.
export function soon(work, pause = 0) {
  let waiting = false;
  let timer = 0;
  let next = -Infinity;
  const run = () => {
    if (!waiting) return;
    clearTimeout(timer);
    const begin = performance.now();
    const early = Math.max(next - begin, begin < held ? 50 : 0);
    if (early > 0) {
      timer = setTimeout(run, early);
      return;
    }
    waiting = false;
    work();
    const end = performance.now();
    next = end + Math.max(pause, 4 * (end - begin));
  };
  return () => {
    if (waiting) return;
    waiting = true;
    timer = setTimeout(run, 300);
    requestAnimationFrame(run);
  };
}

// toast shows a short text for a few seconds.
export function toast(text, bad = false) {
  const box = byId('toasts');
  const note = el('p', { class: bad ? 'toast bad' : 'toast', dir: 'auto' }, String(text).slice(0, 400));
  while (box.children.length > 2) box.firstChild.remove();
  // Hidden and shown again, the box lies above a dialog that was opened since.
  if (box.matches(':popover-open')) box.hidePopover();
  box.showPopover();
  box.append(note);
  setTimeout(() => note.remove(), bad ? 8000 : 4000);
}
