// The page: its state, and the functions by which its parts use each other.

import { Live, get, post, postFile } from './api.js';
import { Apps } from './apps.js';
import { Composer } from './composer.js';
import { Dialogs } from './dialogs.js';
import { avatar, byId, dialogID, el, soon, toast } from './dom.js';
import { listen } from './files.js';
import { Log } from './log.js';
import { Messages } from './messages.js';
import { People } from './people.js';
import { brief } from './text.js';
import { welcome } from './welcome.js';

const TYPING_FOR = 35000; // milliseconds after which typing ends when its end was missed
const root = document.documentElement;

class App {
  constructor() {
    this.state = { user: 0, users: new Map(), dialogs: new Map(), current: '', typing: new Map(), unread: new Map() };
    this.actor = 0; // the person that was chosen; state.user follows when that person's state has arrived
    this.said = Promise.resolve(); // ends when all messages so far are sent, so that they arrive in order
    this.help = { commands: [], apps: [] };
    this.dialogs = new Dialogs(this);
    this.messages = new Messages(this);
    this.composer = new Composer(this);
    this.apps = new Apps(this);
    this.people = new People(this);
    this.log = new Log(this);
    listen(this);
    this.live = new Live((kind, data) => this.event(kind, data), (on) => this.connection(on), () => this.reload());
    this.helpSoon = soon(() => this.askHelp(), 250);
    byId('actor').addEventListener('change', (event) => this.load(Number(event.target.value)));
    byId('back').addEventListener('click', () => this.back());
    byId('conversation').addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.defaultPrevented || root.dataset.pane !== 'conversation' || innerWidth >= 760) return;
      if (!document.querySelector('.menu:popover-open')) this.back();
    });
    addEventListener('pagehide', () => this.live.stop());
    addEventListener('pageshow', (event) => event.persisted && this.reload());
  }

  async start() {
    const place = new URLSearchParams(location.hash.slice(1));
    this.log.show(innerWidth >= 1200);
    await this.reload(Number(place.get('user')) || 1, place.get('dialog') ?? '');
  }

  // reload loads everything anew, when changes were missed.
  async reload(user = this.actor, dialog = null) {
    this.live.stop();
    await this.load(user, dialog);
    this.log.load();
  }

  // load loads the portal as a person sees it, and shows it.
  load(user, dialog = null) {
    this.actor = user;
    this.composer.show(this.state.current); // what is typed from now on is this person's draft
    return (this.loaded = this.fetchState(user, dialog));
  }

  async fetchState(user, dialog) {
    const token = (this.loading = {});
    let state;
    for (let pause = 500; !state; pause = Math.min(pause * 2, 8000)) {
      try {
        state = await get('state', { user });
      } catch (failure) {
        if (token !== this.loading) return;
        if (failure.status === 404 && user !== 1) this.actor = user = 1; // another portal runs by now, without this person
        else {
          this.connection(false);
          await new Promise((done) => setTimeout(done, pause));
        }
      }
      if (token !== this.loading) return;
    }
    const { current } = this.state; // read only now: another dialog may have been chosen while the state was loaded
    for (const people of this.state.typing.values()) for (const timer of people.values()) clearTimeout(timer);
    Object.assign(this.state, {
      user: state.user,
      users: new Map((state.users ?? []).map((u) => [u.id, u])),
      dialogs: new Map((state.dialogs ?? []).map((d) => [d.id, d])),
      typing: new Map(),
      unread: new Map(),
      current: '',
    });
    for (const d of this.state.dialogs.values()) for (const id of d.typing ?? []) this.typing(d.id, id, true);
    byId('portal').textContent = state.portal;
    for (const place of document.querySelectorAll('.endpoint')) place.textContent = state.endpoint;
    this.showActors();
    this.live.start(this.state.user, state.seq);
    dialog = dialogID(dialog ?? current);
    const known = this.state.dialogs.has(dialog) || this.state.users.has(Number(dialog));
    const wide = innerWidth >= 760;
    const first = this.dialogs.order()[0]?.id ?? '';
    const shown = this.select(known && Number(dialog) !== this.state.user ? dialog : wide ? first : '');
    shown.then(() => {
      root.dataset.ready = 'true';
    });
  }

  showActors() {
    const people = [...this.state.users.values()].filter((u) => (!u.bot && !u.gone) || u.id === this.actor);
    byId('actor').replaceChildren(...people.map((u) => el('option', { value: u.id }, this.nameOf(u.id))));
    byId('actor').value = String(this.actor);
    byId('actor-face').replaceChildren(avatar(this.state.users.get(this.state.user), this.nameOf(this.state.user)));
  }

  // openDialog shows a dialog as a click on it does. When there is none with a bot yet,
  // it is opened on the portal, and the bot may say hello.
  async openDialog(id) {
    const token = (this.opening = {});
    const focus = document.activeElement;
    while (this.state.user !== this.actor) await this.loaded; // another person was chosen, whose state is on its way
    if (token !== this.opening) return; // another dialog was chosen meanwhile
    id = dialogID(id) || String(id);
    const { user } = this.state;
    const person = this.state.users.get(Number(id));
    if (!this.state.dialogs.has(id) && (!person || person.id === this.state.user)) {
      return this.note(`${this.nameOf(this.state.user)} is not in the dialog ${id}.`);
    }
    if (person?.bot && !this.state.dialogs.has(id)) await this.post('open', { bot: person.id });
    if (user !== this.actor || token !== this.opening) return;
    const shown = this.select(id);
    const here = [focus, document.body].includes(document.activeElement);
    if (here && (innerWidth >= 760 || matchMedia('(hover: hover)').matches)) byId('text').focus();
    await shown;
  }

  async openMessage(place, id) {
    const pair = /^(\d+):(\d+)$/.exec(place);
    if (pair) place = Number(pair[1]) === this.state.user ? pair[2] : pair[1];
    place = dialogID(place);
    if (place !== this.state.current) await this.openDialog(place);
    if (this.state.current === place && !this.messages.reveal(id)) this.note(`Message ${id} is further back.`);
  }

  async select(id) {
    if (id !== this.state.current) this.help = { commands: [], apps: [] }; // until askHelp has those of this dialog
    this.state.current = id;
    this.state.unread.delete(id);
    root.dataset.pane = id ? 'conversation' : 'list';
    history.replaceState(null, '', '#' + new URLSearchParams(id ? { user: this.state.user, dialog: id } : { user: this.state.user }));
    byId('nothing').hidden = id !== '';
    byId('open-dialog').hidden = id === '';
    this.composer.show(id);
    this.showHead();
    this.showTyping();
    this.people.changed();
    this.dialogs.render();
    this.askHelp();
    await this.messages.show(id);
  }

  // goTo shows a dialog that a person has chosen. A dialog that openDialog still opens
  // is not shown any more.
  goTo(id) {
    this.opening = null;
    return this.select(id);
  }

  back() {
    const { current } = this.state;
    this.goTo('');
    byId('nav').querySelector(`[data-dialog="${CSS.escape(current)}"]`)?.focus();
  }

  showHead() {
    const { current, dialogs, users } = this.state;
    const dialog = dialogs.get(current);
    const title = current ? this.titleOf(current) : 'No dialog';
    byId('title').replaceChildren(el('bdi', {}, title));
    byId('title-face').replaceChildren(...(current ? [avatar(dialog && dialog.type !== 'private' ? dialog : users.get(Number(current)), title)] : []));
    const group = Boolean(dialog) && dialog.type !== 'private';
    byId('members-open').hidden = !group;
    const count = dialog?.members?.length ?? 0;
    byId('members-count').textContent = String(count);
    const kinds = { chat: 'Chat', open: 'Open chat', lines: 'Open line' };
    const person = users.get(Number(current));
    const about = group
      ? `${kinds[dialog.type] ?? 'Chat'} · ${count} ${count === 1 ? 'member' : 'members'}`
      : brief(person?.position) || (person?.bot ? 'Bot' : 'Person');
    byId('subtitle').replaceChildren(...(current ? [el('bdi', {}, about), ' · ' + current] : []));
    this.composer.allow(current !== '' && !dialog?.closed);
    welcome(this);
    document.title = current ? `${title} · imbot portal` : 'imbot portal';
  }

  nameOf(id) {
    const user = this.state.users.get(id);
    return brief(user?.name) || (id ? 'User ' + id : 'System');
  }

  titleOf(id) {
    const dialog = this.state.dialogs.get(id);
    if (dialog && dialog.type !== 'private') return brief(dialog.title) || id;
    return this.state.users.has(Number(id)) ? this.nameOf(Number(id)) : brief(dialog?.title) || id;
  }

  async askHelp() {
    const { user, current } = this.state;
    const token = (this.asking = {});
    let help = {};
    if (current) {
      try {
        help = await get('help', { user, dialog: current });
      } catch {
        // The dialog does not exist yet, so nothing is offered there.
      }
    }
    if (token !== this.asking) return;
    this.help = { commands: help.commands ?? [], apps: help.apps ?? [] };
    this.apps.render();
    welcome(this);
    this.composer.offer();
  }

  event(kind, data) {
    const { state } = this;
    switch (kind) {
      case 'message':
        return this.message(data.dialog, data.message);
      case 'dialog':
        state.dialogs.set(data.id, data);
        if (data.id === state.current) {
          this.showHead();
          this.people.changed();
        }
        break;
      case 'left':
        state.dialogs.delete(data.dialog);
        if (data.dialog === state.current) {
          this.select('');
        }
        break;
      case 'user':
        state.users.set(data.id, data);
        this.showActors();
        this.showHead();
        break;
      case 'typing':
        return this.typing(data.dialog, data.user, data.on);
      case 'help':
        return this.helpSoon();
      case 'exchange':
        return this.log.receive(data);
      case 'reset':
        return this.reload();
    }
    this.dialogs.renderSoon();
  }

  message(id, message) {
    const { state } = this;
    const dialog = state.dialogs.get(id);
    if (dialog && message.id >= (dialog.last?.id ?? 0)) {
      const fresh = message.id > (dialog.last?.id ?? 0);
      dialog.last = message;
      if (message.gone) this.refresh(dialog);
      if (fresh && id !== state.current && message.author !== state.user) state.unread.set(id, (state.unread.get(id) ?? 0) + 1);
      if (fresh) this.typing(id, message.author, false);
    }
    if (id === state.current) this.messages.receive(message);
    this.dialogs.renderSoon();
  }

  // refresh asks for the last message of a dialog when the one before was deleted without
  // a notice.
  async refresh(dialog) {
    try {
      const { messages } = await get('messages', { user: this.state.user, dialog: dialog.id, before: 0, limit: 1 });
      if (!dialog.last?.gone) return; // a new message came meanwhile
      dialog.last = messages[0] ?? null;
      this.dialogs.renderSoon();
    } catch {
      // The list shows the old message until the next one comes.
    }
  }

  typing(dialog, user, on) {
    if (user === this.state.user) return;
    let people = this.state.typing.get(dialog);
    if (!people && !on) return;
    if (!people) this.state.typing.set(dialog, (people = new Map()));
    if (!on && !people.has(user)) return;
    clearTimeout(people.get(user));
    if (on) people.set(user, setTimeout(() => this.typing(dialog, user, false), TYPING_FOR));
    else people.delete(user);
    if (dialog === this.state.current) this.showTyping();
    this.dialogs.renderSoon();
  }

  typers(dialog) {
    return [...(this.state.typing.get(dialog)?.keys() ?? [])];
  }

  showTyping() {
    const names = this.typers(this.state.current).slice(0, 3).map((id) => this.nameOf(id));
    byId('typing').replaceChildren(...(names.length === 0 ? [] : [
      el('bdi', {}, names.join(', ')), names.length > 1 ? ' are typing…' : ' is typing…',
    ]));
  }

  connection(on) {
    root.dataset.live = String(on);
    byId('offline').hidden = on;
  }

  // post does something as the chosen person. When that fails it says so, and returns
  // null.
  async post(path, body) {
    try {
      return await post(path, { user: this.actor, ...body });
    } catch (failure) {
      this.fail(failure);
      return null;
    }
  }

  say(text, dialog = this.state.current) {
    const user = this.actor;
    return (this.said = this.said.then(() => this.post('say', { user, dialog, text })));
  }

  // sayFile sends a file, behind what was said before it.
  sayFile(file, dialog, text) {
    const user = this.actor;
    const send = () => postFile({ user, dialog, name: file.name, text }, file).catch((failure) => this.fail(failure));
    return (this.said = this.said.then(send).then(() => dialog === this.state.current && this.messages.toEnd()));
  }

  put(text) {
    this.composer.put(text);
  }

  edit(message) {
    this.composer.edit(message);
  }

  call(number) {
    this.note(`The portal would call ${number} now.`);
  }

  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.note('Copied: ' + text);
    } catch {
      this.note('The browser does not allow to copy: ' + text);
    }
  }

  openFrame(id, button) {
    return this.apps.open(id, button);
  }

  note(text) {
    toast(text);
  }

  fail(failure) {
    toast(failure instanceof TypeError ? 'The portal does not answer.' : failure.message, true);
  }
}

new App().start();
