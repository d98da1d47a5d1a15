// The messages of one dialog. All that were fetched or came by the stream are kept in
// order. Only some of them that follow each other have elements: the window, which moves
// when the list is scrolled.

import { get } from './api.js';
import { byId, soon } from './dom.js';
import { messageItem, settle } from './message.js';

const PAGE = 50;
const MAX_ITEMS = 300; // elements
const MAX_KEPT = 5000; // messages; others are fetched again when they are needed
const RETRY = 3000; // milliseconds
const NEAR = 400; // pixels; the window moves when its end is nearer than that

export class Messages {
  constructor(app) {
    this.app = app;
    this.list = byId('messages');
    this.view = byId('view');
    this.newest = byId('newest');
    this.flushSoon = soon(() => this.flush(), 100); // the pause leaves most frames to typing
    this.clear('');
    this.view.addEventListener('scroll', () => this.scrolled(), { passive: true });
    this.newest.addEventListener('click', () => {
      this.toEnd();
      byId('text').focus();
    });
    this.list.addEventListener('keydown', (event) => this.key(event));
    this.list.addEventListener('focusin', (event) => this.choose(event.target.closest('li[data-message]')));
    // When a picture arrives or the text field grows, the newest message must stay in view.
    const resized = new ResizeObserver(() => this.pinned && this.stick());
    resized.observe(this.list);
    resized.observe(this.view);
  }

  clear(dialog) {
    this.dialog = dialog;
    this.kept = []; // sorted by id
    this.items = new Map(); // id → element, for kept[from:to]
    this.from = this.to = 0;
    this.more = false;
    this.gap = false; // whether newer messages than the kept ones were dropped
    this.queue = [];
    this.unseen = 0;
    this.pinned = true;
    this.loading = null;
    this.chosen = null;
    this.list.replaceChildren();
    byId('welcome').hidden = true;
    this.showNewest();
  }

  async show(dialog) {
    this.clear(dialog);
    if (dialog) await this.load(0);
  }

  // load fetches the messages before an id; with 0, the newest.
  async load(before) {
    const { dialog } = this;
    const token = (this.loading = {});
    this.list.ariaBusy = 'true'; // screen readers shall not read old messages out
    try {
      const page = await get('messages', { user: this.app.state.user, dialog, before, limit: PAGE });
      if (token !== this.loading) return;
      const fetched = page.messages ?? [];
      this.more = Boolean(page.more);
      if (before === 0) {
        this.kept = fetched;
        this.gap = false;
        this.render(0, this.kept.length);
        this.stick();
      } else if (this.kept[0]?.id === before) { // if not, messages between would be missing
        this.kept.unshift(...fetched);
        this.from += fetched.length;
        this.to += fetched.length;
        this.widen(-1);
      }
    } catch (failure) {
      if (token !== this.loading) return;
      // With 404 the dialog does not exist yet. After other failures scrolling loads
      // again, and when no message is there to scroll, the timer does.
      this.more = failure.status !== 404;
      if (this.more) this.app.fail(failure);
      if (this.more && before === 0) setTimeout(() => dialog === this.dialog && this.kept.length === 0 && !this.loading && this.load(0), RETRY);
    } finally {
      if (token === this.loading) {
        this.loading = null;
        this.list.ariaBusy = 'false';
      }
      this.showWelcome();
      if (this.queue.length > 0) this.flushSoon();
    }
  }

  // receive takes a message that is new or changed.
  receive(message) {
    this.queue.push(message);
    this.flushSoon();
  }

  flush() {
    if (this.loading && this.kept.length === 0) return; // load calls flush when it is done
    const queue = this.queue;
    this.queue = [];
    const full = this.to === this.kept.length && !this.gap;
    let jumbled = false;
    let fresh = 0;
    for (const message of queue) {
      const at = this.place(message.id);
      if (this.kept[at]?.id === message.id) {
        if (message.gone) {
          this.remove(at);
        } else {
          this.kept[at] = message;
          this.replace(message);
        }
      } else if (message.gone) {
        continue;
      } else if (at === this.kept.length) {
        if (message.author !== this.app.state.user) fresh++;
        if (!this.gap) this.kept.push(message);
      } else if (at > 0 || !this.more) {
        this.kept.splice(at, 0, message); // it came after a newer one
        jumbled = true;
      }
    }
    if (jumbled) {
      const to = full ? this.kept.length : Math.min(this.to, this.kept.length);
      this.render(Math.max(0, to - MAX_ITEMS), to);
    } else if (full && (this.pinned || this.items.size < MAX_ITEMS)) {
      this.append(this.kept.length);
    }
    if (this.pinned) {
      this.shrink();
      this.stick();
    } else {
      this.unseen += fresh;
    }
    this.bound();
    this.showNewest();
    this.showWelcome();
  }

