// Shows the keyboard and the menu of a message, and does what their entries are for.
// Commands and SEND are done by the portal, everything else by the page.

import { clamp, color, el, icon, ink, pick, safeLink } from './dom.js';
import { brief } from './text.js';

const TOKENS = ['primary', 'secondary', 'alert', 'base'];

// keyboard makes the buttons below a message. Each BLOCK button has a row of its own, LINE
// buttons stand side by side until a NEWLINE.
export function keyboard(message, app) {
  if (!Array.isArray(message.keyboard) || message.keyboard.length === 0) return null;
  const node = el('div', { class: 'keyboard', role: 'group', 'aria-label': 'Buttons' });
  let row = null;
  message.keyboard.forEach((entry, index) => {
    if (!entry || typeof entry !== 'object') return;
    if (entry.TYPE === 'NEWLINE') {
      row = null;
      return;
    }
    const line = entry.DISPLAY === 'LINE';
    if (!row || !line || row.dataset.display !== 'line') {
      row = el('div', { class: 'row', 'data-display': line ? 'line' : 'block' });
      node.append(row);
    }
    row.append(button(message, entry, index, app));
  });
  return node;
}

function button(message, entry, index, app) {
  const disabled = entry.DISABLED === 'Y';
  const waits = entry.WAIT === 'Y';
  const node = el('button', {
    type: 'button',
    class: 'key ' + context(entry),
    'data-press': 'keyboard',
    'data-index': index,
    'data-token': TOKENS.includes(entry.BG_COLOR_TOKEN) ? entry.BG_COLOR_TOKEN : 'base',
    disabled,
    'aria-disabled': waits ? 'true' : null, // not disabled, which would lose the focus: the bot may unblock it at once
    'aria-busy': waits ? 'true' : null,
    title: hint(entry),
    click: () => !waits && press(message, entry, 'keyboard', index, node, app),
  }, el('bdi', {}, brief(entry.TEXT, 500)), entry.LINK ? icon('out') : null, waits ? el('span', { class: 'spinner', 'aria-hidden': 'true' }) : null);
  const background = color(disabled ? entry.OFF_BG_COLOR || entry.BG_COLOR : entry.BG_COLOR);
  const text = color(disabled ? entry.OFF_TEXT_COLOR || entry.TEXT_COLOR : entry.TEXT_COLOR);
  node.classList.toggle('off', disabled && Boolean(color(entry.OFF_BG_COLOR) || color(entry.OFF_TEXT_COLOR)));
  if (background) {
    node.style.backgroundColor = background;
    node.style.borderColor = background;
  }
  if (text || background) node.style.color = text || ink(background);
  const width = clamp(entry.WIDTH, 24, 600, 0);
  if (width) {
    node.style.width = width + 'px';
    node.style.flex = 'none';
    node.classList.toggle('narrow', width < 100);
  }
  return node;
}

// context is the class for CONTEXT, by which the style sheet shows a button on phones or
// on desktops only. A narrow page counts as a phone.
const context = (entry) => pick({ MOBILE: 'only-mobile', DESKTOP: 'only-desktop' }, entry.CONTEXT, '');

function hint(entry) {
  const value = String(entry.ACTION_VALUE ?? '').slice(0, 200);
  if (entry.LINK) return String(entry.LINK).slice(0, 300);
  if (entry.APP_ID) return 'Chat application ' + entry.APP_ID;
  if (entry.ACTION) return `${String(entry.ACTION).slice(0, 20)}: ${value}`;
  return `/${entry.COMMAND ?? ''} ${entry.COMMAND_PARAMS ?? ''}`.trim().slice(0, 300);
}

// menu makes the menu of a message, and the button that opens it. The menu is a popover,
// so the browser closes it on Escape and gives the focus back to the button.
export function menu(message, app) {
  if (!Array.isArray(message.menu) || message.menu.length === 0) return null;
  const id = 'menu-' + message.id;
  const items = el('div', { id, class: 'menu', role: 'menu', popover: 'auto', 'aria-label': 'Message menu' });
  message.menu.forEach((entry, index) => {
    if (!entry || typeof entry !== 'object') return;
    const item = el('button', {
      type: 'button', role: 'menuitem', class: context(entry), 'data-press': 'menu', 'data-index': index,
      disabled: entry.DISABLED === 'Y', title: hint(entry),
      click: () => {
        items.hidePopover();
        press(message, entry, 'menu', index, opener, app);
      },
    }, el('bdi', {}, brief(entry.TEXT, 500)), entry.LINK ? icon('out') : null);
    items.append(item);
  });
  const opener = el('button', {
    type: 'button', class: 'tool', 'aria-haspopup': 'menu', 'aria-label': 'Menu', 'aria-controls': id, 'aria-expanded': 'false', popovertarget: id,
  }, icon('more'));
  const usable = () => [...items.querySelectorAll('button:not(:disabled)')].filter((item) => item.checkVisibility());
  items.addEventListener('beforetoggle', (event) => event.newState === 'open' && place(items, opener));
  items.addEventListener('toggle', (event) => {
    const open = event.newState === 'open';
    opener.setAttribute('aria-expanded', String(open));
    if (open) usable()[0]?.focus();
  });
  items.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = usable();
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length]?.focus();
  });
  return [opener, items];
}

// place sets where a menu opens: above or below its button, and to the left or right,
// where there is more room.
export function place(items, opener) {
  const at = opener.getBoundingClientRect();
  const below = at.bottom < innerHeight / 2;
  const ahead = at.left < innerWidth / 2;
  Object.assign(items.style, {
    top: below ? at.bottom + 4 + 'px' : 'auto',
    bottom: below ? 'auto' : innerHeight - at.top + 4 + 'px',
    left: ahead ? at.left + 'px' : 'auto',
    right: ahead ? 'auto' : innerWidth - at.right + 'px',
    maxHeight: (below ? innerHeight - at.bottom : at.top) - 12 + 'px',
    maxWidth: Math.min(320, (ahead ? innerWidth - at.left : at.right) - 8) + 'px',
  });
}

// press does what an entry is for. An entry can have several actions; the order in which
// they are tried is that of the portal.
async function press(message, entry, kind, index, node, app) {
  const value = String(entry.ACTION_VALUE ?? '');
  if (entry.LINK) return follow(entry.LINK, app);
  if (entry.APP_ID) return app.openFrame(entry.APP_ID, { message: message.id, params: entry.APP_PARAMS ?? '' });
  switch (entry.ACTION) {
    case 'PUT':
      return app.put(value);
    case 'COPY':
      return app.copy(value);
    case 'CALL':
      return app.call(value);
    case 'DIALOG':
      return app.openDialog(value);
    case 'LIVECHAT':
    case 'HELP':
      return app.note(`${entry.ACTION} ${value}: the portal would open it; this page has nothing to show.`);
  }
  if (node.dataset.sending) return;
  node.dataset.sending = 'true';
  try {
    await app.post('press', { message: message.id, kind, index });
  } finally {
    delete node.dataset.sending;
  }
}

function follow(address, app) {
  const href = safeLink(address);
  if (href) window.open(href, '_blank', 'noopener,noreferrer');
  else app.note(`Leads to ${address} on the portal, which has no pages here.`);
}
