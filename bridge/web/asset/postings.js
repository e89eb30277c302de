// Postings: those whose outcome nobody knows first, with all that is needed to look them up; then a live table, and
// beside it one posting with an address of its own.

import { $, clock, day, get, h, icon, money, n, swap, t, word } from './base.js';
import { lookup, posting, resolve, standing } from './posting.js';
import { download, follow, may, say, sayFault } from './shell.js';

const PAGE = 60; // postings a request
const MOST = 600; // rows kept in the page
const STATES = { '': '', open: 'queued,inquiring,sending', unknown: 'unknown', posted: 'posted', refused: 'refused' };
const KINDS = { '': '', charge: 'charge', reversals: 'void,refund', tender: 'tender', revenue: 'revenue' };
const UNKNOWN = 20; // cards of unknown ones; more are in the table

let place, state = '', kind = '', filter = '', rows, list = [], found = [], unknown = [], waiting = [], next = '', loaded = false, extra = 0, inside = false, drawnUnknown = '';

const selected = () => decodeURIComponent(/^\/hotel\/postings\/(.+)$/.exec(location.pathname)?.[1] || '');
const text = p => [p.room, p.guest, p.check, p.reservation, p.outlet, p.table, p.staff, p.workstation, p.number, p.answer, p.answer_text, word('posting.kind.', p.kind), word('posting.state.', p.state)].join(' ').toLowerCase();
const answer = p => p.state === 'posted' ? p.answer_text || p.answer : p.reason ? word('refusal.', p.reason) : p.state === 'unknown' ? t('refusal.unknown') : p.answer_text;