  // remove takes away a message that was deleted without a notice.
  remove(at) {
    const [{ id }] = this.kept.splice(at, 1);
    if (at < this.from) this.from--;
    if (at < this.to) this.to--;
    const item = this.items.get(id);
    if (!item) return;
    const near = item.nextElementSibling ?? item.previousElementSibling;
    const focused = item.contains(document.activeElement);
    this.items.delete(id);
    item.remove();
    if (near) settle(near);
    if (item === this.chosen) {
      this.chosen = null;
      this.choose(near);
    }
    if (focused) (near ?? byId('text')).focus({ preventScroll: true });
  }

  // showWelcome shows the welcome when it is certain that there are no messages.
  showWelcome() {
    byId('welcome').hidden = Boolean(this.loading) || this.kept.length > 0 || this.more;
  }

  // place is the index of an id in kept, or where it would stand.
  place(id) {
    let low = 0;
    let high = this.kept.length;
    if (high === 0 || this.kept[high - 1].id < id) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.kept[middle].id < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  make(message, expanded) {
    const item = messageItem(message, this.app, expanded);
    if (expanded) item.dataset.expanded = 'true';
    this.items.set(message.id, item);
    return item;
  }

  render(from, to) {
    this.from = Math.max(from, to - MAX_ITEMS);
    this.to = to;
    this.items.clear();
    this.list.replaceChildren(...this.kept.slice(this.from, to).map((message) => this.make(message)));
    for (const item of this.list.children) settle(item);
    this.choose(this.list.lastElementChild);
  }

  // append makes elements for the kept messages from the end of the window up to an index.
  append(to) {
    if (to <= this.to) return;
    if (to - this.to > MAX_ITEMS) return this.render(to - MAX_ITEMS, to);
    const items = this.kept.slice(this.to, to).map((message) => this.make(message));
    const follow = !this.chosen || this.chosen === this.list.lastElementChild;
    this.to = to;
    this.list.append(...items);
    for (const item of items) settle(item);
    if (follow && !this.list.contains(document.activeElement)) this.choose(items.at(-1));
  }

  shrink() {
    this.drop(this.items.size - MAX_ITEMS, true);
  }

  // drop removes elements at the top of the window, or at its end.
  drop(count, top) {
    for (; count > 0; count--) {
      const item = top ? this.list.firstElementChild : this.list.lastElementChild;
      this.items.delete(Number(item.dataset.message));
      if (item === this.chosen) this.chosen = null;
      item.remove();
      if (top) this.from++;
      else this.to--;
    }
    if (top && this.list.firstElementChild) settle(this.list.firstElementChild);
    if (!this.chosen) this.choose(this.list.lastElementChild);
  }

  // bound drops messages that are far from the window when too many are kept.
  bound() {
    const over = this.kept.length - MAX_KEPT;
    if (over < MAX_KEPT / 10) return;
    if (this.pinned) {
      const count = Math.min(over, this.from);
      this.kept.splice(0, count);
      this.from -= count;
      this.to -= count;
      this.more = true;
    } else if (this.kept.length - over > this.to) {
      this.kept.length -= over;
      this.gap = true;
    }
  }

  // replace shows a message that was changed. The focus stays on the same control.
  replace(message) {
    const old = this.items.get(message.id);
    if (!old) return;
    const item = this.make(message, old.dataset.expanded === 'true');
    const active = old.contains(document.activeElement) ? document.activeElement : null;
    const focus = active && sameControl(active);
    old.replaceWith(item);
    settle(item);
    if (item.nextElementSibling) settle(item.nextElementSibling);
    if (this.chosen === old) this.choose(item);
    if (!active) return;
    const again = focus && item.querySelector(focus);
    if (again && !again.disabled && again.checkVisibility()) again.focus({ preventScroll: true });
    else item.focus({ preventScroll: true });
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.view;
    const below = scrollHeight - clientHeight - scrollTop;
    const up = scrollTop < this.lastTop;
    this.lastTop = scrollTop;
    if (this.to === this.kept.length && !this.gap && below < 60) this.pinned = true;
    else if (up || below > 200) this.pinned = false;
    if (this.pinned) {
      this.unseen = 0;
      this.showNewest();
    } else if (below < NEAR) {
      if (this.to < this.kept.length) this.widen(1);
      else if (this.gap && !this.loading) this.show(this.dialog);
    }
    if (scrollTop < NEAR && this.list.firstElementChild) {
      if (this.from > 0) this.widen(-1);
      else if (this.more && !this.loading) this.load(this.kept[0].id);
    }
    if (below > 600) this.showNewest(true);
  }

  // widen moves the window by a page. What is in view stays where it is.
  widen(direction) {
    const anchor = this.inView();
    const before = anchor?.getBoundingClientRect().top;
    if (direction < 0) {
      const from = Math.max(0, this.from - PAGE);
      const items = this.kept.slice(from, this.from).map((message) => this.make(message));
      const old = this.list.firstElementChild;
      this.from = from;
      this.list.prepend(...items);
      for (const item of items) settle(item);
      if (old) settle(old);
      this.drop(this.items.size - MAX_ITEMS, false);
    } else {
      this.append(Math.min(this.kept.length, this.to + PAGE));
      this.shrink();
    }
    if (anchor?.isConnected) this.view.scrollTop += anchor.getBoundingClientRect().top - before;
    this.lastTop = this.view.scrollTop;
  }

  inView() {
    const top = this.view.getBoundingClientRect().top;
    const items = this.list.children;
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (items[middle].getBoundingClientRect().bottom <= top) low = middle + 1;
      else high = middle;
    }
    return items[low];
  }

