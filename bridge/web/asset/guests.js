// Guests: a search that asks the hotel, and who is in the house as far as it told.

import { $, get, h, icon, money, swap, t, when } from './base.js';
import { follow, say, sayFault, table } from './shell.js';

const KINDS = ['', 'room', 'paymaster', 'account'];
const MOST = 500; // rows drawn of a full house

let place, term = '', kind = '', list = [], note = '', empty = true;

function layout() {
  const label = t('guests.find');
  swap(place,
    h('div', { class: 'bar' },
      h('label', { class: 'find wide-find' }, icon('search'), h('span', { class: 'hide' }, label), h('input', { id: 'find', type: 'search', placeholder: label, maxlength: 60, autocomplete: 'off', spellcheck: 'false', value: term, oninput: e => type(e.target.value) })),
      h('div', { class: 'chips', id: 'kinds', role: 'group', 'aria-label': t('guests.kind') })),
    h('p', { class: 'notice', id: 'note', role: 'status' }),
    h('section', { class: 'sheet', id: 'list', 'aria-busy': 'true' }, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'))));
  drawKinds();
}

function drawKinds() {
  swap($('kinds'), KINDS.map(k => h('button', { class: 'pill', 'aria-pressed': String(k === kind), onclick: () => { kind = k; drawKinds(); draw(); } }, k ? t('guests.kind.' + k) : t('guests.all'))));
}

const state = (grade, text) => h('span', { class: 'pos', data: { grade } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), text);

function draw() {
  if (!place) return;
  const box = $('list');
  box.setAttribute('aria-busy', 'false');
  $('note').textContent = t(note);
  $('note').className = 'notice' + (note === 'guests.stale' ? ' bad' : '');
  const shown = list.filter(g => !kind || g.kind === kind);
  if (!shown.length) {
    const nobody = h('div', { class: 'say' });
    swap(box, nobody);
    if (empty) say(nobody, t('guests.empty'), t('guests.empty_remedy'));
    else say(nobody, t('guests.none', term || t('guests.kind.' + (kind || 'room'))), t('guests.none_remedy'));
    return;
  }
  const columns = [
    { head: t('posting.room'), cell: g => h('b', { class: 'room' }, g.room) },
    { head: t('posting.guest'), cell: g => [g.name, g.vip && h('small', {}, t('guests.vip', g.vip))] },
    { head: t('guests.kind'), cell: g => t('guests.kind.' + (g.kind || 'room')) },
    { head: t('posting.reservation'), cell: g => h('span', { class: 'mono' }, g.reservation) },
    { head: t('guests.may'), cell: g => g.no_post ? state('bad', t('guests.no_post')) : state('ok', t('guests.may_charge')) },
    { head: t('guests.limit'), num: true, cell: g => g.credit_limit === undefined ? h('span', { class: 'soft' }, t('guests.no_limit')) : money(g.credit_limit) },
    { head: t('guests.balance'), num: true, cell: g => g.balance === undefined ? '–' : money(g.balance) },
  ];
  if (shown.some(g => g.stale)) columns.push({ head: t('guests.seen'), cell: g => g.seen_at ? when(g.seen_at) : '' });
  swap(box, table(columns, shown.slice(0, MOST), 'guests'));
}

// ---- asking

let timer, asking;

function type(value) {
  term = value.trim();
  clearTimeout(timer);
  timer = setTimeout(() => house.run(), 200);
}

async function search(wanted) {
  asking?.abort();
  asking = new AbortController();
  $('list').setAttribute('aria-busy', 'true');
  try {
    list = (await get('/v1/pms/guests?q=' + encodeURIComponent(wanted), { signal: asking.signal, timeout: 70e3 })).guests || [];
    note = 'guests.fresh';
  } catch (fault) {
    if (fault.status === undefined) return; // another search took its place
    if (fault.status !== 503 || !fault.problem.guests) throw fault;
    list = fault.problem.guests;
    note = 'guests.stale';
  }
  if (wanted !== term) return;
  empty = false;
  draw();
}

// A search is not repeated by itself: it asks the hotel.
let last = '';
const house = follow(['pms', 'setting'], async () => {
  if (!place) return;
  if (term) {
    if (term === last) return;
    last = term;
    await search(term);
    return;
  }
  last = '';
  asking?.abort();
  const all = (await get('/v1/pms/rooms')).guests || [];
  if (term || !place) return;
  list = all.map(g => ({ ...g, stale: false }));
  note = 'guests.house';
  empty = all.length === 0;
  draw();
});
house.fault = fault => {
  last = '';
  if (!place) return;
  const box = $('list'), broken = h('div', { class: 'say' });
  box.setAttribute('aria-busy', 'false');
  swap(box, broken);
  sayFault(broken, fault, () => house.run());
};

export const guests = {
  open(where) {
    place = where;
    last = '';
    layout();
    house.run();
    if (matchMedia('(hover: hover)').matches) $('find').focus({ preventScroll: true });
  },
  close() { place = undefined; asking?.abort(); clearTimeout(timer); },
};
