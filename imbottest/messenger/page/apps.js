// The bar of chat applications above the text field, and the frame that shows one.

import { get } from './api.js';
import { byId, clamp, el, safeImage } from './dom.js';
import { brief } from './text.js';

export class Apps {
  constructor(app) {
    this.app = app;
    this.bar = byId('apps');
    this.box = byId('frame');
    this.box.addEventListener('close', () => byId('frame-body').replaceChildren());
    this.bar.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const all = [...this.bar.children];
      const at = all.indexOf(document.activeElement);
      if (!step || at < 0) return;
      event.preventDefault();
      all[(at + step + all.length) % all.length].focus();
    });
  }

  // render shows the bar. Tab stops at one of its buttons, the arrow keys go to the others.
  render() {
    const { apps } = this.app.help;
    const now = JSON.stringify(apps);
    if (now === this.rendered) return; // nothing has changed, and new buttons would lose the focus
    this.rendered = now;
    this.bar.hidden = apps.length === 0;
    this.bar.replaceChildren(...apps.map((item, index) =>
      el('button', {
        type: 'button', class: 'app', 'data-app': item.id, tabindex: index === 0 ? '0' : '-1',
        title: String(item.description || item.title || '').slice(0, 300),
        click: () => this.open(item.id),
      }, face(item), el('bdi', {}, brief(item.title || item.code)))));
  }

  async open(id, button) {
    const item = this.app.help.apps.find((a) => a.id === Number(id));
    if (!item && !button) return; // the bar still shows the applications of the dialog before
    if (item && !item.frame) return this.act(item);
    const { user, current } = this.app.state;
    const token = (this.opening = {});
    try {
      const { url } = await get('frame', { user, app: id, dialog: current, ...button });
      if (token !== this.opening || user !== this.app.actor || current !== this.app.state.current) return;
      this.show(url, item);
    } catch (failure) {
      this.app.fail(failure);
    }
  }

  // act does what an application without a frame is for.
  act(item) {
    switch (item.js) {
      case 'PUT':
        return this.app.put(item.param);
      case 'SEND':
        return this.app.say(item.param);
      case 'CALL':
        return this.app.call(item.param);
    }
    this.app.note(`The portal would open ${item.js} ${item.param} now.`);
  }

  show(address, item) {
    if (!safeImage(address)) throw new Error(`The frame has no https address: ${brief(address)}`);
    const url = new URL(address);
    // With allow-same-origin, a frame of this page's own origin could remove its sandbox.
    const foreign = url.origin !== location.origin;
    const frame = el('iframe', {
      sandbox: 'allow-scripts allow-forms allow-popups' + (foreign ? ' allow-same-origin' : ''),
      src: url.href, referrerpolicy: 'no-referrer', title: item?.title || 'Application',
    });
    frame.style.width = clamp(item?.width, 200, 1200, 420) + 'px';
    frame.style.height = clamp(item?.height, 100, 900, 360) + 'px';
    byId('frame-title').replaceChildren(el('bdi', {}, brief(item?.title) || 'Application'));
    byId('frame-host').textContent = url.host;
    byId('frame-body').replaceChildren(frame);
    if (!this.box.open) this.box.showModal();
  }
}

function face(item) {
  if (!/^api\/icon\?/.test(item.icon ?? '')) {
    return el('span', { class: 'app-letter', 'aria-hidden': 'true' }, String.fromCodePoint((item.title || item.code || '?').codePointAt(0)).toUpperCase());
  }
  const img = el('img', { class: 'app-icon', src: item.icon, alt: '' });
  img.addEventListener('load', () => img.classList.toggle('halves', img.naturalWidth * 66 === img.naturalHeight * 108), { once: true });
  return img;
}
