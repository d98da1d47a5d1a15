// The files of a message, and how a person sends one.

import { byId, el, icon } from './dom.js';
import { brief, bytes } from './text.js';

const SHOWN = 320; // pixels, the longest side of a picture in a message

// files shows pictures, and names of other files, which the browser stores.
export function files(message, app) {
  return (message.deleted ? [] : message.files ?? []).map((file) => {
    const href = `${file.url}&user=${Number(app.state.user)}`;
    const name = brief(file.name, 200);
    if (!/^api\/file\?/.test(href)) return null;
    if (!file.picture) {
      return el('div', { class: 'block file' }, icon('file'), el('a', { href, download: file.name }, el('bdi', {}, name)), el('span', { class: 'size' }, bytes(file.size)));
    }
    const scale = Math.min(1, SHOWN / Math.max(file.width, file.height));
    const img = el('img', {
      class: 'picture', src: href, alt: name, title: name, loading: 'lazy',
      width: Math.max(24, Math.round(file.width * scale)), height: Math.max(24, Math.round(file.height * scale)),
    });
    return el('a', { class: 'shown-file', href, target: '_blank', rel: 'noopener' }, img);
  });
}

// listen lets the button, the clipboard and what is dropped on the conversation send files.
export function listen(app) {
  const input = byId('file');
  const send = (list) => {
    if (!list?.length || byId('attach').disabled) return false;
    const { dialog, text } = app.composer.take();
    [...list].forEach((file, index) => app.sayFile(file, dialog, index === 0 ? text : ''));
    return true;
  };
  byId('attach').addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    send(input.files);
    input.value = ''; // the same file may be chosen again
  });
  byId('text').addEventListener('paste', (event) => send(event.clipboardData?.files) && event.preventDefault());
  const place = byId('open-dialog');
  place.addEventListener('dragover', (event) => event.dataTransfer?.types.includes('Files') && event.preventDefault());
  place.addEventListener('drop', (event) => send(event.dataTransfer?.files) && event.preventDefault());
}
