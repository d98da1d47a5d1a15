// Makes the element of a message.

import { attachment } from './attach.js';
import { oneLine } from './bbscan.js';
import { avatar, dayName, el, fullTime, icon, shortTime } from './dom.js';
import { files } from './files.js';
import { keyboard, menu } from './keyboard.js';
import { opening } from './opening.js';
import { choose, reactions } from './reactions.js';
import { brief, longText } from './text.js';

const TOGETHER = 5 * 60 * 1000; // milliseconds within which messages of one author are grouped under one name

// faces has for each message a function that makes its avatar, which only the first
// message of a group shows.
const faces = new WeakMap();

export function messageItem(message, app, expanded) {
  const own = message.author === app.state.user;
  const name = app.nameOf(message.author);
  const side = message.system ? 'system' : own ? 'own' : 'other';
  const item = el('li', {
    class: 'message ' + side + (message.deleted ? ' gone' : message.whisper ? ' whisper' : ''),
    'data-message': message.id,
    'data-author': message.author,
    'data-time': Date.parse(message.time) || 0,
    tabindex: '-1',
  });
  const bubble = el('div', { class: 'bubble' },
    message.system ? null : el('div', { class: 'author' }, el('bdi', {}, name)),
    forwarded(message, app),
    reply(message, app),
    files(message, app),
    body(message, app, expanded, item),
    message.deleted ? null : attachment(message.attach, app),
    footer(message, app));
  item.append(el('div', { class: 'column' },
    el('div', { class: 'line' }, bubble, message.deleted ? null : actions(message, own, app)),
    message.deleted ? null : keyboard(message, app)));
  if (side === 'other') faces.set(item, () => face(message.author, name, app));
  return item;
}

function face(author, name, app) {
  const node = avatar(app.state.users.get(author), name);
  node.title = name.slice(0, 200);
  return node;
}

// reply shows the message that one answers, as far as it is loaded; a click goes there.
function reply(message, app) {
  if (!message.reply || message.deleted) return null;
  const other = app.messages.kept.find((m) => m.id === message.reply);
  return el('button', { type: 'button', class: 'reply', tabindex: '-1', title: 'Go to the message that this one answers', click: () => app.messages.reveal(message.reply) },
    el('bdi', { class: 'quoted-name' }, other ? app.nameOf(other.author) : `Message ${message.reply}`),
    other ? el('bdi', { class: 'reply-text' }, summary(other, app)) : null);
}

// forwarded says whose message it was.
function forwarded(message, app) {
  if (!message.forward || message.deleted) return null;
  return el('div', { class: 'forwarded' }, icon('forward'), el('bdi', {}, 'From ' + app.nameOf(message.forward.author)));
}

function body(message, app, expanded, item) {
  if (message.deleted) return el('div', { class: 'text deleted' }, 'This message was deleted.');
  const { text, look } = opening(message.served);
  if (text === '') return null;
  return longText(text, app, { class: look ? 'text ' + look : 'text' }, { expanded, lineStart: !look, expand: () => {
    item.dataset.expanded = 'true';
    item.focus({ preventScroll: true });
  } });
}

function footer(message, app) {
  return el('div', { class: 'meta' },
    el('span', { class: 'reactions' }, reactions(message, app)),
    message.whisper && !message.deleted ? el('span', { class: 'edited', title: 'The guest does not see it' }, 'whisper') : null,
    message.edited && !message.deleted ? el('span', { class: 'edited' }, 'edited') : null,
    el('time', { datetime: message.time, title: `${fullTime(message.time)} · message ${message.id}` }, shortTime(message.time)));
}

// actions makes the buttons to react to a message, to forward, edit and delete it. Tab reaches them only in
// the message that was chosen with the arrow keys; otherwise three hundred messages would
// have a thousand stops.
function actions(message, own, app) {
  if (message.system && !Array.isArray(message.menu)) return null;
  const tool = (label, symbol, work) =>
    el('button', { type: 'button', class: 'tool', 'aria-label': label, title: label, tabindex: '-1', click: work }, icon(symbol));
  const parts = [menu(message, app)].flat();
  parts[0]?.setAttribute('tabindex', '-1');
  return el('div', { class: 'actions' }, parts,
    message.system ? null : tool('React', 'smile', (event) => choose(message, event.currentTarget, app)),
    message.system ? null : tool('Forward', 'forward', () => app.people.openForward(message)),
    own && !message.system ? tool('Edit', 'pen', () => app.edit(message)) : null,
    own && !message.system ? tool('Delete', 'bin', () => app.post('delete', { message: message.id })) : null);
}

// settle updates what depends on the message before an item: the day above it, and
// whether it is in one group with that message.
export function settle(item) {
  const before = item.previousElementSibling;
  const time = Number(item.dataset.time);
  const day = new Date(time).toDateString();
  const newDay = !before || new Date(Number(before.dataset.time)).toDateString() !== day;
  const goesOn = !newDay && before.dataset.author === item.dataset.author && !before.classList.contains('system') && time - Number(before.dataset.time) < TOGETHER;
  item.classList.toggle('goes-on', goesOn);
  const picture = item.querySelector(':scope > .avatar');
  if (goesOn) picture?.remove();
  else if (!picture && faces.has(item)) item.prepend(faces.get(item)());
  const shown = item.querySelector(':scope > .day');
  if (newDay && !shown) item.prepend(el('div', { class: 'day' }, el('span', {}, dayName(time))));
  else if (!newDay) shown?.remove();
}

// summary describes a message in one line.
export function summary(message, app) {
  if (!message) return '';
  if (message.deleted) return 'Message deleted';
  const text = oneLine(opening(message.served).text) || brief(message.files?.[0]?.name) || (message.attach ? oneLine(message.attach.DESCRIPTION) || 'Attachment' : message.keyboard?.length ? 'Buttons' : '');
  if (message.system) return text;
  return message.author === app.state.user ? 'You: ' + text : text;
}
