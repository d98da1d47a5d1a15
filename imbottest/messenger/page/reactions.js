// The reactions of a message, and the popover in which one is chosen.

import { byId, el, pick } from './dom.js';
import { place } from './keyboard.js';

const EMOJI = {
  like: '👍', dislike: '👎', faceWithTearsOfJoy: '😂', redHeart: '❤️', neutralFace: '😐', fire: '🔥', cry: '😢', slightlySmilingFace: '🙂',
  winkingFace: '😉', laugh: '😆', kiss: '😘', wonder: '😮', slightlyFrowningFace: '🙁', loudlyCryingFace: '😭', faceWithStuckOutTongue: '😛',
  faceWithStuckOutTongueAndWinkingEye: '😜', smilingFaceWithSunglasses: '😎', confusedFace: '😕', flushedFace: '😳', thinkingFace: '🤔', angry: '😠',
  smilingFaceWithHorns: '😈', faceWithThermometer: '🤒', facepalm: '🤦', poo: '💩', flexedBiceps: '💪', clappingHands: '👏', raisedHand: '✋',
  smilingFaceWithHeartEyes: '😍', smilingFaceWithHearts: '🥰', pleadingFace: '🥺', relievedFace: '😌', foldedHands: '🙏', okHand: '👌', signHorns: '🤘',
  loveYouGesture: '🤟', clownFace: '🤡', partyingFace: '🥳', questionMark: '❓', exclamationMark: '❗', lightBulb: '💡', bomb: '💣', sleepingSymbol: '💤',
  crossMark: '❌', whiteHeavyCheckMark: '✅', eyes: '👀', handshake: '🤝', hundredPoints: '💯',
};
const CODES = Object.keys(EMOJI);

// named writes a code as words: "red heart".
const named = (code) => code.replace(/[A-Z]/g, (letter) => ' ' + letter.toLowerCase());

// reactions makes a button for each kind of reaction that somebody has set.
export function reactions(message, app) {
  const all = message.deleted ? [] : message.reactions ?? [];
  return [...new Set(all.map((r) => r.code))].map((code) => {
    const people = all.filter((r) => r.code === code).map((r) => r.user);
    const who = people.slice(0, 20).map((id) => app.nameOf(id)).join(', ');
    return el('button', {
      type: 'button', class: 'reaction', tabindex: '-1', title: `${named(code)}: ${who}`, 'data-press': 'reaction', 'data-index': CODES.indexOf(code),
      'aria-label': `${named(code)}, ${people.length}`, 'aria-pressed': String(people.includes(app.state.user)),
      click: () => react(message, code, app),
    }, el('span', { 'aria-hidden': 'true' }, pick(EMOJI, code, '▫')), String(people.length));
  });
}

const react = (message, code, app) => app.post('react', { message: message.id, reaction: code });

let chosen = () => {}; // what a click in the popover does; one popover serves all messages

// choose opens the popover beside the button of a message.
export function choose(message, opener, app) {
  const box = byId('reactions');
  if (box.children.length === 0) {
    box.append(...CODES.map((code) => el('button', { type: 'button', title: named(code), 'aria-label': named(code), click: () => chosen(code) }, EMOJI[code])));
    box.addEventListener('keydown', arrows);
  }
  chosen = (code) => {
    box.hidePopover();
    react(message, code, app);
  };
  box.showPopover();
  place(box, opener);
  box.firstElementChild.focus();
}

function arrows(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }[event.key];
  if (!step) return;
  event.preventDefault();
  const all = [...event.currentTarget.children];
  all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
}
