// The list of dialogs, newest first, and below it of users without a dialog, bots first.

import { avatar, byId, el, listTime, soon } from './dom.js';
import { summary } from './message.js';
import { brief } from './text.js';

export class Dialogs {
  constructor(app) {
    this.app = app;
    this.list = byId('dialogs');
    this.contacts = byId('contacts');
    this.search = byId('search');
    this.ranks = new Map();
    this.rows = new Map(); // dialog id → {item, key}
    this.renderSoon = soon(() => this.render(), 250);
    this.search.addEventListener('input', () => this.renderSoon());
    byId('nav').addEventListener('keydown', (event) => this.key(event));
  }

  render() {
    const { state } = this.app;
    const wanted = this.search.value.trim().toLowerCase();
    const fits = (title) => wanted === '' || title.toLowerCase().includes(wanted);
    const dialogs = this.order().filter((d) => fits(this.app.titleOf(d.id)));
    const people = [...state.users.values()].filter((u) => u.id !== state.user && !u.gone && !state.dialogs.has(String(u.id)) && fits(u.name));
    people.sort((a, b) => b.bot - a.bot || a.name.localeCompare(b.name));
    const used = new Set();
    this.fill(this.list, dialogs, (d) => this.dialogRow(d), used);
    this.fill(this.contacts, people, (u) => this.personRow(u), used);
    byId('contacts-head').hidden = people.length === 0;
    const empty = dialogs.length + people.length === 0;
    byId('no-dialogs').hidden = !empty || wanted === '';
    byId('nobody').hidden = !empty || wanted !== '';
    for (const id of this.rows.keys()) if (!used.has(id)) this.rows.delete(id);
  }

  order() {
    return [...this.app.state.dialogs.values()].sort((a, b) => this.rank(b) - this.rank(a));
  }

  // rank is what dialogs are sorted by: the last message. A dialog without messages gets
  // the rank of the newest message there was when it came.
  rank(dialog) {
    if (dialog.last) return dialog.last.id;
    if (!this.ranks.has(dialog.id)) this.ranks.set(dialog.id, Math.max(0, ...[...this.app.state.dialogs.values()].map((d) => d.last?.id ?? 0)));
    return this.ranks.get(dialog.id);
  }

  // fill puts rows into a list, and moves only those that are not in their place.
  fill(list, entries, row, used) {
    let at = list.firstElementChild;
    for (const entry of entries) {
      const item = row(entry);
      used.add(item.firstElementChild.dataset.dialog);
      if (item === at) at = at.nextElementSibling;
      else list.insertBefore(item, at);
    }
    while (at) {
      const next = at.nextElementSibling;
      at.remove();
      at = next;
    }
  }

  dialogRow(dialog) {
    const { app } = this;
    const title = app.titleOf(dialog.id);
    const typing = app.typers(dialog.id);
    const unread = app.state.unread.get(dialog.id) ?? 0;
    const line = typing.length > 0 ? 'typing…' : summary(dialog.last, app);
    const who = dialog.type === 'private' ? app.state.users.get(Number(dialog.id)) : dialog;
    return this.row(dialog.id, title, line, who, {
      time: dialog.last ? listTime(dialog.last.time) : '',
      unread,
      typing: typing.length > 0,
      bot: Boolean(who?.bot),
    });
  }

  personRow(user) {
    return this.row(String(user.id), this.app.nameOf(user.id), brief(user.position) || (user.bot ? 'Bot' : 'Person'), user, { time: '', unread: 0, bot: user.bot });
  }

  row(id, title, line, who, more) {
    const current = id === this.app.state.current;
    const key = JSON.stringify([title, line, who?.color, who?.avatar, more, current]);
    const known = this.rows.get(id);
    if (known?.key === key) return known.item;
    const parts = [
      avatar(who, title),
      el('span', { class: 'row-text' },
        el('span', { class: 'row-head' },
          el('bdi', { class: 'row-title' }, title),
          more.bot ? el('span', { class: 'tag' }, 'bot') : null,
          more.time ? el('time', {}, more.time) : null),
        el('span', { class: 'row-line' },
          el('span', { class: more.typing ? 'row-last typing' : 'row-last', dir: 'auto' }, line),
          more.unread > 0 ? el('span', { class: 'unread', 'aria-label': more.unread + ' unread' }, more.unread > 99 ? '99+' : String(more.unread)) : null)),
    ];
    const item = known?.item ?? el('li', {}, el('button', { type: 'button', 'data-dialog': id, click: () => this.app.openDialog(id) }));
    const button = item.firstElementChild;
    button.replaceChildren(...parts); // a new button would lose the focus
    if (current) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
    this.rows.set(id, { item, key });
    return item;
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target.tagName === 'SELECT') return;
    const all = [...byId('nav').querySelectorAll('button[data-dialog]')];
    const at = all.indexOf(document.activeElement);
    if (at < 0 && document.activeElement !== this.search) return;
    event.preventDefault();
    all[Math.min(Math.max(at + step, 0), all.length - 1)]?.focus();
  }
}
