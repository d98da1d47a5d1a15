// Shows an attachment. Its blocks have the form in which the portal stores them.

import { render } from './bbcode.js';
import { avatar, clamp, color, el, icon, link, paint, photo, pick, picture, safeImage } from './dom.js';
import { brief, bytes, longText } from './text.js';

const TOKENS = ['primary', 'secondary', 'alert', 'base'];

const list = (value) => (Array.isArray(value) ? value : value && typeof value === 'object' ? Object.values(value) : []);

// objects returns the entries of a block, which is one object or a list of them.
const objects = (value) =>
  (Array.isArray(value) ? value : value && typeof value === 'object' ? [value] : []).filter((v) => v && typeof v === 'object');

export function attachment(attach, app) {
  const blocks = list(attach?.BLOCKS);
  if (blocks.length === 0) return null;
  const node = el('div', { class: 'attach', 'data-token': TOKENS.includes(attach.COLOR_TOKEN) ? attach.COLOR_TOKEN : 'base' });
  const strip = color(attach.COLOR);
  if (strip) node.style.borderColor = strip;
  else if (attach.COLOR === 'transparent') node.classList.add('transparent');
  for (const block of blocks) {
    for (const [kind, show] of Object.entries(KINDS)) {
      if (block && Object.hasOwn(block, kind)) {
        node.append(...[show(block[kind], app)].flat());
        break;
      }
    }
  }
  return node;
}

const KINDS = { USER: users, LINK: links, RICH_LINK: richLinks, MESSAGE: message, GRID: grid, IMAGE: images, FILE: files, DELIMITER: delimiter };

// target shows a name that leads to a person or chat here, to an address, or nowhere.
function target(item, app, ...children) {
  const dialog = Number(item.USER_ID) || Number(item.BOT_ID) || (Number(item.CHAT_ID) ? 'chat' + Number(item.CHAT_ID) : '');
  if (dialog) return el('button', { type: 'button', class: 'act mention', click: () => app.openDialog(String(dialog)) }, ...children);
  if (item.LINK) return link(item.LINK, ...children);
  return el('span', {}, ...children);
}

function users(value, app) {
  return objects(value).map((user) => {
    const who = app.state.users.get(Number(user.USER_ID || user.BOT_ID));
    const face = avatar(who, user.NAME);
    if (safeImage(user.AVATAR)) face.append(photo(safeImage(user.AVATAR)));
    return el('div', { class: 'block user' },
      face,
      target(user, app, el('bdi', {}, brief(user.NAME))));
  });
}

function size(node, width, height) {
  const w = clamp(width, 16, 1000, 0);
  const h = clamp(height, 16, 1000, 0);
  if (w && h) node.style.aspectRatio = w + ' / ' + h;
  if (w) node.style.width = w + 'px';
  return node;
}

function links(value, app) {
  return objects(value).map((item) => {
    const node = el('div', { class: 'block weblink' }, target(item, app, el('bdi', {}, brief(item.NAME || item.LINK, 500))));
    if (item.HTML) node.append(el('div', { class: 'desc', dir: 'auto' }, asText(item.HTML)));
    else if (item.DESC) node.append(...longText(String(item.DESC), app, { class: 'desc' }));
    if (!item.HTML && item.PREVIEW) node.append(framed(item.LINK, size(picture(item.PREVIEW, item.NAME, { class: 'preview' }), item.WIDTH, item.HEIGHT)));
    return node;
  });
}

// asText removes the tags from HTML. The result is used as text only, never parsed.
const asText = (html) => brief(String(html).replace(/<[^<>]*>/g, ' ').trim(), 2000);

// framed makes a picture a link to an address.
function framed(address, node) {
  return node.tagName === 'IMG' && address ? link(address, node) : node;
}

function richLinks(value, app) {
  return objects(value).map((item) => {
    const preview = item.PREVIEW || item.EXTRA_IMAGE;
    const node = el('div', { class: 'block rich' });
    if (preview) {
      const image = picture(preview, item.NAME, { class: 'preview' });
      if (image.tagName === 'IMG') node.append(framed(item.LINK, size(image, item.PREVIEW_SIZE?.WIDTH, item.PREVIEW_SIZE?.HEIGHT)));
    }
    node.append(el('div', { class: 'rich-text' },
      target(item, app, el('bdi', {}, brief(item.NAME || item.LINK, 500))),
      item.HTML || item.DESC ? el('div', { class: 'desc', dir: 'auto' }, item.HTML ? asText(item.HTML) : brief(item.DESC, 2000)) : null,
      item.LINK ? el('div', { class: 'host' }, host(item.LINK)) : null));
    return node;
  });
}

function host(address) {
  try {
    return new URL(String(address)).host;
  } catch {
    return String(address).slice(0, 80);
  }
}

function message(value, app) {
  const text = typeof value === 'object' ? value?.TEXT : value;
  return longText(String(text ?? ''), app, { class: 'block text' });
}

function delimiter(value) {
  const node = el('hr', { class: 'block' });
  node.style.width = clamp(value?.SIZE, 10, 600, 200) + 'px';
  const shade = color(value?.COLOR);
  if (shade) node.style.borderColor = shade;
  return node;
}

const DISPLAYS = { COLUMN: 'row', ROW: 'row', TABLE: 'row', LINE: 'line', CARD: 'line' };

// grid shows neighbours of one kind together: ROW in two columns, LINE side by
// side, BLOCK one below the other.
function grid(value, app) {
  const node = el('div', { class: 'block grid' });
  let group = null;
  for (const item of objects(value)) {
    const display = pick(DISPLAYS, item.DISPLAY, 'block');
    if (group?.dataset.display !== display) {
      group = el('dl', { class: display, 'data-display': display });
      node.append(group);
    }
    group.append(cell(item, display, app));
  }
  return node;
}

function cell(item, display, app) {
  const name = el('dt', { dir: 'auto' }, brief(item.NAME, 1000));
  const text = String(item.VALUE ?? '');
  const leads = item.LINK || item.USER_ID || item.CHAT_ID;
  const value = el('dd', { dir: 'auto' }, leads ? target(item, app, brief(render(text, app).textContent, 1000)) : longText(text, app));
  if (TOKENS.includes(item.COLOR_TOKEN) && item.COLOR_TOKEN !== 'base') value.dataset.token = item.COLOR_TOKEN;
  const shade = color(item.COLOR);
  if (shade) paint(value, shade);
  const node = el('div', { class: 'cell' }, item.NAME ? name : null, item.VALUE ? value : null);
  const width = clamp(item.WIDTH, 20, 600, 0);
  const height = clamp(item.HEIGHT, 10, 600, 0);
  // In rows with two columns, WIDTH is the width of the first one, the name.
  if (width && display === 'row') name.style.flexBasis = width + 'px';
  else if (width) node.style.width = width + 'px';
  if (height) node.style.minHeight = height + 'px';
  return node;
}

function images(value) {
  const items = objects(value);
  return el('div', { class: items.length > 1 ? 'block images several' : 'block images' }, items.map((item) =>
    framed(item.LINK, size(picture(item.PREVIEW || item.LINK, item.NAME, { class: 'preview' }), item.WIDTH, item.HEIGHT))));
}

function files(value) {
  return objects(value).map((item) =>
    el('div', { class: 'block file' }, icon('file'),
      link(item.LINK, el('bdi', {}, brief(item.NAME || item.LINK || 'File', 500))),
      Number(item.SIZE) > 0 ? el('span', { class: 'size' }, bytes(Number(item.SIZE))) : null));
}
