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
  return answer(await fetch('api/' + path + '?' + new URLSearchParams(query)));
}

export async function post(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  return answer(await fetch('api/' + path, { method: 'POST', headers, body: JSON.stringify(body) }));
}

const KINDS = ['message', 'dialog', 'left', 'user', 'typing', 'help', 'exchange', 'reset'];

// Live is the stream of events for one person. The browser reconnects by itself
// after a lost connection, but not after an answer that is no stream: then Live
// does, ever more slowly.
export class Live {
  constructor(onEvent, onConnection) {
    this.onEvent = onEvent;
    this.onConnection = onConnection;
  }

  start(user, after) {
    this.stop();
    this.user = user;
    this.seq = after;
    this.pause = 500;
    this.open();
  }

  stop() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  open() {
    const source = new EventSource('api/events?' + new URLSearchParams({ user: this.user, after: this.seq }));
    this.source = source;
    source.addEventListener('open', () => {
      this.pause = 500;
      this.onConnection(true);
    });
    source.addEventListener('error', () => {
      if (source !== this.source) return;
      this.onConnection(false);
      if (source.readyState !== EventSource.CLOSED) return;
      this.timer = setTimeout(() => this.open(), this.pause);
      this.pause = Math.min(this.pause * 2, 10000);
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        if (source !== this.source) return;
        const seq = Number(event.lastEventId);
        if (seq > 0) this.seq = seq;
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
