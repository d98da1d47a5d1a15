// The server's side: JSON calls and the stream of events. All addresses are
// relative, so that the page works wherever the handler is mounted.

async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    const failure = new Error(body.error || `The server answered ${response.status}.`);
    failure.status = response.status;
    throw failure;
  }
  return body;
}

export async function get(path, query = {}) {
  // Through its cache, the browser would let a request wait for the same one before.
  return answer(await fetch('api/' + path + '?' + new URLSearchParams(query), { cache: 'no-store' }));
}

export async function post(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  return answer(await fetch('api/' + path, { method: 'POST', headers, body: JSON.stringify(body) }));
}

const KINDS = ['message', 'dialog', 'left', 'user', 'typing', 'help', 'exchange', 'reset'];

const PAUSE = 500; // before the stream is tried again; longer every time

// Live is the stream of events for one person. A stream that broke off is not
// taken up again: behind the address may be another portal by now, whose numbers
// mean something else. onLost has to load what is shown and start anew.
export class Live {
  constructor(onEvent, onConnection, onLost) {
    this.onEvent = onEvent;
    this.onConnection = onConnection;
    this.onLost = onLost;
    this.pause = PAUSE;
  }

  stop() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  start(user, after) {
    this.stop();
    const source = new EventSource('api/events?' + new URLSearchParams({ user, after }));
    this.source = source;
    source.addEventListener('open', () => {
      this.pause = PAUSE;
      this.onConnection(true);
    });
    source.addEventListener('error', () => {
      if (source !== this.source) return;
      this.stop();
      this.onConnection(false);
      this.timer = setTimeout(this.onLost, this.pause);
      this.pause = Math.min(this.pause * 2, 10000);
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        if (source !== this.source) return;
        let data;
        try {
          data = JSON.parse(event.data);
        } catch {
          return; // half an event is none
        }
        this.onEvent(kind, data);
      });
    }
  }
}
