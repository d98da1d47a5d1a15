// The dialog boxes: a new chat, a new person, the members of a chat.

import { avatar, byId, el } from './dom.js';

export class People {
  constructor(app) {
    this.app = app;
    byId('new-chat-open').addEventListener('click', () => this.openNewChat());
    byId('add-person-open').addEventListener('click', () => byId('add-person').showModal());
    byId('members-open').addEventListener('click', () => this.openMembers());
    for (const close of document.querySelectorAll('dialog [data-close]')) {
      close.addEventListener('click', () => close.closest('dialog').close());
    }
    for (const box of document.querySelectorAll('dialog')) {
      // Only what is beside the box hits the dialog element itself. This does not listen
      // to clicks, because one that began in a field and ended outside would count, too.
      box.addEventListener('pointerdown', (event) => event.target === box && box.close());
    }
    this.onSubmit('new-chat', async () => {
      const { actor } = app;
      const made = await app.post('chat', { title: byId('chat-title').value.trim(), members: chosen('chat-members') });
      if (made && actor === app.actor) app.goTo(made.dialog);
      return made;
    });
    this.onSubmit('add-person', async () => {
      const made = await app.post('user', { first: byId('first-name').value.trim(), last: byId('last-name').value.trim() });
      if (made) app.note('Added. Choose the person at “Acting as” to write in this name.');
      return made;
    });
    this.onSubmit('forward', () => app.post('forward', { message: this.forwarded, dialog: byId('forward-to').value }));
    this.onSubmit('members', async () => {
      const members = chosen('invite-members');
      if (members.length === 0) return true;
      return app.post('invite', { dialog: app.state.current, members });
    });
  }

  // onSubmit does the work of a form and closes its dialog box when that went well.
  onSubmit(id, work) {
    const box = byId(id);
    let working = false; // so that Enter pressed twice does not make two chats
    box.querySelector('form').addEventListener('submit', async (event) => {
      event.preventDefault();
      if (working) return;
      working = true;
      try {
        if (!(await work())) return;
        box.close();
        event.target.reset();
      } finally {
        working = false;
      }
    });
  }

  openNewChat() {
    this.choices('chat-members', (user) => user.id !== this.app.state.user);
    byId('new-chat').showModal();
  }

  // openForward asks to whom a message is forwarded: a dialog, or somebody with whom there is none.
  openForward(message) {
    const { app } = this;
    const places = new Set([...app.dialogs.order().map((d) => d.id), ...[...app.state.users.values()].filter((u) => u.id !== app.state.user && !u.gone).map((u) => String(u.id))]);
    this.forwarded = message.id;
    byId('forward-to').replaceChildren(...[...places].map((id) => el('option', { value: id }, app.titleOf(id))));
    byId('forward').showModal();
  }

  openMembers() {
    byId('invite-members').replaceChildren(); // people may still be ticked for another chat
    this.renderMembers();
    byId('members').showModal();
  }

  renderMembers() {
    const { app } = this;
    const dialog = app.state.dialogs.get(app.state.current);
    if (!dialog) return byId('members').close();
    const members = dialog.members ?? [];
    const box = byId('members');
    const active = box.contains(document.activeElement) ? document.activeElement : null;
    byId('member-list').replaceChildren(...members.map((id) => {
      const name = app.nameOf(id);
      return el('li', {},
        avatar(app.state.users.get(id), name),
        el('bdi', { class: 'name' }, name),
        id === dialog.owner ? el('span', { class: 'tag' }, 'owner') : dialog.managers?.includes(id) ? el('span', { class: 'tag' }, 'manager') : null,
        el('button', {
          type: 'button', class: 'quiet', 'data-kick': id, 'aria-label': id === app.state.user ? 'Leave the chat' : 'Remove ' + name,
          click: () => app.post('kick', { dialog: dialog.id, members: [id] }),
        }, id === app.state.user ? 'Leave' : 'Remove'));
    }));
    this.choices('invite-members', (user) => !members.includes(user.id));
    if (!active || active.isConnected) return;
    const again = active.value ? `[value="${Number(active.value)}"]` : `[data-kick="${Number(active.dataset.kick)}"]`;
    (box.querySelector(again) ?? box.querySelector('[data-close]')).focus();
  }

  // changed updates the list of members when it is open.
  changed() {
    if (byId('members').open) this.renderMembers();
  }

  choices(id, fits) {
    const kept = new Set(chosen(id));
    const users = [...this.app.state.users.values()].filter((user) => !user.gone && fits(user)).sort((a, b) => b.bot - a.bot || a.name.localeCompare(b.name));
    byId(id).replaceChildren(...users.map((user) =>
      el('label', { class: 'choice' },
        el('input', { type: 'checkbox', value: user.id, checked: kept.has(user.id) }),
        avatar(user, user.name), el('bdi', { class: 'name' }, this.app.nameOf(user.id)), user.bot ? el('span', { class: 'tag' }, 'bot') : null)));
    byId(id).closest('fieldset').hidden = users.length === 0;
  }
}

const chosen = (id) => [...byId(id).querySelectorAll('input:checked')].map((box) => Number(box.value));
