// live.js tells a console page that something changed. A browser allows few connections to one host, so its tabs share
// one event stream: a shared worker holds it; where there is none (Chrome on Android), one of the tabs does and passes
// on. A slow poll stands behind both.

import { newKey } from './base.js';
import { KINDS, listen } from './listen.js';

const GATHER = 400; // ms: a page hears of changes at most this often
const POLL = 30e3; // ms; a change that no stream told shows within this time
const ANSWER = 3e3; // ms in which a shared worker must answer
const BEAT = 2e3, SILENCE = 5e3; // ms between the leader's beats, and without one before another tab leads

// live calls changed(kinds) with the kinds that changed, and connection(ok) when it comes or goes.
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
    }, GATHER);
  };
  const everything = () => KINDS.forEach(note);
  const hear = message => {
    if (message.kind) note(message.kind);
    else if (message.all) everything();
    else if (message.ok !== undefined) connection(message.ok);
  };
  share(hear).catch(() => elect(hear));
  setInterval(everything, POLL);
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') everything(); });
}

// share listens to the shared worker; it fails when there is none that answers.
function share(hear) {
  return new Promise((done, fail) => {
    const worker = new SharedWorker(new URL('./feed.js', import.meta.url), { type: 'module', name: 'aboyeur' });
    const none = why => { worker.port.close(); fail(why); };
    const limit = setTimeout(none, ANSWER);
    worker.onerror = none;
    worker.port.onmessage = ({ data }) => {
      if (data.here) { clearTimeout(limit); done(); } else hear(data);
    };
    worker.port.postMessage('hello');
    addEventListener('pagehide', () => worker.port.postMessage('bye'));
    addEventListener('pageshow', e => { if (e.persisted) worker.port.postMessage('hello'); });
  });
}

// elect makes one tab the leader that listens, without any lock: a plain HTTP page on a kitchen network has none. A
// hidden tab's timers are slow, so of two leaders the visible one stays.
function elect(hear) {
  const channel = new BroadcastChannel('aboyeur.changes'), me = newKey();
  let end, heard = performance.now();
  const beat = () => channel.postMessage({ leader: me, visible: document.visibilityState === 'visible' });
  const lead = () => {
    if (end) return;
    end = listen(message => { hear(message); channel.postMessage({ message }); });
    beat();
  };
  const resign = () => { end?.(); end = undefined; };
  channel.onmessage = ({ data }) => {
    if (data.message) hear(data.message);
    else if (data.who && end) beat();
    else if (data.bye) {
      heard = -SILENCE;
      setTimeout(() => { if (heard < 0) lead(); }, Math.random() * 200);
    } else if (data.leader) {
      heard = performance.now();
      const visible = document.visibilityState === 'visible';
      if (end && (visible === data.visible ? data.leader < me : data.visible)) resign();
      else if (end) beat();
    }
  };
  channel.postMessage({ who: me });
  setTimeout(() => { if (performance.now() - heard > 250) lead(); }, 300 + Math.random() * 200);
  setInterval(() => {
    if (end) beat();
    else if (performance.now() - heard > SILENCE + Math.random() * 1000) lead();
  }, BEAT);
  addEventListener('pagehide', () => { if (end) { resign(); channel.postMessage({ bye: me }); } });
}
