// What a conversation without messages shows: whom one writes to, and what can be
// tried there.

import { avatar, byId, el } from './dom.js';
import { brief } from './text.js';

const MOST = 6; // commands

let shown = '';

// welcome invites to write the first message.
export function welcome(app) {
  const { current, dialogs, users } = app.state;
  const dialog = dialogs.get(current);
  const group = Boolean(dialog) && dialog.type !== 'private';
  const who = group ? dialog : users.get(Number(current));
  const title = app.titleOf(current);
  const commands = app.help.commands.filter((command) => !command.hidden).slice(0, MOST);
  const now = JSON.stringify([current, title, who?.color, who?.avatar, commands]);
  if (now === shown) return; // the focus stays
  shown = now;
  byId('welcome').replaceChildren(
    avatar(who, title),
    el('strong', {}, el('bdi', {}, title)),
    el('p', {}, 'Nothing was written here yet. ', hint(group, who?.bot, commands.length > 0)),
    ...(commands.length > 0 ? [el('div', { class: 'tries', role: 'group', 'aria-label': 'Commands to try' }, commands.map((command) => attempt(command, app)))] : []));
}

function hint(group, bot, commands) {
  const begin = group ? 'Bots hear of what mentions them: write @ and a name' : bot ? 'Say hello to the bot' : 'Say hello';
  return begin + (commands ? ', or try a command:' : '.');
}

// attempt says a command; one with parameters waits in the text field for them.
function attempt(command, app) {
  const work = () => {
    if (command.params) return app.put(command.command + ' ');
    byId('text').focus();
    app.say(command.command);
  };
  return el('button', { type: 'button', class: 'try', title: brief(command.title), click: work }, el('bdi', {}, brief(command.command, 60)));
}
