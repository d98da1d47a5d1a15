// How the page talks to its server: JSON requests and the stream of changes. All
// addresses are relative, so that the page works wherever the handler is mounted.

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
  // With the cache, the browser would let a request wait until the same one before it is answered.
  return answer(await fetch('api/' + path + '?' + new URLSearchParams(query), { cache: 'no-store' }));
}

export async function post(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  return answer(await fetch('api/' + path, { method: 'POST', headers, body: JSON.stringify(body) }));
}

// postFile sends a file as it is.
export async function postFile(query, file) {
  const headers = { 'Content-Type': 'application/octet-stream' };
  return answer(await fetch('api/file?' + new URLSearchParams(query), { method: 'POST', headers, body: file }));
}

const KINDS = ['message', 'dialog', 'left', 'user', 'typing', 'help', 'exchange', 'reset'];

const PAUSE = 500; // milliseconds before the stream is tried again; doubled each time

// Live is the stream of changes for one person. When it breaks, Live does not go on
// from the last number, because another portal may run at the address by now, and its
// numbers mean something else. It calls onLost, which has to load everything and start
// the stream anew.
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
          return; // the event was cut off
        }
        this.onEvent(kind, data);
      });
    }
  }
}