  stick() {
    this.view.scrollTop = this.view.scrollHeight;
    this.lastTop = this.view.scrollTop;
  }

  toEnd() {
    if (this.gap) return this.show(this.dialog);
    this.append(this.kept.length);
    this.pinned = true;
    this.unseen = 0;
    this.shrink();
    this.stick();
    this.showNewest();
  }

  showNewest(far) {
    this.newest.hidden = this.pinned || !(far || this.unseen > 0);
    this.newest.querySelector('span').textContent = this.unseen > 0 ? `${this.unseen} new` : 'Newest';
  }

  // reveal brings a message into view, and reports whether it is among the kept ones.
  reveal(id) {
    const at = this.place(id);
    if (this.kept[at]?.id !== id) return false;
    if (!this.items.has(id)) this.render(Math.max(0, at - 20), Math.min(this.kept.length, at + PAGE));
    this.pinned = false;
    const item = this.items.get(id);
    item.scrollIntoView({ block: 'center' });
    item.classList.add('shown');
    setTimeout(() => item.classList.remove('shown'), 2000);
    return true;
  }

  lastOwn() {
    return this.kept.findLast((m) => m.author === this.app.state.user && !m.system && !m.deleted);
  }

  // choose makes a message the only one at which Tab stops.
  choose(item) {
    if (!item || item === this.chosen) return;
    for (const [one, index] of [[this.chosen, '-1'], [item, '0']]) {
      if (!one) continue;
      one.tabIndex = Number(index);
      for (const tool of one.querySelectorAll('.tool, .reaction')) tool.tabIndex = Number(index);
    }
    this.chosen = item;
  }

  key(event) {
    const item = event.target.closest('li[data-message]');
    if (!item || event.target !== item) return;
    const to = {
      ArrowUp: item.previousElementSibling,
      ArrowDown: item.nextElementSibling,
      Home: this.list.firstElementChild,
      End: this.list.lastElementChild,
    }[event.key];
    if (!to) return;
    event.preventDefault();
    to.focus();
    to.scrollIntoView({ block: 'nearest' });
  }
}

// sameControl returns a selector that finds a control in the new element of its message.
function sameControl(active) {
  const { press, index } = active.dataset;
  if (press && index) return `[data-press="${press}"][data-index="${Number(index)}"]`;
  const label = active.getAttribute('aria-label');
  return label ? `[aria-label="${CSS.escape(label)}"]` : '';
}
