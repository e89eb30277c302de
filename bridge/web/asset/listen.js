// listen.js follows GET /v1/changes as an event stream. It touches no page, so that a shared worker can run it.

export const KINDS = ['order', 'ticket', 'job', 'printer', 'warning', 'setting', 'access', 'check', 'posting', 'pms', 'reservation', 'integration', 'menu', 'relay', 'screen', 'delivery'];
const PAUSE = 3e3; // ms before another try

// listen calls tell({kind}) for each change, tell({ok}) when the connection comes or goes, and tell({all: true}) when
// anything may have changed. It gives a function that ends it.
export function listen(tell) {
  let source, timer, ended = false;
  const later = () => { if (!ended) timer = setTimeout(start, PAUSE); };
  async function start() {
    let answer, after = 0;
    try {
      answer = await fetch('/v1/changes?after=0&limit=1', { headers: { Accept: 'application/json' }, credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(10e3) });
      after = (await answer.json()).seq || 0; // also of a 410: the oldest changes are gone; from now on then
    } catch {
      if (!answer) { tell({ ok: false }); later(); return; }
    }
    if (ended) return;
    if (!answer.ok && answer.status !== 410) { // nobody is signed in, or the box is in trouble: the pages' own calls tell which
      tell({ ok: true });
      tell({ all: true });
      later();
      return;
    }
    source = new EventSource('/v1/changes?after=' + after);
    source.onopen = () => { tell({ ok: true }); tell({ all: true }); };
    source.onerror = () => {
      tell({ ok: false });
      if (source.readyState === EventSource.CLOSED) later();
    };
    for (const kind of KINDS) source.addEventListener(kind, () => tell({ kind }));
  }
  start();
  return () => { ended = true; clearTimeout(timer); source?.close(); };
}
