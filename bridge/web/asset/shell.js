// The console's frame: site, business day, one sentence on the state of the box, who is signed in; and what its pages
// share: following changes, asking once before something dangerous, saying what went wrong.

import { $, Fault, businessDay, call, clock, get, h, icon, n, newKey, swap, t, write } from './base.js';
import { warningPlace, warningRemedy, warningText } from './lamps.js';
import { live } from './live.js';

export const me = { name: '', role: '' };

// may tells whether the person signed in has one of the roles. Admin may everything.
export const may = (...roles) => me.role === 'admin' || roles.includes(me.role);

// signIn leaves for the sign-in page and comes back.
export function signIn() {
  location.assign('/sign-in?next=' + encodeURIComponent(location.pathname + location.search));
}

async function whoAmI() {
  try {
    Object.assign(me, await get('/v1/session'));
  } catch (fault) {
    if (fault.status === 401) signIn();
    return;
  }
  swap($('who'), h('b', {}, me.name || ''), me.role && h('small', {}, t('role.' + me.role)));
  $('who').disabled = me.via === 'token';
  $('sign-out').hidden = me.via === 'demo'; // this very machine is let in without a session
}

// Several share this browser: somebody else gives a PIN, and afterwards the browser is what it was.
$('who').addEventListener('click', async () => {
  const { enter } = await import('./pin.js');
  if (await enter()) location.reload();
});

$('sign-out').addEventListener('click', async () => {
  const visit = me.via === 'pin';
  try { await call('DELETE', visit ? '/v1/session/person' : '/v1/session'); } catch { /* the cookie may be gone already */ }
  if (visit) location.reload();
  else location.assign('/sign-in');
});

// ---- the navigation on a narrow glass: a menu over the page

function openMenu(open) {
  document.documentElement.classList.toggle('menu-open', open);
  $('menu').setAttribute('aria-expanded', String(open));
  $('main').inert = open;
  if (open) ($('side').querySelector('[aria-current]') || $('side').querySelector('a')).focus();
  else if ($('side').contains(document.activeElement)) $('menu').focus();
}
$('menu').addEventListener('click', () => openMenu($('menu').getAttribute('aria-expanded') !== 'true'));
$('side').addEventListener('click', e => { if (e.target.closest('a')) openMenu(false); });
document.addEventListener('keydown', e => {
  if (e.key === 'Escape' && $('menu').getAttribute('aria-expanded') === 'true') { e.stopPropagation(); openMenu(false); }
}, true);

// ---- the sentence

const RANK = { critical: 3, warning: 2, info: 1 };
let connected = true;

async function drawStatus() {
  const status = $('status');
  try {
    const list = (await get('/v1/warnings')).warnings || [];
    const worst = list.toSorted((a, b) => (RANK[b.severity] || 0) - (RANK[a.severity] || 0))[0];
    status.dataset.state = !worst || worst.severity === 'info' ? 'ok' : worst.severity;
    write($('status-text'), !worst ? t('status.well') : list.length > 1 ? warningText(worst) + ' · ' + n('status.more', list.length - 1) : warningText(worst));
    status.title = worst ? warningRemedy(worst) : '';
    status.href = worst && list.length === 1 ? warningPlace(worst) : '/health';
    connection(true);
  } catch (fault) {
    if (fault.status === 401) signIn();
    else if (fault.status === 0) connection(false);
  }
}

let cutSince = 0;
function connection(ok) {
  if (ok === connected) return;
  connected = ok;
  if (!ok) cutSince = Date.now();
  document.documentElement.classList.toggle('offline', !ok);
  const bar = $('cut');
  bar.hidden = ok;
  if (!ok) write(bar, t('page.no_connection', clock(cutSince)));
  if (!ok) {
    $('status').dataset.state = 'cut';
    write($('status-text'), t('status.cut'));
  } else drawStatus();
}

function drawDay() { write($('day'), t('nav.business_day', businessDay(Date.now()))); }

// ---- what pages use

