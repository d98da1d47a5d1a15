// The text field: it sends and changes messages, keeps drafts, and offers slash commands
// and people to mention.

import { byId, el } from './dom.js';
import { brief } from './text.js';

const MOST = 50; // entries that the list offers

export class Composer {
  constructor(app) {
    this.app = app;
    this.text = byId('text');
    this.list = byId('commands');
    this.banner = byId('editing');
    this.drafts = new Map();
    this.dialog = '';
    this.draft = ''; // the key in drafts for the person and dialog that are shown
    this.editing = null;
    this.shown = [];
    this.chosen = 0;
    this.closed = null; // the text for which the list was closed with Escape
    this.text.addEventListener('input', () => this.changed());
    this.text.addEventListener('keydown', (event) => this.key(event));
    this.text.addEventListener('blur', () => this.close());
    this.list.addEventListener('pointerdown', (event) => {
      event.preventDefault(); // the focus stays in the text field
      const option = event.target.closest('[role=option]');
      if (option) this.complete(Number(option.dataset.index));
    });
    byId('compose').addEventListener('submit', (event) => {
      event.preventDefault();
      this.send();
    });
    byId('cancel-edit').addEventListener('click', () => this.stopEditing());
  }

  // show goes to another dialog and keeps what was typed as a draft of the one before.
  show(dialog) {
    const draft = this.app.actor + ' ' + dialog;
    if (draft === this.draft) return; // the same dialog was loaded again
    this.stopEditing(false);
    this.keep();
    this.dialog = dialog;
    this.draft = draft;
    this.set(this.drafts.get(draft) ?? '');
    this.close();
  }

  // allow lets the person write, or not: a bot can take the field away.
  allow(on) {
    this.text.disabled = byId('send').disabled = byId('attach').disabled = !on;
    this.text.placeholder = on || this.dialog === '' ? 'Message, / commands, @ people' : 'A bot has closed this dialog for messages';
  }

  // take empties the field for a file that is sent with what stands there. A message that is being
  // changed stays.
  take() {
    const text = this.editing ? '' : this.text.value;
    if (!this.editing) this.set('');
    this.close();
    return { dialog: this.dialog, text };
  }

  keep() {
    if (this.dialog && this.text.value) this.drafts.set(this.draft, this.text.value);
    else this.drafts.delete(this.draft);
  }

  set(value) {
    this.text.value = value;
    this.fit();
  }

  // put sets the text, with the cursor between value and rest.
  put(value, rest = '') {
    this.set(value + rest);
    this.text.focus();
    this.text.setSelectionRange(value.length, value.length);
    this.changed();
  }

  // fit grows the field where the browser does not do it by itself.
  fit() {
    if (CSS.supports('field-sizing', 'content')) return;
    this.text.style.height = 'auto';
    this.text.style.height = Math.min(this.text.scrollHeight, 180) + 'px';
  }

  edit(message) {
    if (!this.editing) this.keep();
    this.editing = message;
    this.banner.hidden = false;
    this.put(message.text);
    this.close();
  }

  stopEditing(focus = true) {
    if (!this.editing) return;
    this.editing = null;
    this.banner.hidden = true;
    this.set(this.drafts.get(this.draft) ?? '');
    if (focus) this.text.focus();
  }

  async send() {
    const text = this.text.value;
    if (text.trim() === '' || !this.dialog) return;
    this.close();
    const { dialog, draft, editing } = this;
    if (editing) {
      this.stopEditing();
      if (text !== editing.text && !(await this.app.post('edit', { message: editing.id, text }))) this.giveBack(draft, text);
      return;
    }
    this.set('');
    if (!(await this.app.say(text, dialog))) this.giveBack(draft, text);
    else if (draft === this.draft) this.app.messages.toEnd();
  }

  // giveBack puts a text that could not be sent back into the field, before what was
  // typed since.
  giveBack(draft, text) {
    const shown = draft === this.draft && !this.editing;
    const rest = shown ? this.text.value : this.drafts.get(draft) ?? '';
    const all = rest === '' ? text : text + '\n' + rest;
    if (shown) this.set(all);
    else this.drafts.set(draft, all);
  }

  changed() {
    this.fit();
    this.closed = null;
    this.chosen = 0;
    this.offer();
  }