function layout() {
  const label = t('posting.find');
  swap(place,
    h('div', { class: 'bar' },
      h('label', { class: 'find' }, icon('search'), h('span', { class: 'hide' }, label), h('input', { id: 'find', type: 'search', placeholder: label, autocomplete: 'off', spellcheck: 'false', value: filter, oninput: e => look(e.target.value) })),
      h('div', { class: 'chips', id: 'states', role: 'group', 'aria-label': t('posting.state') }),
      h('label', {}, h('span', { class: 'hide' }, t('posting.kinds')), h('select', { id: 'kinds', onchange: e => { kind = e.target.value; reload(); } },
        Object.keys(KINDS).map(k => h('option', { value: k, selected: k === kind }, !k ? t('posting.kind_all') : k === 'reversals' ? t('posting.kind_reversals') : t('posting.kind.' + k))))),
      h('button', { class: 'quiet', id: 'csv', onclick: csv }, icon('down'), h('span', {}, t('page.csv')))),
    h('div', { class: 'split', id: 'split' },
      h('div', { class: 'stack' },
        h('section', { class: 'sheet unknowns', id: 'unknowns', hidden: true, 'aria-live': 'polite' }),
        h('section', { class: 'sheet', id: 'list', 'aria-label': t('hotel.part.postings'), 'aria-busy': 'true' },
          h('button', { class: 'more-new', id: 'more-new', hidden: true, onclick: () => { list = [...waiting, ...list]; waiting = []; draw(); } }),
          h('table', { class: 'rows orders postings' },
            h('thead', {}, h('tr', {}, [t('posting.time'), t('posting.room_guest'), t('posting.kinds'), t('posting.check'), t('posting.outlet'), t('posting.amount'), t('posting.state'), t('posting.answer')].map((head, i) => h('th', { scope: 'col', class: i === 5 && 'num' }, head)))),
            h('tbody', { id: 'rows', onpointerenter: e => { inside = e.pointerType === 'mouse'; }, onpointerleave: () => { inside = false; }, onclick: pick })),
          h('div', { class: 'skeleton', id: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i')),
          h('div', { class: 'say', id: 'say', hidden: true }),
          h('button', { class: 'quiet wide', id: 'older', hidden: true, onclick: older }, t('posting.older')))),
      h('aside', { class: 'panel', id: 'panel', hidden: true, 'aria-label': t('posting.title'), tabindex: -1 })));
  drawStates();
}

// ---- rows

function row(p) {
  const sign = JSON.stringify([p, p.id === selected()]);
  const known = rows.get(p.id);
  if (known?.sign === sign) return known.row;
  const at = Date.parse(p.received_at);
  const cell = (key, attributes, ...children) => h('td', { ...attributes, data: { label: t(key) } }, ...children);
  const r = h('tr', { data: { id: p.id, state: p.state }, class: p.id === selected() && 'selected' },
    cell('posting.time', { class: 'time', title: day(at) }, clock(at)),
    cell('posting.room_guest', { class: 'from' }, h('a', { href: '/hotel/postings/' + encodeURIComponent(p.id) }, p.room ? h('b', {}, p.room) : p.method || '–', p.guest && h('span', { class: 'guest' }, p.guest))),
    cell('posting.kinds', {}, word('posting.kind.', p.kind)),
    cell('posting.check', {}, p.check),
    cell('posting.outlet', {}, [p.outlet, p.table && t('orders.table', p.table)].filter(Boolean).join(' · ')),
    cell('posting.amount', { class: 'num' }, money(p.amount, p.currency)),
    cell('posting.state', {}, standing(p.state)),
    cell('posting.answer', { class: 'told' }, answer(p)));
  rows.set(p.id, { sign, row: r });
  return r;
}

function shown() {
  const all = filter ? [...new Map([...found, ...list].map(p => [p.id, p])).values()].sort((a, b) => a.received_at < b.received_at ? 1 : -1) : list;
  return filter ? all.filter(p => text(p).includes(filter)) : all;
}

function draw() {
  if (!place) return;
  const body = $('rows'), some = shown(), wanted = some.map(row);
  for (const e of [...body.children]) if (!wanted.includes(e)) e.remove();
  wanted.forEach((e, i) => { if (body.children[i] !== e) body.insertBefore(e, body.children[i] || null); });
  $('skeleton').hidden = loaded;
  $('list').setAttribute('aria-busy', String(!loaded));
  $('older').hidden = !next || list.length >= MOST;
  $('more-new').hidden = waiting.length === 0;
  if (waiting.length) swap($('more-new'), n('posting.new', waiting.length));
  const nothing = loaded && some.length === 0;
  $('list').classList.toggle('bare', nothing);
  if (!nothing) $('say').hidden = true;
  else if (filter || state || kind) say($('say'), t('posting.none_found'), t('posting.none_found_remedy'), () => { $('find').value = filter = ''; $('kinds').value = kind = ''; choose(''); });
  else say($('say'), t('posting.empty'), t('posting.empty_remedy'));
  drawUnknown();
}

// drawUnknown shows what a manager must look up, whatever the filter is.
function drawUnknown() {
  const sign = JSON.stringify(unknown);
  if (sign === drawnUnknown) return;
  drawnUnknown = sign;
  const box = $('unknowns');
  box.hidden = unknown.length === 0;
  swap(box, h('header', {}, h('span', { class: 'shape', 'aria-hidden': 'true' }), h('h2', {}, n('posting.unknown', unknown.length))),
    h('p', {}, t('posting.unknown_remedy'), !may('manager') && ' ' + t('posting.unknown_staff')),
    h('div', { class: 'lookups' }, unknown.slice(0, UNKNOWN).map(p => h('article', { class: 'lookup', data: { id: p.id } }, lookup(p),
      h('footer', {}, may('manager') && h('button', { class: 'button primary', onclick: e => resolve(p, e.currentTarget, () => feed.run()) }, t('posting.resolve')),
        h('a', { class: 'button', href: '/hotel/postings/' + encodeURIComponent(p.id) }, t('posting.details')))))));
}

// ---- loading

function query(cursor, check) {
  const q = new URLSearchParams({ limit: PAGE });
  if (STATES[state]) q.set('state', STATES[state]);
  if (KINDS[kind]) q.set('kind', KINDS[kind]);
  if (cursor) q.set('cursor', cursor);
  if (check) q.set('check', check);
  return '/v1/pms/postings?' + q;
}

const feed = follow(['posting'], async () => {
  if (!place) return;
  const asked = state + ' ' + kind;
  const [answer, open] = await Promise.all([get(query()), get('/v1/pms/postings?state=unknown&limit=200')]);
  if (!place || asked !== state + ' ' + kind) return;
  unknown = open.postings || [];
  const fresh = answer.postings || [], known = new Set(list.map(p => p.id)), byId = new Map(fresh.map(p => [p.id, p]));
  const added = fresh.filter(p => !known.has(p.id));
  if (loaded && inside && added.length && list.length) {
    waiting = added;
    list = list.map(p => byId.get(p.id) || p);
  } else {
    const last = fresh.at(-1);
    // What lies before the oldest fetched row stays as it is; what lies among them and was not fetched is gone.
    const before = last ? list.filter(p => !byId.has(p.id) && p.received_at < last.received_at) : [];
    list = [...fresh, ...before].slice(0, MOST);
    waiting = [];
  }
  if (!extra) next = answer.next || '';
  loaded = true;
  draw();
});
feed.fault = fault => {
  if (!place || (loaded && fault.status !== 403)) return;
  loaded = true;
  draw();
  sayFault($('say'), fault, () => { loaded = false; feed.run(); });
};

async function older(e) {
  const button = e.currentTarget;
  button.disabled = true;
  try {
    const answer = await get(query(next));
    const known = new Set(list.map(p => p.id));
    list = [...list, ...(answer.postings || []).filter(p => !known.has(p.id))];
    next = answer.next || '';
    extra++;
    draw();
  } catch (fault) {
    feed.fault(fault);
  }
  button.disabled = false;
}

// ---- filters

function reload() {
  list = [];
  found = [];
  next = '';
  extra = 0;
  loaded = false;
  rows.clear();
  $('say').hidden = true;
  drawStates();
  draw();
  feed.run();
}

function choose(value) {
  state = value;
  history.replaceState(null, '', location.pathname + (state ? '?state=' + state : ''));
  reload();
}

let timer;
// look filters what is here at once, and asks the box for a check's postings, however old they are.
function look(value) {
  filter = value.trim().toLowerCase();
  draw();
  clearTimeout(timer);
  if (!/^\d{1,8}$/.test(filter)) { found = []; return; }
  timer = setTimeout(async () => {
    const asked = filter;
    try {
      const answer = await get(query('', asked));
      if (asked === filter && place) { found = answer.postings || []; draw(); }
    } catch { /* what is here stays */ }
  }, 250);
}

function drawStates() {
  swap($('states'), Object.keys(STATES).map(s => h('button', { class: 'pill', 'aria-pressed': String(s === state), onclick: () => choose(s) }, !s ? t('posting.all') : s === 'open' ? t('posting.open') : t('posting.state.' + s))));
}

function csv() {
  download(`postings-${new Date().toISOString().slice(0, 10)}.csv`, [
    ['id', 'received_at', 'business_day', 'kind', 'state', 'reason', 'room', 'reservation', 'guest', 'check', 'outlet', 'table', 'staff', 'amount', 'tip', 'currency', 'number', 'answer', 'answer_text'],
    ...shown().map(p => [p.id, p.received_at, p.business_day, p.kind, p.state, p.reason, p.room, p.reservation, p.guest, p.check, p.outlet, p.table, p.staff, p.amount, p.tip || 0, p.currency, p.number, p.answer, p.answer_text]),
  ]);
}

// ---- one posting beside the list

function show(id) {
  const asked = new URLSearchParams(location.search).get('state') || '';
  if (!id && asked in STATES && asked !== state) { state = asked; reload(); }
  $('split').classList.toggle('open', !!id);
  for (const r of $('rows').children) r.classList.toggle('selected', r.dataset.id === id);
  posting(id, () => { away(); ($('rows').querySelector('a') || $('main')).focus({ preventScroll: true }); });
}

function go(id) {
  history.pushState(null, '', '/hotel/postings/' + encodeURIComponent(id));
  show(id);
}

function away() {
  history.pushState(null, '', '/hotel' + (state ? '?state=' + state : ''));
  show('');
}

function pick(e) {
  const r = e.target.closest('tr');
  if (!r || e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault();
  go(r.dataset.id);
}

addEventListener('keydown', e => {
  if (!place || document.querySelector('dialog')) return;
  if (e.key === 'Escape' && selected()) away();
  else if (e.key === '/' && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { e.preventDefault(); $('find').focus(); }
});

export const postings = {
  open(where, id) {
    place = where;
    rows = new Map();
    list = [];
    found = [];
    unknown = [];
    waiting = [];
    loaded = false;
    extra = 0;
    drawnUnknown = '';
    const asked = new URLSearchParams(location.search).get('state') || '';
    state = asked in STATES ? asked : '';
    layout();
    feed.run();
    show(id);
  },
  show,
  close() { place = undefined; posting(''); },
};