// follow loads a page's data now and again whenever one of the kinds changed. load must draw what it got; a fault is
// drawn by fault(), which keeps the last good content.
export function follow(kinds, load) {
  let running = false, again = false;
  const run = async () => {
    if (running) { again = true; return; }
    running = true;
    do {
      again = false;
      try {
        await load();
      } catch (fault) {
        if (!(fault instanceof Fault)) throw fault;
        if (fault.status === 401) { signIn(); return; }
        if (fault.status === 0) connection(false);
        loads.fault?.(fault);
      }
    } while (again);
    running = false;
  };
  const loads = { run, fault: null };
  followers.push({ kinds: new Set(kinds), run });
  run();
  return loads;
}
const followers = [];

// say fills a place with a sentence: nothing here yet, no permission, an error with its remedy.
export function say(place, title, text, again) {
  place.hidden = false;
  swap(place, h('p', { class: 'say-title' }, title), text && h('p', {}, text), again && h('button', { class: 'button', onclick: again }, t('page.again')));
}

export function sayFault(place, fault, again) {
  if (fault.status === 403) say(place, t('page.forbidden'), t('page.forbidden_remedy', me.name || '-', me.role ? t('role.' + me.role) : '-'));
  else if (fault.status === 404) say(place, t('page.unknown'), fault.problem.detail || t('page.unknown_remedy'), again);
  else say(place, t('page.fault'), fault.message + ' ' + t('page.fault_remedy'), again);
}

export function toast(text, kind = '') {
  const e = h('div', { class: 'toast ' + kind }, text);
  $('toasts').append(e);
  setTimeout(() => e.remove(), 6000);
}

// ask asks once, with the effect named; true when the person agreed. body holds what else is to be said, as a note; check
// tells whether it is said well.
export function ask(title, effect, yes, dangerous, { body, check } = {}) {
  return new Promise(done => {
    const agree = () => { if (!check || check()) d.close('yes'); };
    const d = h('dialog', { class: 'ask', 'aria-labelledby': 'ask-title' },
      h('h2', { id: 'ask-title' }, title), effect && h('p', {}, effect),
      body && h('form', { class: 'ask-body', onsubmit: e => { e.preventDefault(); agree(); } }, body),
      h('div', { class: 'ask-acts' },
        h('button', { class: 'button', value: '', onclick: () => d.close('') }, t('page.keep')),
        h('button', { class: 'button ' + (dangerous ? 'danger' : 'primary'), onclick: agree }, yes)));
    d.addEventListener('close', () => { d.remove(); done(d.returnValue === 'yes'); });
    document.body.append(d);
    d.showModal();
  });
}

// perform sends an act of a button: it is busy meanwhile, and says what became of it.
export async function perform(button, path, { method = 'POST', body, done } = {}) {
  button.disabled = true;
  try {
    const answer = await call(method, path, { key: newKey(), body });
    if (done) toast(done, 'good');
    return answer.body || true;
  } catch (fault) {
    toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
    return null;
  } finally {
    button.disabled = false;
  }
}

// table makes the rows of a page: columns [{head, cell(row), num}].
export function table(columns, rows, name) {
  return h('table', { class: 'rows ' + (name || '') },
    h('thead', {}, h('tr', {}, columns.map(c => h('th', { scope: 'col', class: c.num && 'num' }, c.head)))),
    h('tbody', {}, rows.map(r => h('tr', {}, columns.map(c => h('td', { class: c.num && 'num', data: { label: c.head } }, c.cell(r)))))));
}

// save gives the person a file.
export function save(name, type, text) {
  const link = h('a', { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function download(name, lines) {
  const quote = v => /[",;\n\r]/.test(v) ? `"${v.replaceAll('"', '""')}"` : v;
  // A cell that begins like a formula is one to a spreadsheet; an order must not be able to write one.
  const cell = v => quote(typeof v === 'string' && /^[=+\-@\t\r]/.test(v) ? "'" + v : String(v ?? ''));
  save(name, 'text/csv', '\ufeff' + lines.map(l => l.map(cell).join(',')).join('\r\n') + '\r\n');
}

export const ready = whoAmI();
drawStatus();
drawDay();
setInterval(drawDay, 60e3);
live(kinds => {
  if (kinds.has('warning') || kinds.has('printer')) drawStatus();
  for (const f of followers) if ([...kinds].some(k => f.kinds.has(k))) f.run();
}, connection);

