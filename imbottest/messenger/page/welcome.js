// What a dialog without messages shows: who is there, and commands to try.

import { avatar, byId, el } from './dom.js';
import { brief } from './text.js';

const MOST = 6; // commands

let shown = '';

// welcome shows an invitation to write the first message.
export function welcome(app) {
  const { current, dialogs, users } = app.state;
  const dialog = dialogs.get(current);
  const group = Boolean(dialog) && dialog.type !== 'private';
  const who = group ? dialog : users.get(Number(current));
  const title = app.titleOf(current);
  const commands = app.help.commands.filter((command) => !command.hidden).slice(0, MOST);
  const now = JSON.stringify([current, title, who?.color, who?.avatar, commands]);
  if (now === shown) return; // nothing has changed, and new buttons would lose the focus
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

// attempt makes a button that sends a command. A command with parameters it puts into the
// text field, for the person to add them.
function attempt(command, app) {
  const work = () => {
    if (command.params) return app.put(command.command + ' ');
    byId('text').focus();
    app.say(command.command);
  };
  return el('button', { type: 'button', class: 'try', title: brief(command.title), click: work }, el('bdi', {}, brief(command.command, 60)));
}
