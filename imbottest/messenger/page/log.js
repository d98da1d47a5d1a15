// The pane with the REST calls and the events for bots, as they happen, newest first.

import { get, post } from './api.js';
import { byId, el, exactTime, icon, soon, toast } from './dom.js';

const MAX_ROWS = 300;
const MAX_KEPT = 1000;
const PAGE = 100;
const QUIET = 10000; // milliseconds for which no failure is told after one was
const LONG = 20000; // characters of a body that are shown before "Show all"

export class Log {
  constructor(app) {
    this.app = app;
    this.list = byId('exchanges');
    this.toggle = byId('toggle-log');
    this.pane = byId('log');
    this.kept = []; // newest first
    this.rows = new Map();
    this.opened = new Set();
    this.errors = 0;
    this.quiet = 0; // the time until which no failure is told
    this.limit = MAX_ROWS;
    this.more = false;
    this.renderSoon = soon(() => this.render(), 250);
    this.over = matchMedia('(max-width: 759px)');
    this.over.addEventListener('change', () => this.cover());
    this.toggle.addEventListener('click', () => this.show(this.pane.hidden));
    byId('close-log').addEventListener('click', () => this.show(false));
    byId('log-more').addEventListener('click', () => this.load(this.kept.at(-1)?.id ?? 0));
    for (const id of ['log-filter', 'log-search']) byId(id).addEventListener('input', () => this.render());
    this.pane.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      event.preventDefault();
      this.show(false);
    });
  }

  show(visible) {
    const inside = this.pane.contains(document.activeElement);
    this.pane.hidden = !visible;
    this.toggle.setAttribute('aria-expanded', String(visible));
    document.documentElement.dataset.log = String(visible);
    this.errors = 0;
    this.cover();
    this.render();
    if (visible && innerWidth < 1100) byId('close-log').focus();
    else if (!visible && inside) this.toggle.focus();
  }

  // cover keeps the focus away from the other panes while this one hides them, on a phone.
  cover() {
    for (const id of ['nav', 'conversation']) byId(id).inert = this.over.matches && !this.pane.hidden;
  }

  // load fetches the exchanges before an id; with 0, the newest. Some of them can have
  // come by the stream already, and others come by it while this waits.
  async load(before = 0) {
    const token = (this.loading = {});
    if (before === 0) this.kept = [];
    try {
      const page = await get('exchanges', { before, limit: PAGE });
      if (token !== this.loading) return;
      const known = new Set(this.kept.map((exchange) => exchange.id));
      this.kept.push(...(page.exchanges ?? []).filter((exchange) => !known.has(exchange.id)));
      this.kept.sort((a, b) => b.id - a.id);
      this.more = Boolean(page.more);
      this.limit = before === 0 ? MAX_ROWS : this.limit + PAGE;
      this.render();
    } catch (failure) {
      if (token === this.loading) this.app.fail(failure);
    }
  }

  // receive adds an exchange that began, or replaces it when it is complete.
  receive(exchange) {
    const at = this.kept.findIndex((e) => e.id <= exchange.id);
    if (this.kept[at]?.id === exchange.id) this.kept[at] = exchange;
    else this.kept.splice(at < 0 ? this.kept.length : at, 0, exchange);
    const most = Math.max(MAX_KEPT, this.limit);
    if (this.kept.length > most + 100) {
      this.kept.length = most;
      this.more = true;
    }
    if (this.pane.hidden && failed(exchange)) this.tell(exchange);
    this.renderSoon();
  }

  // tell counts a failure while the pane is closed. For failed events it shows a text, so
  // that a person who waits for a bot's answer learns why none comes.
  tell(exchange) {
    this.errors++;
    if (exchange.kind !== 'event' || performance.now() < this.quiet) return;
    this.quiet = performance.now() + QUIET;
    toast(`${exchange.name} failed: ${exchange.error || exchange.status}. See “Calls and events”.`, true);
  }

  render() {
    byId('log-errors').hidden = this.errors === 0;
    byId('log-errors').textContent = this.errors > 99 ? '99+' : String(this.errors);
    byId('log-errors').setAttribute('aria-label', this.errors + ' errors');
    if (this.pane.hidden) return;
    const kind = byId('log-filter').value;
    const wanted = byId('log-search').value.trim().toLowerCase();
    const fits = (e) =>
      (kind === 'all' || (kind === 'errors' ? failed(e) : kind === e.kind + 's')) &&
      (wanted === '' || e.name.toLowerCase().includes(wanted));
    const shown = this.kept.filter(fits).slice(0, this.limit);
    const used = new Set();
    let at = this.list.firstElementChild;
    for (const exchange of shown) {
      const row = this.row(exchange);
      used.add(exchange.id);
      if (row === at) at = at.nextElementSibling;
      else this.list.insertBefore(row, at);
    }
    while (at) {
      const next = at.nextElementSibling;
      at.remove();
      at = next;
    }
    for (const id of this.rows.keys()) if (!used.has(id)) this.rows.delete(id);
    byId('log-empty').hidden = this.kept.length > 0;
    byId('log-none').hidden = this.kept.length === 0 || shown.length > 0;
    byId('log-more').hidden = !this.more;
  }

  row(exchange) {
    const known = this.rows.get(exchange.id);
    if (known?.exchange === exchange) return known.item;
    const item = known?.item ?? el('li', { 'data-exchange': exchange.id }, el('button', { type: 'button', class: 'exchange', click: () => this.unfold(exchange.id) }));
    const head = item.firstElementChild; // a new button would lose the focus
    const focused = item.contains(document.activeElement) && document.activeElement.className;
    const bad = failed(exchange);
    item.className = [exchange.kind, bad ? 'error' : '', exchange.batch ? 'in-batch' : ''].join(' ').trim();
    const open = this.opened.has(exchange.id);
    head.setAttribute('aria-expanded', String(open));
    head.replaceChildren(
      el('span', { class: 'kind', title: exchange.kind === 'event' ? 'Event to the bot' : 'Call of the bot' }, icon(exchange.kind === 'event' ? 'in' : 'out')),
      el('bdi', { class: 'name' }, exchange.name),
      el('span', { class: 'status' }, exchange.error || (exchange.fetched ? (exchange.done ? 'acknowledged' : 'in the queue') : exchange.done ? String(exchange.status || 'done') : '…')),
      el('span', { class: 'about' },
        el('time', { datetime: exchange.time }, exactTime(exchange.time)),
        exchange.done ? ` · ${duration(exchange.ms)}` : '',
        exchange.polls ? ` · ${exchange.polls === 1 ? 'a poll' : exchange.polls + ' polls'}, nothing new` : '',
        exchange.replay ? ` · replay of ${exchange.replay}` : '',
        exchange.parent ? ` · in batch ${exchange.parent}` : exchange.batch ? ' · in a batch' : '',
        exchange.error && exchange.status ? ` · ${exchange.status}` : '',
        exchange.url ? el('bdi', { class: 'to' }, ' · ' + exchange.url) : ''));
    while (item.lastElementChild !== head) item.lastElementChild.remove();
    if (exchange.kind === 'event' && !exchange.fetched) {
      item.append(el('button', { type: 'button', class: 'replay', 'data-replay': exchange.id, 'aria-label': `Replay ${exchange.name}`, click: (event) => this.replay(exchange.id, event.currentTarget) }, 'Replay'));
    }
    if (open) this.body(exchange.id, item);
    if (focused) item.querySelector('.' + focused)?.focus();
    this.rows.set(exchange.id, { item, exchange });
    return item;
  }

  unfold(id) {
    const { item } = this.rows.get(id);
    const open = !this.opened.has(id);
    item.querySelector('.exchange').setAttribute('aria-expanded', String(open));
    if (open) this.opened.add(id);
    else this.opened.delete(id);
    if (open) this.body(id, item);
    else item.querySelector('.bodies')?.remove();
  }

  async body(id, item) {
    const box = el('div', { class: 'bodies' });
    item.append(box);
    try {
      const exchange = await get('exchange', { id });
      box.append(...part('Sent', 'sent', exchange.sent), ...part('Answer', 'answer', exchange.answer));
    } catch (failure) {
      box.append(el('p', { class: 'failure' }, failure.message));
    }
  }

  async replay(id, button) {
    if (button.getAttribute('aria-busy')) return;
    button.setAttribute('aria-busy', 'true');
    try {
      const { status } = await post('replay', { id });
      toast(`Event ${id} was posted again; the handler ${status ? 'answered ' + status : 'did not answer'}.`);
    } catch (failure) {
      this.app.fail(failure);
    } finally {
      button.removeAttribute('aria-busy');
    }
  }
}

const failed = (exchange) => Boolean(exchange.error) || exchange.status >= 400;

const duration = (ms) => (ms >= 1000 ? (ms / 1000).toFixed(1) + ' s' : ms >= 10 ? Math.round(ms) + ' ms' : Number(ms).toFixed(ms >= 1 ? 1 : 2) + ' ms');

function part(label, kind, text) {
  const body = String(text ?? '');
  const pre = el('pre', { class: kind, tabindex: '0', 'aria-label': label }, body === '' ? '(empty)' : body.slice(0, LONG));
  if (body.length <= LONG) return [el('h3', {}, label), pre];
  const all = el('button', { type: 'button', class: 'show-all', click: () => {
    pre.textContent = body;
    all.remove();
  } }, `Show all (${body.length.toLocaleString()} characters)`);
  return [el('h3', {}, label), pre, all];
}
