// live.js tells a console page that something changed, from GET /v1/changes as an event stream. A browser allows few
// connections to one host, so its tabs share one stream: whoever holds the lock listens and passes on. Where locks do
// not exist (plain HTTP on a kitchen network) each page listens for itself. A slow poll stands behind both.

import { get } from './base.js';

const KINDS = ['order', 'ticket', 'job', 'printer', 'warning', 'setting', 'access', 'check', 'posting', 'pms'];
const POLL = 30e3; // ms; a change that no stream told shows within this time
const PAUSE = 3e3;

// live calls changed(kinds) at most every 400 ms with the kinds that changed, and connection(ok) when it comes or goes.
export function live(changed, connection) {
  const kinds = new Set();
  let timer;
  const note = kind => {
    kinds.add(kind);
    timer ??= setTimeout(() => {
      timer = undefined;
      const all = new Set(kinds);
      kinds.clear();
      if (document.visibilityState === 'visible') changed(all);
    }, 400);
  };
  const everything = () => KINDS.forEach(note);
  const channel = new BroadcastChannel('aboyeur.changes');
  channel.onmessage = e => e.data.ok === undefined ? note(e.data.kind) : connection(e.data.ok);

  function listen() {
    let source;
    async function start() {
      let after = 0;
      try {
        after = (await get('/v1/changes?after=0&limit=1')).seq || 0;
      } catch (fault) {
        if (fault.status === 410 && fault.problem.seq) after = fault.problem.seq; // the oldest changes are gone; from now on then
        else {
          tell(fault.status !== 0);
          everything();
          setTimeout(start, PAUSE);
          return;
        }
      }
      source = new EventSource('/v1/changes?after=' + after);
      source.onopen = () => { tell(true); everything(); };
      source.onerror = () => {
        tell(false);
        if (source.readyState === EventSource.CLOSED) setTimeout(start, PAUSE);
      };
      for (const kind of KINDS) source.addEventListener(kind, () => { note(kind); channel.postMessage({ kind }); });
    }
    function tell(ok) { connection(ok); channel.postMessage({ ok }); }
    start();
    return new Promise(() => {}); // holds the lock as long as the page lives
  }
  if (navigator.locks) navigator.locks.request('aboyeur.changes', listen);
  else listen();
  setInterval(everything, POLL);
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') everything(); });
}
