// stream.js keeps one event stream of a kitchen screen alive and says honestly whether it lives: by its beats, not by
// what the browser believes of its network (screens.md, "Live").

const QUIET = 12e3; // ms without a beat: no longer live
const LATER = [1e3, 2e3, 4e3, 8e3]; // pauses between attempts

// Stream calls handlers.event(name, data, id) for each event, handlers.live(true|false, since) when that changes, and
// handlers.refused(status) when the box says this browser may not listen.
export class Stream {
  constructor(url, names, handlers) {
    this.url = url;
    this.names = names;
    this.handlers = handlers;
    this.offset = 0; // server clock minus ours, ms
    this.heard = 0; // our clock at the last beat or snapshot
    this.seq = 0; // change number last seen
    this.isLive = null;
    this.attempt = 0;
    this.open();
    setInterval(() => this.watch(), 1000);
  }

  now() { return Date.now() + this.offset; }

  // open starts afresh: without a Last-Event-ID the box answers with a snapshot.
  open() {
    clearTimeout(this.timer);
    this.source?.close();
    const source = this.source = new EventSource(this.url);
    this.opened = Date.now();
    for (const name of this.names) {
      source.addEventListener(name, e => {
        if (source !== this.source) return;
        let data;
        try { data = JSON.parse(e.data); } catch { return; }
        this.hear(name, data);
        const id = Number(e.lastEventId);
        if (id > this.seq && name !== 'beat') this.seq = id;
        this.handlers.event(name, data, id);
      });
    }
    source.onerror = () => {
      if (source === this.source && source.readyState === EventSource.CLOSED) this.retry();
    };
  }

  hear(name, data) {
    if (name === 'beat' || name === 'snapshot') {
      this.heard = Date.now();
      this.attempt = 0;
      const now = Date.parse(data.now);
      if (!Number.isNaN(now)) this.offset = now - this.heard;
      if (name === 'snapshot') this.seq = data.seq || 0;
      this.watch();
    }
  }

  watch() {
    const live = this.heard > 0 && Date.now() - this.heard < QUIET;
    if (live !== this.isLive && (live || this.heard > 0 || Date.now() - this.opened > QUIET)) {
      this.isLive = live;
      this.handlers.live(live, this.heard);
    }
    // A stream that is open but silent may be a dead connection that nobody closed.
    if (!live && Date.now() - this.opened > QUIET && this.source.readyState !== EventSource.CLOSED) this.open();
  }

  // retry after the box refused or broke off for good; asks why, since an EventSource does not tell.
  async retry() {
    const pause = LATER[Math.min(this.attempt++, LATER.length - 1)];
    this.timer = setTimeout(() => this.open(), pause);
    try {
      const answer = await fetch('/v1/session', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
      if (answer.status === 401 || answer.status === 403) this.handlers.refused(answer.status);
    } catch { /* not reachable: the beats tell */ }
  }

  // resync asks for a snapshot.
  resync() { this.open(); }
}