  // offer shows the list of what can complete the text. When the list changes while it
  // is open, the chosen entry stays chosen.
  offer() {
    if (document.activeElement !== this.text || this.text.value === '' || this.text.value === this.closed) return this.close();
    const name = this.shown[this.chosen]?.name;
    this.shown = this.commands() ?? this.mentions() ?? [];
    this.chosen = Math.max(0, this.chosen && this.shown.findIndex((entry) => entry.name === name));
    this.showList();
  }

  // commands returns the commands that begin with what was typed, such as "/he"; null
  // when no command was begun.
  commands() {
    const typed = this.text.value;
    if (this.editing || !/^\/\S*$/.test(typed)) return null;
    const commands = this.app.help.commands.filter((c) => !c.hidden && c.command.toLowerCase().startsWith(typed.toLowerCase()));
    return commands.slice(0, MOST).map((c) => ({
      name: c.command, params: c.params, about: c.title, from: this.app.nameOf(c.bot),
      text: c.command + ' ', whole: !c.params && c.command === typed,
    }));
  }

  // mentions returns the members whose names contain what was typed after "@" before the
  // cursor, such as "@an"; null when there is no "@". A real portal's messenger writes the
  // same code for them.
  mentions() {
    const { text, app } = this;
    const before = text.value.slice(Math.max(0, text.selectionStart - 60), text.selectionStart);
    const typed = /(?:^|\s)@([^\s@]*)$/.exec(before)?.[1].toLowerCase();
    if (typed == null) return null;
    const members = app.state.dialogs.get(this.dialog)?.members ?? [Number(this.dialog)];
    const people = members.map((id) => app.state.users.get(id)).filter((u) => u && u.id !== app.state.user && u.name.toLowerCase().includes(typed));
    const start = text.selectionStart - typed.length - 1;
    return people.sort((a, b) => b.bot - a.bot).slice(0, MOST).map((u) => ({
      name: '@' + app.nameOf(u.id), about: u.position, from: u.bot ? 'Bot' : 'Person',
      text: text.value.slice(0, start) + `[USER=${u.id}]${app.nameOf(u.id)}[/USER] `, rest: text.value.slice(text.selectionStart),
    }));
  }

  showList() {
    this.list.hidden = this.shown.length === 0;
    this.text.setAttribute('aria-expanded', String(!this.list.hidden));
    this.list.replaceChildren(...this.shown.map((entry, index) =>
      el('li', { role: 'option', id: 'command-' + index, 'data-index': index, 'aria-selected': String(index === this.chosen) },
        el('span', { class: 'command' }, el('bdi', {}, brief(entry.name)), entry.params ? el('bdi', { class: 'params' }, ' ' + brief(entry.params)) : null),
        el('bdi', { class: 'about' }, brief(entry.about)),
        el('bdi', { class: 'from' }, entry.from))));
    this.mark();
  }

  mark() {
    if (this.list.hidden) return this.text.removeAttribute('aria-activedescendant');
    for (const option of this.list.children) {
      const chosen = Number(option.dataset.index) === this.chosen;
      option.setAttribute('aria-selected', String(chosen));
      if (chosen) option.scrollIntoView({ block: 'nearest' });
    }
    this.text.setAttribute('aria-activedescendant', 'command-' + this.chosen);
  }

  close() {
    this.shown = [];
    this.showList();
  }

  complete(index) {
    const entry = this.shown[index];
    if (entry) this.put(entry.text, entry.rest);
    this.close();
  }

  key(event) {
    if (event.isComposing) return; // an input method is in use, and the key is for that
    if (!this.list.hidden && this.listKey(event)) return event.preventDefault();
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      this.send();
    } else if (event.key === 'Escape' && this.editing) {
      event.preventDefault();
      this.stopEditing();
    } else if (event.key === 'ArrowUp' && this.text.value === '') {
      const last = this.app.messages.lastOwn();
      if (!last) return;
      event.preventDefault();
      this.edit(last);
    }
  }

  // listKey handles a key while the list is open, and reports whether it was for the list.
  listKey(event) {
    const count = this.shown.length;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp':
        this.chosen = (this.chosen + (event.key === 'ArrowDown' ? 1 : count - 1)) % count;
        this.mark();
        return true;
      case 'Enter': {
        if (event.shiftKey) return false;
        // A command without parameters that is typed in full is sent at once.
        if (this.shown[this.chosen].whole) return false;
        this.complete(this.chosen);
        return true;
      }
      case 'Tab':
        if (event.shiftKey) return false;
        this.complete(this.chosen);
        return true;
      case 'Escape':
        this.closed = this.text.value;
        this.close();
        return true;
    }
    return false;
  }
}
